"""Fixtures of the tests that need a database."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from accessboard.embedded.database import EmbeddedDatabase
from ingest_server.service import open_service
from ingest_server.settings import IngestSettings
from sql.batch import LogRow
from sql.connection import connect
from sql.migrate import migrate
from tests.conftest import NATIVE_DSN, native_database
from tests.embedded import prepare
from tests.ingest_server import Client, Sender, serving
from tests.rows import log_row


class RowMaker(Protocol):
    def __call__(self, **columns: Any) -> LogRow: ...


@pytest.fixture
def make_row(service: str) -> RowMaker:
    """Rows of the test's own service; a test names only the columns that it is about."""

    def make(**columns: Any) -> LogRow:
        return log_row(**({"service": service} | columns))

    return make


@pytest.fixture(scope="session")
def quiet_dsn(request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database whose jobs run only when a test calls them."""
    if not NATIVE_DSN:
        yield request.getfixturevalue("dsn")
        return
    for dsn in native_database(NATIVE_DSN):
        migrate(dsn)
        pause_jobs(dsn)
        yield dsn


def pause_jobs(dsn: str) -> None:
    """Leave the jobs to the test: a native server has started them already, and two at once disturb each other."""
    with connect(dsn) as connection:
        connection.execute(
            "select alter_job(job_id, scheduled => false) from timescaledb_information.jobs where job_id >= 1000"
        )
        running = "select from timescaledb_information.job_stats where job_id >= 1000 and job_status = 'Running'"
        while connection.execute(running.encode()).fetchone() is not None:
            time.sleep(0.05)


@contextmanager
def own_database(folder: Path, *, migrated: bool = False) -> Iterator[str]:
    """An empty database, migrated or not: on the native server, or an embedded one with its data in a folder."""
    if NATIVE_DSN:
        for dsn in native_database(NATIVE_DSN):
            if migrated:
                migrate(dsn)
            yield dsn
        return
    database = EmbeddedDatabase(prepare(folder, migrated=migrated))
    database.start()
    yield database.dsn
    database.stop()


@pytest.fixture
def fresh_dsn(tmp_path: Path) -> Iterator[str]:
    """An empty database of the test's own, not migrated."""
    with own_database(tmp_path / "fresh") as dsn:
        yield dsn


@pytest.fixture(scope="module")
def module_quiet_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated database of the module's own, whose jobs run only when a test calls them."""
    with own_database(tmp_path_factory.mktemp("module"), migrated=True) as dsn:
        pause_jobs(dsn)
        yield dsn


@pytest.fixture
def own_quiet_dsn(tmp_path: Path) -> Iterator[str]:
    """A migrated database of the test's own, whose jobs run only when the test calls them."""
    with own_database(tmp_path / "own", migrated=True) as dsn:
        pause_jobs(dsn)
        yield dsn


@pytest.fixture
def count(connection: psycopg.Connection[tuple[object, ...]], service: str) -> Counter:
    """Counts the rows of a table that belong to the test's service."""

    def counted(table: str) -> int:
        where = {
            "access_log": "service = %s",
            "ingest_batch": "service = %s",
            "quarantine": "batch_id in (select id from ingest_batch where service = %s)",
        }[table]
        row = connection.execute(f"select count(*) from {table} where {where}".encode(), (service,)).fetchone()
        assert row is not None
        return int(str(row[0]))

    return counted


class Counter(Protocol):
    def __call__(self, table: str) -> int: ...


@pytest.fixture
def closed_port_dsn(unused_port: int) -> str:
    """Address at which nothing answers."""
    return f"postgresql://postgres@127.0.0.1:{unused_port}/postgres?connect_timeout=2"


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(dsn: str) -> Iterator[Client]:
    """The ingest server with its default settings."""
    settings = IngestSettings()
    with serving(settings, lambda: open_service(settings, dsn)) as client:
        yield client


@pytest.fixture
def sender(server: Client, service: str) -> Sender:
    return Sender(server, service)
