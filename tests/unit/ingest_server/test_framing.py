"""A body comes apart into records whatever its framing, and a broken record costs only itself."""

from __future__ import annotations

import gzip
import json
import math
import re
import struct
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cramjam
import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_server import framing, json_scan, msgpack_events
from ingest_server.compression import decompress
from ingest_server.fields import pick
from ingest_server.framing import Broken, decode, line_value

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
thorough = settings(relaxed, max_examples=2_500)

ONE = b'{"date":1700000000.123457,"message":"GET /\\u00e9","status":200}'
TWO = b'{"date":1700000001.0,"message":"a } ] , { \\" b","status":404}'
LOG = '83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 7697 "-" "curl"'
FOLDER = Path(__file__).parents[2] / "data" / "fluent_bit"


def values(body: bytes) -> list[dict[str, Any] | None]:
    return [None if isinstance(value, Broken) else value for value in decode(body).values]


def raws(body: bytes) -> list[bytes]:
    decoded = decode(body)
    return [decoded.raw_of(i) for i in range(len(decoded.values))]


def broken(body: bytes) -> list[bytes]:
    return [value.raw for value in decode(body).values if isinstance(value, Broken)]


def parsed(*records: bytes) -> list[dict[str, Any]]:
    return [json.loads(record) for record in records]


# ---- what Fluent Bit sends ----


def capture(name: str) -> tuple[dict[str, str], bytes]:
    """The headers of a stored request, by their names in lower case, and its body."""
    head, body = (FOLDER / f"{name}.http").read_bytes().split(b"\r\n\r\n", 1)
    lines = head.decode("ascii").split("\r\n")
    return {k.lower(): v for k, _, v in (line.partition(": ") for line in lines if ": " in line)}, body


def captured(name: str) -> list[Any]:
    headers, body = capture(name)
    assert len(body) == int(headers["content-length"])
    return decode(decompress(body, headers.get("content-encoding", ""))).values


def names(prefix: str) -> list[str]:
    return sorted(path.stem for path in FOLDER.glob(f"{prefix}-*.http"))


def without_time(record: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in record.items() if k not in ("date", "timestamp")}


RECORDED = [
    {
        "log": '203.0.113.7 - - [14/Nov/2023:22:13:20 +0000] "GET /café/list?page=2 HTTP/1.1" 200 5316 '
        '"-" "curl/8.5.0"',
        "service": "shop",
        "_id": "0d2f4b9e-5a0c-4a57-9a33-0c1b1e5f8a01",
    },
    {
        "log": '2001:db8::17 - ann [14/Nov/2023:22:13:21 +0000] "POST /cart HTTP/2.0" 503 0 "https://example.org/" '
        '"Mozilla/5.0 (X11; Linux x86_64)"',
        "service": "shop",
        "_id": "0d2f4b9e-5a0c-4a57-9a33-0c1b1e5f8a02",
    },
    {
        "log": '198.51.100.23 - - [14/Nov/2023:22:13:22 +0000] "DELETE /user/7 HTTP/1.1" 404 151 "-" '
        '"say \\"hi\\" }{ ],["',
        "service": "shop",
        "_id": "0d2f4b9e-5a0c-4a57-9a33-0c1b1e5f8a03",
        "took_ms": 12.5,
        "retries": 2,
    },
]
TIMES: dict[str, list[Any]] = {
    "date": [1700000000.125, 1700000001.25, 1700000002.5],
    "date of msgpack": ["2023-11-14T22:13:20.125000Z", "2023-11-14T22:13:21.250000Z", "2023-11-14T22:13:22.500000Z"],
}


def test_decode_has_captures_of_every_format_and_compression() -> None:
    assert len(names("recorded")) == 5 * 4
    assert len(names("two")) == 5 * 2
    assert len(names("same")) == 2


@pytest.mark.parametrize("name", names("recorded"))
def test_decode_reads_the_same_records_from_every_capture(name: str) -> None:
    found = captured(name)
    assert [without_time(record) for record in found] == RECORDED
    kind = name.split("-")[1]
    field = "timestamp" if kind == "gelf" else "date"
    assert [record[field] for record in found] == TIMES["date of msgpack" if kind == "msgpack" else "date"]


@pytest.mark.parametrize("name", names("two"))
def test_decode_reads_two_records_from_every_capture(name: str) -> None:
    first, second = captured(name)
    assert first == second
    if "gelf" in name:
        # The message of GELF is a raw line, unless the record says otherwise.
        assert first == {"message": "GET /é", "log": "s", "status": 200, "timestamp": 1700000000.123}
    else:
        date = "2023-11-14T22:13:20.123456Z" if "msgpack" in name else 1700000000.123457
        assert first == {"date": date, "message": "GET /é", "short_message": "s", "status": 200}


@pytest.mark.parametrize("name", names("same"))
def test_decode_reads_a_capture_of_one_letter(name: str) -> None:
    found = captured(name)
    assert len(found) == 2
    assert {char for record in found for char in record["m"]} == {"a"}


# ---- JSON ----


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" + ONE + b"," + TWO + b"]", id="json"),
        pytest.param(b"[\n  " + ONE + b" ,\r\n " + TWO + b"\n]\n", id="json with white space"),
        pytest.param(ONE + b"\n" + TWO + b"\n", id="json_lines"),
        pytest.param(ONE + b"\r\n\r\n" + TWO, id="json_lines with CR and an empty line"),
        pytest.param(ONE + TWO, id="json_stream"),
        pytest.param(ONE + b" " + TWO, id="json_stream with a blank"),
        pytest.param(ONE + b",\n" + TWO, id="objects with commas"),
        pytest.param(b"\xef\xbb\xbf" + ONE + b"\n" + TWO, id="byte order mark"),
        pytest.param(ONE + b"\n\xef\xbb\xbf" + TWO, id="byte order mark inside"),
        pytest.param(b"\0\0" + ONE + b"\n\0\0\0" + TWO + b"\n\0", id="NUL bytes between lines"),
        pytest.param(b"[" + ONE + b"]\n[" + TWO + b"]\n", id="two arrays"),
        pytest.param(b"\n".join(json.dumps(r, indent=2).encode() for r in parsed(ONE, TWO)), id="printed over lines"),
        pytest.param(b"".join(json.dumps(r, indent=1).encode() for r in parsed(ONE, TWO)), id="printed and glued"),
        pytest.param(ONE.replace(b",", b"\n,").replace(b":", b":\n") + TWO, id="line breaks anywhere"),
    ],
)
def test_decode_reads_every_framing(body: bytes) -> None:
    assert values(body) == parsed(ONE, TWO)
    assert [json.loads(raw) for raw in raws(body)] == parsed(ONE, TWO)


@pytest.mark.parametrize("body", [ONE, b" \n" + ONE + b"\n ", json.dumps(json.loads(ONE), indent=2).encode()])
def test_decode_reads_one_object(body: bytes) -> None:
    assert values(body) == parsed(ONE)


@pytest.mark.parametrize("body", [b"", b" \r\n\t", b"[]", b"[ ]", b"\xef\xbb\xbf", b"\0\0\n"])
def test_decode_of_nothing_is_nothing(body: bytes) -> None:
    assert decode(body).values == []


def test_decode_takes_the_last_of_two_equal_keys() -> None:
    assert values(b'{"a":1,"b":2,"a":3}\n') == [{"a": 3, "b": 2}]


def test_decode_reads_lines_of_text_and_of_json_side_by_side() -> None:
    for lines in ([LOG, ONE.decode()], [ONE.decode(), LOG], ["garbage", LOG, ONE.decode(), "{garbage", LOG]):
        found = values("\n".join([*lines, "2025-05-01T10:15:30Z GET /b 200 5ms\n"]).encode())
        paths = {LOG: "/a", ONE.decode(): "GET /é"}
        assert [record and record.get("path", record.get("message")) for record in found] == [
            *map(paths.get, lines),
            "/b",
        ]


# Captured from Fluent Bit: what it really sends for NaN, for binary values and for integer keys. Others are of our own.
CAPTURED = [
    pytest.param(b'{"date":1795419451.06143,"message":"dummy","nan":-nan,"inf":inf,"ninf":-inf}', id="nan"),
    pytest.param(
        b'{"date":1700000000.0,"x":"\\x65\\x53\\xfffffff1\\x00\\x07\\x5b\\xffffffcd\\x15","b":"\\u0000\xe2\x80\xa6A"}',
        id="binary",
    ),
    pytest.param(b'{"date":1700000000.0,7:"v"}', id="integer key"),
    pytest.param(b'{"date":1700000000.0,"x":"\\ud800"}', id="half a surrogate pair"),
    pytest.param(b'{"date":1700000000.0,"x":"\xff\xfe"}', id="no UTF-8"),
    pytest.param(b'{"date":1700000000.0,"x":"a\0b"}', id="NUL"),
    pytest.param(b'{"x":"}{","n":nan,"y":"],["}', id="brackets in texts"),
    pytest.param(b'{"n":nan,"x":"a\\\\"}', id="backslash at the end"),
    pytest.param(b'{"n":nan,"o":{"p":[{"q":[]},[{}]]}}', id="nested"),
    pytest.param(b'{"n":nan,"o":[{"p":1},{"q":2}]}', id="what looks like a record inside"),
    pytest.param(b'{"a":"without an end}', id="unclosed string"),
    pytest.param(b'{"a:1}', id="unclosed key"),
    pytest.param(b'{"log":"he said "hi" to me","x":1}', id="quotes without backslashes"),
    pytest.param(b'{"a":[1,2}', id="wrong bracket"),
    pytest.param(b'{"n":' + b"1" * 5_000 + b"}", id="number of 5,000 digits"),
    pytest.param(b'{"n":1e999}', id="number out of range"),
    pytest.param(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, id="deeper than the parser goes"),
    pytest.param(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="100,000 brackets"),
]
FRAMINGS = pytest.mark.parametrize(
    ("before", "between", "after"),
    [(b"[", b",", b"]"), (b"", b"\n", b"\n"), (b"", b"", b""), (b"[\n", b",\n", b"\n]\n"), (b"", b"\r\n", b"")],
    ids=["json", "json_lines", "json_stream", "json over lines", "json_lines with CR"],
)


@pytest.mark.parametrize("record", CAPTURED)
@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "middle", "last"])
@FRAMINGS
def test_decode_keeps_the_neighbours_of_a_broken_record(
    record: bytes, place: int, before: bytes, between: bytes, after: bytes
) -> None:
    records = [ONE, TWO]
    records.insert(place, record)
    decoded = decode(before + between.join(records) + after)
    found = decoded.values.pop(place)
    assert isinstance(found, Broken)
    # What has no end may take the brackets after it along.
    assert found.raw.rstrip(b"]\n") == record.rstrip(b"]\n")
    assert "not JSON" in found.reason
    assert len(found.reason) <= 200
    assert decoded.values == parsed(ONE, TWO)


@pytest.mark.parametrize("cut", range(1, len(TWO)))
def test_decode_keeps_what_comes_before_a_cut(cut: int) -> None:
    for before, between in ((b"[", b","), (b"", b"\n"), (b"", b"")):
        body = before + ONE + between + ONE + between + TWO[:cut]
        assert values(body) == [*parsed(ONE, ONE), None]
        assert raws(body) == [ONE, ONE, TWO[:cut].strip()]


@pytest.mark.parametrize("cut", range(1, len(TWO)))
def test_decode_keeps_the_lines_after_one_that_was_cut(cut: int) -> None:
    assert values(ONE + b"\n" + TWO[:cut] + b"\n" + ONE + b"\n" + LOG.encode())[:3] == [
        *parsed(ONE),
        None,
        *parsed(ONE),
    ]


@pytest.mark.parametrize(
    ("body", "good", "bad"),
    [
        pytest.param(b"[" + ONE + b',1,"x",null,[2]]', [ONE], [b"1", b'"x"', b"null", b"[2]"], id="no objects"),
        pytest.param(ONE + b"\n[1,2]\n17\n", [ONE], [b"[1,2]", b"17"], id="lines that are no objects"),
        pytest.param(ONE + b"\ngarbage line\n" + TWO, [ONE, TWO], [b"garbage line"], id="garbage between lines"),
        pytest.param(ONE + b" garbage\n" + TWO, [ONE, TWO], [b"garbage"], id="garbage after a record"),
        pytest.param(ONE + b"x" + TWO, [ONE, TWO], [b"x"], id="garbage between glued records"),
        pytest.param(b"[" + ONE + b",nan,[2]," + TWO + b"]", [ONE, TWO], [b"nan,[2]"], id="garbage in an array"),
        pytest.param(b"[" + ONE + b",{,[2]]", [ONE], [b"{,[2]]"], id="a bracket in an array"),
        pytest.param(b"[" + ONE + b",nan,[2]]", [ONE], [b"nan,[2]"], id="garbage at the end of an array"),
        pytest.param(b"[error] foo\n[warn] bar", [], [b"[error] foo", b"[warn] bar"], id="text that begins with ["),
        pytest.param(b'[null,{"a":1}]', [b'{"a":1}'], [b"null"], id="array that begins with null"),
        pytest.param(b'["x",{"a":1}]', [b'{"a":1}'], [b'"x"'], id="array that begins with a text"),
        pytest.param(b'[[1],{"a":1}]', [b'{"a":1}'], [b"[1]"], id="array that begins with an array"),
        pytest.param(b'"text"', [], [b'"text"'], id="a text"),
        pytest.param(b"\xff\xfe\0garbage\0", [], [b"\xff\xfe\0garbage"], id="garbage"),
        pytest.param(b"[" * 100_000, [], [b"[" * 100_000], id="opening brackets"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, [], [b"[" * 100_000 + b"]" * 100_000], id="brackets"),
        pytest.param(b'{"a":' * 100_000, [], [b'{"a":' * 100_000], id="opening objects"),
    ],
)
def test_decode_hands_what_is_no_record_over_as_it_came(body: bytes, good: list[bytes], bad: list[bytes]) -> None:
    found = decode(body).values
    assert broken(body) == bad
    assert all(value.reason for value in found if isinstance(value, Broken))
    assert [value for value in found if not isinstance(value, Broken)] == parsed(*good)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"a" : 1}\n\n { "b":"\\u00e9" }\r\n{}', id="lines"),
        pytest.param(b'{"a" : 1}{ "b":"\\u00e9" } {}', id="glued"),
        pytest.param(b'{"a" :\n 1}{ "b":"\\u00e9" }\n{}', id="as many lines as records, but not one each"),
        pytest.param(b'[{"a" : 1} , { "b":"\\u00e9" },\n{}]', id="array"),
        pytest.param(b'{"a" : 1}\n{ "b":"\\u00e9" }\n{}\nnan', id="lines and garbage"),
    ],
)
def test_raw_of_is_byte_for_byte(body: bytes) -> None:
    assert [b"".join(raw.split()) for raw in raws(body)[:3]] == [b'{"a":1}', b'{"b":"\\u00e9"}', b"{}"]
    assert all(raw in body for raw in raws(body))


# ---- GELF ----


def gelf(**fields: Any) -> dict[str, Any]:
    return decode(json.dumps({"version": "1.1", **fields}).encode()).values[0]  # type: ignore[return-value]


def test_decode_gives_gelf_fields_the_names_they_had() -> None:
    record = gelf(host="vm", short_message=LOG, _service="shop", __id="0d2f", _status=200, timestamp=1.5, level=6)
    assert record == {"host": "vm", "log": LOG, "service": "shop", "_id": "0d2f", "status": 200, "timestamp": 1.5} | {
        "level": 6
    }


def test_decode_keeps_the_message_of_a_gelf_record_with_fields() -> None:
    record = gelf(short_message="GET /a", _method="GET", _path="/a")
    assert record == {"short_message": "GET /a", "method": "GET", "path": "/a"}


def test_decode_prefers_the_full_message_of_gelf() -> None:
    assert gelf(short_message="cut", full_message=LOG) == {"short_message": "cut", "log": LOG}


def test_decode_finds_the_path_that_gelf_sent_as_its_message() -> None:
    assert gelf(short_message="/a", _method="GET") == {"path": "/a", "method": "GET"}
    assert gelf(short_message="took long", _method="GET") == {"short_message": "took long", "method": "GET"}


def test_decode_loses_no_gelf_field_to_another_of_its_name() -> None:
    record = gelf(host="vm", _host="203.0.113.7", short_message="s", _log="l", _version="2", _="u", _id="own")
    assert record == {
        "gelf_host": "vm",
        "host": "203.0.113.7",
        "short_message": "s",
        "log": "l",
        "version": "2",
        "": "u",
        "_id": "own",
    }


@pytest.mark.parametrize(
    "record", [{"version": "2", "short_message": "s", "_a": 1}, {"version": "1.1", "_a": 1, "x": "short_message"}]
)
def test_decode_leaves_what_only_resembles_gelf(record: dict[str, Any]) -> None:
    assert values(json.dumps(record).encode()) == [record]
    assert line_value(json.dumps(record).encode()) == record


def test_line_value_reads_gelf() -> None:
    assert line_value(b'{"version":"1.1","short_message":"s","_a":1}') == {"log": "s", "a": 1}


# ---- msgpack ----


def event_time(seconds: int, nanoseconds: int = 0) -> Any:
    return msgpack.ExtType(0, struct.pack(">II", seconds, nanoseconds))


def packed(*events: Any) -> bytes:
    return b"".join(msgpack.packb(event) for event in events)


TIME = event_time(1700000000, 123456789)
ISO = "2023-11-14T22:13:20.123456Z"


@pytest.mark.parametrize(
    ("time", "date"),
    [
        pytest.param(TIME, ISO, id="event time"),
        pytest.param(event_time(1700000000, 999_999_999), "2023-11-14T22:13:20.999999Z", id="cut, not rounded"),
        pytest.param(event_time(0), "1970-01-01T00:00:00.000000Z", id="zero"),
        pytest.param(event_time(0xFFFFFFFD), "2106-02-07T06:28:13.000000Z", id="the last one"),
        pytest.param(1700000000, "2023-11-14T22:13:20.000000Z", id="whole seconds"),
        pytest.param(1700000000.123457, "2023-11-14T22:13:20.123457Z", id="float"),
        pytest.param(1700000000.9999999, "2023-11-14T22:13:21.000000Z", id="float that rounds up"),
        pytest.param(msgpack.Timestamp(1700000000, 123456789), ISO, id="msgpack's own type"),
        pytest.param(1700000000123, 1700000000123, id="not in seconds"),
        pytest.param(-1.5, -1.5, id="before 1970"),
        pytest.param(math.nan, None, id="nan"),
        pytest.param("yesterday", None, id="text"),
        pytest.param(msgpack.ExtType(5, b"x" * 8), None, id="another ext type"),
        pytest.param(None, None, id="nil"),
    ],
)
def test_decode_reads_the_time_of_msgpack(time: Any, date: Any) -> None:
    expected = {"a": 1} if date is None else {"date": date, "a": 1}
    assert values(packed([[time, {}], {"a": 1}], [time, {"a": 1}])) == [expected] * 2


def test_decode_lets_a_record_of_msgpack_keep_its_own_date() -> None:
    assert values(packed([[TIME, {}], {"date": "mine"}])) == [{"date": "mine"}]


def test_decode_shows_metadata_of_msgpack_as_json_does() -> None:
    assert values(packed([[TIME, {"a": b"x"}], {"m": 1}])) == [
        {"date": ISO, "__internal__": {"log_metadata": {"a": "x"}}, "m": 1}
    ]


def test_decode_skips_the_marks_of_groups() -> None:
    marks = [[[event_time(mark), {"x": 1}], {"y": 2}] for mark in (0xFFFFFFFF, 0xFFFFFFFE)]
    body = packed(marks[0], [[TIME, {}], {"a": 1}], marks[1])
    assert values(body) == [{"date": ISO, "a": 1}]
    assert raws(body) == [packed([[TIME, {}], {"a": 1}])]


def test_decode_reads_a_bare_map_of_msgpack() -> None:
    assert values(packed({"a": 1}, {"b": 2})) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("form", [b"\xdc\x00\x02", b"\xdd\x00\x00\x00\x02"], ids=["array16", "array32"])
def test_decode_reads_longer_forms_of_msgpack(form: bytes) -> None:
    body = form + packed([TIME, {}])
    assert values(body + b"\xdf\x00\x00\x00\x01" + packed("a", 1)) == [{"date": ISO, "a": 1}]


@pytest.mark.parametrize("text", ["ܐ 1", "ݐ", "ߐ"], ids=["dc", "dd", "df"])
def test_decode_takes_no_script_for_msgpack(text: str) -> None:
    assert broken(text.encode()) == [text.encode()]


# What JSON cannot say, and how it is said instead. None stands for a value of which nothing can be made.
ODD_VALUES = [
    pytest.param(packed(b"\x00\xffA"), "\0\ufffdA", id="binary"),
    pytest.param(b"\xa4\xff\xfe\xc3\x28", "\ufffd\ufffd\ufffd(", id="text that is no UTF-8"),
    pytest.param(packed(math.nan), None, id="nan"),
    pytest.param(packed(-math.inf), None, id="infinite"),
    pytest.param(packed(1.5), 1.5, id="float"),
    pytest.param(packed(2**64 - 1), 2**64 - 1, id="large number"),
    pytest.param(packed(TIME), ISO, id="event time"),
    pytest.param(packed(msgpack.ExtType(7, b"\x01\xff")), "01ff", id="ext"),
    pytest.param(packed(msgpack.Timestamp(1, 0)), "1970-01-01T00:00:01.000000Z", id="timestamp"),
    pytest.param(packed({7: "v", b"k": [b"x", math.nan]}), {"7": "v", "k": ["x", None]}, id="odd keys, nested"),
    pytest.param(b"\x81\x91\x01\x02", {"[1]": 2}, id="a key that is an array"),
]


@pytest.mark.parametrize(("value", "expected"), ODD_VALUES)
def test_decode_makes_json_values_of_msgpack(value: bytes, expected: Any) -> None:
    event = b"\x92" + packed([TIME, {}]) + b"\x82" + packed("v") + value + packed("w", 1)
    neighbour = packed([[TIME, {}], {"a": 1}])
    body = neighbour + event + neighbour
    good = {"date": ISO, "a": 1}
    assert values(body) == [good, {"date": ISO, "v": expected, "w": 1}, good]
    assert raws(body) == [neighbour, event, neighbour]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"\xd5\xff\x00\x00", id="timestamp of 2 bytes"),
        pytest.param(b"\xc7\x0c\xff" + b"\xff" * 12, id="timestamp out of range"),
        pytest.param(b"\xdd\x00\x01\x00\x01" + b"\xc0" * 65537, id="array of too many elements"),
        pytest.param(b"\x91" * 1000 + b"\xc4\x01x", id="too deep"),
    ],
)
def test_decode_keeps_the_neighbours_of_a_broken_event(value: bytes) -> None:
    event = b"\x92" + packed([TIME, {}]) + b"\x81" + packed("v") + value
    neighbour = packed([[TIME, {}], {"a": 1}])
    good = {"date": ISO, "a": 1}
    assert values(neighbour + event + neighbour) == [good, None, good]
    assert raws(neighbour + event + neighbour) == [neighbour, event, neighbour]


@pytest.mark.parametrize("event", [5, "x", None, [1, 2], [[TIME, {}], "text"], [[TIME, {}], {}, 1], [], [1]])
def test_decode_keeps_what_is_no_event(event: Any) -> None:
    good = packed([[TIME, {}], {"a": 1}])
    body = good + packed(event) + good
    assert values(body) == [{"date": ISO, "a": 1}, None, {"date": ISO, "a": 1}]
    assert broken(body) == [packed(event)]


@pytest.mark.parametrize("cut", range(1, 30))
def test_decode_keeps_what_comes_before_a_cut_of_msgpack(cut: int) -> None:
    good = packed([[TIME, {}], {"a": 1}])
    rest = packed([[TIME, {"meta": 1}], {"text": "x" * 20}])[:cut]
    assert values(good + rest) == [{"date": ISO, "a": 1}, None]
    assert broken(good + rest) == [rest]


def test_decode_keeps_what_comes_after_a_byte_that_msgpack_has_not() -> None:
    good = packed([[TIME, {}], {"a": 1}])
    assert values(good + b"\xc1" + good) == [{"date": ISO, "a": 1}, None]
    assert broken(good + b"\xc1" + good) == [b"\xc1" + good]


def test_decode_reserves_no_memory_for_what_msgpack_only_announces() -> None:
    body = b"\x92" + b"\xdd\x00\xff\xff\xff" * 400 + b"\x01" * 4_000
    tracemalloc.start()
    try:
        assert values(body) == [None]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * 2**20


# ---- bounds ----


@pytest.mark.parametrize(
    "unit",
    [
        *(b"{", b"[{", b'"', b'{"', b'{"a":', b'[{"a":', b"{}", b'{"a":1{', b'"}{"', b'{"a"\n', b'{"\\"', b"}", b"\0{"),
        *(b"{\n", b"{ ", b"[]{", b'{"a":{}}}', b"x\n", b"\x92", b"\x92a", b'{"}', b"\\", b'{"a":"\n', b"},", b"{x"),
    ],
)
def test_decode_looks_at_every_byte_a_fixed_number_of_times(unit: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0

    class Counted:
        """A pattern that counts the bytes between where it began and where it ended."""

        def __init__(self, pattern: re.Pattern[bytes]) -> None:
            self.pattern = pattern

        def match(self, text: bytes, at: int) -> re.Match[bytes] | None:
            return self.seen(self.pattern.match(text, at), at, at)

        def search(self, text: bytes, at: int) -> re.Match[bytes] | None:
            return self.seen(self.pattern.search(text, at), at, len(text))

        def finditer(self, text: bytes, at: int) -> Iterator[re.Match[bytes]]:
            for found in self.pattern.finditer(text, at):
                yield found
                self.seen(found, at, at)
                at = found.end()

        def seen(self, found: re.Match[bytes] | None, start: int, otherwise: int) -> re.Match[bytes] | None:
            nonlocal looked_at
            looked_at += (found.end() if found else otherwise) - start
            return found

    def read(raw: bytes) -> tuple[dict[str, Any] | None, str]:
        nonlocal looked_at
        looked_at += len(raw)
        return read_object(raw)

    for name, pattern in vars(json_scan).copy().items():
        if isinstance(pattern, re.Pattern):
            monkeypatch.setattr(json_scan, name, Counted(pattern))
    read_object = json_scan.read_object
    monkeypatch.setattr(json_scan, "read_object", read)
    for before in (b"{", b"[{"):
        body = before + unit * (50_000 // len(unit))
        looked_at = 0
        decode(body)
        assert looked_at <= 5 * len(body)


def test_decode_joins_what_is_broken_where_there_is_too_much_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MOST_REFUSED", 3)
    bad = b"a\nb\nc\nd\ne\n"
    body = bad + ONE + b"\n" + bad
    assert values(body) == [None, None, None, *parsed(ONE), None]
    assert raws(body) == [b"a", b"b", b"c\nd\ne", ONE, b"a\nb\nc\nd\ne"]


def test_decode_joins_what_is_no_object_where_there_is_too_much_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MOST_REFUSED", 3)
    assert values(b"[" + ONE + b",1,2,3]") == [*parsed(ONE), None, None, None]
    assert values(b"[" + ONE + b",1,2,3,4]") == [*parsed(ONE), None]
    assert broken(b"[" + ONE + b",1,2,3,4]") == [b"1,2,3,4"]


def test_decode_stops_at_too_many_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MOST_RECORDS", 5)
    for body, rest in ((b"{}" * 9, b"{}" * 4), (b"[" + b"{}," * 8 + b"{}]", b"{},{},{},{}]")):
        assert values(body) == [{}] * 5 + [None]
        assert broken(body) == [rest]


def test_decode_reads_no_line_of_megabytes() -> None:
    line = b"x" * (framing.LONGEST_LINE + 1)
    assert broken(line + b"\n" + LOG.encode()) == [line]
    assert values(line + b"\n" + LOG.encode())[1] is not None


def test_decode_reads_no_record_of_many_megabytes_in_a_broken_body() -> None:
    record = b'{"a":"' + b"x" * json_scan.LONGEST_RECORD + b'"}'
    assert values(ONE + record + b"{nan}" + TWO) == [*parsed(ONE), None, None, *parsed(TWO)]
    assert broken(ONE + record + b"{nan}" + TWO) == [record, b"{nan}"]


# ---- any records, any bytes ----

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.text(max_size=8), json_values, max_size=4)
# The fields that an envelope adds, or has a meaning for, would be in the way of comparing.
MEANING = {"id", "version", "short_message", "full_message", "log", "date", "_id", "timestamp"}
BROKEN = [b'{"a":nan}', b'{7:"v"}', b'{"x":"\\x65"}', b'{"a":{"b":[-inf]}}']


def record_has_no_request(record: dict[str, Any]) -> bool:
    return not (pick(record, "method") or pick(record, "path"))


def as_json(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def as_ascii(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode()


def as_gelf(record: dict[str, Any]) -> bytes:
    fields = {f"_{name}": value for name, value in record.items()}
    return json.dumps({"version": "1.1", "short_message": "s", **fields}).encode() + b"\n"


FRAMED: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "json": lambda records: b"[" + b",".join(map(as_json, records)) + b"]",
    "json spread out": lambda records: b" [\n" + b" ,\n  ".join(map(as_ascii, records)) + b"\n] \n",
    "json_lines": lambda records: b"".join(as_json(record) + b"\n" for record in records),
    "json_stream": lambda records: b"".join(map(as_ascii, records)),
    "printed": lambda records: b"".join(json.dumps(record, indent=2).encode() for record in records),
    "msgpack": lambda records: packed(*([[TIME, {}], record] for record in records)),
    "gelf": lambda records: b"".join(map(as_gelf, records)),
}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": lambda body: body,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "snappy": lambda body: bytes(cramjam.snappy.compress_raw(body)),
    "zstd": zstd.compress,
    "gzip, zstd": lambda body: zstd.compress(gzip.compress(body)),
}


@settings(relaxed, max_examples=1_000)
@given(st.lists(objects, max_size=6), st.sampled_from([*FRAMED]), st.sampled_from([*PACKED]))
def test_decode_of_any_records_in_any_framing_and_encoding_is_these(
    records: list[dict[str, Any]], framing_name: str, encoding: str
) -> None:
    records = [{k: v for k, v in r.items() if k not in MEANING and not k.startswith("_")} for r in records]
    body = FRAMED[framing_name](records)
    assert decompress(PACKED[encoding](body), encoding) == body
    found = decode(body)
    if framing_name == "msgpack":
        records = [{"date": ISO, **record} for record in records]
    if framing_name == "gelf":
        # Where the record names its path or method, the message is only a message.
        records = [{"log" if record_has_no_request(record) else "short_message": "s", **record} for record in records]
    assert found.values == records
    assert all(found.raw_of(i).strip() in body for i in range(len(records)))


@settings(relaxed, max_examples=1_500)
@given(
    st.lists(objects | st.sampled_from(BROKEN), max_size=6),
    st.sampled_from([(b"[", b",", b"]"), (b"", b"\n", b"\n"), (b"", b"", b""), (b" [\n", b" ,\n  ", b"\n] \n")]),
)
def test_decode_separates_good_records_from_broken_ones(
    records: list[dict[str, Any] | bytes], framed: tuple[bytes, bytes, bytes]
) -> None:
    texts = [record if isinstance(record, bytes) else as_json(record) for record in records]
    body = framed[0] + framed[1].join(texts) + framed[2]
    assert values(body) == [None if isinstance(record, bytes) else record for record in records]
    assert raws(body) == texts


noise = st.binary(max_size=300) | st.text(alphabet='{}[]",:\\ \n1a', max_size=100).map(str.encode)
# Pieces of what is valid, so that much of it is nearly so.
pieces = st.lists(
    st.sampled_from([ONE, TWO, *BROKEN, LOG.encode(), b"[", b"]", b"{", b"}", b",", b"\n", b'"', b"\\", b"\0", b"nan"]),
    max_size=9,
).map(b"".join)


@settings(relaxed, max_examples=5_000)
@given(noise | pieces | pieces.map(lambda body: b"[" + body))
def test_decode_of_anything_never_raises_and_loses_no_byte(body: bytes) -> None:
    if msgpack_events.BEGINNING.match(body):
        return
    kept = b"".join(raws(body))
    separators = b'[]{}",:\\ \t\r\n\x0b\x0c\xef\xbb\xbf\0'
    assert kept.translate(None, separators) == body.translate(None, separators)


msgpack_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.integers(0, 9), inner, max_size=3)
        | st.tuples(st.integers(0, 127), st.binary(max_size=9)).map(lambda pair: msgpack.ExtType(*pair))
    ),
    max_leaves=6,
)
msgpack_bodies = st.lists(
    (
        msgpack_values | st.dictionaries(st.text(max_size=5), msgpack_values, max_size=3).map(lambda r: [[TIME, {}], r])
    ).map(packed)
    | st.binary(max_size=9),
    max_size=6,
).map(b"".join)


@thorough
@given(
    st.sampled_from([b"\x92", b"\x80", b"\x92\x92\xd7\0", packed([[TIME, {}], {"a": 1}])]),
    msgpack_bodies,
    st.binary(max_size=300),
)
def test_decode_of_any_msgpack_never_raises_and_loses_no_byte(begin: bytes, middle: bytes, end: bytes) -> None:
    body = begin + middle + end
    assert b"".join(raws(body)) == body
    for value in decode(body).values:
        assert isinstance(value, Broken) or json.dumps(value, allow_nan=False)


# ---- single lines, as from files ----


@pytest.mark.parametrize(
    ("line", "format_name", "path"),
    [
        pytest.param(LOG.encode(), "auto", "/a", id="auto text"),
        pytest.param(b'{"path":"/a"}', "auto", "/a", id="auto json"),
        pytest.param(b'{"path":"/a"}', "json", "/a", id="json"),
        pytest.param(LOG.encode(), "combined", "/a", id="combined"),
        pytest.param(b"\xef\xbb\xbf" + LOG.encode(), "auto", "/a", id="byte order mark"),
        pytest.param(LOG.encode(), "json", None, id="text is no json"),
        pytest.param(LOG.encode(), "plain", None, id="combined is not plain"),
        pytest.param(b'{"path":"/a"}', "combined", None, id="json is not combined"),
        pytest.param(b"\xff\xfe garbage", "auto", None, id="garbage"),
        pytest.param(b'{"path":nan}', "auto", None, id="broken json"),
        pytest.param(b"[1]", "json", None, id="no object"),
    ],
)
def test_line_value_reads_in_one_format(line: bytes, format_name: str, path: str | None) -> None:
    value = line_value(line, format_name)
    if path is None:
        assert isinstance(value, Broken)
        assert value.raw == line
        assert value.reason
    else:
        assert isinstance(value, dict)
        assert value["path"] == path
