"""Ids in a path become placeholders; words, versions and folders stay."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_server.route import MOST_CHARACTERS, RouteRules, route_of

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])

UUID = "3f2b8c1e-0a4d-4c6e-9b7a-1d2e3f4a5b6c"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI5ODc2NTQzMjEwIn0.k3J9dQw4_rT7yUiOpAsDfGhJkLzXcVbNm1Q2w3E4r5T"


@pytest.mark.parametrize(
    ("path", "route"),
    [
        pytest.param("/", "/", id="root"),
        pytest.param("", "", id="empty"),
        pytest.param("/api/user/list", "/api/user/list", id="words"),
        pytest.param("/api/users/17", "/api/users/{id}", id="number at the end"),
        pytest.param("/api/users/17/orders/4/", "/api/users/{id}/orders/{id}/", id="numbers inside"),
        pytest.param(f"/files/{UUID}", "/files/{uuid}", id="uuid"),
        pytest.param(f"/files/{UUID.upper()}", "/files/{uuid}", id="uuid in capitals"),
        pytest.param(f"/files/user-{UUID}.json", "/files/user-{uuid}.json", id="uuid inside"),
        pytest.param("/commit/da39a3ee5e6b4b0d3255bfef95601890afd80709", "/commit/{hash}", id="sha1"),
        pytest.param("/key/0123456789abcdef", "/key/{hash}", id="16 hex digits"),
        pytest.param("/key/0123456789abcde", "/key/0123456789abcde", id="15 hex digits are a word"),
        pytest.param("/key/deadbeefdeadbeef", "/key/deadbeefdeadbeef", id="hex letters only are a word"),
        pytest.param("/layer/sha256:da39a3ee5e6b4b0d3255bfef", "/layer/sha256:{hash}", id="hash behind its kind"),
        pytest.param("/api/v2/items", "/api/v2/items", id="version"),
        pytest.param("/images/2009/a.png", "/images/2009/a.png", id="year of a file"),
        pytest.param("/blog/2015/05/17/post.html", "/blog/{id}/{id}/{id}/post.html", id="date of a file"),
        pytest.param("/users/2015", "/users/{id}", id="an id that looks like a year"),
        pytest.param("/users/2015/orders", "/users/{id}/orders", id="an id like a year inside"),
        pytest.param("/사용자/17", "/사용자/{id}", id="korean"),
        pytest.param("/사용자/١٧", "/사용자/{id}", id="digits of another script"),
        pytest.param("/%EC%82%AC%EC%9A%A9%EC%9E%90/17", "/%EC%82%AC%EC%9A%A9%EC%9E%90/{id}", id="korean, escaped"),
        pytest.param("/users/%31%37", "/users/%31%37", id="escaped digits are not undone"),
        pytest.param("//1//", "//{id}//", id="empty segments"),
        pytest.param("*", "*", id="asterisk form"),
        pytest.param("/a/17?id=5/6", "/a/{id}", id="a query never enters"),
        pytest.param("/cart;jsessionid=1F2A3B/17;v=2", "/cart/{id}", id="matrix parameters"),
        pytest.param("/cart;jsessionid=abc", "/cart", id="matrix parameters without a digit"),
        pytest.param("/d/2025-05-01", "/d/{date}", id="day"),
        pytest.param("/d/2025-05", "/d/{date}", id="month"),
        pytest.param("/d/20250501", "/d/{date}", id="day without separators"),
        pytest.param("/d/20251399", "/d/{id}", id="eight digits that are no day"),
        pytest.param("/d/2025-02-30", "/d/{id}", id="a day that does not exist is a number"),
        pytest.param("/d/2025-05-01T10:15:30Z", "/d/{date}", id="moment"),
        pytest.param("/d/backup-20250501.sql", "/d/backup-{date}.sql", id="day in a file's name"),
        pytest.param("/u/kim@example.com", "/u/{email}", id="email"),
        pytest.param("/u/kim%40example.co.kr", "/u/{email}", id="email, escaped"),
        pytest.param("/@scope/package", "/@scope/package", id="scope of a package"),
        pytest.param("/ip/203.0.113.7", "/ip/{ip}", id="address"),
        pytest.param("/order-123456", "/order-{id}", id="number after a word"),
        pytest.param("/INV_000123", "/INV_{id}", id="number after an underscore"),
        pytest.param("/U1234567", "/U{id}", id="number after a letter"),
        pytest.param("/123456-some-title", "/{id}-some-title", id="number before a title"),
        pytest.param("/order-123456-item-98765", "/order-{id}-item-{id}", id="two numbers"),
        pytest.param("/010-1234-5678", "/{id}", id="number with separators"),
        pytest.param("/+821012345678", "/{id}", id="number with a sign"),
        pytest.param("/jobs/17:cancel", "/jobs/{id}:cancel", id="custom verb"),
        pytest.param("/img/123456.png", "/img/{id}.png", id="number of a file"),
        pytest.param("/img/7.png", "/img/{id}.png", id="short number of a file"),
        pytest.param("/report/2025.pdf", "/report/2025.pdf", id="year as the name of a file"),
        pytest.param("/404.html", "/404.html", id="error page"),
        pytest.param("/static/app.3f2a9c1b.js", "/static/app.{hash}.js", id="hash of a bundle"),
        pytest.param("/static/index-3f2a9c1b.css", "/static/index-{hash}.css", id="hash after a dash"),
        pytest.param("/static/jquery-3.6.0.min.js", "/static/jquery-3.6.0.min.js", id="version of a file"),
        pytest.param("/t/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/t/{token}", id="ULID"),
        pytest.param("/t/0ujtsYcgvSTl8PAuAdqWYSMnLOv", "/t/{token}", id="KSUID"),
        pytest.param("/t/V1StGXR8_Z5jdHi6B-myT", "/t/{token}", id="nanoid"),
        pytest.param("/t/user_01ARZ3NDEKTSV4RRFFQ69G5FAV", "/t/user_{token}", id="token after its kind"),
        pytest.param(f"/t/{JWT}", "/t/{token}", id="JWT"),
        pytest.param("/t/dGhpcyBpcyBhIHRlc3Q1MjM0NQ%3D%3D", "/t/{token}", id="base64, escaped"),
    ],
)
def test_route_of(path: str, route: str) -> None:
    for _ in range(2):  # the second time with what was kept of the first
        assert route_of(path) == route


WORDS = """
v1 v1.2.3 oauth2 mp3 top-10 2fa web2 s3 h264 utf-8 base64 sha256 x86_64 3d-models
24-7 iphone-15 page-2 logstash-puppetconf-2012 how-to-build-10-things-in-2024 How-To-Build-10-Things-In-2024
getUserAccountDetailsV2 ui-bg_highlight-soft_25_327E04_1x100.png internationalization2
-5 1.5 2.0 covid-19 api2.php latin1.css
"""


@pytest.mark.parametrize("word", WORDS.split())
def test_route_of_keeps_a_word_with_digits(word: str) -> None:
    assert route_of(f"/a/{word}") == f"/a/{word}"


ALPHABETS = {
    "base62": (string.ascii_letters + string.digits, 22),
    "nanoid": (string.ascii_letters + string.digits + "_-", 21),
    "base64url": (string.ascii_letters + string.digits + "_-", 43),
    "ULID": ("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26),
    "base36": (string.ascii_lowercase + string.digits, 25),
}


@pytest.mark.parametrize("name", ALPHABETS)
def test_route_of_recognises_nearly_every_random_token(name: str) -> None:
    """A token is told from a word by chance: of 2,000 with a digit at most one in twenty may be missed."""
    letters, length = ALPHABETS[name]
    source = random.Random(17)
    tokens = ["".join(source.choices(letters, k=length)) for _ in range(2000)]
    missed = [token for token in tokens if not token.isalpha() and "{" not in route_of(f"/t/{token}")]
    assert len(missed) <= 100


@relaxed
@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=2))
def test_route_of_is_the_same_for_two_ids(ids: list[int]) -> None:
    # A number such as 20240501 is a date wherever it stands.
    for path in ("/orders/no-{}", "/orders/{}/items"):
        routes = {route_of(path.format(10**6 + number)).replace("{date}", "{id}") for number in ids}
        assert len(routes) == 1


any_path = st.text(max_size=400) | st.text(alphabet="/abz019AZ-_.@%;:{}", max_size=400)


@relaxed
@given(any_path)
def test_route_of_any_path_has_as_many_segments_and_a_bounded_length(path: str) -> None:
    route = route_of(path)
    assert len(route) <= MOST_CHARACTERS
    if len(route) < MOST_CHARACTERS:
        assert route.count("/") == path.partition("?")[0].count("/")
    assert ";" not in route
    assert "?" not in route
    assert RouteRules.default().route(path) == route  # what was kept of other paths changes nothing


@relaxed
@given(st.from_regex(r"(/([a-z]{1,5}|[0-9]{1,4}|[a-z]{2}-[0-9]{4,8}|[0-9a-f]{16,20})){0,6}", fullmatch=True))
def test_route_of_a_route_is_itself(path: str) -> None:
    assert route_of(route_of(path)) == route_of(path)


@pytest.mark.parametrize(
    "path",
    [
        *("/" * 10**6, "/1" * 500_000, "a1" * 500_000, "1a-" * 300_000, "@1" * 500_000, "/" + "0" * 10**6),
        *("1." * 500_000, "a@" + "a." * 500_000 + "1", "0a" * 10 + "_" * 10**6, "-1234" * 200_000, "12345-" * 200_000),
    ],
    ids=lambda path: path[:8],
)
@pytest.mark.timeout(20)
def test_route_of_takes_a_time_that_grows_with_the_path_only(path: str) -> None:
    assert len(route_of(path)) <= MOST_CHARACTERS


def test_rules_keep_a_bounded_number_of_words() -> None:
    rules = RouteRules.default()
    for number in range(10_000):
        rules.route(f"/v{number % 10_000}x")
    assert 0 < len(rules._kept) <= 8192


# ---- settings ----


def test_parse_puts_patterns_before_the_built_in_ones() -> None:
    rules = RouteRules.parse(r"{sku}=[A-Z]{3}-\d+  {lang}=(ko|en)" + "\n{id}=me")
    assert rules.route("/ko/items/ABC-123456/me") == "/{lang}/items/{sku}/{id}"
    assert rules.route("/kok/items/ABC-123456x/17") == "/kok/items/ABC-123456x/{id}"
    assert rules.route("/ko/items") == "/{lang}/items"


@pytest.mark.parametrize("text", ["", "  \n"])
def test_parse_of_nothing_is_the_default(text: str) -> None:
    assert RouteRules.parse(text) == RouteRules.default()


@pytest.mark.parametrize(
    ("text", "path", "route"),
    [
        ("-id", "/u/17/order-123456/7.png", "/u/17/order-123456/7.png"),
        ("-date", "/d/2025-05-01/20250501", "/d/2025-05-01/{id}"),
        ("-date -id", "/d/2025-05-01/20250501", "/d/2025-05-01/20250501"),
        ("-email", "/u/kim@example.com", "/u/kim@example.com"),
        ("-ip", "/ip/10.0.0.7", "/ip/10.0.0.7"),
        ("-uuid", f"/f/{UUID}", f"/f/{UUID}"),
        ("-hash", "/f/0123456789abcdef", "/f/0123456789abcdef"),
        ("-token", "/t/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/t/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
    ],
)
def test_parse_switches_a_built_in_placeholder_off(text: str, path: str, route: str) -> None:
    assert RouteRules.parse(text).route(path) == route


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sku=[A-Z]+", "is neither"),
        ("{sku}", "is neither"),
        ("{sku}=", "is neither"),
        ("{SKU}=a", "is neither"),
        ("{sku}=[A-Z", "is no regular expression"),
        ("{sku}=(a", "is no regular expression"),
        ("-dates", "switches off none"),
        (r"{sku}=(\d+)+x", "too many ways"),
        (r"{sku}=(a|a)*b", "too many ways"),
        (r"{sku}=(a?){50}b", "too many ways"),
        (r"{sku}=.*.*.*x", "too many ways"),
        (r"{sku}=(?:(?:a*)b?)*c", "too many ways"),
        (r"{sku}=(a+)\1", "too many ways"),
        (r"{sku}=(){2000000000}", "too many ways"),
        (r"{sku}=((((a?){1}b?){128}){128}){128}", "too many ways"),
        (r"{sku}=(?=(a|aa)+$)a+", "too many ways"),
    ],
)
def test_parse_refuses_a_bad_pattern_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        RouteRules.parse(f"{{lang}}=ko {text}")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "expression",
    [r"\w*-\w*", r"[a-z]{1,20}-[a-z]{1,20}-[a-z]{1,20}", r"(?:[a-z]*|\d*)(ko|en)?", r"(a|b){1,6}", r"(?i:x)\d+"],
)
@pytest.mark.timeout(20)
def test_a_pattern_that_is_taken_is_fast_for_any_segment(expression: str) -> None:
    rules = RouteRules.parse(f"{{x}}={expression}")
    for segment in ("a" * 127 + "!", "-" * 128, "a-" * 64, "ab" * 64 + "1"):
        rules.route(f"/{segment}" * 60)
    rules.route("/" + "a" * 10**6)


@relaxed
@given(st.text(max_size=60) | st.text(alphabet="{}abx=()*+?|\\d[]-^$.,12 ", max_size=30).map("{{x}}={}".format))
def test_parse_of_anything_is_rules_or_a_value_error(text: str) -> None:
    try:
        rules = RouteRules.parse(text)
    except ValueError:
        return
    rules.route("/aaaaaaaaaaaaaaaaaaaaaaaaaaaa/1-1-1/x")
