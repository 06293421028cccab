"""Migrations against a real database: once each, one process at a time, whole or not at all."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sql.connection import DatabaseUnavailable, connect, reading_engine, snapshot, writing_pool
from sql.filters import Filters
from sql.migrate import MIGRATIONS, MigrationError, applied_versions, load, migrate
from sql.plan import EPOCH, Range
from sql.reading import breakdown
from sql.span import data_span
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the migrations, to be changed."""
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))


def exists(connection: Connection, table: str) -> Any:
    row = connection.execute("select to_regclass(%s) is not null", (f"public.{table}",)).fetchone()
    assert row is not None
    return row[0]


def test_migrate_has_nothing_to_do_the_second_time(dsn: str, connection: Connection) -> None:
    before = applied_versions(connection)
    assert migrate(dsn) == []
    assert applied_versions(connection) == before == {each.version: each.sha256 for each in load()}


def test_migrate_makes_the_promised_objects(connection: Connection) -> None:
    tables = ("access_log", "ingest_batch", "quarantine", "touched_minute", "traffic_1m", "traffic_1h", "traffic_1d")
    assert {table: exists(connection, table) for table in tables} == dict.fromkeys(tables, True)
    columns = connection.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = 'access_log'::regclass and attnum > 0"
    ).fetchall()
    promised = {
        "ts": "timestamp with time zone",
        "service": "text",
        "method": "text",
        "path": "text",
        "route": "text",
        "status": "smallint",
        "latency_ms": "double precision",
        "bytes": "bigint",
        "client_ip": "inet",
        "user_agent": "text",
        "attributes": "jsonb",
    }
    assert promised.items() <= {str(name): str(kind) for name, kind in columns}.items()


def test_two_migrates_at_the_same_time_apply_each_file_once(fresh_dsn: str) -> None:
    with connect(fresh_dsn) as connection:
        assert applied_versions(connection) == {}
    start, done, failures = threading.Barrier(3), [], []

    def run() -> None:
        start.wait()
        try:
            done.append(migrate(fresh_dsn))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(name for names in done for name in names) == [each.name for each in load()]
    assert migrate(fresh_dsn) == []


def test_database_without_tables_says_what_to_do(fresh_dsn: str) -> None:
    with writing_pool(fresh_dsn, max_size=1) as pool:
        writer = LogWriter(pool)
        with pytest.raises(DatabaseUnavailable, match="run `accessboard migrate`"):
            writer.check()
    engine = reading_engine(fresh_dsn)
    with pytest.raises(DatabaseUnavailable, match="run `accessboard migrate`"), snapshot(engine) as connection:
        data_span(connection)
    engine.dispose()


def test_migrated_and_empty_database_can_be_read(fresh_dsn: str) -> None:
    migrate(fresh_dsn)
    engine = reading_engine(fresh_dsn)
    with snapshot(engine) as connection:
        assert data_span(connection) is None
        assert breakdown(connection, Range(EPOCH, EPOCH.replace(year=2030)), Filters()) == []
    engine.dispose()


def test_migrate_refuses_an_applied_file_that_was_changed(dsn: str, connection: Connection, folder: Path) -> None:
    before = applied_versions(connection)
    first = next(folder.glob("0001_*.sql"))
    first.write_text(first.read_text(encoding="utf-8") + "\n-- a thought\n", encoding="utf-8")
    (folder / "0999_more.sql").write_text("create table more_of_it ()", encoding="utf-8")
    with pytest.raises(MigrationError, match=f"{first.stem}.sql was changed after it had been applied"):
        migrate(dsn, folder)
    assert applied_versions(connection) == before
    assert not exists(connection, "more_of_it")


@pytest.mark.parametrize(
    "last", ["select 1 / 0", "this is no SQL", "insert into nowhere values (1)"], ids=["error", "syntax", "no table"]
)
def test_migrate_keeps_nothing_of_a_migration_that_fails(
    dsn: str, connection: Connection, folder: Path, last: str
) -> None:
    before = applied_versions(connection)
    (folder / "0999_breaks.sql").write_text(f"create table half_done (id int); {last};", encoding="utf-8")
    with pytest.raises(MigrationError, match=r"0999_breaks\.sql failed and nothing of it was kept: ") as caught:
        migrate(dsn, folder)
    assert "\n" not in str(caught.value)
    assert applied_versions(connection) == before
    assert not exists(connection, "half_done")
    assert migrate(dsn) == []


def test_migrate_of_a_database_that_is_away_is_one_sentence(closed_port_dsn: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot reach the database: ") as caught:
        migrate(closed_port_dsn)
    assert "\n" not in str(caught.value)


@pytest.mark.native
@pytest.mark.skipif(not NATIVE_DSN, reason="the embedded server has one session")
def test_migrate_goes_on_when_the_database_ended_it_for_a_lock(dsn: str, connection: Connection, folder: Path) -> None:
    (folder / "0999_locks.sql").write_text(
        "set local lock_timeout = '200ms'; alter table route add column for_a_moment int;", encoding="utf-8"
    )
    with connect(dsn) as other, other.transaction():
        other.execute("lock table route in access share mode")
        waiting = threading.Thread(target=migrate, args=(dsn, folder))
        waiting.start()
        time.sleep(1)  # some attempts fail meanwhile
        assert waiting.is_alive()
    waiting.join(timeout=60)
    assert 999 in applied_versions(connection)
    connection.execute("delete from schema_migration where version = 999")
    connection.execute("alter table route drop column for_a_moment")
