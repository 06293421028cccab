"""Combined lines of Apache and nginx, with and without what servers add to them."""

from __future__ import annotations

from typing import Any

import pytest

from ingest_server.formats import parse_line

HEAD = '83.149.9.216 - frank [17/May/2015:10:05:03 +0000] "GET /a/b?x=1 HTTP/1.1" 200 7697'
LINE = f'{HEAD} "http://r.example/" "Mozilla/5.0 (X)"'
FIELDS = {
    "timestamp": "17/May/2015:10:05:03 +0000",
    "client_ip": "83.149.9.216",
    "user": "frank",
    "method": "GET",
    "path": "/a/b?x=1",
    "protocol": "HTTP/1.1",
    "status": "200",
    "bytes": "7697",
    "referer": "http://r.example/",
    "user_agent": "Mozilla/5.0 (X)",
}


@pytest.mark.parametrize("format_name", ["auto", "combined"])
def test_combined_reads_every_field(format_name: str) -> None:
    assert parse_line(LINE, format_name) == FIELDS


@pytest.mark.parametrize(
    ("tail", "extra"),
    [
        pytest.param("0.123", {"latency_ms": 123.0}, id="nginx request_time"),
        pytest.param("0.000", {"latency_ms": 0.0}, id="zero is a time"),
        pytest.param("4523", {"latency_ms": 4.523}, id="Apache D"),
        pytest.param("12ms", {"latency_ms": 12.0}, id="a unit is believed"),
        pytest.param("rt=0.123", {"latency_ms": 123.0}, id="rt"),
        pytest.param('rt="0.123"', {"latency_ms": 123.0}, id="rt in quotes"),
        pytest.param("request_time=1.5", {"latency_ms": 1500.0}, id="request_time"),
        pytest.param("request_time=2", {"latency_ms": 2000.0}, id="a named whole number is seconds too"),
        pytest.param("urt=0.120", {"upstream_response_time": "0.120"}, id="only the upstream's time"),
        pytest.param(
            'rt=0.123 uct="0.001" urt="0.1, 0.02"',
            {"latency_ms": 123.0, "upstream_response_time": "0.1, 0.02", "rest": 'uct="0.001"'},
            id="several upstreams",
        ),
        pytest.param("rt=- urt=-", {"rest": "rt=-"}, id="no time"),
        pytest.param('"10.0.0.1"', {"x_forwarded_for": "10.0.0.1"}, id="nginx main"),
        pytest.param('"10.0.0.1, 10.0.0.2"', {"x_forwarded_for": "10.0.0.1, 10.0.0.2"}, id="a list"),
        pytest.param('"-"', {"rest": "-"}, id="no forwarder"),
        pytest.param('"10.0.0.1" 0.5', {"x_forwarded_for": "10.0.0.1", "latency_ms": 500.0}, id="both"),
        pytest.param("498 0.005", {"latency_ms": 5.0, "rest": "498"}, id="the decimal number is the time"),
        pytest.param("4523 99", {"latency_ms": 4.523, "rest": "99"}, id="the first whole number is"),
        pytest.param('0.5 "eu-west" backend', {"latency_ms": 500.0, "rest": "eu-west backend"}, id="rest"),
    ],
)
def test_combined_reads_what_follows_the_agent(tail: str, extra: dict[str, Any]) -> None:
    record = parse_line(f"{LINE} {tail}")
    assert record is not None
    latency_ms = record.pop("latency_ms", None)
    assert latency_ms == (pytest.approx(extra["latency_ms"]) if "latency_ms" in extra else None)
    assert record == FIELDS | {name: value for name, value in extra.items() if name != "latency_ms"}


@pytest.mark.parametrize(
    ("tail", "agent"),
    [
        pytest.param('"-" "Mozilla/5.0 (compat', "Mozilla/5.0 (compat", id="cut in the agent"),
        pytest.param('"-" "', None, id="cut at the quote"),
        pytest.param('"-" "a\\', "a", id="cut in an escape"),
        pytest.param('"-"', None, id="cut after the referrer"),
        pytest.param('"http://r', None, id="cut in the referrer"),
    ],
)
def test_combined_reads_a_line_that_its_writer_cut_off(tail: str, agent: str | None) -> None:
    record = parse_line(f"{HEAD} {tail}")
    assert record is not None
    assert record["path"] == "/a/b?x=1"
    assert record.get("user_agent") == agent


def test_combined_leaves_out_what_the_server_wrote_as_a_dash() -> None:
    record = parse_line('1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 304 - "-" "-"')
    assert record is not None
    assert record.keys() == {"timestamp", "client_ip", "method", "path", "protocol", "status"}


def test_combined_undoes_escapes() -> None:
    line = (
        r'1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /say?q=\"hi\" HTTP/1.1" 200 1 '
        r'"http://r/\x22q\x22" "a \"b\" c:\\d \xED\x95\x9C \x01 \xFF"'
    )
    record = parse_line(line)
    assert record is not None
    assert record["path"] == '/say?q="hi"'
    assert record["referer"] == 'http://r/"q"'
    assert record["user_agent"] == r'a "b" c:\d 한 \x01 \xFF'


def test_combined_reads_odd_white_space() -> None:
    record = parse_line("\ufeff" + LINE.replace(" ", "\u00a0").replace('\u00a0"M', '\u202f"M') + "\u2007\r\n")
    assert record == FIELDS


def test_combined_keeps_an_ident() -> None:
    record = parse_line(LINE.replace(" - frank ", " alice - "))
    assert record is not None
    assert record["ident"] == "alice"
    assert "user" not in record
