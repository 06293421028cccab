"""Ids in a path become placeholders; words, versions and folders stay."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_server.route import MOST_CHARACTERS, route_of

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

UUID = "3f2b8c1e-0a4d-4c6e-9b7a-1d2e3f4a5b6c"


@pytest.mark.parametrize(
    ("path", "route"),
    [
        pytest.param("/", "/", id="root"),
        pytest.param("/api/user/list", "/api/user/list", id="words"),
        pytest.param("/api/users/17", "/api/users/{id}", id="number at the end"),
        pytest.param("/api/users/17/orders/4/", "/api/users/{id}/orders/{id}/", id="numbers inside"),
        pytest.param(f"/files/{UUID}", "/files/{uuid}", id="uuid"),
        pytest.param(f"/files/{UUID.upper()}", "/files/{uuid}", id="uuid in capitals"),
        pytest.param("/commit/da39a3ee5e6b4b0d3255bfef95601890afd80709", "/commit/{hash}", id="sha1"),
        pytest.param("/key/0123456789abcdef", "/key/{hash}", id="16 hex digits"),
        pytest.param("/key/0123456789abcde", "/key/0123456789abcde", id="15 hex digits are a word"),
        pytest.param("/key/deadbeefdeadbeef", "/key/deadbeefdeadbeef", id="hex letters only are a word"),
        pytest.param("/api/v2/items", "/api/v2/items", id="version"),
        pytest.param("/images/2009/a.png", "/images/2009/a.png", id="year of a file"),
        pytest.param("/blog/2015/05/17/post.html", "/blog/{id}/{id}/{id}/post.html", id="date of a file"),
        pytest.param("/users/2015", "/users/{id}", id="an id that looks like a year"),
        pytest.param("/users/2015/orders", "/users/{id}/orders", id="an id like a year inside"),
        pytest.param("/사용자/17", "/사용자/{id}", id="korean"),
        pytest.param("//1//", "//{id}//", id="empty segments"),
        pytest.param("*", "*", id="asterisk form"),
    ],
)
def test_route_of_folds_ids_only(path: str, route: str) -> None:
    assert route_of(path) == route


@relaxed
@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=2))
def test_route_of_is_the_same_for_two_ids(ids: list[int]) -> None:
    assert route_of(f"/orders/{ids[0]}/items") == route_of(f"/orders/{ids[1]}/items")


@relaxed
@given(st.text(max_size=400))
def test_route_of_any_path_has_as_many_segments_and_a_bounded_length(path: str) -> None:
    route = route_of(path)
    assert len(route) <= MOST_CHARACTERS
    if len(route) < MOST_CHARACTERS:
        assert route.count("/") == path.count("/")


@relaxed
@given(st.from_regex(r"(/([a-z]{1,5}|[0-9]{1,4})){0,6}", fullmatch=True))
def test_route_of_a_route_is_itself(path: str) -> None:
    assert route_of(route_of(path)) == route_of(path)
