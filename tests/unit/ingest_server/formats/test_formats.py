"""All text formats together: which one fits, what fits none, and that no line hangs or breaks the reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_server.formats import DIALECTS, LINE_FORMATS, parse_line
from ingest_server.times import to_micros

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])

REAL_LOG = Path(__file__).parents[5] / "shared" / "data" / "apache_access.log"
HEAD = '83.149.9.216 - frank [17/May/2015:10:05:03 +0000] "GET /a/b?x=1 HTTP/1.1" 200 7697'
LINES = {
    "common": HEAD,
    "combined": f'{HEAD} "-" "curl"',
    "vhost_combined": f'www.example.com:443 {HEAD} "-" "curl"',
    "traefik": f'{HEAD} "-" "curl" 5 "r@docker" "http://10.0.0.1" 3ms',
    "nginx_ingress": f'{HEAD} "-" "curl" 498 0.005 [web] [] 10.0.0.1:80 612 0.004 200 8d5a1c',
    "envoy": '[2025-05-01T10:15:30.310Z] "GET /a/b HTTP/2" 204 - 1 2 3 4 "10.0.0.1" "curl" "id" "host" "tcp://h:80"',
    "aws_alb": 'h2 2025-05-01T10:15:30.1Z app/lb 10.0.0.1:5 10.0.0.2:80 0.0 0.0 0.0 200 200 3 5 "GET /a HTTP/2" "curl"',
    "plain": "2025-05-01T10:15:30Z GET /a 200 5ms",
}
GARBAGE = [
    "",
    "garbage line",
    '1.2.3.4 - - [17/May/2015:10:05:03 +0000] "-" 408 0',
    r'1.2.3.4 - - [17/May/2015:10:05:03 +0000] "\x16\x03\x01" 400 157 "-" "-"',
    '1.2.3.4 - - [17/Foo/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1',
    '1.2.3.4 - - [17/Foo/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "curl"',
    '1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1',
    '1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 20 1',
    "[error] 17#17: *1 connect() failed",
    '[2025-05-01T10:15:30Z] "GET / HTTP/1.1" 200',
    "\x00\x01\x02",
]


def test_formats_each_have_a_line_here() -> None:
    assert LINES.keys() == LINE_FORMATS.keys()


@pytest.mark.parametrize("name", LINES)
def test_auto_reads_a_line_as_its_own_format_does(name: str) -> None:
    record = parse_line(LINES[name])
    assert record is not None
    assert record == parse_line(LINES[name], name)
    assert {"timestamp", "method", "path", "status"} <= record.keys()


@pytest.mark.parametrize("name", LINES)
def test_a_format_does_not_fit_the_lines_of_others(name: str) -> None:
    # A combined line begins with a common one, and those that go on after it begin with a combined one.
    begins_with = {"common": {"combined", "traefik", "nginx_ingress"}, "combined": {"traefik", "nginx_ingress"}}
    fitting = {other for other in LINES if parse_line(LINES[other], name) is not None}
    assert fitting - begins_with.get(name, set()) == {name}


@pytest.mark.parametrize("line", GARBAGE)
def test_parse_line_of_garbage_is_none(line: str) -> None:
    assert parse_line(line) is None
    assert all(parse_line(line, name) is None for name in LINE_FORMATS)


def test_parse_line_of_an_unknown_format_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError):
        parse_line(HEAD, "iis")


mutated = st.tuples(
    st.sampled_from(list(LINES.values())), st.integers(0, 250), st.integers(0, 20), st.text(max_size=20)
).map(lambda parts: parts[0][: parts[1]] + parts[3] + parts[0][parts[1] + parts[2] :])


@relaxed
@given(st.one_of(st.text(), st.text(alphabet='"\\[] -/:0123456789GETPOSTx=.\t', max_size=200), mutated))
def test_parse_line_of_anything_is_a_record_or_none(line: str) -> None:
    for name in ("auto", *LINE_FORMATS):
        record = parse_line(line, name)
        if record is not None:
            assert {"timestamp", "method", "path", "status"} <= record.keys()
            to_micros(record["timestamp"])
            assert record.get("latency_ms") is None or record["latency_ms"] >= 0


MEGABYTE = 2**20
AGENT = LINES["combined"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("a b " + " [" * (MEGABYTE // 2), id="brackets"),
        pytest.param("[" * MEGABYTE, id="opening brackets"),
        pytest.param('a b c [d] "' + "\\" * (MEGABYTE + 1), id="backslashes"),
        pytest.param('a b c [d] "' + '\\"' * (MEGABYTE // 2), id="escaped quotes"),
        pytest.param('a b c [d] "' + "\\x41" * (MEGABYTE // 4) + '" 200 1', id="escaped bytes"),
        pytest.param(HEAD + ' "' * (MEGABYTE // 2), id="quotes"),
        pytest.param(HEAD + ' "\\' * (MEGABYTE // 3), id="quotes and backslashes"),
        pytest.param(HEAD + " " * MEGABYTE + "x\ny", id="blanks"),
        pytest.param(AGENT + " " + "a" * MEGABYTE, id="one long word"),
        pytest.param(AGENT + " =" + "a" * MEGABYTE, id="one long word after a sign"),
        pytest.param(AGENT + " rt=" * (MEGABYTE // 4), id="names"),
        pytest.param(AGENT + " a=1" * (MEGABYTE // 4) + " 3ms", id="names and values"),
        pytest.param(AGENT + " 1" * (MEGABYTE // 2), id="numbers"),
        pytest.param(AGENT + ' "1"' * (MEGABYTE // 4), id="quoted numbers"),
        pytest.param(AGENT + " " + "1" * MEGABYTE, id="one long number"),
        pytest.param(AGENT + ' "' + "1.2.3.4," * (MEGABYTE // 8) + '"', id="forwarders"),
        pytest.param("1 " * (MEGABYTE // 2) + '[x] "GET /" 200 1', id="words before the time"),
        pytest.param("a:1" * (MEGABYTE // 3) + " b c d", id="ports"),
        pytest.param("http " + '"' * MEGABYTE, id="quotes of a load balancer"),
        pytest.param("http " + "1 " * (MEGABYTE // 2), id="fields of a load balancer"),
        pytest.param("2025-05-01T10:15:30Z" + " " * MEGABYTE, id="blanks of a plain line"),
        pytest.param("2025-05-01T10:15:30Z GET /a 200 " + "1" * MEGABYTE, id="digits of a plain line"),
        pytest.param("2025-05-01T10:15:30." + "1" * MEGABYTE + "Z GET /a 200 1", id="digits of a second"),
        pytest.param('[x] "GET /" 200 - ' + '"' * MEGABYTE, id="quotes of a proxy"),
    ],
)
@pytest.mark.timeout(20)
def test_parse_line_takes_a_time_that_grows_with_the_line_only(line: str) -> None:
    """A pattern that backtracks takes minutes for these and runs into the time limit; one that does not, no time."""
    for name in ("auto", *LINE_FORMATS):
        parse_line(line, name)


@pytest.mark.skipif(not REAL_LOG.exists(), reason="the real log lies outside of the repository")
def test_parse_line_reads_the_real_log_line_by_line() -> None:
    lines = REAL_LOG.read_text(encoding="utf-8").splitlines()
    records = [record for line in lines if (record := parse_line(line)) is not None]
    assert len(records) == len(lines) == 10_000
    # Counted by other means than the parser's.
    assert [record["status"] for record in records] == [line.split('" ')[1].split()[0] for line in lines]
    assert [record["client_ip"] for record in records] == [line.split(" ", 1)[0] for line in lines]
    assert [record["path"] for record in records] == [line.split('"')[1].split(" ")[1] for line in lines]
    assert [record.get("bytes", "-") for record in records] == [line.split('" ')[1].split()[1] for line in lines]
    assert all("latency_ms" not in record and "rest" not in record for record in records)
    assert sum(line.endswith('"') for line in lines) == len(lines) - 1  # the one that was cut off


def test_dialects_have_names_of_their_own() -> None:
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
