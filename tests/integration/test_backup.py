"""A backup, as docs/operations.md says: dump, wipe, restore, and every count is as before."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from accessboard.embedded.database import EmbeddedDatabase
from dashapp.stats.summary import Summary, summary
from sql.batch import Batch
from sql.connection import connect, reading_engine, snapshot, writing_pool
from sql.filters import Filters
from sql.migrate import migrate
from sql.plan import Range
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN, native_database
from tests.rows import log_row

START = datetime(2025, 7, 1, tzinfo=UTC)
WHOLE = Range(START, START + timedelta(hours=3))
TABLES = ("access_log", "ingest_batch", "quarantine", "account", "schema_migration")


def fill(dsn: str) -> None:
    rows = [
        log_row(ts=START + timedelta(seconds=7 * i), service="shop", route="/cart", status=(200, 503)[i % 9 == 0],
                latency_ms=5.0 + i % 40)
        for i in range(1_000)
    ]  # fmt: skip
    with writing_pool(dsn, max_size=1) as pool:
        LogWriter(pool).store(Batch("test", "shop", rows, []))


def state(dsn: str) -> tuple[dict[str, int], Summary]:
    """Counts of the tables, and the figures."""
    with connect(dsn) as connection:
        known = {row[0] for row in connection.execute("select tablename from pg_tables where schemaname = 'public'")}
        counts = {table: _one(connection, f"select count(*) from {table}") for table in TABLES if table in known}
    engine = reading_engine(dsn)
    with snapshot(engine) as reading:
        found = summary(reading, WHOLE, Filters(), WHOLE.end)
    engine.dispose()
    return counts, found


def _one(connection: psycopg.Connection[Any], statement: str) -> int:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_a_copy_of_the_folder_is_a_backup_of_the_embedded_database(tmp_path: Path) -> None:
    database = EmbeddedDatabase(tmp_path / "data")
    database.start()
    migrate(database.dsn)
    fill(database.dsn)
    before = state(database.dsn)
    database.stop()
    shutil.copytree(tmp_path / "data", tmp_path / "backup")
    shutil.rmtree(tmp_path / "data")
    restored = EmbeddedDatabase(tmp_path / "backup")
    restored.start()
    try:
        assert migrate(restored.dsn) == []
        assert state(restored.dsn) == before
        assert before[0]["access_log"] == before[1].total == 1_000
    finally:
        restored.stop()


@pytest.fixture
def two_databases() -> Iterator[tuple[str, str]]:
    assert NATIVE_DSN is not None
    first, second = native_database(NATIVE_DSN), native_database(NATIVE_DSN)
    yield next(first), next(second)
    for each in (first, second):
        next(each, None)


def program(name: str) -> str | None:
    """A program of PostgreSQL, of the version of PG_BIN if that is set."""
    return shutil.which(name, path=os.environ.get("PG_BIN") or None)


@pytest.mark.native
@pytest.mark.skipif(NATIVE_DSN is None, reason="TEST_DATABASE_URL names no native server")
@pytest.mark.skipif(program("pg_dump") is None, reason="pg_dump is not installed")
def test_a_dump_of_a_native_server_is_restored_whole(two_databases: tuple[str, str], tmp_path: Path) -> None:
    source, target = two_databases
    migrate(source)
    fill(source)
    before = state(source)
    dump = tmp_path / "accessboard.dump"
    _run("pg_dump", "--format=custom", f"--file={dump}", source)
    with connect(target) as connection:
        connection.execute("create extension if not exists timescaledb")
        connection.execute("select timescaledb_pre_restore()")
    _run("pg_restore", "--no-owner", f"--dbname={target}", str(dump))
    with connect(target) as connection:
        connection.execute("select timescaledb_post_restore()")
    assert migrate(target) == []
    assert state(target) == before
    # The restored one goes on: what is stored next counts.
    with writing_pool(target, max_size=1) as pool:
        LogWriter(pool).store(Batch("test", "shop", [log_row(ts=START, service="shop", route="/cart")], []))
    assert state(target)[1].total == before[1].total + 1


def _run(name: str, *arguments: str) -> None:
    found = program(name)
    assert found is not None
    done = subprocess.run([found, *arguments], capture_output=True, text=True, timeout=120, check=False)
    if "server version mismatch" in done.stderr:
        pytest.skip(f"{name} is older than the server: set PG_BIN")
    assert done.returncode == 0, done.stderr[-2_000:]
