"""Search of the log: every row on exactly one page, whatever their times are and whatever arrives meanwhile."""

from __future__ import annotations

import itertools
import json
import random
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from dashapp.api import api_blueprint
from dashapp.settings import DashboardSettings
from sql.batch import Batch, LogRow
from sql.filters import Filters
from sql.plan import Range
from sql.position import Position
from sql.search import search
from sql.writing import LogWriter
from tests.rows import log_row, micros, moment

Connection = psycopg.Connection[tuple[object, ...]]

# A year in which no other test has rows.
START = datetime(2003, 3, 1, tzinfo=UTC)
END = START + timedelta(days=40)
NOW = END + timedelta(hours=1)
WHOLE = Range(START, END)
COLUMNS = {
    "ts", "service", "method", "path", "route", "status", "latency_ms", "bytes", "client_ip", "user_agent",
    "referer", "attributes",
}  # fmt: skip
Content = tuple[Any, ...]


@pytest.fixture(scope="module")
def client(engine: sa.Engine) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(api_blueprint(DashboardSettings(), engine, now=lambda: NOW))
    return app.test_client()


def get(client: FlaskClient, **parameters: Any) -> dict[str, Any]:
    given = {"start": START.isoformat(), "end": END.isoformat()} | parameters
    answer = client.get("/api/logs", query_string=given)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, Any] = json.loads(answer.data, parse_constant=lambda word: pytest.fail(f"{word} in an answer"))
    return found


def every_page(
    client: FlaskClient, *, between: Callable[[int], None] = lambda page: None, **parameters: Any
) -> list[Any]:
    """Rows of all pages; `between` runs after each."""
    rows: list[Any] = []
    before: dict[str, str] = {}
    for number in itertools.count(1):
        page = get(client, **parameters, **before)
        assert len(page["logs"]) <= int(parameters.get("limit", 100))
        rows += page["logs"]
        if page["next_before"] is None:
            return rows
        # Without a limit of time only the last page may have room.
        assert page["truncated"] is False
        before = {"before": page["next_before"]}
        between(number)
        assert number < 10_000, "the pages do not end"
    return rows


def content(rows: Iterable[dict[str, Any]]) -> Counter[Content]:
    return Counter(tuple(json.dumps(row[name], sort_keys=True) for name in sorted(COLUMNS)) for row in rows)


def stored(rows: Iterable[LogRow]) -> Counter[Content]:
    """What the API should say about rows."""
    return content(
        {name: getattr(row, name) for name in COLUMNS if name not in ("ts", "attributes")}
        | {
            "ts": moment(row.ts).isoformat().replace("+00:00", "Z"),
            "attributes": None if row.attributes is None else json.loads(row.attributes),
        }
        for row in rows
    )


def newest_first(rows: list[Any]) -> bool:
    moments = [datetime.fromisoformat(row["ts"]) for row in rows]
    return moments == sorted(moments, reverse=True)


def store(writer: LogWriter, service: str, rows: list[LogRow], batch: int = 1_000) -> None:
    for start in range(0, len(rows), batch):
        writer.store(Batch("test", service, rows[start : start + batch], []))


def some_rows(service: str, n: int, *, seed: int = 1, moments: int = 0) -> list[LogRow]:
    """Random rows; with `moments`, of so few different times. Most are equal to others in everything."""
    draw = random.Random(seed)
    times = [START + timedelta(seconds=draw.uniform(0, 30 * 86_400)) for _ in range(moments or n)]
    return [
        log_row(
            ts=times[i % len(times)],
            service=service,
            path=draw.choice(["/a", "/b", "/c"]),
            status=draw.choice([200, 404, 500]),
            latency_ms=draw.choice([None, 1.0, 20.0]),
            client_ip=draw.choice([None, "10.0.0.1", "2001:db8::1"]),
            attributes=draw.choice([None, '{"k": 1}']),
            # Half of them are known again, half are not.
            record_key=uuid.uuid4().bytes if i % 2 else None,
        )
        for i in range(n)
    ]


# ---- paging ----


@pytest.mark.parametrize("limit", [1, 7, 100, 1000])
def test_pages_hold_every_row_once(client: FlaskClient, writer: LogWriter, service: str, limit: int) -> None:
    rows = some_rows(service, 150 if limit == 1 else 1_500)
    store(writer, service, rows, batch=400)
    found = every_page(client, service=service, limit=limit)
    assert content(found) == stored(rows)
    assert newest_first(found)


@pytest.mark.parametrize("moments", [1, 3])
@pytest.mark.parametrize("batch", [90, 5_000], ids=["many batches", "one batch"])
def test_pages_cut_between_rows_of_one_time(
    client: FlaskClient, writer: LogWriter, service: str, moments: int, batch: int
) -> None:
    rows = some_rows(service, 2_500, moments=moments)
    store(writer, service, rows, batch)
    for limit in (99, 1000):
        assert content(every_page(client, service=service, limit=limit)) == stored(rows)


def test_pages_of_rows_that_equal_each_other_in_everything(
    client: FlaskClient, writer: LogWriter, service: str
) -> None:
    rows = [log_row(ts=START, service=service)] * 350
    store(writer, service, rows, batch=60)
    for limit in (1, 50, 60, 61, 349, 350):
        assert content(every_page(client, service=service, limit=limit)) == stored(rows)


def test_pages_are_one_list_whatever_their_size(client: FlaskClient, writer: LogWriter, service: str) -> None:
    store(writer, service, some_rows(service, 600, moments=20), batch=150)
    whole = every_page(client, service=service, limit=1000)
    for limit in (13, 30, 599):
        assert every_page(client, service=service, limit=limit) == whole


@pytest.mark.parametrize("moments", [0, 2])
def test_rows_that_arrive_between_pages_move_none(
    client: FlaskClient, writer: LogWriter, service: str, moments: int
) -> None:
    rows = some_rows(service, 400, moments=moments)
    store(writer, service, rows, batch=100)
    late = iter(range(1, 1000))

    def arrive(_page: int) -> None:
        more = some_rows(service, 20, moments=moments)
        store(writer, service, [row._replace(user_agent=f"late {next(late)}") for row in more])

    found = every_page(client, between=arrive, service=service, limit=45)
    first = [row for row in found if not str(row["user_agent"]).startswith("late")]
    assert content(first) == stored(rows)
    assert max(content(found).values()) <= max(stored(rows).values())


def test_pages_end_with_null_and_may_be_empty(client: FlaskClient, writer: LogWriter, service: str) -> None:
    rows = some_rows(service, 10)
    store(writer, service, rows)
    page = get(client, service=service, limit=10)
    assert len(page["logs"]) == 10
    if page["next_before"] is not None:
        assert get(client, service=service, before=page["next_before"])["logs"] == []
    nothing = get(client, service="nobody-at-all")
    assert (nothing["logs"], nothing["next_before"], nothing["truncated"]) == ([], None, False)


def test_cursor_from_elsewhere_stays_within_the_range(client: FlaskClient, writer: LogWriter, service: str) -> None:
    rows = some_rows(service, 50)
    store(writer, service, rows)
    outside = log_row(ts=END, service=service)
    store(writer, service, [outside])
    digest = "0" * 64
    for cursor in (str(Position(END + timedelta(days=900))), str(Position(END, 10**17, digest, 0)), "9" * 17):
        assert content(get(client, service=service, before=cursor)["logs"]) == stored(rows)
    for cursor in (str(Position(START)), str(Position(START - timedelta(days=1), 10**17, digest, 0)), "0"):
        assert get(client, service=service, before=cursor)["logs"] == []


def test_pages_count_what_the_summary_counts(client: FlaskClient, writer: LogWriter, service: str) -> None:
    store(writer, service, some_rows(service, 900, moments=50), batch=200)
    filters: list[dict[str, Any]] = [
        {},
        {"status": "4xx"},
        {"text": "B"},
        {"latency_min": "5"},
        {"client_ip": "2001:db8::1"},
        {"agent": "CURL"},
    ]
    for more in filters:
        span = {"start": START.isoformat(), "end": END.isoformat(), "service": service, **more}
        total = client.get("/api/stats/summary", query_string=span).get_json()["total"]
        assert len(every_page(client, service=service, limit=70, **more)) == total > 0


# ---- what a row says ----

ODD = [
    "/한글/경로 😀",
    "/quotes\"and'backslash\\",
    "/line\nbreak\r\ttab",
    "/100%_done",
    "/\u2028\u00a0\u202f",
    "/<script>alert(1)</script>",
    "/" + "x" * 8_000,
]


def test_odd_text_comes_back_as_it_was(client: FlaskClient, writer: LogWriter, service: str) -> None:
    rows = [
        log_row(
            ts=START + timedelta(seconds=i),
            service=service,
            path=path,
            user_agent=path,
            referer=path,
            bytes=None,
            attributes=json.dumps({path: [path, None, {"n": 1.5, "깊이": True}]}),
        )
        for i, path in enumerate(ODD)
    ]
    store(writer, service, rows)
    page = get(client, service=service)
    assert content(page["logs"]) == stored(rows)
    assert [row["path"] for row in page["logs"]] == ODD[::-1]
    assert set(page["logs"][0]) == COLUMNS


def test_answer_names_its_range_and_its_cost(client: FlaskClient, writer: LogWriter, service: str) -> None:
    store(writer, service, some_rows(service, 5))
    page = get(client, service=service)
    assert (page["start"], page["end"]) == ("2003-03-01T00:00:00Z", "2003-04-10T00:00:00Z")
    assert datetime.fromisoformat(page["complete_through"]) <= NOW
    assert page["query"]["statements"] > 0
    assert page["query"]["rows_read"] >= 5


# ---- filters ----


@pytest.fixture(scope="module")
def mixed(writer: LogWriter) -> tuple[str, list[LogRow]]:
    name = f"mixed-{uuid.uuid4().hex[:12]}"
    draw = random.Random(7)
    paths = ["/api/Login", "/api/login/한글", "/100%", "/1000", "/a_b", "/aXb", "/back\\slash", "/x\ny", "/ÄÖ"]
    rows = [
        log_row(
            ts=START + timedelta(minutes=i),
            service=name,
            method=draw.choice(["GET", "POST"]),
            path=(path := draw.choice(paths)),
            route=path,
            status=draw.choice([200, 204, 404, 500, 503, 600]),
            latency_ms=draw.choice([None, 0.0, 9.99, 10.0, 10.01, 500.0]),
            client_ip=draw.choice([None, "10.0.0.1", "10.0.0.2"]),
            user_agent=draw.choice([None, "ShopApp/4.2.1 (iPhone)", "100% curl/8"]),
            attributes=draw.choice([None, '{"version": "1.4", "n": 7}', '{"version": "1.5:b", "debug": true}', "{}"]),
        )
        for i in range(600)
    ]
    store(writer, name, rows)
    return name, rows


FILTERS: list[Any] = [
    ({}, lambda row: True),
    ({"method": "post", "status": "404"}, lambda row: row.method == "POST" and row.status == 404),
    ({"status": "5xx"}, lambda row: row.status >= 500),
    ({"client_ip": "10.0.0.1"}, lambda row: row.client_ip == "10.0.0.1"),
    ({"route": "/1000"}, lambda row: row.route == "/1000"),
    ({"text": "LOGIN"}, lambda row: "login" in row.path.lower()),
    ({"text": "한글"}, lambda row: "한글" in row.path),
    ({"text": "%"}, lambda row: "%" in row.path),
    ({"text": "0%"}, lambda row: "0%" in row.path),
    ({"text": "a_b"}, lambda row: "a_b" in row.path),
    ({"text": "\\"}, lambda row: "\\" in row.path),
    ({"text": "k\\s"}, lambda row: "k\\s" in row.path),
    ({"text": "x\ny"}, lambda row: "x\ny" in row.path),
    ({"text": "/"}, lambda row: True),
    ({"text": "' or true --"}, lambda row: False),
    ({"regex": "^/api/"}, lambda row: row.path.startswith("/api/")),
    ({"regex": "login"}, lambda row: "login" in row.path),
    ({"regex": "(?i)login$"}, lambda row: row.path == "/api/Login"),
    ({"regex": r"\d{3,}"}, lambda row: re.search(r"\d{3,}", row.path) is not None),
    ({"regex": "[가-힣]"}, lambda row: "한글" in row.path),
    ({"regex": "^$"}, lambda row: False),
    ({"agent": "shopapp/4.2.1"}, lambda row: "ShopApp" in (row.user_agent or "")),
    ({"agent": "0%"}, lambda row: "curl" in (row.user_agent or "")),
    ({"agent": "' or true --"}, lambda row: False),
    ({"attribute": "version:1.4"}, lambda row: '"1.4"' in (row.attributes or "")),
    ({"attribute": "version:1.5:b"}, lambda row: "1.5:b" in (row.attributes or "")),
    ({"attribute": "n:7"}, lambda row: '"n"' in (row.attributes or "")),
    ({"attribute": "debug:true"}, lambda row: "debug" in (row.attributes or "")),
    ({"attribute": "version:"}, lambda row: False),
    ({"attribute": "none'):1"}, lambda row: False),
    ({"latency_min": "10"}, lambda row: row.latency_ms is not None and row.latency_ms >= 10),
    ({"latency_max": "10"}, lambda row: row.latency_ms is not None and row.latency_ms < 10),
    ({"latency_min": "0"}, lambda row: row.latency_ms is not None),
    ({"latency_min": "9.99", "latency_max": "10.01"}, lambda row: row.latency_ms in (9.99, 10.0)),
    (
        {"method": "GET", "text": "LOGIN", "regex": "^/", "latency_max": "9", "status": "2xx", "client_ip": "10.0.0.2"},
        lambda row: (
            row.method == "GET"
            and "login" in row.path.lower()
            and row.latency_ms is not None
            and row.latency_ms < 9
            and row.status < 300
            and row.client_ip == "10.0.0.2"
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "matches"), FILTERS, ids=[str(each[0]) for each in FILTERS])
def test_filters_find_what_a_plain_loop_finds(
    client: FlaskClient, mixed: tuple[str, list[LogRow]], parameters: dict[str, Any], matches: Any
) -> None:
    service, rows = mixed
    found = every_page(client, service=service, limit=40, **parameters)
    assert content(found) == stored(row for row in rows if matches(row))


# ---- the time a search may take ----


def test_search_that_runs_out_of_time_goes_on_where_it_stopped(
    engine: sa.Engine, writer: LogWriter, service: str
) -> None:
    rows = some_rows(service, 1_500)
    wanted = [row._replace(path="/rare") if i % 300 == 0 else row for i, row in enumerate(rows)]
    store(writer, service, wanted)
    ticks = itertools.count()
    found, before, cut = [], None, 0
    for _ in range(500):
        # A clock on which every look takes a second: no page has time for two.
        page = search(
            engine,
            WHOLE,
            Filters(service=service, path_text="RARE"),
            limit=10,
            before=before,
            seconds=0.5,
            clock=lambda: float(next(ticks)),
        )
        found += page.rows
        cut += page.truncated
        assert page.truncated is (page.next is not None)
        before = page.next
        if before is None:
            break
    assert len(found) == 5
    assert cut > 1
    assert [row["ts"] for row in found] == sorted((row["ts"] for row in found), reverse=True)


def test_step_is_bounded_in_rows_and_a_turn_in_time(engine: sa.Engine, writer: LogWriter, service: str) -> None:
    rows = [log_row(ts=END - timedelta(seconds=i + 1), service=service) for i in range(1_500)]
    store(writer, service, rows)
    nothing = Filters(service=service, path_regex="^$")
    page = search(engine, WHOLE, nothing, limit=10, seconds=0)
    assert page.truncated
    assert page.next is not None
    assert 0 < sum(row.ts >= micros(page.next.ts) for row in rows) <= 250

    turns: list[object] = []
    ticks = itertools.count()

    def count(*turn: object) -> None:
        turns.append(turn)

    sa.event.listen(engine, "checkout", count)
    try:
        whole = search(engine, WHOLE, nothing, limit=10, seconds=1_000, clock=lambda: float(next(ticks)))
    finally:
        sa.event.remove(engine, "checkout", count)
    assert (whole.rows, whole.next, whole.truncated) == ([], None, False)
    # A step takes a second on this clock, which is longer than a turn.
    assert len(turns) > 2


def test_search_says_so_when_its_time_is_over(
    client: FlaskClient, mixed: tuple[str, list[LogRow]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "__kwdefaults__", (search.__kwdefaults__ or {}) | {"seconds": 0.0})
    page = get(client, service=mixed[0], regex="^$")
    assert page["truncated"] is True
    assert page["logs"] == []
    assert page["next_before"]


@pytest.mark.parametrize("pattern", ["(", "[z-a]", "a{2,1}", "*a", "\\", "a{300}", "[[:nope:]]"])
@pytest.mark.parametrize("service", ["", "nobody-at-all"])
def test_pattern_that_is_none_is_refused_in_one_sentence(client: FlaskClient, pattern: str, service: str) -> None:
    given = {"start": START.isoformat(), "end": END.isoformat(), "regex": pattern, "service": service}
    answer = client.get("/api/logs", query_string=given)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["code"] == "bad_parameter"
    assert "regular expression" in answer.get_json()["error"]["message"]
    assert "\n" not in answer.get_json()["error"]["message"]


HOSTILE = [
    "(a?){250}a{240}$",
    "(a|b|c)*a(a|b|c){60}/$",
    "(a.{30}b|b.{30}c|c.{30}a){5}aaaaaaaa$",
    "(((((((a+)+)+)+)+)+)+)+$x",
    "(((.{0,9}a){0,9}b)){0,5}aaaaaaaaaaaaaaaaaa",
    "(x+x+)+y",
    "(.*a.*b){100}cccc",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_hostile_pattern_over_hostile_paths_ends(
    client: FlaskClient, writer: LogWriter, service: str, pattern: str
) -> None:
    draw = random.Random(3)
    paths = ["/" + "a" * 8_000, *("/" + "".join(draw.choices("abc", k=8_000)) for _ in range(39))]
    rows = [log_row(ts=START + timedelta(seconds=i), service=service, path=path) for i, path in enumerate(paths)]
    store(writer, service, rows)
    # That it ends at all is the test: what takes exponential time would run into the tests' own limit.
    get(client, service=service, regex=pattern)


BAD: list[dict[str, str]] = [
    {"before": "abc"},
    {"before": "1.2.3.4"},
    {"before": "' or true --"},
    {"before": "9" * 30},
    {"limit": "0"},
    {"limit": "1001"},
    {"limit": "ten"},
    {"status": "abc"},
    {"client_ip": "nowhere"},
    {"regex": "(a)\\1"},
    {"regex": "a(?=b)"},
    {"regex": "a" * 201},
    {"regex": "((a{1,99}){1,99}){1,99}"},
    {"text": "a\x00b"},
    {"regex": "a\x00b"},
    {"latency_min": "-1"},
    {"latency_min": "nan"},
    {"latency_max": "inf"},
    {"latency_min": "fast"},
    {"latency_min": "10", "latency_max": "10"},
    {"latency_min": "11", "latency_max": "10"},
    {"attribute": "version"},
    {"attribute": ":1"},
    {"attribute": "a\x00:b"},
    {"agent": "a\x00b"},
    {"start": "yesterday"},
]


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        *(("/api/logs", each) for each in BAD),
        *(("/api/logs/export", each) for each in BAD if not each.keys() & {"before", "limit"}),
    ],
    ids=str,
)
def test_bad_parameter_is_refused(client: FlaskClient, path: str, parameters: dict[str, str]) -> None:
    answer = client.get(path, query_string={"start": START.isoformat(), "end": END.isoformat(), **parameters})
    assert answer.status_code == 400
    error = answer.get_json()["error"]
    assert error["code"] == "bad_parameter"
    assert 5 < len(error["message"]) < 300


# ---- what is no longer kept ----


def test_rows_that_may_be_gone_are_not_shown(
    client: FlaskClient, writer: LogWriter, connection: Connection, service: str
) -> None:
    rows = some_rows(service, 200)
    store(writer, service, rows)
    horizon = START + timedelta(days=10)
    connection.execute("update log_horizon set raw_from = %s", (horizon,))
    try:
        page = get(client, service=service, limit=1000)
    finally:
        connection.execute("update log_horizon set raw_from = '-infinity'")
    (gone,) = page["query"]["not_kept"]
    assert datetime.fromisoformat(gone["start"]) == START
    assert datetime.fromisoformat(gone["end"]) == horizon
    assert page["next_before"] is None
    kept = [row for row in rows if row.ts >= micros(horizon)]
    assert 0 < len(kept) < len(rows)
    assert content(page["logs"]) == stored(kept)
    assert get(client, service=service)["query"]["not_kept"] == []
