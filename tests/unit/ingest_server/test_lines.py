"""Lines of text logs: combined, common and plain; what fits none is None, never an exception."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_server.event import to_row
from ingest_server.lines import FORMATS, parse_combined, parse_common, parse_line, parse_plain

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

REAL_LOG = Path(__file__).parents[4] / "shared" / "data" / "apache_access.log"
MOMENT = datetime(2015, 5, 17, 10, 5, 3, tzinfo=UTC)
HEAD = '83.149.9.216 - frank [17/May/2015:10:05:03 +0000] "GET /a/b?x=1 HTTP/1.1" 200 7697'
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_parse_combined_reads_every_field() -> None:
    assert parse_line(f'{HEAD} "http://r.example/" "Mozilla/5.0 (X)"') == {
        "timestamp": MOMENT,
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


def test_parse_combined_keeps_what_follows() -> None:
    record = parse_combined(f'{HEAD} "-" "curl" "10.0.0.1" 0.123')
    assert record is not None
    assert record["rest"] == "10.0.0.1 0.123"


@pytest.mark.parametrize(
    ("tail", "agent"),
    [
        pytest.param('"-" "Mozilla/5.0 (compat', "Mozilla/5.0 (compat", id="cut in the agent"),
        pytest.param('"-" "', "", id="cut at the quote"),
        pytest.param('"-"', None, id="cut after the referrer"),
        pytest.param('"http://r', None, id="cut in the referrer"),
    ],
)
def test_parse_combined_reads_a_line_that_its_writer_cut_off(tail: str, agent: str | None) -> None:
    record = parse_combined(f"{HEAD} {tail}")
    assert record is not None
    assert record["path"] == "/a/b?x=1"
    assert record.get("user_agent") == agent


def test_parse_combined_undoes_escaped_quotes() -> None:
    line = (
        r'1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /say?q=\"hi\" HTTP/1.1" 200 1 '
        r'"http://r/\"q\"" "a \"b\" c:\\d"'
    )
    record = parse_line(line)
    assert record is not None
    assert record["path"] == '/say?q="hi"'
    assert record["referer"] == 'http://r/"q"'
    assert record["user_agent"] == r'a "b" c:\d'


def test_parse_common_reads_a_line_without_referrer_and_agent() -> None:
    assert parse_line(HEAD) == {
        "timestamp": MOMENT,
        "client_ip": "83.149.9.216",
        "user": "frank",
        "method": "GET",
        "path": "/a/b?x=1",
        "protocol": "HTTP/1.1",
        "status": "200",
        "bytes": "7697",
    }


def test_parse_common_keeps_what_follows() -> None:
    record = parse_line(f"{HEAD} 0.123 backend-1")
    assert record is not None
    assert record["rest"] == "0.123 backend-1"
    assert "user_agent" not in record


@pytest.mark.parametrize(
    ("request_line", "method", "path", "protocol"),
    [
        pytest.param("GET /a HTTP/2.0", "GET", "/a", "HTTP/2.0", id="usual"),
        pytest.param("GET /a", "GET", "/a", None, id="HTTP 0.9"),
        pytest.param("GET /a b c HTTP/1.1", "GET", "/a b c", "HTTP/1.1", id="blanks in the path"),
        pytest.param("OPTIONS * HTTP/1.0", "OPTIONS", "*", "HTTP/1.0", id="asterisk"),
    ],
)
def test_parse_common_splits_the_request(request_line: str, method: str, path: str, protocol: str | None) -> None:
    record = parse_line(f'::1 - - [17/May/2015:10:05:03 +0000] "{request_line}" 200 -')
    assert record is not None
    assert (record["method"], record["path"], record.get("protocol")) == (method, path, protocol)
    assert record["bytes"] == "-"


def test_parse_common_takes_a_user_with_a_blank() -> None:
    record = parse_line('1.2.3.4 - John Doe [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1')
    assert record is not None
    assert record["user"] == "John Doe"


@pytest.mark.parametrize(
    ("line", "latency_ms"),
    [
        pytest.param("2025-05-01T10:15:30Z GET /api/user/list 200 123ms", 123.0, id="ms"),
        pytest.param("2025-05-01T10:15:30Z GET /api/user/list 200 123", 123.0, id="no unit"),
        pytest.param("2025-05-01T10:15:30Z GET /api/user/list 200 1.5 s", 1500.0, id="seconds"),
        pytest.param("2025-05-01T10:15:30Z GET /api/user/list 200 1500us", 1.5, id="microseconds"),
        pytest.param("2025-05-01 10:15:30.000+00:00  get  /api/user/list  200  0ms", 0.0, id="blanks"),
        pytest.param("\ufeff2025-05-01T19:15:30,0+0900 GET /api/user/list 200 7ms\r", 7.0, id="BOM, comma, CR"),
        pytest.param("2025-05-01T10:15:30Z\u00a0GET\u202f/api/user/list\u2007200\u00a0123ms", 123.0, id="odd spaces"),
        pytest.param("\u00a02025-05-01T10:15:30Z GET /api/user/list 200 9 ms\u202f", 9.0, id="odd spaces outside"),
    ],
)
def test_parse_plain_reads(line: str, latency_ms: float) -> None:
    record = parse_line(line)
    assert record is not None
    row = to_row(record, service="s", now=NOW)
    assert row.ts == datetime(2025, 5, 1, 10, 15, 30, tzinfo=UTC)
    assert (row.method, row.path, row.status, row.attributes) == ("GET", "/api/user/list", 200, None)
    assert row.latency_ms == pytest.approx(latency_ms)


GARBAGE = [
    "",
    "garbage line",
    "2025-05-01T10:15:30Z GET /a 200",
    "2025-05-01T10:15:30Z GET /a two hundred 5ms",
    "2025-05-01T10:15:30Z GET /a 200 5ms and more",
    '1.2.3.4 - - [17/May/2015:10:05:03 +0000] "-" 408 0',
    '1.2.3.4 - - [17/Foo/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1',
    '1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1',
    '1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 20 1',
    "[error] 17#17: *1 connect() failed",
    "\x00\x01\x02",
]


@pytest.mark.parametrize("line", GARBAGE)
def test_parse_line_of_garbage_is_none(line: str) -> None:
    assert parse_line(line) is None
    assert all(parse_line(line, name) is None for name in FORMATS)


@relaxed
@given(st.one_of(st.text(), st.text(alphabet='"\\[] -/:0123456789GETPOST\t', max_size=200)))
def test_parse_line_never_raises(line: str) -> None:
    record = parse_line(line)
    assert record is None or {"timestamp", "method", "path", "status"} <= set(record)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("a b " + " [" * 200_000, id="brackets"),
        pytest.param('a b c [d] "' + "\\" * 200_001, id="backslashes"),
        pytest.param('a b c [d] "' + '\\"' * 100_000, id="escaped quotes"),
        pytest.param(HEAD + ' "' * 100_000, id="quotes"),
        pytest.param(HEAD + " " * 200_000 + "x\ny", id="blanks"),
    ],
)
@pytest.mark.timeout(20)
def test_parse_line_does_not_backtrack(line: str) -> None:
    """A pattern that backtracks takes minutes for these and runs into the time limit; one that does not, no time."""
    for name in FORMATS:
        parse_line(line, name)


def test_parse_line_uses_only_the_format_asked_for() -> None:
    combined = f'{HEAD} "-" "curl"'
    plain = "2025-05-01T10:15:30Z GET /a 200 5ms"
    assert parse_line(combined, "plain") is None
    assert parse_line(plain, "combined") is None
    assert parse_line(HEAD, "combined") is None
    assert parse_line(plain, "plain") == parse_plain(plain)
    assert parse_line(combined, "common") == parse_common(combined)


@pytest.mark.skipif(not REAL_LOG.exists(), reason="the real log lies outside of the repository")
def test_real_log_becomes_rows_line_by_line() -> None:
    lines = REAL_LOG.read_text(encoding="utf-8").splitlines()
    rows = []
    for line in lines:
        record = parse_line(line)
        assert record is not None, line
        rows.append(to_row(record, service="apache", now=NOW))
    assert len(rows) == 10_000
    # The first path of the request, counted by other means than the parser's.
    assert [row.status for row in rows] == [int(line.split('" ')[1].split()[0]) for line in lines]
    assert [row.client_ip for row in rows] == [line.split(" ", 1)[0] for line in lines]
    targets = [line.split('"')[1].split(" ")[1] for line in lines]
    assert [row.path for row in rows] == [target.partition("?")[0] for target in targets]
    assert sum(row.bytes or 0 for row in rows) == sum(
        int(size) for line in lines if (size := line.split('" ')[1].split()[1]) != "-"
    )
    assert all(row.latency_ms is None for row in rows)
