"""Store as the program did that came with an earlier migration, so that a database of its time can be upgraded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg

from sql.batch import Batch, LogRow
from tests.rows import moment

Connection = psycopg.Connection[tuple[object, ...]]

IDENTITY_AND_LEDGER = 5  # the migration that brought record keys, the ledger, and the list of routes

_TYPES = {
    "ts": "timestamptz",
    "service": "text",
    "method": "text",
    "path": "text",
    "route": "text",
    "status": "smallint",
    "latency_ms": "float8",
    "bytes": "bigint",
    "client_ip": "text",
    "user_agent": "text",
    "referer": "text",
    "attributes": "text",
    "record_key": "uuid",
}
_CASTS = {"client_ip": "client_ip::inet", "attributes": "attributes::jsonb"}
_BATCH = """
insert into ingest_batch (source, service, identity, received, stored, duplicate, quarantined, first_ts, last_ts)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s) returning id
"""
_LEDGER = """
insert into ingest_ledger (minute, source, service, kind, received, stored, duplicate, quarantined, bytes)
values (date_trunc('minute', clock_timestamp()), %s, %s, %s, %s, %s, %s, %s, 0)
"""


def store(connection: Connection, version: int, batch: Batch) -> None:
    """Store a batch of one service in a database that is at a migration from 0004 to 0005."""
    with connection.transaction():
        batch_id = _add_receipt(connection, version, batch, stored=len(batch.rows), quarantined=len(batch.quarantined))
        _add_rows(connection, version, batch.rows, batch_id)
        connection.execute("insert into service (name) values (%s) on conflict do nothing", (batch.service,))
        minutes = sorted({_minute(row) for row in batch.rows})
        connection.execute("insert into touched_minute (minute) select unnest(%s::timestamptz[])", (minutes,))
        _add_refused(connection, version, batch, batch_id)


def store_again(connection: Connection, version: int, batch: Batch) -> None:
    """Answer a batch that is known: only its receipt is new."""
    with connection.transaction():
        _add_receipt(connection, version, batch, stored=0, quarantined=0)


def _add_receipt(connection: Connection, version: int, batch: Batch, *, stored: int, quarantined: int) -> Any:
    duplicate = batch.received - stored - quarantined
    times = [moment(row.ts) for row in batch.rows] if stored else []
    counts = (batch.received, stored, duplicate, quarantined, min(times, default=None), max(times, default=None))
    identity = batch.identity if stored else None
    row = connection.execute(_BATCH, (batch.source, batch.service, identity, *counts)).fetchone()
    assert row is not None
    if version >= IDENTITY_AND_LEDGER:
        for kind, *parts in (
            ("", stored + duplicate, stored, duplicate, 0),
            ("unreadable", quarantined, 0, 0, quarantined),
        ):
            if parts[0]:
                connection.execute(_LEDGER, (batch.source, batch.service, kind, *parts))
    return row[0]


def _add_rows(connection: Connection, version: int, rows: Sequence[LogRow], batch_id: Any) -> None:
    columns = dict(zip(_TYPES, zip(*rows, strict=True), strict=True))
    columns["ts"] = tuple(moment(us) for us in columns["ts"])
    columns["record_key"] = tuple(None if key is None else key.hex() for key in columns["record_key"])
    if version < IDENTITY_AND_LEDGER:
        del columns["record_key"]
    else:
        routes = sorted({(row.service, row.route) for row in rows})
        connection.execute(
            "insert into route (service, name) select * from unnest(%s::text[], %s::text[]) on conflict do nothing",
            tuple(list(column) for column in zip(*routes, strict=True)),
        )
    connection.execute(
        f"insert into access_log ({', '.join(columns)}, batch_id) "
        f"select {', '.join(_CASTS.get(name, name) for name in columns)}, %s "
        f"from unnest({', '.join(f'%s::{_TYPES[name]}[]' for name in columns)}) as row ({', '.join(columns)})".encode(),
        (batch_id, *(list(column) for column in columns.values())),
    )


def _add_refused(connection: Connection, version: int, batch: Batch, batch_id: Any) -> None:
    for one in batch.quarantined:
        known: dict[str, Any] = {"batch_id": batch_id, "reason": one.reason, "record": one.record}
        if version >= IDENTITY_AND_LEDGER:
            known |= {"kind": one.kind, "size": len(one.record)}
        connection.execute(
            f"insert into quarantine ({', '.join(known)}) values ({', '.join(['%s'] * len(known))})".encode(),
            tuple(known.values()),
        )


def _minute(row: LogRow) -> datetime:
    at = moment(row.ts)
    return at - timedelta(seconds=at.second, microseconds=at.microsecond)
