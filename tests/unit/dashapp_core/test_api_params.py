"""The parameters of the read API, and what is said about wrong ones."""

from __future__ import annotations

import pytest

from dashapp.api_params import BadParameter, choice, filters_of, whole_number
from sql.filters import Filters


def test_filters_of_nothing_filter_nothing() -> None:
    assert filters_of({}) == Filters()
    assert filters_of(dict.fromkeys(("service", "method", "route", "status", "client_ip"), "")) == Filters()
    assert Filters().columns() == set()
    assert not Filters()


def test_filters_of_every_parameter() -> None:
    found = filters_of(
        {
            "service": "shop",
            "method": "get",
            "route": "/a/{id}",
            "status": "404",
            "client_ip": " 2001:DB8::1",
            "text": "Item_",
            "regex": "^/a/\\d+$",
            "latency_min": "10",
            "latency_max": "2.5e3",
        }
    )
    assert found == Filters("shop", "GET", "/a/{id}", (404, 404), "2001:db8::1", "Item_", "^/a/\\d+$", (10.0, 2500.0))
    assert found.columns() == {"service", "method", "route", "status", "client_ip", "path", "latency_ms"}


def test_filters_of_one_bound_of_latency() -> None:
    assert filters_of({"latency_min": "0"}).latency_ms == (0.0, None)
    assert filters_of({"latency_max": "0.5"}).latency_ms == (None, 0.5)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("404", (404, 404)),
        ("2xx", (200, 299)),
        ("4XX", (400, 499)),
        ("5xx", (500, 999)),
        ("999", (999, 999)),
        ("1xx", (100, 199)),
    ],
)
def test_filters_of_a_status(text: str, codes: tuple[int, int]) -> None:
    assert filters_of({"status": text}).status == codes


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        *(({"status": text}, "status") for text in ("abc", "99", "1000", "5x", "-404", "4 04")),
        *(({"client_ip": text}, "client_ip") for text in ("abc", "1.2.3", "1.2.3.4/8", "1.2.3.4:80", "fe80::1%eth0")),
        *(({name: "a\x00b"}, "NUL") for name in ("service", "method", "route", "text", "regex")),
        *(({name: text}, name) for name in ("latency_min", "latency_max") for text in ("x", "-1", "nan", "inf")),
        ({"latency_min": "5", "latency_max": "5"}, "latency_min"),
        ({"regex": "a" * 201}, "regex"),
        ({"regex": r"(a*)\1"}, "regex"),
    ],
    ids=str,
)
def test_filters_of_wrong_parameters_are_refused_by_name(parameters: dict[str, str], name: str) -> None:
    with pytest.raises(BadParameter, match=name):
        filters_of(parameters)


@pytest.mark.parametrize(("text", "number"), [(None, 50), ("", 50), ("1", 1), ("1000", 1000), ("007", 7)])
def test_whole_number_reads(text: str | None, number: int) -> None:
    assert whole_number({} if text is None else {"limit": text}, "limit", 50, most=1000) == number


@pytest.mark.parametrize("text", ["0", "1001", "-1", "1.5", "ten", "1e3", "9" * 400, " 5"])
def test_whole_number_refuses_by_name_and_bounds(text: str) -> None:
    with pytest.raises(BadParameter, match="limit must be a whole number from 1 to 1000"):
        whole_number({"limit": text}, "limit", 50, most=1000)


def test_choice_has_a_default_and_refuses_other_words() -> None:
    assert choice({}, "by", ("route", "path")) == "route"
    assert choice({"by": "path"}, "by", ("route", "path")) == "path"
    with pytest.raises(BadParameter, match="by must be one of route, path"):
        choice({"by": "client"}, "by", ("route", "path"))
