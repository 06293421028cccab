"""The plain format: time, method, path, status, duration."""

from __future__ import annotations

import pytest

from ingest_server.formats import parse_line
from ingest_server.times import to_micros

MICROS = 1_746_094_530_000_000


@pytest.mark.parametrize(
    ("line", "latency_ms"),
    [
        pytest.param("2025-05-01T10:15:30Z GET /api/user/list 200 123ms", 123.0, id="ms"),
        pytest.param("2025-05-01T10:15:30Z GET /api/user/list 200 123", 123.0, id="no unit"),
        pytest.param("2025-05-01T10:15:30Z GET /api/user/list 200 1.5 s", 1500.0, id="seconds"),
        pytest.param("2025-05-01T10:15:30Z GET /api/user/list 200 1500us", 1.5, id="microseconds"),
        pytest.param("2025-05-01T10:15:30Z GET /api/user/list 200 1500µs", 1.5, id="micro sign"),
        pytest.param("2025-05-01T10:15:30Z GET /api/user/list 200 1500μs", 1.5, id="greek mu"),
        pytest.param("2025-05-01T10:15:30Z GET /api/user/list 200 1500000ns", 1.5, id="nanoseconds"),
        pytest.param("2025-05-01 10:15:30.000+00:00  get  /api/user/list  200  0ms", 0.0, id="blanks"),
        pytest.param("2025-05-01 19:15:30 +0900 GET /api/user/list 200 7ms", 7.0, id="blank before the offset"),
        pytest.param("2025/05/01 10:15:30\tGET\t/api/user/list\t200\t7ms", 7.0, id="slashes and tabs"),
        pytest.param("2025-05-01t10:15:30z GET /api/user/list 200 7ms", 7.0, id="small letters"),
        pytest.param("\ufeff2025-05-01T19:15:30,0+0900 GET /api/user/list 200 7ms\r", 7.0, id="BOM, comma, CR"),
        pytest.param("2025-05-01T10:15:30Z\u00a0GET\u202f/api/user/list\u2007200\u00a0123ms", 123.0, id="odd spaces"),
        pytest.param("\u00a02025-05-01T10:15:30Z GET /api/user/list 200 9 ms\u202f", 9.0, id="odd spaces outside"),
    ],
)
def test_plain_reads(line: str, latency_ms: float) -> None:
    record = parse_line(line)
    assert record is not None
    assert to_micros(record["timestamp"]) == MICROS
    assert (record["method"], record["path"], record["status"]) == ("GET", "/api/user/list", "200")
    assert record["latency_ms"] == pytest.approx(latency_ms)
    assert len(record) == 5


@pytest.mark.parametrize("method", ["M-SEARCH", "PROPFIND", "X_CUSTOM"])
def test_plain_reads_any_method(method: str) -> None:
    record = parse_line(f"2025-05-01T10:15:30.123456789Z {method} /사용자?q=1 207 1ms")
    assert record is not None
    assert (record["method"], record["path"]) == (method, "/사용자?q=1")


@pytest.mark.parametrize(
    "line",
    [
        "2025-05-01T10:15:30Z GET /a 200",
        "2025-05-01T10:15:30Z GET /a two hundred 5ms",
        "2025-05-01T10:15:30Z GET /a 200 5ms and more",
        "2025-05-01T10:15:30Z GET /a 200 5 days",
        "2025-13-01T10:15:30Z GET /a 200 5ms",
        "2025-05-01 GET /a 200 5ms",
    ],
)
def test_plain_does_not_fit(line: str) -> None:
    assert parse_line(line) is None
