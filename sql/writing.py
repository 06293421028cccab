"""Store batches: each whole or not at all, and no record twice."""

from __future__ import annotations

import json
import logging
import struct
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool, PoolTimeout

from sql.batch import NOTHING, Batch, LogRow, Quarantined, Receipt
from sql.canary import store_on_trial
from sql.connection import DatabaseUnavailable, explain, is_embedded
from sql.copy_format import CopyEncoder
from sql.storing import UNNEST_ROWS, store_by_copy, store_by_statement, utc_micros

log = logging.getLogger(__name__)

_SERVICE_AND_ROUTE = itemgetter(1, 4)
COPY_FROM_ROWS = 64  # below, one statement is faster than three round trips
MOST_KEPT = 1_048_576  # bytes of a quarantined record
ATTEMPTS = 5
ANNOUNCED = (
    "select (extract(epoch from announced_from) * 1000000)::bigint from log_horizon where announced_from > '-infinity'"
)
# Two transactions with the same records: one of them is told to try again.
_RACES = (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure)
# A row that will never be taken, whether the server says so or the encoder.
_REFUSED = (psycopg.DataError, psycopg.IntegrityError, UnicodeError, struct.error, ValueError)


class LogWriter:
    """Stores batches through a pool of connections; may be used by several threads."""

    def __init__(self, pool: ConnectionPool[psycopg.Connection[Any]]) -> None:
        """Use the connections of `pool`, which the caller closes."""
        self._pool = pool
        self._own = threading.local()
        self._services: set[str] = set()
        self._routes: set[tuple[str, str]] = set()

    def store(self, batch: Batch) -> Receipt:
        """Write a batch and return its receipt after the commit.

        Raises:
            DatabaseUnavailable: nothing of the batch was written; it can be sent again.
        """
        return self.store_all([batch])[0] if batch.received else NOTHING

    def store_all(self, batches: Sequence[Batch]) -> list[Receipt]:
        """Write batches in as few transactions as possible; receipts in the same order.

        Raises:
            DatabaseUnavailable: as far as batches were written, they are known again by what makes them
                unique; those that nothing makes unique are in one transaction that was not committed.
        """
        try:
            with self._pool.connection() as connection:
                return self._store_all(connection, batches)
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
        return {row[0] for row in self._read(statement, (list(identities),))}

    def routes(self) -> list[tuple[str, str]]:
        """Return every (service, route) that a stored request was given.

        Raises:
            DatabaseUnavailable: the database cannot be asked.
        """
        return [(service, name) for service, name in self._read("select service, name from route", ())]

    def announced_us(self) -> int | None:
        """Return the moment, in microseconds since 1970, before which no rows are to be stored; None without one.

        Raises:
            DatabaseUnavailable: the database cannot be asked.
        """
        found = self._read(ANNOUNCED, ())
        return found[0][0] if found else None

    def check(self) -> None:
        """Return if a batch could be stored now.

        Raises:
            DatabaseUnavailable: it could not, and why.
        """
        self._read("select from access_log, ingest_batch, quarantine, touched_minute, ingest_ledger, route limit 0", ())
        if self._read("select current_setting('transaction_read_only')", ()) == [("on",)]:
            raise DatabaseUnavailable("the database takes no writes: it is a replica or set to read only")

    def _read(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        try:
            with self._pool.connection(timeout=2) as connection:
                return connection.execute(statement.encode(), parameters).fetchall()
        except PoolTimeout as error:
            raise DatabaseUnavailable("the database cannot be reached") from error
        except psycopg.Error as error:
            raise DatabaseUnavailable(explain(error)) from error

    def _store_all(self, connection: psycopg.Connection[Any], batches: Sequence[Batch]) -> list[Receipt]:
        receipts: dict[int, Receipt] = {}
        for no, batch in enumerate(batches):
            if batch.canary and (receipt := store_on_trial(connection, batch, most_kept=MOST_KEPT)):
                receipts[no] = receipt
        left = [(no, batch) for no, batch in enumerate(batches) if no not in receipts]
        while left:
            # Of equal identities one is stored and the others are then known, which takes a second turn.
            turn = {batch.identity or no: (no, batch) for no, batch in reversed(left)}
            chosen = [turn[key] for key in reversed(turn)]
            stored = self._with_poison_apart(connection, [batch for _, batch in chosen])
            receipts.update(zip((no for no, _ in chosen), stored, strict=True))
            left = [(no, batch) for no, batch in left if no not in receipts]
        return [receipts[no] for no in range(len(batches))]

    def _with_poison_apart(self, connection: psycopg.Connection[Any], batches: Sequence[Batch]) -> list[Receipt]:
        """Store batches; one that the database will never take must not hold up the others, or itself."""
        try:
            return self._in_turns(connection, batches)
        except _REFUSED as error:
            if len(batches) > 1:
                return [self._with_poison_apart(connection, [batch])[0] for batch in batches]
            log.warning("the database refuses a record: %s", explain(error))
            return self._in_turns(connection, [self._purged(connection, batches[0])])

    def _in_turns(self, connection: psycopg.Connection[Any], batches: Sequence[Batch]) -> list[Receipt]:
        self._remember_names(connection, batches)
        rows = sum(len(batch.rows) for batch in batches)
        if is_embedded(connection):
            return self._again_if_raced(lambda: store_in_pieces(connection, batches))
        if rows >= COPY_FROM_ROWS:
            try:
                return store_by_copy(connection, batches, self._encoder(), now_us=utc_micros, most_kept=MOST_KEPT)
            except (*_RACES, *_REFUSED):
                pass  # the other way can count what is there already, and find what the database refuses
        return self._again_if_raced(
            lambda: store_by_statement(connection, batches, prepare=rows < COPY_FROM_ROWS, most_kept=MOST_KEPT)
        )

    @staticmethod
    def _again_if_raced(store: Callable[[], list[Receipt]]) -> list[Receipt]:
        for _ in range(ATTEMPTS - 1):
            try:
                return store()
            except _RACES:
                continue
        return store()

    def _purged(self, connection: psycopg.Connection[Any], batch: Batch) -> Batch:
        """The batch with its refused rows in quarantine; halves find them, each tried and rolled back."""

        def refused(rows: Sequence[LogRow]) -> list[tuple[LogRow, str]]:
            try:
                with connection.transaction(force_rollback=True):
                    trial = replace(batch, rows=rows, quarantined=(), identity=None)
                    store_by_statement(connection, [trial], prepare=False, most_kept=MOST_KEPT)
            except _REFUSED as error:
                if len(rows) == 1:
                    return [(rows[0], explain(error))]
                half = len(rows) // 2
                return refused(rows[:half]) + refused(rows[half:])
            return []

        found = refused(batch.rows)
        gone = {id(row) for row, _ in found}
        quarantined = [
            Quarantined("refused_by_database", reason, json.dumps(row, default=repr).encode()) for row, reason in found
        ]
        kept = [row for row in batch.rows if id(row) not in gone]
        return replace(batch, rows=kept, quarantined=[*batch.quarantined, *quarantined])

    def _remember_names(self, connection: psycopg.Connection[Any], batches: Sequence[Batch]) -> None:
        """Write the services and routes that are new, before the rows that name them."""
        routes = set().union(*(map(_SERVICE_AND_ROUTE, batch.rows) for batch in batches)) - self._routes
        if not routes:
            return
        services = {service for service, _ in routes} - self._services
        remember_names(connection, services, routes)
        self._services |= services
        self._routes |= routes

    def _encoder(self) -> CopyEncoder:
        encoder: CopyEncoder | None = getattr(self._own, "encoder", None)
        if encoder is None:
            encoder = self._own.encoder = CopyEncoder()
        return encoder


def remember_names(
    connection: psycopg.Connection[Any], services: Collection[str], routes: Collection[tuple[str, str]]
) -> None:
    """Write the services and the (service, route) that are new."""
    connection.execute(
        "insert into service (name) select unnest(%s::text[]) on conflict do nothing", (sorted(services),)
    )
    connection.execute(
        "insert into route (service, name) select * from unnest(%s::text[], %s::text[]) on conflict do nothing",
        ([service for service, _ in sorted(routes)], [name for _, name in sorted(routes)]),
    )


def store_in_pieces(connection: psycopg.Connection[Any], batches: Sequence[Batch]) -> list[Receipt]:
    """Store batches on the embedded server, which cannot take a statement of any size.

    A batch of more than UNNEST_ROWS rows goes in several statements of one transaction; its identity, if it
    has one, is written with the last.
    """
    if sum(len(batch.rows) for batch in batches) <= UNNEST_ROWS:
        return store_by_statement(connection, batches, prepare=False, most_kept=MOST_KEPT)
    with connection.transaction():
        return [_store_large(connection, batch) for batch in batches]


def _store_large(connection: psycopg.Connection[Any], batch: Batch) -> Receipt:
    if batch.identity is not None:
        known = connection.execute("select from ingest_batch where identity = %s", (batch.identity,)).fetchone()
        if known is not None:
            return store_by_statement(connection, [batch], prepare=False, most_kept=MOST_KEPT)[0]
    starts = range(0, len(batch.rows), UNNEST_ROWS) or range(1)
    total = Receipt(0, 0, 0, 0)
    for start in starts:
        last = start == starts[-1]
        piece = replace(
            batch,
            rows=batch.rows[start : start + UNNEST_ROWS],
            quarantined=batch.quarantined if last else (),
            identity=batch.identity if last else None,
            size=batch.size if last else 0,
        )
        total += store_by_statement(connection, [piece], prepare=False, most_kept=MOST_KEPT)[0]
    return total
