"""Fixtures: a database for the whole run, embedded or native, and the servers on top of it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.conninfo import make_conninfo

from accessboard.embedded.database import EmbeddedDatabase
from ingest_server.intake import Intake, open_intake
from ingest_server.settings import IngestSettings
from sql.connection import connect, reading_engine, writing_pool
from sql.migrate import migrate
from sql.writing import LogWriter
from tests.embedded import prepare

NATIVE_DSN = os.environ.get("TEST_DATABASE_URL")


def pytest_report_header() -> str:
    return f"database: {'native, TEST_DATABASE_URL' if NATIVE_DSN else 'embedded'}"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the person who runs the tests must not reach them."""
    for name in ("DATABASE_URL", "POSTGRES_HOST", "DATA_DIR", "INGEST_TOKENS", "INGEST_BIND", "DASHBOARD_BIND"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def empty_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of its own for the run, not migrated."""
    if NATIVE_DSN:
        yield from native_database(NATIVE_DSN)
        return
    database = EmbeddedDatabase(prepare(tmp_path_factory.mktemp("embedded"), migrated=False))
    database.start()
    yield database.dsn
    database.stop()


@pytest.fixture(scope="session")
def dsn(empty_dsn: str) -> str:
    """The same database, migrated."""
    migrate(empty_dsn)
    return empty_dsn


@pytest.fixture(scope="session")
def writer(dsn: str) -> Iterator[LogWriter]:
    with writing_pool(dsn, max_size=4) as pool:
        yield LogWriter(pool)


@pytest.fixture(scope="session")
def intake(writer: LogWriter) -> Intake:
    """Turns bodies into batches as the ingest server does by default."""
    return open_intake(IngestSettings(), writer)


@pytest.fixture(scope="session")
def engine(dsn: str) -> Iterator[sa.Engine]:
    engine = reading_engine(dsn)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(dsn: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with connect(dsn) as connection:
        yield connection


@pytest.fixture
def service() -> str:
    """A service of its own per test: tests share one database and tell their rows apart by it."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def native_database(server_dsn: str) -> Iterator[str]:
    """Create a database on a native server and drop it afterwards."""
    name = f"accessboard_test_{uuid.uuid4().hex[:12]}"
    with connect(server_dsn) as connection:
        connection.execute(f'create database "{name}"'.encode())
    yield make_conninfo(server_dsn, dbname=name)
    with connect(server_dsn) as connection:
        connection.execute(f'drop database "{name}" with (force)'.encode())
