"""Test records: announced, stored on trial by the ingest server, and seen again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
import sqlalchemy as sa

from sql.batch import Batch, Receipt
from sql.connection import Reading
from sql.plan import Range
from sql.store import Store
from sql.storing import store_by_statement

CANARY_SERVICE = "accessboard.canary"
KEPT_DAYS = 31
STORED = Receipt(received=1, stored=1, duplicate=0, quarantined=0)

_ANNOUNCE = "insert into canary (id, sent_at) values (%s, %s)"
_FORGET = "delete from canary where sent_at < clock_timestamp() - make_interval(days => %s)"
_COME = "update canary set stored_at = clock_timestamp() where id = %s::uuid and stored_at is null returning id"
_NOTE = """
insert into canary (id, sent_at, seen_at, problem)
select * from unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::text[])
on conflict (id) do update set seen_at = excluded.seen_at, problem = excluded.problem
"""
_COUNTS = """
select count(*), count(problem) from canary where sent_at >= :start and sent_at < :end
"""
_ROUNDS = """
select id, sent_at, seen_at, problem from canary
where sent_at >= :start and sent_at < :end order by sent_at desc limit :most
"""


class Flight(NamedTuple):
    """A test record: when it was sent, when it was seen again (None: it was not), and why not."""

    id: uuid.UUID
    sent_at: datetime
    seen_at: datetime | None
    problem: str | None


class CanaryStore(Store):
    """What the dashboard writes of its test records. Its methods raise DatabaseUnavailable where it is away."""

    def announce(self, canary: uuid.UUID, sent_at: datetime) -> None:
        """Let the ingest server know which record is on its way; without that it would be a record like any other."""
        with self.connection() as connection:
            connection.execute(_FORGET.encode(), (KEPT_DAYS,))
            connection.execute(_ANNOUNCE.encode(), (canary, sent_at))

    def note(self, flights: Sequence[Flight]) -> None:
        """Write what became of test records."""
        with self.connection() as connection:
            connection.execute(_NOTE.encode(), [list(column) for column in zip(*flights, strict=True)])


def store_on_trial(connection: psycopg.Connection[Any], batch: Batch, *, most_kept: int) -> Receipt | None:
    """Store the batch of a test record, take it back, and note that it could be stored.

    Returns None where nobody announced it or it came before: then it is a record like any other.
    """
    with connection.transaction(force_rollback=True):
        store_by_statement(connection, [batch], prepare=False, most_kept=most_kept)
    come = connection.execute(_COME.encode(), (batch.canary,)).fetchone()
    return None if come is None else STORED


def has_come(reading: Reading, canary: uuid.UUID) -> bool:
    """Whether the ingest server could store a test record."""
    statement = sa.text("select stored_at is not null from canary where id = :id")
    return bool(reading.execute(statement, {"id": canary}).scalar())


def counts(reading: Reading, whole: Range) -> tuple[int, int]:
    """How many test records were sent in a range, and how many of them did not come back."""
    sent, lost = reading.execute(sa.text(_COUNTS), {"start": whole.start, "end": whole.end}).one()
    return sent, lost


def flights(reading: Reading, whole: Range, *, most: int) -> list[Flight]:
    """Test records sent in a range, the newest first."""
    rows = reading.execute(sa.text(_ROUNDS), {"start": whole.start, "end": whole.end, "most": most})
    return [Flight(*row) for row in rows]


def last_seen(reading: Reading) -> datetime | None:
    """When the newest test record came back; None where none did."""
    found: datetime | None = reading.execute(sa.text("select max(seen_at) from canary")).scalar()
    return found
