"""Rows go into the columnstore and out of the database; nothing that is counted changes by it, on either engine."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from click.testing import CliRunner

from accessboard.cli import cli
from accessboard.doctor_storage import storage_findings
from accessboard.import_age import ask_about_age
from ingest_server.intake import Intake, Origin, open_intake
from ingest_server.service import open_service
from ingest_server.settings import IngestSettings
from sql.batch import Batch, LogRow, Receipt
from sql.connection import connect, reading_engine, snapshot, writing_pool
from sql.filters import Filters
from sql.life import Storage, storage
from sql.life_jobs import hand_over
from sql.plan import Range
from sql.reading import breakdown
from sql.settings import LifeSettings
from sql.storing import utc_micros
from sql.writing import COPY_FROM_ROWS, LogWriter
from tests.conftest import NATIVE_DSN
from tests.rows import log_row, micros

Connection = psycopg.Connection[tuple[object, ...]]
MOST_SECONDS = 30
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
# endpoint_1m holds the last day only.
LEVELS = (
    "traffic_1m", "traffic_5m", "traffic_1h", "traffic_1d", "endpoint_10m", "endpoint_1h", "endpoint_1d",
    "route_1h", "route_1d", "client_1h", "client_1d",
)  # fmt: skip


@pytest.fixture
def database(own_quiet_dsn: str) -> Iterator[Connection]:
    with connect(own_quiet_dsn) as connection:
        yield connection


@pytest.fixture
def log_writer(own_quiet_dsn: str) -> Iterator[LogWriter]:
    with writing_pool(own_quiet_dsn, max_size=2) as pool:
        yield LogWriter(pool)


@pytest.fixture
def stored_now(own_quiet_dsn: str) -> Iterator[Callable[[], Storage]]:
    engine = reading_engine(own_quiet_dsn)

    def read() -> Storage:
        with snapshot(engine) as reading:
            return storage(reading)

    yield read
    engine.dispose()


def rows_of(start: datetime, number: int, step: timedelta, *, keyed: bool = True) -> list[LogRow]:
    return [
        log_row(
            ts=start + i * step,
            route=f"/{i % 7}",
            status=(200, 404, 503)[i % 3],
            latency_ms=float(i % 90) if i % 11 else None,
            client_ip=f"10.0.0.{i % 5}",
            record_key=uuid.uuid5(uuid.NAMESPACE_URL, f"{start}{i}").bytes if keyed else None,
        )
        for i in range(number)
    ]


def store(writer: LogWriter, rows: list[LogRow]) -> Receipt:
    return writer.store(Batch("test", "test", rows, []))


def age(connection: Connection, **config: float | str) -> None:
    """One run of the job, whose steps of dropping need not wait for each other unless a test says so."""
    connection.execute(
        "call age_data(null, %s::jsonb)", (json.dumps({"grace": "0", "quiet": "0", "budget": "1 hour"} | config),)
    )


def refresh(connection: Connection) -> None:
    connection.execute("call refresh_touched_minutes_now()")
    connection.execute("""call refresh_stale_buckets(null, '{"patience": 0}')""")


def run_every_job(connection: Connection) -> None:
    """Those that TimescaleDB would run by itself, too."""
    for (job_id,) in connection.execute(
        "select job_id from timescaledb_information.jobs where job_id >= 1000 and proc_name <> 'age_data' order by 1"
    ).fetchall():
        connection.execute(f"call run_job({job_id})".encode())


def figures(connection: Connection) -> dict[str, list[Any]]:
    """Every row of every level: its bucket, and all of it as text, for each digit counts."""
    return {
        level: connection.execute(f"select bucket, level::text from {level} as level order by 2".encode()).fetchall()
        for level in LEVELS
    }


def count(connection: Connection, condition: str = "true") -> int:
    row = connection.execute(f"select count(*) from access_log where {condition}".encode()).fetchone()
    assert row is not None
    return int(str(row[0]))


def totals(connection: Connection) -> dict[str, int]:
    found = {}
    for level in LEVELS:
        row = connection.execute(f"select coalesce(sum(n), 0) from {level}".encode()).fetchone()
        assert row is not None
        found[level] = int(str(row[0]))
    return found


def horizon(connection: Connection, column: str) -> datetime | None:
    row = connection.execute(f"select nullif({column}, '-infinity') from log_horizon".encode()).fetchone()
    assert row is not None
    return row[0] if isinstance(row[0], datetime) else None


def test_rows_in_the_columnstore_are_found_again_and_late_ones_join_them_once(
    database: Connection, log_writer: LogWriter, stored_now: Callable[[], Storage]
) -> None:
    start = TODAY - 20 * DAY
    old = rows_of(start, 3_000, timedelta(seconds=20))
    assert store(log_writer, old) == Receipt(3_000, 3_000, 0, 0)
    age(database)
    assert stored_now().log.columnar == 0
    refresh(database)
    before = figures(database)
    age(database)
    found = stored_now()
    assert found.log.columnar == found.log.chunks == 1
    assert {each.name for each in found.aggregates if each.columnar} >= {"traffic_1m", "endpoint_10m"}
    assert figures(database) == before

    # However little may be unpacked for a statement, what is stored already is found, and what is new gets in.
    database.execute("set timescaledb.max_tuples_decompressed_per_dml_transaction = 10")
    late = rows_of(start + timedelta(seconds=7), 500, timedelta(seconds=90))
    anonymous = rows_of(start, 200, timedelta(seconds=20), keyed=False)
    assert store(log_writer, old) == Receipt(3_000, 0, 3_000, 0)
    assert store(log_writer, late[: COPY_FROM_ROWS - 1] + old[:10]) == Receipt(COPY_FROM_ROWS + 9, 63, 10, 0)
    assert store(log_writer, late[63:]) == Receipt(437, 437, 0, 0)
    assert store(log_writer, late + old[:100]) == Receipt(600, 0, 600, 0)
    assert store(log_writer, anonymous) == store(log_writer, anonymous) == Receipt(200, 200, 0, 0)
    assert count(database) == 3_900
    refresh(database)
    assert set(totals(database).values()) == {3_900}

    age(database, recompress_bytes=0)
    assert database.execute("select converted > 0, problem from data_aging").fetchone() == (True, None)
    assert count(database) == 3_900
    assert store(log_writer, late) == Receipt(500, 0, 500, 0)
    run_every_job(database)
    assert set(totals(database).values()) == {3_900}


@pytest.mark.native
@pytest.mark.skipif(not NATIVE_DSN, reason="the embedded engine has one session, so a setting of it is everybody's")
def test_a_limit_of_the_server_on_unpacking_does_not_keep_late_rows_out(own_quiet_dsn: str) -> None:
    with connect(own_quiet_dsn) as connection:
        name = connection.info.dbname
        connection.execute(
            f'alter database "{name}" set timescaledb.max_tuples_decompressed_per_dml_transaction = 10'.encode()
        )
    start = TODAY - 20 * DAY
    old = rows_of(start, 4_000, timedelta(seconds=20))
    late = rows_of(start + HOUR, 1_000, timedelta(seconds=11))
    with connect(own_quiet_dsn) as connection, writing_pool(own_quiet_dsn, max_size=1) as pool:
        writer = LogWriter(pool)
        store(writer, old)
        refresh(connection)
        age(connection)
        assert store(writer, late) == Receipt(1_000, 1_000, 0, 0)
        assert store(writer, old + late) == Receipt(5_000, 0, 5_000, 0)
        refresh(connection)
        assert set(totals(connection).values()) == {5_000}


def read_by_pages(dsn: str) -> list[list[tuple[Any, ...]]]:
    """The cells of four breakdowns, as tuples with lists in place of arrays: these can be compared."""
    engine = reading_engine(dsn)
    whole = Range(TODAY - 6 * DAY, TODAY)
    try:
        with snapshot(engine) as reading:
            keys = ((), ("service", "status"), ("method", "route"), ("client_ip",))
            found = [sorted(breakdown(reading, whole, Filters(), by), key=lambda cell: cell.keys) for by in keys]
    finally:
        engine.dispose()
    return [[(replace(cell, sketch=None), np.array(cell.sketch).tolist()) for cell in cells] for cells in found]


def test_dropping_rows_changes_no_figure_whatever_runs_afterwards(
    own_quiet_dsn: str, database: Connection, log_writer: LogWriter
) -> None:
    store(log_writer, rows_of(TODAY - 6 * DAY, 2_000, timedelta(minutes=4)))
    refresh(database)
    run_every_job(database)
    before, seen = figures(database), read_by_pages(own_quiet_dsn)
    assert seen[0][0][0].n == 2_000
    border = TODAY - 2 * DAY
    age(database, keep_log_days=2, columnstore_after_days=1)
    age(database, keep_log_days=2, grace="1 hour")
    assert (horizon(database, "raw_from"), count(database)) == (border, 2_000)
    for _ in range(2):
        age(database, keep_log_days=2)
        run_every_job(database)
    assert horizon(database, "raw_from") == border
    assert count(database, "ts < now() - interval '3 days'") == 0
    assert 0 < count(database) < 2_000
    assert figures(database) == before
    assert read_by_pages(own_quiet_dsn) == seen
    # A row that comes later refreshes what it belongs to, and nothing else.
    late = border + 5 * HOUR
    assert store(log_writer, [log_row(ts=late)]) == Receipt(1, 1, 0, 0)
    assert read_by_pages(own_quiet_dsn)[0][0][0].n == 2_001
    for _ in range(2):
        refresh(database)
        run_every_job(database)
        age(database, keep_log_days=2)
    assert {level: n - 2_000 for level, n in totals(database).items()} == dict.fromkeys(LEVELS, 1)
    for level, rows in figures(database).items():
        assert len({*before[level]} - {*rows}) <= 1, level


def test_what_is_announced_is_refused_before_it_is_dropped(
    database: Connection, log_writer: LogWriter, stored_now: Callable[[], Storage]
) -> None:
    store(log_writer, rows_of(TODAY - 5 * DAY, 100, HOUR))
    refresh(database)
    for _ in range(3):
        age(database, keep_log_days=2, grace="1 hour")
    border = TODAY - 2 * DAY
    found = stored_now().horizon
    assert (found.announced_from, found.rows_from, found.settled_at) == (border, None, None)
    assert count(database) == 100
    intake = open_intake(IngestSettings(), log_writer)
    batch = intake.batch(lines(border - HOUR, border, border + HOUR), Origin("test", "test"), utc_micros())
    assert [row.ts for row in batch.rows] == [micros(border), micros(border + HOUR)]
    assert [one.kind for one in batch.quarantined] == ["older_than_kept"]
    assert f"{border:%Y-%m-%d}" in batch.quarantined[0].reason
    assert "KEEP_LOG_DAYS" in batch.quarantined[0].reason
    assert log_writer.store(batch) == Receipt(3, 2, 0, 1)
    # A setting that is taken back takes the announcement back, since nothing was dropped.
    age(database, keep_log_days=0)
    assert stored_now().horizon.announced_from is None
    assert intake_of(log_writer, border - HOUR).rows


def lines(*moments: datetime) -> bytes:
    records = ({"timestamp": each.isoformat(), "method": "GET", "path": "/", "status": 200} for each in moments)
    return b"\n".join(json.dumps(record).encode() for record in records)


def intake_of(writer: LogWriter, moment: datetime) -> Batch:
    intake: Intake = open_intake(IngestSettings(), writer)
    return intake.batch(lines(moment), Origin("test", "test"), utc_micros())


def test_rows_of_a_process_that_has_not_heard_are_counted_or_refused_never_lost(
    database: Connection, log_writer: LogWriter
) -> None:
    store(log_writer, rows_of(TODAY - 5 * DAY, 100, HOUR))
    refresh(database)
    age(database, keep_log_days=2, grace="1 hour")
    late = TODAY - 4 * DAY + 90 * timedelta(minutes=1)
    assert store(log_writer, [log_row(ts=late)]) == Receipt(1, 1, 0, 0)
    age(database, keep_log_days=2)
    assert horizon(database, "raw_from") is None
    row = database.execute("select problem from data_aging").fetchone()
    assert row is not None
    assert "not in the aggregates yet" in str(row[0])
    # With its minute its hours and days are not done yet.
    database.execute("call refresh_touched_minutes_now()")
    age(database, keep_log_days=2)
    assert horizon(database, "raw_from") is None
    refresh(database)
    for _ in range(2):
        age(database, keep_log_days=2)
    assert horizon(database, "raw_from") == TODAY - 2 * DAY
    assert count(database, "ts < now() - interval '3 days'") == 0
    before = figures(database)
    assert set(totals(database).values()) == {101}
    # Now it is too late, whoever brings it.
    fresh = log_row(ts=TODAY - DAY)
    assert store(log_writer, [log_row(ts=late), fresh]) == Receipt(2, 1, 0, 1)
    assert store(log_writer, rows_of(late, COPY_FROM_ROWS, timedelta(seconds=1))) == Receipt(64, 0, 0, 64)
    assert database.execute(
        "select distinct kind, reason like '%%no longer kept (KEEP_LOG_DAYS, KEEP_LOG_GB)' from quarantine"
    ).fetchall() == [("refused_by_database", True)]
    refresh(database)
    run_every_job(database)
    assert set(totals(database).values()) == {102}
    for level, rows in figures(database).items():
        assert len({*before[level]} - {*rows}) <= 1, level


def test_the_oldest_rows_go_when_the_disk_bound_is_reached_but_never_the_last_hours(
    database: Connection, log_writer: LogWriter, stored_now: Callable[[], Storage]
) -> None:
    hand_over(database, LifeSettings(chunk_hours=6))
    now = datetime.now(UTC)
    store(log_writer, rows_of(now - 4 * DAY, 4 * 96, timedelta(minutes=15)))
    refresh(database)
    before = figures(database)
    found = stored_now().log
    assert found.chunks >= 16
    age(database, keep_log_gb=found.bytes * 0.7 / 1e9)
    by_size = horizon(database, "announced_from")
    assert by_size is not None
    assert now - 4 * DAY < by_size < now - DAY
    assert by_size.hour % 6 == 0
    for _ in range(3):
        age(database, keep_log_gb=0.000001)
    last = horizon(database, "raw_from")
    assert last is not None
    assert now - timedelta(hours=13) < last <= now - timedelta(hours=6)
    assert 24 <= count(database) < 60
    assert figures(database) == before


def test_figures_go_level_by_level_and_a_finer_one_takes_nothing_with_it(
    database: Connection, log_writer: LogWriter, stored_now: Callable[[], Storage]
) -> None:
    store(log_writer, rows_of(TODAY - 30 * DAY, 720, HOUR))
    refresh(database)
    run_every_job(database)
    before = figures(database)
    for _ in range(3):
        age(database, keep_log_days=2, keep_figures_days=8)
        run_every_job(database)
    border = TODAY - 8 * DAY
    assert horizon(database, "figures_from") == border
    after, stored = figures(database), {each.name: each for each in stored_now().aggregates}
    assert stored["traffic_1m"].oldest == stored["endpoint_10m"].oldest == border
    # The chunks of the others are ten days and a year long, and go whole.
    for level in LEVELS:
        oldest = stored[level].oldest
        assert oldest is not None
        assert oldest <= border
        assert after[level] == [row for row in before[level] if row[0] >= oldest], level


def test_minutes_of_endpoints_are_gone_after_two_days(database: Connection) -> None:
    database.execute(
        "insert into access_log (ts, service, method, path, route, status, batch_id) "
        "select now() - n * interval '1 hour', 's', 'GET', '/', '/', 200, 1 from generate_series(1, 90) as n"
    )
    database.execute(
        "call refresh_continuous_aggregate('endpoint_1m', now() - interval '90 hours', now(), force => true)"
    )
    age(database)
    row = database.execute("select count(*), min(bucket) > now() - interval '55 hours' from endpoint_1m").fetchone()
    assert row is not None
    assert int(str(row[0])) >= 47
    assert row[1] is True


def test_settings_reach_the_job_once_and_are_what_storage_shows(
    own_quiet_dsn: str, database: Connection, stored_now: Callable[[], Storage]
) -> None:
    settings = LifeSettings(
        columnstore_after_days=3, keep_log_days=40, keep_log_gb=1.5, keep_figures_days=400, chunk_hours=8
    )
    hand_over(database, settings)
    hand_over(database, settings)
    found = stored_now()
    assert found.keeping.__class__(**settings.model_dump()) == found.keeping
    assert found.log.chunk_width == timedelta(hours=8)
    job = database.execute("select job_id from timescaledb_information.jobs where proc_name = 'age_data'").fetchone()
    assert job is not None
    database.execute(f"call run_job({job[0]})".encode())
    assert stored_now().aging is not None
    row = database.execute("select announced_from < now() - interval '40 days' from log_horizon").fetchone()
    assert row == (True,)
    hand_over(database, LifeSettings())
    assert stored_now().keeping.keep_log_days == 0


def test_settings_reach_the_job_when_a_command_starts(
    own_quiet_dsn: str, stored_now: Callable[[], Storage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", own_quiet_dsn)
    done = CliRunner().invoke(cli, ["migrate"], env={"KEEP_LOG_DAYS": "33"}, catch_exceptions=False)
    assert done.output == "nothing to do: the database is up to date\n"
    assert stored_now().keeping.keep_log_days == 33
    done = CliRunner().invoke(cli, ["migrate"], env={"KEEP_LOG_DAYS": "33", "KEEP_FIGURES_DAYS": "9"})
    assert "KEEP_FIGURES_DAYS" in str(done.exception)
    assert stored_now().keeping.keep_log_days == 33
    service = open_service(IngestSettings(), own_quiet_dsn, LifeSettings(keep_log_days=44))
    try:
        deadline = time.monotonic() + MOST_SECONDS
        while stored_now().keeping.keep_log_days != 44:
            assert time.monotonic() < deadline, "the ingest server has not handed them over"
            time.sleep(0.1)
    finally:
        service.close()


def test_storage_tells_what_is_there_and_doctor_has_words_for_it(
    own_quiet_dsn: str, database: Connection, log_writer: LogWriter, stored_now: Callable[[], Storage]
) -> None:
    empty = stored_now()
    assert (empty.log.chunks, empty.log.oldest, empty.log.ratio) == (0, None, None)
    store(log_writer, rows_of(TODAY - 12 * DAY, 3_000, timedelta(minutes=1)))
    waiting = stored_now()
    assert (waiting.lag.minutes, waiting.lag.oldest_minute) == (3_000, TODAY - 12 * DAY)
    assert {finding.subject: finding.fine for finding in storage_findings(own_quiet_dsn)}["lag"] is False
    refresh(database)
    age(database)
    found = stored_now()
    assert found.versions.embedded is not bool(NATIVE_DSN)
    assert found.log.chunks == found.log.columnar == 3
    assert (found.log.oldest, found.log.newest) == (TODAY - 12 * DAY, TODAY - 9 * DAY)
    assert found.log.ratio is not None
    assert found.log.ratio > 2
    assert found.lag.minutes == found.lag.buckets == 0
    marks = {each.name: each.watermark for each in found.aggregates}
    last = TODAY - 12 * DAY + timedelta(minutes=3_000)
    assert (marks["traffic_1m"], marks["traffic_1h"], marks["endpoint_1m"]) == (last, last, None)
    assert [each.name for each in found.aggregates][:2] == ["traffic_1m", "endpoint_1m"]
    assert {job.name for job in found.jobs} >= {"age_data", "refresh_touched_minutes", "refresh_stale_buckets"}
    said = {finding.subject: finding for finding in storage_findings(own_quiet_dsn)}
    assert said["lag"].fine
    assert said["columnstore"].fine
    assert "3 in the columnstore" in said["log"].words
    assert "native" in said["timescaledb"].words or not NATIVE_DSN


def test_an_import_older_than_what_is_kept_says_so_before_it_starts(
    own_quiet_dsn: str,
    database: Connection,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "access.log"
    file.write_bytes(lines(TODAY - 60 * DAY, TODAY - 50 * DAY))
    ask_about_age(own_quiet_dsn, [str(file)], "auto")
    hand_over(database, LifeSettings(keep_log_days=55))
    with pytest.raises(SystemExit, match="--yes"):
        ask_about_age(own_quiet_dsn, [str(file)], "auto")
    assert "counted and then dropped soon" in capsys.readouterr().err
    age(database, keep_log_days=55)
    with pytest.raises(SystemExit, match="--yes"):
        ask_about_age(own_quiet_dsn, [str(tmp_path / "missing"), str(file)], "auto")
    assert f"those before {TODAY - 55 * DAY:%Y-%m-%d} 00:00 UTC go into quarantine" in capsys.readouterr().err
    runner, command = CliRunner(), ["import", str(file), "--service", "old"]
    monkeypatch.setenv("DATABASE_URL", own_quiet_dsn)
    done = runner.invoke(cli, command)
    assert (done.exit_code, count(database)) == (1, 0)
    done = runner.invoke(cli, [*command, "--yes"], catch_exceptions=False)
    assert "received 2  stored 1  duplicate 0  quarantined 1" in done.output
    file.write_bytes(lines(TODAY - 20 * DAY))
    assert "stored 1 " in runner.invoke(cli, command, catch_exceptions=False).output
