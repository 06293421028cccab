"""The `doctor` command: each check gives one finding that says what is, or what to do."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from accessboard.doctor_ledger import ledger_findings
from accessboard.doctor_storage import storage_findings
from accessboard.embedded.database import EmbeddedFailed, running_dsn
from accessboard.embedded.node import ENGINE, NodeMissing, find_node
from accessboard.finding import Finding
from accessboard.serve import require_free_port
from accessboard.settings import BadSettings, BusyPort, RunSettings, load
from accessboard.supervisor import answers
from dashapp.settings import DashboardSettings
from ingest_server.settings import IngestSettings
from sql.connection import DatabaseUnavailable, connect, explain, is_embedded
from sql.migrate import MigrationError, applied_versions, pending
from sql.migrate import load as load_migrations
from sql.settings import DatabaseSettings, LifeSettings

LEAST_FREE_BYTES = 1024**3


def examine() -> Iterator[Finding]:
    """Yield the findings, one after the other; none raises."""
    yield Finding("python", sys.version_info >= (3, 11), sys.version.split()[0])
    try:
        run, ingest, dashboard = load(RunSettings), load(IngestSettings), load(DashboardSettings)
        load(LifeSettings)
        dsn = load(DatabaseSettings).dsn()
    except (BadSettings, ValueError) as error:
        yield Finding("settings", False, str(error))
        return
    yield Finding("settings", True, "every value can be read")
    try:
        served = running_dsn(run.data_dir)
    except EmbeddedFailed as error:
        served = None
        yield Finding("data directory", False, str(error))
    if dsn is None:
        yield from _embedded(run.data_dir)
        dsn = served
    yield _port(ingest.ingest_bind, "INGEST_BIND")
    yield _port(dashboard.dashboard_bind, "DASHBOARD_BIND")
    if dsn is None:
        yield Finding("database", True, "embedded, not running now: `accessboard up` starts it")
    else:
        yield from _database(dsn)


def _embedded(data_dir: Path) -> Iterator[Finding]:
    try:
        node = find_node().program
        engine = "installed" if ENGINE.exists() else "installed at the first start"
        yield Finding("node", True, f"{node}; the database engine is {engine}")
    except NodeMissing as error:
        yield Finding("node", False, str(error))
    folder = next(each for each in (data_dir.resolve(), *data_dir.resolve().parents) if each.exists())
    free = shutil.disk_usage(folder).free
    words = f"{free / 1024**3:.1f} GiB free for DATA_DIR {data_dir}"
    enough = free >= LEAST_FREE_BYTES
    if not os.access(folder, os.W_OK):
        yield Finding("data directory", False, f"{folder} cannot be written: set DATA_DIR to a folder of your own")
    yield Finding("disk", enough, words if enough else f"{words}: free some, a full disk stops the database")


def _port(bind: str, variable: str) -> Finding:
    if answers(f"http://{bind}/healthz"):
        return Finding(variable, True, f"accessboard serves on {bind}")
    try:
        require_free_port(bind, variable)
    except (BusyPort, BadSettings) as error:
        return Finding(variable, False, str(error))
    return Finding(variable, True, f"{bind} is free")


def _database(dsn: str) -> Iterator[Finding]:
    try:
        with connect(dsn) as connection:
            kind = "embedded" if is_embedded(connection) else "native"
            version = connection.execute("show server_version").fetchone()
            yield Finding("database", True, f"{kind}, PostgreSQL {version[0] if version else '?'}")
            migrations = _migrations(connection)
            yield migrations
        if migrations.fine:
            yield from storage_findings(dsn)
            yield from ledger_findings(dsn)
    except DatabaseUnavailable as error:
        yield Finding("database", False, str(error))
    except psycopg.Error as error:
        yield Finding("database", False, explain(error))


def _migrations(connection: psycopg.Connection[Any]) -> Finding:
    try:
        waiting = pending(load_migrations(), applied_versions(connection))
    except MigrationError as error:
        return Finding("migrations", False, str(error))
    if waiting:
        return Finding("migrations", False, f"{len(waiting)} to apply: run `accessboard migrate`")
    return Finding("migrations", True, "up to date")
