"""The fast way and the careful way of the reader agree; shapes; dialects; raw lines; bounded memory."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest_server import reader as module
from ingest_server.event import MOST_TEXT, Refused
from ingest_server.fields import ALIASES
from ingest_server.reader import Reader, shape_of
from ingest_server.route import route_of
from sql.batch import LogRow
from tests.reading import LEAST, NOW, attributes_of, json_values, relaxed, row_of
from tests.rows import micros

# Values that a real log has, and such as only just are or are not what a column takes.
PLAIN: dict[str, list[Any]] = {
    "timestamp": ["2026-05-01T10:15:30Z", 1777630530, 1777630530.5, "1777630530.123456", 1777630530123, "02/May/2026"],
    "method": ["GET", "get", " POST ", "M-SEARCH", "X" * 33, "\x16"],
    "path": [
        "/",
        "/a?b=1",
        "/a?",
        "/a b",
        "/a ",
        " /a",
        "/a\x00",
        "/é",
        "http://h/p?q",
        "*",
        "",
        "/" * 8193,
    ],
    "status": [200, "404", " 200", 200.0, 99, "1000", True, "2e2", "٢٠٠", "2_00"],
    "latency_ms": [0, 1.5, "12", "1.5ms", -1, "-0", 1e12, "nan", True, "1_0", 2**80],
    "bytes": [0, 345, "345", "-", "1e3", "٣", 2**62, 17.5, True, "9" * 18, "1_0", -1],
    "client_ip": ["10.0.0.1", "::1", "10.0.0.1:80", "10.0.0.1, 10.0.0.2", "unix:", "host.example", 5, "fe80::1%eth0"],
    "user_agent": ["curl/8", " curl ", "", "-", "x\x00", "a" * (MOST_TEXT + 1), "\ud800", 5, None, "   "],
    "referer": ["http://r/", "-", {"a": 1}, "   ", False],
    "service": ["cart", " cart ", "", "-", None, 7, "   ", "s\x00"],
}
REQUIRED = ("timestamp", "method", "path", "status")


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """Fields under any of their names, some twice, in any order, with plain, awkward and absent values."""
    fields: list[tuple[str, Any]] = []
    for column, aliases in ALIASES.items():
        for _ in range(draw(st.sampled_from((1, 1, 1, 2) if column in REQUIRED else (0, 1, 1, 2)))):
            name = draw(st.sampled_from(sorted(aliases)))
            value = draw(st.sampled_from(PLAIN[column]) | st.just(PLAIN[column][0]) | json_values)
            fields.append((name, value))
    extra = draw(st.dictionaries(st.sampled_from(["x", "query", "path_query", "_id", "user"]), json_values, max_size=2))
    return dict(draw(st.permutations([*fields, *extra.items()])))


def outcome(read: Any, record: dict[str, Any]) -> tuple[Any, ...]:
    """The row, attributes as values; or kind and sentence of the refusal."""
    try:
        row: LogRow = read(record)
    except Refused as refusal:
        return refusal.kind, str(refusal)
    attributes = None if row.attributes is None else json.loads(row.attributes)
    return (*row[:11], json.dumps(attributes, sort_keys=True))


def with_care(reader: Reader, record: dict[str, Any]) -> LogRow:
    dialect = shape_of(tuple(record)).dialect  # names that were drawn may happen to be those of one
    return reader._with_care(dialect.reshape(record) if dialect else record, "shop", micros(NOW))


def fresh_reader() -> Reader:
    return Reader(lambda _, path: route_of(path))


@settings(relaxed, max_examples=400)
@given(records())
@example(
    {"@timestamp": PLAIN["timestamp"][0], "start_time": PLAIN["timestamp"][0], "method": "GET", "path": "/",
     "response_code": 200}
)  # fmt: skip
def test_both_ways_give_the_same_row_or_the_same_refusal(record: dict[str, Any]) -> None:
    reader = fresh_reader()
    careful = outcome(lambda each: with_care(reader, each), record)
    assert outcome(lambda each: row_of(each, reader=reader), record) == careful
    assert outcome(lambda each: row_of(each, reader=reader), record) == careful  # from what it remembers by now


@pytest.mark.parametrize(("column", "value"), [(column, value) for column, values in PLAIN.items() for value in values])
def test_both_ways_agree_on_each_awkward_value(column: str, value: Any) -> None:
    reader, record = fresh_reader(), LEAST | {column: value}
    careful = outcome(lambda each: with_care(reader, each), record)
    for _ in range(2):
        assert outcome(lambda each: row_of(each, reader=reader), record) == careful


@pytest.mark.parametrize("name", sorted(ALIASES["latency_ms"]))
@pytest.mark.parametrize("value", [3, 0.25, "12.5", "1.5s", 1e11, 999_999_999_999])
def test_both_ways_give_the_same_latency_to_the_last_digit(name: str, value: Any) -> None:
    reader, record = fresh_reader(), LEAST | {name: value}
    assert row_of(record, reader=reader).latency_ms == with_care(reader, record).latency_ms


def test_a_record_of_plain_values_never_needs_care(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> LogRow:
        raise AssertionError("the careful way was taken")

    monkeypatch.setattr(Reader, "_with_care", never)
    record = {
        "date": 1777630530.0,
        "remote": "10.0.0.1",
        "method": "GET",
        "path": "/a/17?x=1",
        "code": "200",
        "size": "345",
        "agent": "curl/8",
    }
    row = row_of(record, reader=fresh_reader())
    assert (row.path, row.status, row.bytes, row.client_ip) == ("/a/17", 200, 345, "10.0.0.1")


# ---- shapes ----


def test_shape_prefers_names_in_their_order_whatever_the_order_of_the_fields() -> None:
    shape = shape_of(("code", "uri", "time", "verb", "status", "timestamp", "x", "_id", "date"))
    columns = dict(zip(module._COLUMNS, shape.columns, strict=True))
    assert {k: v for k, v in columns.items() if v} == {
        "timestamp": "timestamp",
        "method": "verb",
        "path": "uri",
        "status": "status",
    }
    assert shape.rest == ("code", "time", "x")
    assert not shape.raw_line
    assert shape.key_fields is not None


def test_second_names_of_a_column_stay_in_the_attributes() -> None:
    assert attributes_of(LEAST | {"code": 500, "remote_addr": "10.0.0.1", "host": "10.0.0.2"}) == {
        "code": 500,
        "host": "10.0.0.2",
    }


@pytest.mark.parametrize(
    ("names", "raw"),
    [
        (("date", "log"), True),
        (("date", "message"), True),
        (("date", "log", "method"), True),
        (("log", "method", "path"), False),
        (("date", "text"), False),
    ],
)
def test_shape_says_whether_a_line_is_to_be_parsed(names: tuple[str, ...], raw: bool) -> None:
    assert shape_of(names).raw_line is raw


# ---- raw lines and dialects ----

COMBINED = '1.2.3.4 - bob [01/May/2026:10:15:30 +0000] "GET /item/17?a=b HTTP/1.1" 200 345 "-" "curl"'


def test_a_raw_line_becomes_what_its_fields_are_and_keeps_what_is_beside_it() -> None:
    row = row_of({"date": 1.0, "log": COMBINED, "source_host": "web1"})
    assert (row.path, row.route, row.status, row.bytes, row.client_ip) == (
        "/item/17",
        "/item/{id}",
        200,
        345,
        "1.2.3.4",
    )
    attributes = json.loads(row.attributes or "")
    assert attributes["source_host"] == "web1"
    assert attributes["query"] == "a=b"
    assert "log" not in attributes


def test_the_fields_of_a_raw_line_win_over_those_beside_it() -> None:
    line = json.dumps(LEAST | {"status": 404})
    assert row_of({"log": line, "status": 200, "date": 1.0}).status == 404


def test_a_message_is_tried_where_log_is_no_line() -> None:
    assert row_of({"log": "hello", "message": COMBINED}).client_ip == "1.2.3.4"
    assert row_of({"log": 17, "message": COMBINED}).client_ip == "1.2.3.4"


def test_a_line_of_a_dialect_inside_of_log_is_reshaped() -> None:
    traefik = {
        "ClientHost": "10.0.0.1",
        "DownstreamStatus": 502,
        "Duration": 1_500_000,
        "RequestMethod": "GET",
        "RequestPath": "/cart",
        "StartUTC": "2026-05-01T10:15:30Z",
        "RouterName": "web",
    }
    for record in (traefik, {"date": 1.0, "log": json.dumps(traefik)}):
        row = row_of(record)
        assert (row.path, row.status, row.client_ip) == ("/cart", 502, "10.0.0.1")
        assert row.latency_ms == pytest.approx(1.5)


# ---- the query string ----


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"path": "/a?b=1"}, {"query": "b=1"}, id="from the path"),
        pytest.param({"path": "/a?b=1", "query": "b=1"}, {"query": "b=1"}, id="the same twice"),
        pytest.param({"path": "/a?b=1", "query": "mine"}, {"query": "mine", "path_query": "b=1"}, id="another one"),
        pytest.param({"path": "/a?"}, {"query": ""}, id="empty"),
        pytest.param({"path": "/a"}, None, id="none"),
    ],
)
def test_the_query_string_is_kept(fields: dict[str, Any], expected: dict[str, Any] | None) -> None:
    assert attributes_of(LEAST | fields) == expected
    row = with_care(fresh_reader(), LEAST | fields)
    assert (None if row.attributes is None else json.loads(row.attributes)) == expected


# ---- what is remembered ----


def test_remembered_values_and_shapes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_REMEMBERED", 10)
    monkeypatch.setattr(module, "_MOST_SHAPES", 10)
    reader = fresh_reader()
    for i in range(100):
        record = LEAST | {"user_agent": f"agent {i}", "client_ip": f"10.0.0.{i}", f"field{i}": i}
        row = row_of(record, reader=reader)
        assert (row.user_agent, row.client_ip) == (f"agent {i}", f"10.0.0.{i}")
        for remembered in (reader._shapes, reader._texts, reader._addresses, reader._methods, reader._statuses):
            assert len(remembered) <= 10


def test_what_is_refused_is_refused_again() -> None:
    reader = fresh_reader()
    for _ in range(3):
        with pytest.raises(Refused, match="no HTTP status"):
            row_of(LEAST | {"status": "teapot"}, reader=reader)
    assert row_of(LEAST | {"status": "418"}, reader=reader).status == 418


def test_equal_values_of_other_types_are_not_mixed_up() -> None:
    """True equals 1 and 200.0 equals 200 as keys of a dict."""
    reader = fresh_reader()
    assert row_of(LEAST | {"status": 200}, reader=reader).status == 200
    row = row_of(LEAST | {"status": 200.0}, reader=reader)
    assert (row.status, type(row.status)) == (200, int)
    assert row_of(LEAST | {"bytes": 1}, reader=reader).bytes == 1
    assert row_of(LEAST | {"bytes": True}, reader=reader).bytes is None
