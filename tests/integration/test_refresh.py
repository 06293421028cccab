"""The aggregates equal the log, however the refresh job and TimescaleDB's own policies take turns."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from sql.batch import Batch
from sql.connection import connect, reading_engine, snapshot, writing_pool
from sql.filters import Filters
from sql.plan import CLIENT, ENDPOINT, ROUTE, TRAFFIC, Range
from sql.reading import breakdown
from sql.writing import LogWriter
from tests.rows import log_row

LEVELS = tuple(level.view for level in (*TRAFFIC, *ENDPOINT[1:], *ROUTE[2:], *CLIENT))
Connection = psycopg.Connection[tuple[object, ...]]


def call(connection: Connection, name: str) -> None:
    jobs = connection.execute(
        "select job_id from timescaledb_information.jobs where proc_name = %s order by job_id", (name,)
    ).fetchall()
    for (job_id,) in jobs:
        connection.execute(f"call run_job({job_id})".encode())


def store(writer: LogWriter, now: datetime, draw: random.Random, count: int, hours: float) -> None:
    moments = (now - timedelta(minutes=2, hours=draw.uniform(0, hours)) for _ in range(count))
    rows = [log_row(ts=ts, service="s", path="/a", route="/a") for ts in moments]
    writer.store(Batch("test", "s", rows, []))


def totals(connection: Connection) -> set[int]:
    tables = (f"select coalesce(sum(n), 0) from {level}" for level in LEVELS)
    return {int(str(row[0])) for row in connection.execute(" union all ".join(tables).encode()).fetchall()}


@pytest.mark.parametrize(("window", "gap"), [("6 hours", "6 hours"), ("1 day", "1 hour")])
def test_levels_equal_the_log_after_the_job_beside_policies(own_quiet_dsn: str, window: str, gap: str) -> None:
    draw, now = random.Random(7), datetime.now(UTC) - timedelta(days=3)  # every bucket has ended
    with connect(own_quiet_dsn) as connection, writing_pool(own_quiet_dsn, max_size=1) as pool:
        writer = LogWriter(pool)
        connection.execute(
            "select alter_job(job_id, config => jsonb_build_object('window', %s::text, 'gap', %s::text, "
            "'budget', '10 minutes', 'patience', 0)) "
            "from timescaledb_information.jobs where proc_name in ('refresh_touched_minutes', 'refresh_stale_buckets')",
            (window, gap),
        )
        call(connection, "policy_refresh_continuous_aggregate")
        stored = 0
        for count in (1_500, 200, 30):
            store(writer, now, draw, count, 30)
            stored += count
            call(connection, "refresh_touched_minutes")
            call(connection, "refresh_stale_buckets")
            assert totals(connection) == {stored}
            call(connection, "policy_refresh_continuous_aggregate")
            assert totals(connection) == {stored}
        assert connection.execute("select count(*) from touched_minute").fetchone() == (0,)


def test_a_figure_is_right_before_during_and_after_a_refresh(own_quiet_dsn: str) -> None:
    draw, now = random.Random(8), datetime.now(UTC)
    engine = reading_engine(own_quiet_dsn)
    whole = Range(now - timedelta(days=3), now)

    def total() -> int:
        with snapshot(engine) as reader:
            return sum(cell.n for cell in breakdown(reader, whole, Filters(), ["status"]))

    with connect(own_quiet_dsn) as connection, writing_pool(own_quiet_dsn, max_size=1) as pool:
        writer = LogWriter(pool)
        store(writer, now, draw, 800, 50)
        assert total() == 800
        # A run that stops after its first piece leaves the levels half done.
        connection.execute(
            'call refresh_touched_minutes(null, \'{"window": "1 hour", "budget": "1 microsecond"}\'::jsonb)'
        )
        assert total() == 800
        store(writer, now, draw, 50, 50)
        assert total() == 850
        call(connection, "refresh_touched_minutes")
        assert total() == 850
    engine.dispose()
