"""A record becomes a row, or is refused with one sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest

from ingest_server.event import MOST_PATH, Refused
from ingest_server.fields import ALIASES
from tests.reading import LEAST, NOW, attributes_of, row_of
from tests.rows import log_row, micros


def test_row_needs_four_fields_only() -> None:
    assert row_of(LEAST) == log_row(
        ts=datetime(2026, 5, 1, 10, 15, 30, tzinfo=UTC),
        service="shop",
        method="GET",
        path="/api/user/list",
        route="/api/user/list",
        status=200,
        latency_ms=None,
        bytes=None,
        client_ip=None,
        user_agent=None,
        referer=None,
        attributes=None,
    )


def test_row_reads_the_canonical_record() -> None:
    record = LEAST | {
        "service": "cart",
        "path": "/api/user/17?verbose=1",
        "latency_ms": 12.5,
        "bytes": 345,
        "client_ip": "2001:DB8::1",
        "user_agent": "curl/8",
        "referer": "http://r.example/",
        "_id": "0c348605",
    }
    row = row_of(record)
    assert row.service == "cart"
    assert (row.path, row.route) == ("/api/user/17", "/api/user/{id}")
    assert (row.latency_ms, row.bytes, row.client_ip) == (12.5, 345, "2001:db8::1")
    assert (row.user_agent, row.referer) == ("curl/8", "http://r.example/")
    assert attributes_of(record) == {"query": "verbose=1"}


@pytest.mark.parametrize(("column", "name"), [(c, n) for c, names in ALIASES.items() for n in names])
def test_row_knows_every_name_of_a_field(column: str, name: str) -> None:
    values: dict[str, Any] = {
        "timestamp": "2026-05-01T10:15:30Z",
        "method": "GET",
        "path": "/a",
        "status": 200,
        "latency_ms": 0.5,
        "bytes": 7,
        "client_ip": "10.0.0.1",
        "user_agent": "curl",
        "referer": "http://r/",
        "service": "cart",
    }
    record = {key: value for key, value in values.items() if key != column} | {name: values[column]}
    row = row_of(record)
    assert row.attributes is None
    factor = ALIASES[column][name]
    assert row == row_of(values)._replace(latency_ms=0.5 * factor)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(
            {
                "date": 1777630530.0,
                "host": "192.168.0.1",
                "user": "bob",
                "method": "GET",
                "path": "/a/b?x=1",
                "code": "200",
                "size": "1234",
                "referer": "https://r.ex/",
                "agent": "Mozilla/5.0",
                "file": "/var/log/apache2.log",
                "off": 0,
            },
            id="fluent-bit apache2",
        ),
        pytest.param(
            {
                "date": 1777630530.0,
                "remote": "192.168.0.1",
                "host": "-",
                "user": "bob",
                "method": "GET",
                "path": "/a/b?x=1",
                "code": "200",
                "size": "1234",
                "referer": "https://r.ex/",
                "agent": "Mozilla/5.0",
                "file": "/var/log/apache2.log",
                "off": 0,
            },
            id="fluent-bit nginx",
        ),
        pytest.param(
            {
                "date": 1777630530.0,
                "file": "/var/log/apache2.log",
                "off": 0,
                "log": '192.168.0.1 - bob [01/May/2026:10:15:30 +0000] "GET /a/b?x=1" 200 1234 '
                '"https://r.ex/" "Mozilla/5.0"',
            },
            id="fluent-bit without a parser",
        ),
        pytest.param(
            {
                "date": 1.0,
                "file": "/var/log/apache2.log",
                "off": 0,
                "message": '{"ts":"2026-05-01T10:15:30Z","remote_addr":"192.168.0.1","user":"bob",'
                '"request_method":"get","request_uri":"/a/b?x=1","status":200,"body_bytes_sent":1234,'
                '"http_referer":"https://r.ex/","http_user_agent":"Mozilla/5.0"}',
            },
            id="a line of JSON",
        ),
    ],
)
def test_row_reads_what_fluent_bit_sends(record: dict[str, Any]) -> None:
    row = row_of(record)
    assert row._replace(attributes=None, record_key=None) == log_row(
        ts=datetime(2026, 5, 1, 10, 15, 30, tzinfo=UTC),
        service="shop",
        method="GET",
        path="/a/b",
        route="/a/b",
        status=200,
        latency_ms=None,
        bytes=1234,
        client_ip="192.168.0.1",
        user_agent="Mozilla/5.0",
        referer="https://r.ex/",
        attributes=None,
    )
    wanted = {"query": "x=1", "user": "bob", "file": "/var/log/apache2.log", "off": 0}
    assert wanted.items() <= attributes_of(record).items()
    assert not {"log", "message", "date", "code", "size"} & attributes_of(record).keys()


@pytest.mark.parametrize("field", ["timestamp", "method", "path", "status"])
@pytest.mark.parametrize("value", [None, "", "-", ...], ids=["null", "empty", "dash", "absent"])
def test_row_refuses_a_record_without_a_required_field(field: str, value: Any) -> None:
    record = {k: v for k, v in LEAST.items() if k != field} | ({} if value is ... else {field: value})
    with pytest.raises(Refused, match=f"{field} is missing"):
        row_of(record)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        pytest.param("timestamp", "yesterday", "timestamp is no time: 'yesterday'", id="time is a word"),
        pytest.param("timestamp", {"s": 1}, "timestamp is no time", id="time is an object"),
        pytest.param("timestamp", 10**400, "timestamp is no time", id="time is beyond every number"),
        pytest.param("timestamp", "1989-12-31T23:59:59Z", "timestamp is before 1990", id="old"),
        pytest.param("timestamp", "2026-05-03T00:00:01Z", "more than a day in the future", id="future"),
        pytest.param("method", "\x16\x03\x01", "method is no HTTP method", id="TLS on a plain port"),
        pytest.param("method", "GET /", "method is no HTTP method", id="blank in the method"),
        pytest.param("method", 5, "method is no HTTP method: 5", id="method is a number"),
        pytest.param("method", "X" * 33, "method is no HTTP method", id="long method"),
        pytest.param("path", 7, "path is no text: 7", id="path is a number"),
        pytest.param("path", ["/a"], "path is no text", id="path is an array"),
        pytest.param("path", "/" + "a" * MOST_PATH, "path is longer than", id="long path"),
        pytest.param("status", "abc", "status is no HTTP status: 'abc'", id="status is a word"),
        pytest.param("status", 99, "status is no HTTP status: 99", id="status too small"),
        pytest.param("status", 1000, "status is no HTTP status", id="status too large"),
        pytest.param("status", 200.5, "status is no HTTP status", id="status with a fraction"),
        pytest.param("status", True, "status is no HTTP status: True", id="status is a boolean"),
        pytest.param("status", float("nan"), "status is no HTTP status", id="status is not a number"),
        pytest.param("status", [200], "status is no HTTP status", id="status is an array"),
        pytest.param("status", -200, "status is no HTTP status", id="status is negative"),
    ],
)
def test_row_refuses_a_wrong_field_in_one_sentence(field: str, value: Any, words: str) -> None:
    with pytest.raises(Refused) as caught:
        row_of(LEAST | {field: value})
    assert words in str(caught.value)
    assert len(str(caught.value)) < 200


def test_row_takes_a_record_of_up_to_a_day_ahead() -> None:
    assert row_of(LEAST | {"timestamp": (NOW + timedelta(days=1)).isoformat()}).ts == micros(NOW + timedelta(days=1))


def test_row_takes_the_next_field_where_a_time_cannot_be_read() -> None:
    row = row_of(LEAST | {"timestamp": "mine", "date": 1777630530.5})
    assert row.ts == micros(datetime(2026, 5, 1, 10, 15, 30, 500_000, tzinfo=UTC))
    assert json.loads(row.attributes or "") == {"timestamp": "mine"}


@pytest.mark.parametrize(
    ("value", "status"),
    [("404", 404), (" 404 ", 404), (404.0, 404), (100, 100), (999, 999)],
    ids=["text", "blanks", "whole float", "lowest", "highest"],
)
def test_row_reads_a_status(value: Any, status: int) -> None:
    assert row_of(LEAST | {"status": value}).status == status


@pytest.mark.parametrize(
    ("fields", "latency_ms"),
    [
        pytest.param({"latency_ms": "12.5"}, 12.5, id="text"),
        pytest.param({"latency_ms": 0}, 0.0, id="zero is a latency"),
        pytest.param({"request_time": "0.004"}, 4.0, id="nginx seconds"),
        pytest.param({"request_time": 1.5, "latency_ms": 7}, 7.0, id="milliseconds are preferred"),
        pytest.param({"latency_ms": "-", "request_time": "0.004"}, 4.0, id="the next where one is absent"),
        pytest.param({"latency_ms": "-"}, None, id="dash"),
        pytest.param({"latency_ms": None}, None, id="null"),
    ],
)
def test_row_reads_a_latency_in_milliseconds(fields: dict[str, Any], latency_ms: float | None) -> None:
    assert row_of(LEAST | fields).latency_ms == (None if latency_ms is None else pytest.approx(latency_ms))


@pytest.mark.parametrize(
    "value",
    ["fast", -1, "-0.5", "nan", "inf", 1e300, 10**400, True, [1], {"ms": 1}],
    ids=lambda value: repr(value)[:12],
)
@pytest.mark.parametrize("field", ["latency_ms", "bytes", "request_time"])
def test_row_keeps_an_unusable_number_in_the_attributes(field: str, value: Any) -> None:
    record = LEAST | {field: value}
    row = row_of(record)
    assert row.latency_ms is None
    assert row.bytes is None
    assert attributes_of(record) == {field: value}


@pytest.mark.parametrize(
    ("fields", "client_ip", "left"),
    [
        pytest.param({"host": "10.0.0.1"}, "10.0.0.1", None, id="host is an address"),
        pytest.param({"host": "www.example.com"}, None, {"host": "www.example.com"}, id="host is a name"),
        pytest.param(
            {"remote": "10.0.0.1", "host": "www.example.com"}, "10.0.0.1", {"host": "www.example.com"}, id="both"
        ),
        pytest.param(
            {"client_ip": "unknown", "remote_addr": "10.0.0.1"}, "10.0.0.1", {"client_ip": "unknown"}, id="the next"
        ),
        pytest.param({"client_ip": "::ffff:10.0.0.1"}, "10.0.0.1", None, id="mapped"),
        pytest.param({"client_ip": "fe80::1%eth0"}, "fe80::1", None, id="scope"),
        pytest.param({"client_ip": " 10.0.0.1 "}, "10.0.0.1", None, id="blanks"),
        pytest.param({"client_ip": 17}, None, {"client_ip": 17}, id="a number is none"),
        pytest.param({"client_ip": "10.0.0.1, 10.0.0.2"}, "10.0.0.1", None, id="a list"),
    ],
)
def test_row_finds_the_client(fields: dict[str, Any], client_ip: str | None, left: dict[str, Any] | None) -> None:
    found = row_of(LEAST | fields).client_ip
    assert (found and ip_address(found)) == (client_ip and ip_address(client_ip))
    assert attributes_of(LEAST | fields) == left
