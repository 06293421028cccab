"""The moments between the steps of a refresh: whatever happens in one of them, no figure is wrong after it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa

from sql.batch import Batch
from sql.connection import connect, reading_engine, snapshot, writing_pool
from sql.filters import Filters
from sql.plan import Range
from sql.reading import breakdown, pieces_of
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN
from tests.rows import log_row

Connection = psycopg.Connection[tuple[object, ...]]
OLD = datetime(2024, 9, 3, tzinfo=UTC)
MOST_SECONDS = 30
MINUTES = "call refresh_touched_minutes()"
BUCKETS = "call refresh_stale_buckets(null, '{\"patience\": 0}')"
at_once = pytest.mark.skipif(not NATIVE_DSN, reason="clients of the embedded server take turns")


@pytest.fixture
def connection(own_quiet_dsn: str) -> Iterator[Connection]:
    with connect(own_quiet_dsn) as connection:
        yield connection


@pytest.fixture
def engine(own_quiet_dsn: str) -> Iterator[sa.Engine]:
    engine = reading_engine(own_quiet_dsn)
    yield engine
    engine.dispose()


@pytest.fixture
def writer(own_quiet_dsn: str) -> Iterator[LogWriter]:
    with writing_pool(own_quiet_dsn, max_size=1) as pool:
        yield LogWriter(pool)


def store(writer: LogWriter, *moments: datetime) -> None:
    rows = [log_row(ts=ts, service="race", path="/a", route="/a") for ts in moments]
    writer.store(Batch("test", "race", rows, []))


def totals(engine: sa.Engine, whole: Range) -> set[int]:
    """Requests of a range as each family of levels counts them."""
    by: Sequence[tuple[str, ...]] = ((), ("route",), ("client_ip",), ("route", "status"))
    with snapshot(engine) as reading:
        return {sum(cell.n for cell in breakdown(reading, whole, Filters(), each)) for each in by}


def levels_used(engine: sa.Engine, whole: Range) -> set[str | None]:
    with snapshot(engine) as reading:
        return {piece.level.view if piece.level else None for piece in pieces_of(reading, whole, {"service"})}


@contextmanager
def held_at(dsn: str, view: str, statement: str) -> Iterator[None]:
    """Run a procedure that is held up where it would refresh a level; at the end it goes on to its own end."""
    with connect(dsn) as holder:
        row = holder.execute(
            "select format('%%I.%%I', materialization_hypertable_schema, materialization_hypertable_name) "
            "from timescaledb_information.continuous_aggregates where view_name = %s",
            (view,),
        ).fetchone()
        assert row is not None
        with _running(dsn, statement, holder, f"begin; lock table {row[0]} in share mode", "commit"):
            yield


@contextmanager
def held_before_delete(dsn: str, table: str, statement: str) -> Iterator[None]:
    """Run a procedure that is held up where it takes entries out of a table, with the table as it was then."""
    with connect(dsn) as holder:
        holder.execute(
            "create function wait_for_test() returns trigger language plpgsql as "
            "$$ begin perform pg_advisory_xact_lock_shared(4711); return null; end $$"
        )
        holder.execute(
            f"create trigger wait before delete on {table} for each statement execute function wait_for_test()".encode()
        )
        with _running(dsn, statement, holder, "select pg_advisory_lock(4711)", "select pg_advisory_unlock(4711)"):
            yield
        holder.execute("drop function wait_for_test cascade")


@contextmanager
def _running(dsn: str, statement: str, holder: Connection, hold: str, let_go: str) -> Iterator[None]:
    holder.execute(hold.encode())
    failures: list[BaseException] = []
    with connect(dsn) as worker, connect(dsn) as watcher:

        def run() -> None:
            try:
                worker.execute(statement.encode())
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            deadline = time.monotonic() + MOST_SECONDS
            waits = "select wait_event_type = 'Lock' from pg_stat_activity where pid = %s"
            while watcher.execute(waits, (worker.info.backend_pid,)).fetchone() != (True,):
                assert thread.is_alive(), failures or "the procedure was not held up"
                assert time.monotonic() < deadline, "the procedure was not held up"
                time.sleep(0.01)
            yield
            assert thread.is_alive(), "the procedure was not held up for long enough"
        finally:
            holder.execute(let_go.encode())
            thread.join(timeout=MOST_SECONDS)
    assert failures == []


@pytest.mark.native
@at_once
def test_bucket_that_changes_while_it_is_refreshed_stays_stale(
    own_quiet_dsn: str, connection: Connection, writer: LogWriter, engine: sa.Engine
) -> None:
    day = Range(OLD, OLD + timedelta(days=1))
    store(writer, OLD, OLD + timedelta(minutes=1))
    connection.execute(MINUTES)
    with held_before_delete(own_quiet_dsn, "stale_bucket", BUCKETS):
        # The first level is built, its marks are about to go. A whole refresh of late minutes fits in between.
        store(writer, OLD + timedelta(minutes=7), OLD + timedelta(minutes=9))
        connection.execute(MINUTES)
        assert totals(engine, day) == {4}
    assert totals(engine, day) == {4}
    connection.execute(BUCKETS)
    assert totals(engine, day) == {4}
    assert levels_used(engine, day) == {"traffic_1d"}


@pytest.mark.native
@at_once
@pytest.mark.parametrize("view", ["traffic_1h", "client_1h", "endpoint_10m", "route_1h", "traffic_1d", "client_1d"])
def test_rows_that_arrive_while_a_bucket_waits_to_be_built_are_counted(
    own_quiet_dsn: str, connection: Connection, writer: LogWriter, engine: sa.Engine, view: str
) -> None:
    day = Range(OLD, OLD + timedelta(days=1))
    store(writer, OLD, OLD + timedelta(hours=3))
    connection.execute(MINUTES)
    with held_at(own_quiet_dsn, view, BUCKETS):
        store(writer, OLD + timedelta(minutes=7))
        assert totals(engine, day) == {3}
        connection.execute(MINUTES)
        assert totals(engine, day) == {3}
        store(writer, OLD + timedelta(minutes=7))
    assert totals(engine, day) == {4}
    connection.execute(MINUTES)
    connection.execute(BUCKETS)
    assert totals(engine, day) == {4}


@pytest.mark.native
@at_once
def test_coarser_bucket_is_not_built_while_its_minute_is(
    own_quiet_dsn: str, connection: Connection, writer: LogWriter, engine: sa.Engine
) -> None:
    day = Range(OLD, OLD + timedelta(days=1))
    store(writer, OLD)
    connection.execute(MINUTES)
    connection.execute(BUCKETS)
    store(writer, OLD)
    with held_at(own_quiet_dsn, "traffic_1m", MINUTES):
        connection.execute(BUCKETS)
        assert totals(engine, day) == {2}
    assert totals(engine, day) == {2}
    assert connection.execute("select count(*) from touched_minute").fetchone() == (0,)
    connection.execute(BUCKETS)
    assert totals(engine, day) == {2}
    assert levels_used(engine, day) == {"traffic_1d"}


@pytest.mark.native
@at_once
def test_row_that_arrives_while_its_minute_is_refreshed_stays_listed(
    own_quiet_dsn: str, connection: Connection, writer: LogWriter, engine: sa.Engine
) -> None:
    now = datetime.now(UTC)
    minute = now.replace(second=0, microsecond=0) - timedelta(hours=5)
    whole = Range(now - timedelta(days=1), now - timedelta(minutes=5))
    store(writer, minute)
    with held_at(own_quiet_dsn, "endpoint_1m", MINUTES):  # traffic_1m has been built
        store(writer, minute, minute + timedelta(seconds=59))
        assert totals(engine, whole) == {3}
    assert totals(engine, whole) == {3}
    connection.execute(MINUTES)
    assert totals(engine, whole) == {3}


def test_coarser_bucket_waits_for_its_finer_ones(connection: Connection, writer: LogWriter, engine: sa.Engine) -> None:
    day = Range(OLD, OLD + timedelta(days=1))
    store(writer, OLD)
    connection.execute(MINUTES)
    connection.execute(BUCKETS)
    store(writer, OLD)
    connection.execute(MINUTES)
    # Patience with the finest of them is not over, that with the others is.
    connection.execute(
        "update stale_bucket set since = since - interval '1 hour' where view not in ('endpoint_10m', 'traffic_1h')"
    )
    connection.execute("call refresh_stale_buckets()")
    left = connection.execute("select view from stale_bucket order by 1").fetchall()
    assert [view for (view,) in left] == [
        "endpoint_10m", "endpoint_1d", "endpoint_1h", "route_1d", "route_1h", "traffic_1d", "traffic_1h"
    ]  # fmt: skip
    assert totals(engine, day) == {2}
    connection.execute(BUCKETS)
    assert connection.execute("select count(*) from stale_bucket").fetchone() == (0,)
    assert totals(engine, day) == {2}


def test_bucket_that_has_not_ended_is_read_from_finer_levels(
    connection: Connection, writer: LogWriter, engine: sa.Engine
) -> None:
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0)
    whole = Range(hour - timedelta(days=2), hour + timedelta(days=1))
    moments = [now - timedelta(minutes=5 * i) for i in range(30)]
    store(writer, *moments)
    connection.execute(MINUTES)
    connection.execute(BUCKETS)
    assert totals(engine, whole) == {30}
    unended = connection.execute(
        "select count(*) from stale_bucket join aggregate_level using (view) where bucket + width > now()"
    ).fetchone()
    assert unended is not None
    assert int(str(unended[0])) >= 1
    store(writer, *moments[:10])
    assert totals(engine, whole) == {40}
    connection.execute(MINUTES)
    assert totals(engine, whole) == {40}


@pytest.mark.native
@at_once
@pytest.mark.parametrize("late", [0, 100], ids=["first time", "again, with late rows"])
def test_snapshot_that_began_before_a_conversion_sees_all_of_its_rows(
    own_quiet_dsn: str, connection: Connection, writer: LogWriter, engine: sa.Engine, late: int
) -> None:
    day = Range(OLD, OLD + timedelta(days=1))
    age = 'call age_data(null, \'{"columnstore_after_days": 1, "recompress_bytes": 0, "quiet": "0"}\')'
    store(writer, *(OLD + timedelta(seconds=i) for i in range(300)))
    connection.execute(MINUTES)
    connection.execute(BUCKETS)
    if late:
        connection.execute(age.encode())
        store(writer, *(OLD + timedelta(seconds=i) for i in range(late)))
        connection.execute(MINUTES)
        connection.execute(BUCKETS)
    with snapshot(engine) as reading:
        reading.execute(sa.text("select"))
        connection.execute(age.encode())
        logged = reading.execute(sa.text("select count(*) from access_log")).scalar_one()
        by: Sequence[tuple[str, ...]] = ((), ("route",), ("client_ip",), ("route", "status"))
        figures = {sum(cell.n for cell in breakdown(reading, day, Filters(), each)) for each in by}
    assert {logged, *figures} == {300 + late}
    converted = connection.execute("select converted, problem from data_aging").fetchone()
    assert converted is not None
    assert converted[0] != 0, converted
