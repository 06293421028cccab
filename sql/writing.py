"""Write one batch: its receipt, its rows, its quarantined records and the minutes it touched.

All of it in one transaction, so a batch is in the database whole or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from sql.connection import DatabaseUnavailable, explain, is_embedded

UNNEST_ROWS = 10_000


class LogRow(NamedTuple):
    """One request, in the order of the columns of `access_log`."""

    ts: datetime
    service: str
    method: str
    path: str
    route: str
    status: int
    latency_ms: float | None
    bytes: int | None
    client_ip: str | None
    user_agent: str | None
    referer: str | None
    attributes: str | None  # JSON text


class Quarantined(NamedTuple):
    """One refused record: its bytes as they came and one sentence why."""

    reason: str
    record: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request body, or one piece of a file, holds.

    `identity` is None where two equal batches can both be honest.
    """

    source: str
    service: str
    rows: Sequence[LogRow]
    quarantined: Sequence[Quarantined]
    identity: bytes | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the records of a batch: received = stored + duplicate + quarantined."""

    received: int
    stored: int
    duplicate: int
    quarantined: int

    def __add__(self, other: Receipt) -> Receipt:
        """Sum of two receipts."""
        return Receipt(
            self.received + other.received,
            self.stored + other.stored,
            self.duplicate + other.duplicate,
            self.quarantined + other.quarantined,
        )


_COLUMN_TYPES = {
    "ts": "timestamptz",
    "service": "text",
    "method": "text",
    "path": "text",
    "route": "text",
    "status": "smallint",
    "latency_ms": "double precision",
    "bytes": "bigint",
    "client_ip": "inet",
    "user_agent": "text",
    "referer": "text",
    "attributes": "jsonb",
}
_COLUMNS = ", ".join(_COLUMN_TYPES)
# Arrays of inet and jsonb travel as text: psycopg then needs no wrapper object per value.
_ARRAY_TYPES = {"inet": "text", "jsonb": "text"}
_UNNEST = (
    f"insert into access_log ({_COLUMNS}, batch_id) select "
    + ", ".join(f"{name}::{kind}" for name, kind in _COLUMN_TYPES.items())
    + ", %s from unnest("
    + ", ".join(f"%s::{_ARRAY_TYPES.get(kind, kind)}[]" for kind in _COLUMN_TYPES.values())
    + f") as record ({_COLUMNS})"
)
_COPY = f"copy access_log ({_COLUMNS}, batch_id) from stdin"
_INSERT_BATCH = """
insert into ingest_batch (source, service, identity, received, stored, duplicate, quarantined, first_ts, last_ts)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (identity) do nothing
returning id
"""


class LogWriter:
    """Stores batches through a pool of connections."""

    def __init__(self, pool: ConnectionPool[psycopg.Connection[Any]]) -> None:
        """Use the connections of `pool`, which the caller closes."""
        self._pool = pool

    def store(self, batch: Batch) -> Receipt:
        """Write a batch and return its receipt after the commit.

        Raises:
            DatabaseUnavailable: nothing of the batch was written; it can be sent again.
        """
        try:
            with self._pool.connection() as connection, connection.transaction():
                return _store(connection, batch)
        except PoolTimeout as error:
            raise DatabaseUnavailable("the database cannot be reached") from error
        except psycopg.Error as error:
            raise DatabaseUnavailable(explain(error)) from error

    def known(self, identities: Sequence[bytes]) -> set[bytes]:
        """Return those of some identities that a stored batch has.

        Raises:
            DatabaseUnavailable: the database cannot be asked.
        """
        statement = "select identity from ingest_batch where identity = any(%s)"
        try:
            with self._pool.connection() as connection:
                return {row[0] for row in connection.execute(statement, (list(identities),))}
        except PoolTimeout as error:
            raise DatabaseUnavailable("the database cannot be reached") from error
        except psycopg.Error as error:
            raise DatabaseUnavailable(explain(error)) from error

    def check(self) -> None:
        """Return if a batch could be stored now.

        Raises:
            DatabaseUnavailable: it could not, and why.
        """
        try:
            with self._pool.connection(timeout=2) as connection:
                connection.execute("select from access_log, ingest_batch, quarantine, touched_minute limit 0")
                row = connection.execute("select current_setting('transaction_read_only')").fetchone()
        except PoolTimeout as error:
            raise DatabaseUnavailable("the database cannot be reached") from error
        except psycopg.Error as error:
            raise DatabaseUnavailable(explain(error)) from error
        if row == ("on",):
            raise DatabaseUnavailable("the database takes no writes: it is a replica or set to read only")


def _store(connection: psycopg.Connection[Any], batch: Batch) -> Receipt:
    stored, quarantined = len(batch.rows), len(batch.quarantined)
    receipt = Receipt(stored + quarantined, stored, 0, quarantined)
    batch_id = _insert_batch(connection, batch, batch.identity, receipt)
    if batch_id is None:
        repeated = Receipt(receipt.received, 0, receipt.received, 0)
        _insert_batch(connection, batch, None, repeated)
        return repeated
    if batch.rows:
        if is_embedded(connection):
            _insert_rows(connection, batch.rows, batch_id)
        else:
            _copy_rows(connection, batch.rows, batch_id)
        names = sorted({row.service for row in batch.rows})
        connection.execute("insert into service (name) select unnest(%s::text[]) on conflict do nothing", (names,))
        minutes = sorted({row.ts.replace(second=0, microsecond=0) for row in batch.rows})
        connection.execute("insert into touched_minute (minute) select unnest(%s::timestamptz[])", (minutes,))
    if batch.quarantined:
        connection.execute(
            "insert into quarantine (batch_id, reason, record) select %s, * from unnest(%s::text[], %s::bytea[])",
            (batch_id, [q.reason for q in batch.quarantined], [q.record for q in batch.quarantined]),
        )
    return receipt


def _insert_batch(
    connection: psycopg.Connection[Any], batch: Batch, identity: bytes | None, receipt: Receipt
) -> int | None:
    """Write the ledger row; None where a batch of this identity is already there."""
    times = [row.ts for row in batch.rows] if receipt.stored else []
    row = connection.execute(
        _INSERT_BATCH,
        (
            batch.source,
            batch.service,
            identity,
            receipt.received,
            receipt.stored,
            receipt.duplicate,
            receipt.quarantined,
            min(times, default=None),
            max(times, default=None),
        ),
    ).fetchone()
    return None if row is None else int(row[0])


def _copy_rows(connection: psycopg.Connection[Any], rows: Sequence[LogRow], batch_id: int) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row((*row, batch_id))


def _insert_rows(connection: psycopg.Connection[Any], rows: Sequence[LogRow], batch_id: int) -> None:
    for start in range(0, len(rows), UNNEST_ROWS):
        columns = [list(column) for column in zip(*rows[start : start + UNNEST_ROWS], strict=True)]
        connection.execute(_UNNEST, (batch_id, *columns))
