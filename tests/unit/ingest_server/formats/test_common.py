"""The common log format."""

from __future__ import annotations

import pytest

from ingest_server.formats import parse_line

HEAD = '83.149.9.216 - frank [17/May/2015:10:05:03 +0000] "GET /a/b?x=1 HTTP/1.1" 200 7697'


def test_common_reads_every_field() -> None:
    assert parse_line(HEAD) == {
        "timestamp": "17/May/2015:10:05:03 +0000",
        "client_ip": "83.149.9.216",
        "user": "frank",
        "method": "GET",
        "path": "/a/b?x=1",
        "protocol": "HTTP/1.1",
        "status": "200",
        "bytes": "7697",
    }


def test_common_reads_a_time_and_keeps_what_follows() -> None:
    record = parse_line(f"{HEAD} 0.123 backend-1")
    assert record is not None
    assert (record["latency_ms"], record["rest"]) == (123.0, "backend-1")
    assert "user_agent" not in record


def test_common_reads_microseconds() -> None:
    record = parse_line(f"{HEAD} 4523")
    assert record is not None
    assert record["latency_ms"] == 4.523


@pytest.mark.parametrize(
    ("request_line", "method", "path", "protocol"),
    [
        pytest.param("GET /a HTTP/2.0", "GET", "/a", "HTTP/2.0", id="usual"),
        pytest.param("GET /a", "GET", "/a", None, id="HTTP 0.9"),
        pytest.param("GET /a b c HTTP/1.1", "GET", "/a b c", "HTTP/1.1", id="blanks in the path"),
        pytest.param("GET  /a  HTTP/1.1", "GET", "/a", "HTTP/1.1", id="more blanks"),
        pytest.param("OPTIONS * HTTP/1.0", "OPTIONS", "*", "HTTP/1.0", id="asterisk"),
        pytest.param("GET http://h/a HTTP/1.0", "GET", "http://h/a", "HTTP/1.0", id="proxy"),
    ],
)
def test_common_splits_the_request(request_line: str, method: str, path: str, protocol: str | None) -> None:
    record = parse_line(f'::1 - - [17/May/2015:10:05:03 +0000] "{request_line}" 200 -')
    assert record is not None
    assert (record["method"], record["path"], record.get("protocol")) == (method, path, protocol)
    assert "bytes" not in record


def test_common_takes_a_user_with_a_blank() -> None:
    record = parse_line('1.2.3.4 - John Doe [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1')
    assert record is not None
    assert record["user"] == "John Doe"


def test_common_reads_the_beginning_of_a_combined_line_when_asked_to() -> None:
    record = parse_line(f'{HEAD} "http://r/" "curl"', "common")
    assert record is not None
    assert record["rest"] == "http://r/ curl"
