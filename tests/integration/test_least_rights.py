"""Three roles: the owner migrates, the ingest server stores, the dashboard reads and keeps what it finds."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from sql.batch import Batch
from sql.connection import DatabaseUnavailable, connect, reading_engine, snapshot, writing_pool
from sql.migrate import migrate
from sql.users import ROLE_OF, make_users
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN, native_database
from tests.rows import log_row

ROOT = Path(__file__).parents[2]
WRITER, DASHBOARD, READER = "accessboard_writer", "accessboard_dashboard", "accessboard_reader"
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
N, S, SI = frozenset[str](), frozenset({"SELECT"}), frozenset({"SELECT", "INSERT"})
SIUD = SI | {"UPDATE", "DELETE"}
# Written down a second time: a table that is new must be added here by somebody who thought.
LOG = ("access_log", "service", "route", "touched_minute", "ingest_refusal")
LEDGER = ("ingest_batch", "ingest_ledger", "quarantine")
FOUND = ("finding", "watched", "watch_queue", "watch_state", "alert", "alert_delivery", "ai_analysis")
SECRET = ("account", "session", "invitation", "access_token", "shared_view", "audit")
JOBS = ("aggregate_level", "data_aging", "job_run", "log_horizon", "refresh_run", "stale_bucket", "schema_migration")
VIEWS = tuple(f"{name}_{level}" for name in ("traffic", "client", "route") for level in ("1h", "1d"))


def rights_of(connection: psycopg.Connection[Any], role: str, table: str) -> set[str]:
    """What a role may do itself, beside what it inherits from the reader."""
    statement = "select has_table_privilege(%s, %s, %s)"
    return {right for right in RIGHTS if connection.execute(statement, (role, table, right)).fetchone() == (True,)}


EXPECTED: dict[str, dict[str, frozenset[str]]] = {
    WRITER: {
        **dict.fromkeys(LOG, SI),
        **dict.fromkeys(LEDGER, SIUD),
        **dict.fromkeys(FOUND, N),
        **dict.fromkeys(SECRET, N),
        **dict.fromkeys(JOBS, N),
        **dict.fromkeys(VIEWS, N),
        "log_horizon": S,
        "schema_migration": S,
        "access_token": S,
        "canary": S,
    },
    READER: {
        **dict.fromkeys((*LOG, *LEDGER, *FOUND, *JOBS, *VIEWS, "canary"), S),
        **dict.fromkeys(SECRET, N),
    },
    DASHBOARD: {
        **dict.fromkeys((*LOG, *LEDGER, *JOBS, *VIEWS), S),
        **dict.fromkeys((*FOUND, *SECRET, "canary"), SIUD),
    },
}


@pytest.mark.parametrize("role", EXPECTED)
def test_each_role_may_do_what_it_needs_and_no_more(connection: psycopg.Connection[Any], role: str) -> None:
    assert {table: rights_of(connection, role, table) for table in EXPECTED[role]} == EXPECTED[role]


def test_every_table_is_thought_of(connection: psycopg.Connection[Any]) -> None:
    found = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    assert {name for (name,) in found} == {*LOG, *LEDGER, *FOUND, *SECRET, *JOBS, "canary"}


def test_no_role_may_make_tables_or_roles(connection: psycopg.Connection[Any]) -> None:
    for role in EXPECTED:
        row = connection.execute(
            "select has_schema_privilege(%(role)s, 'public', 'create'), rolsuper, rolcreaterole, rolcreatedb,"
            " rolcanlogin from pg_roles where rolname = %(role)s",
            {"role": role},
        ).fetchone()
        assert row == (False,) * 5


@contextmanager
def login(dsn: str, role: str) -> Iterator[str]:
    """A user who may log in and is a member of a role; yields its address."""
    name = f"test_{uuid.uuid4().hex[:10]}"
    with connect(dsn) as connection:
        connection.execute(f"create role {name} login in role {role}".encode())
    yield make_conninfo(dsn, user=name)
    with connect(dsn) as connection:
        connection.execute(f"drop role {name}".encode())


@contextmanager
def users(dsn: str) -> Iterator[tuple[str, str]]:
    """The users that `accessboard migrate` makes, with their second password."""
    with connect(dsn) as connection:
        for password in ("first", "it's the second"):
            make_users(connection, dict.fromkeys(ROLE_OF, password))
    yield tuple(make_conninfo(dsn, user=name, password="it's the second") for name in ROLE_OF)  # type: ignore[misc]
    with connect(dsn) as connection:
        for name in ROLE_OF:
            connection.execute(f"drop role {name}".encode())


@contextmanager
def server(command: str, dsn: str, folder: Path, probe: str, **settings: str) -> Iterator[None]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DATABASE_URL": dsn} | settings
    with (folder / f"{command}.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "accessboard", command], env=environment, stdout=output, stderr=output, cwd=folder
        )
    try:
        wait(lambda: urllib.request.urlopen(probe, timeout=2).status == 200)
        yield
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(done: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if done():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.native
@pytest.mark.skipif(not NATIVE_DSN, reason="the embedded server has one user; set TEST_DATABASE_URL")
def test_the_servers_work_as_users_of_these_roles(own_quiet_dsn: str, tmp_path: Path) -> None:
    ingest, dashboard = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    with (
        users(own_quiet_dsn) as (writing, showing),
        server("ingest-server", writing, tmp_path, f"http://{ingest}/readyz", INGEST_BIND=ingest),
        server(
            "dashboard", showing, tmp_path, f"http://{dashboard}/healthz",
            INGEST_BIND=ingest, DASHBOARD_BIND=dashboard, SETTLE_SECONDS="0", AUTH="accounts",
        ),
        connect(own_quiet_dsn) as owner,
    ):  # fmt: skip
        now = datetime.now(UTC)
        records = [
            {"timestamp": now.isoformat(), "method": "GET", "path": f"/r/{i}", "status": 200} for i in range(200)
        ]
        for body in (records, records[:3], [{"no": "record"}]):
            request = urllib.request.Request(f"http://{ingest}/log/ingest", json.dumps(body).encode(), method="POST")
            assert json.load(urllib.request.urlopen(request, timeout=30))["received"] == len(body)
        assert owner.execute("select count(*) from access_log").fetchone() == (203,)
        assert owner.execute("select count(*) from quarantine").fetchone() == (1,)

        def came_back() -> bool:
            return owner.execute("select count(*) from canary where seen_at is not null").fetchone() == (1,)

        wait(came_back, 30)
        # The lease, the link for the first administrator, and nothing that somebody was not allowed to do.
        assert owner.execute("select holder is not null from watch_state").fetchone() == (True,)
        assert owner.execute("select count(*) from invitation").fetchone() == (1,)
        for log in tmp_path.glob("*.log"):
            assert "may not do this" not in log.read_text()
            assert "Traceback" not in log.read_text()


@pytest.mark.native
@pytest.mark.skipif(not NATIVE_DSN, reason="the embedded server has one user; set TEST_DATABASE_URL")
def test_an_owner_who_is_no_superuser_is_enough(service: str) -> None:
    assert NATIVE_DSN is not None
    for dsn in native_database(NATIVE_DSN):
        owner = f"test_{uuid.uuid4().hex[:10]}"
        with connect(dsn) as connection:
            connection.execute("create extension if not exists timescaledb")
            connection.execute(f"create role {owner} login createrole".encode())
            connection.execute(f"grant create on schema public to {owner}".encode())
            connection.execute(f'alter database "{dict(conninfo_to_dict(dsn))["dbname"]}" owner to {owner}'.encode())
        mine = make_conninfo(dsn, user=owner)
        migrate(mine)
        with writing_pool(mine, max_size=1) as pool:
            receipt = LogWriter(pool).store(Batch("test", service, [log_row(service=service)], [], None))
        assert receipt.stored == 1
        engine = reading_engine(mine)
        with snapshot(engine) as reading:
            assert reading.execute(sa.text("select count(*) from access_log")).scalar_one() == 1
        engine.dispose()
        with connect(dsn) as connection:
            connection.execute(f"reassign owned by {owner} to current_user".encode())
            connection.execute(f"drop owned by {owner}".encode())
            connection.execute(f"drop role {owner}".encode())


@pytest.mark.skipif(bool(NATIVE_DSN), reason="of the embedded server")
def test_the_embedded_server_has_one_user(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(DatabaseUnavailable, match="one user"):
        make_users(connection, {"accessboard_web": "x"})
    make_users(connection, {})


@pytest.mark.native
@pytest.mark.skipif(not NATIVE_DSN, reason="the embedded server has one user; set TEST_DATABASE_URL")
@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (WRITER, "delete from access_log"),
        (WRITER, "update access_log set status = 200"),
        (WRITER, "select * from account"),
        (WRITER, "update access_token set scope = 'read'"),
        (
            DASHBOARD,
            "insert into access_log (ts, service, method, path, route, status) values (now(), '', '', '', '', 1)",
        ),
        (DASHBOARD, "delete from quarantine"),
        (
            DASHBOARD,
            "select alter_job(job_id, scheduled => false) from timescaledb_information.jobs where job_id >= 1000",
        ),
        (DASHBOARD, "drop table access_log"),
    ],
)
def test_what_is_not_theirs_is_refused(own_quiet_dsn: str, role: str, statement: str) -> None:
    with (
        login(own_quiet_dsn, role) as dsn,
        connect(dsn) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())
