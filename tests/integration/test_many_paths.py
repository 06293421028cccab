"""A log with more paths than anybody can read: the answer is bounded, and says what it leaves out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from dashapp.stats.failing import failing_endpoints
from dashapp.stats.usage import usage
from sql.batch import Batch, LogRow
from sql.connection import snapshot
from sql.filters import Filters
from sql.plan import Range
from sql.writing import LogWriter
from tests.rows import micros

START = datetime(2025, 3, 4, tzinfo=UTC)
PATHS = 300


def test_usage_keeps_the_most_called_and_counts_the_rest(writer: LogWriter, engine: sa.Engine, service: str) -> None:
    rows = [
        LogRow(
            micros(START) + i * 1_000_000,
            service,
            "GET",
            f"/p/{i}",
            f"/p/{i}",
            200 + 300 * (call % 2),
            5.0,
            1,
            *[None] * 5,
        )
        for i in range(PATHS)
        for call in range(1 + (i < 10) * (10 - i))
    ]
    writer.store(Batch("test", service, rows, []))
    with snapshot(engine) as connection:
        for by in ("route", "path"):
            used = usage(
                connection,
                Range(START, START + timedelta(hours=1)),
                Filters(service=service),
                by="path" if by == "path" else "route",
                most=10,
            )
            assert [(e.route, e.count) for e in used.endpoints] == [(f"/p/{i}", 11 - i) for i in range(10)]
            assert (used.found, used.total) == (PATHS, len(rows))
            assert used.endpoints[0].share == 11 / len(rows)
            assert used.endpoints[0].server_errors == 5
            assert used.endpoints[0].latency.mean == 5


def test_failing_endpoints_are_ranked_by_errors(writer: LogWriter, engine: sa.Engine, service: str) -> None:
    rows = [
        LogRow(micros(START), service, "GET", f"/{name}", f"/{name}", status, None, 1, *[None] * 5)
        for name, statuses in {"busy": [200] * 50 + [404], "broken": [500] * 3 + [200], "fine": [200] * 9}.items()
        for status in statuses
    ]
    writer.store(Batch("test", service, rows, []))
    whole = Range(START, START + timedelta(hours=1))
    with snapshot(engine) as reading:
        worst = failing_endpoints(reading, whole, Filters(service=service))
        assert [(e.route, e.tally.n, e.tally.errors) for e in worst] == [("/broken", 4, 3), ("/busy", 51, 1)]
        assert failing_endpoints(reading, whole, Filters(service=service, status=(200, 299))) == []
