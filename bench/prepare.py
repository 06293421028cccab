"""Fill a database with events as the ingest server and the jobs would leave it; load, build and disk are printed."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import psycopg

from bench import events
from bench.report import report
from sql.connection import connect

# Days that the columnstore takes: the newest stay rows, as they do on a server.
COLUMNSTORE_AFTER_DAYS = 7
WHOLE_RUN = '{"budget": "1 day", "patience": 0}'
_LEFT = """
select (select count(*) from touched_minute where minute < now() - interval '2 minutes')
    + (select count(*) from stale_bucket join aggregate_level using (view)
       where bucket + width < now() - interval '2 minutes')
"""
_ROUNDS = 20
_CONVERT = json.dumps({"columnstore_after_days": COLUMNSTORE_AFTER_DAYS, "budget": "1 day", "quiet": "0"})
_SIZES = """
select hypertable_size('access_log'),
    (select sum(hypertable_size(
        format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)::regclass
    )) from timescaledb_information.continuous_aggregates)::bigint
"""


def prepare(dsn: str, count: int) -> datetime:
    """Load events that end now, build the aggregates, convert old chunks; return the end of the events."""
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    name = f"{count:,} events over {events.DAYS} days"
    with connect(dsn) as connection:
        _schedule(connection, on=False)
        started = time.perf_counter()
        events.load(connection, count, end)
        loaded = time.perf_counter() - started
        report(f"{name}: made inside the database", count / loaded, "events/s", seconds=round(loaded, 1))
        started = time.perf_counter()
        _build(connection)
        built = time.perf_counter() - started
        report(f"{name}: all aggregates built by the jobs", built, "s", loaded, "making the events")
        events.write_ledger(connection)
        connection.execute("vacuum (analyze)")
        before = _sizes(connection)
        started = time.perf_counter()
        _convert(connection)
        converted = time.perf_counter() - started
        _disk(name, count, before, _sizes(connection), converted)
        connection.execute("vacuum (analyze)")
        _schedule(connection, on=True)
    return end


def add_minutes(dsn: str, counts: list[int]) -> None:
    """Load so many events in each of the last minutes, and build what the aggregates lack."""
    with connect(dsn) as connection:
        _schedule(connection, on=False)
        events.load_minutes(connection, counts, datetime.now(UTC).replace(second=0, microsecond=0))
        _build(connection)
        connection.execute("vacuum (analyze)")
        _schedule(connection, on=True)


def _schedule(connection: psycopg.Connection[Any], *, on: bool) -> None:
    """The database's own scheduler would build beside the load, and neither could be timed."""
    connection.execute(
        "select alter_job(job_id, scheduled => %s) from timescaledb_information.jobs where job_id >= 1000", (on,)
    )


def _build(connection: psycopg.Connection[Any]) -> None:
    for _ in range(_ROUNDS):
        connection.execute("call refresh_touched_minutes_now(null, %s)", (WHOLE_RUN,))
        connection.execute("call refresh_stale_buckets(null, %s)", (WHOLE_RUN,))
        left: Any = connection.execute(_LEFT).fetchone()
        if not left[0]:
            return
    raise SystemExit("the jobs do not come to an end")


def _convert(connection: psycopg.Connection[Any]) -> int:
    """Let the product's own job convert whatever is old enough; return the number of chunks."""
    chunks = 0
    while True:
        connection.execute("call age_data(null, %s)", (_CONVERT,))
        converted, problem = _row(connection, "select converted, problem from data_aging")
        if problem:
            raise SystemExit(f"the old chunks cannot be converted: {problem}")
        if not converted:
            return chunks
        chunks += converted


def _row(connection: psycopg.Connection[Any], statement: str) -> Any:
    return connection.execute(statement.encode()).fetchone()


def _sizes(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    raw, aggregates = _row(connection, _SIZES)
    return raw, aggregates


def _disk(name: str, count: int, before: tuple[int, int], after: tuple[int, int], seconds: float) -> None:
    for what, size, smaller in zip(("raw rows with indexes", "all aggregates"), before, after, strict=True):
        report(
            f"{name}: disk of {what}, chunks older than {COLUMNSTORE_AFTER_DAYS} days in the columnstore",
            smaller / count,
            "bytes/event",
            size / count,
            "all of it as rows",
            convert_s=round(seconds, 1),
        )
