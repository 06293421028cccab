"""Databases of a benchmark: made on the server that the environment names, or embedded; dropped, unless kept.

BENCH_DATABASE is the beginning of a name: databases of events are then called after it and their size
(`accessboard_bench` with 10 million gives `accessboard_bench_10m`), stay, and are used again as they are.
"""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo

from accessboard.embedded.database import EmbeddedDatabase
from sql.connection import connect
from sql.migrate import migrate

MILLION = 1_000_000
Prepare = Callable[[str, int], datetime]


def server() -> str | None:
    """Address of the native server; None: the embedded one serves."""
    return os.environ.get("DATABASE_URL") or os.environ.get("TEST_DATABASE_URL")


@contextmanager
def fresh() -> Iterator[str]:
    """A migrated database without a row, gone after the block."""
    address = server()
    if address is None:
        with tempfile.TemporaryDirectory() as folder:
            database = EmbeddedDatabase(Path(folder))
            database.start()
            try:
                migrate(database.dsn)
                yield database.dsn
            finally:
                database.stop()
        return
    name = f"accessboard_bench_{uuid.uuid4().hex[:12]}"
    _run(address, f'create database "{name}"')
    try:
        dsn = make_conninfo(address, dbname=name)
        migrate(dsn)
        yield dsn
    finally:
        _run(address, f'drop database "{name}" with (force)')


@contextmanager
def with_events(events: int, prepare: Prepare) -> Iterator[tuple[str, datetime]]:
    """A database of so many events, and where they end; `prepare` fills it unless a kept one is filled already."""
    address, prefix = server(), os.environ.get("BENCH_DATABASE")
    if address is None or prefix is None:
        with fresh() as dsn:
            yield dsn, prepare(dsn, events)
        return
    name = f"{prefix}_{events / MILLION:g}m"
    dsn = make_conninfo(address, dbname=name)
    end = _prepared(address, name)
    if end is None:
        _run(address, f'drop database if exists "{name}" with (force)')
        _run(address, f'create database "{name}"')
        migrate(dsn)
        end = prepare(dsn, events)
        _run(address, f"comment on database \"{name}\" is '{json.dumps({'end': end.isoformat()})}'")
    else:
        migrate(dsn)
    yield dsn, end


def _prepared(address: str, name: str) -> datetime | None:
    """Where the events of a kept database end: written as its comment when it was complete."""
    found: Any = None
    with connect(address) as connection:
        found = connection.execute(
            "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", (name,)
        ).fetchone()
    return datetime.fromisoformat(json.loads(found[0])["end"]) if found and found[0] else None


def _run(address: str, statement: str) -> None:
    with connect(address) as connection:
        connection.execute(statement.encode())
