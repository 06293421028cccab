"""Read quarantined records again, or drop them: page by page, each whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from psycopg import errors

from sql.batch import Quarantined
from sql.connection import DatabaseUnavailable, explain
from sql.release import Held, Replayed, Verdict, release
from sql.writing import ANNOUNCED, ATTEMPTS

PAGE_RECORDS = 500
PAGE_BYTES = 8 * 1024 * 1024  # in our memory and in that of the database
REFUSED_BY_DATABASE = "refused_by_database"
_RACES = (errors.DeadlockDetected, errors.SerializationFailure)
_POISON = (psycopg.DataError, psycopg.IntegrityError, UnicodeError)
_FROM = "from quarantine as held join ingest_batch as batch on batch.id = held.batch_id"
# A record that was cut when it was kept would come back as another one. Without a size it is from before any was.
_LOCK = f"""
select held.id, octet_length(record) {_FROM}
where held.id > %s and held.id <= %s and coalesce(held.size, octet_length(record)) = octet_length(record)
    {{conditions}}
order by held.id
limit %s
for update of held skip locked
"""
_READ = f"""
select held.id, held.received_at, source, service, kind, reason, record {_FROM}
where held.id = any(%s)
order by held.id
"""
_DROP = f"""
delete from quarantine where id in (
    select held.id {_FROM} where true {{conditions}} order by held.id limit 1000 for update of held skip locked
)
"""
Judge = Callable[[Held], Verdict]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records; None: of any kind, from any source."""

    kind: str | None = None
    source: str | None = None

    def conditions(self) -> tuple[str, list[str]]:
        """Further conditions on `held` and `batch`, and their parameters."""
        given = [("held.kind", self.kind), ("batch.source", self.source)]
        words = "".join(f" and {name} = %s" for name, value in given if value is not None)
        return words, [value for _, value in given if value is not None]


def replay(
    connection: psycopg.Connection[Any], selection: Selection, judge: Judge, *, dry_run: bool = False
) -> Iterator[Replayed]:
    """Let `judge` read the records of a selection again; yield the counts of each page after its commit.

    The connection is in autocommit mode. Records that another replay has in work are passed over, and so are
    those that were cut when they were kept. With `dry_run` every page is rolled back.

    Raises:
        DatabaseUnavailable: the page was not done; those before it are.
    """
    try:
        newest = connection.execute("select coalesce(max(id), 0) from quarantine").fetchone()
        after, until = 0, int(newest[0]) if newest else 0
        while after < until:
            page = partial(_page, connection, selection, judge, after, until, dry_run)
            after, counts = _again_if_raced(page)
            if not counts.looked_at:
                return
            yield counts
    except psycopg.Error as error:
        raise DatabaseUnavailable(explain(error)) from error


def drop(connection: psycopg.Connection[Any], selection: Selection) -> int:
    """Delete the records of a selection and return how many there were; the ledger still counts them.

    Raises:
        DatabaseUnavailable: the rest was not deleted.
    """
    words, values = selection.conditions()
    dropped = 0
    try:
        while gone := connection.execute(_DROP.format(conditions=words).encode(), values).rowcount:
            dropped += gone
    except psycopg.Error as error:
        raise DatabaseUnavailable(explain(error)) from error
    return dropped


def count(connection: psycopg.Connection[Any], selection: Selection) -> int:
    """Return the number of records of a selection.

    Raises:
        DatabaseUnavailable: it cannot be read.
    """
    words, values = selection.conditions()
    try:
        row = connection.execute(f"select count(*) {_FROM} where true {words}".encode(), values).fetchone()
    except psycopg.Error as error:
        raise DatabaseUnavailable(explain(error)) from error
    return int(row[0]) if row else 0


def routes_in_use(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Return every (service, route), read on this connection: others may have to wait for its transaction."""
    return connection.execute("select service, name from route").fetchall()


def announced_us(connection: psycopg.Connection[Any]) -> int | None:
    """Return the moment before which no rows are to be stored, as LogWriter does, read on this connection."""
    row = connection.execute(ANNOUNCED).fetchone()
    return int(row[0]) if row else None


def _again_if_raced(work: Callable[[], tuple[int, Replayed]]) -> tuple[int, Replayed]:
    for _ in range(ATTEMPTS - 1):
        try:
            return work()
        except _RACES:
            continue
    return work()


def _page(
    connection: psycopg.Connection[Any], selection: Selection, judge: Judge, after: int, until: int, dry_run: bool
) -> tuple[int, Replayed]:
    """Do one page; returns the last id it looked at, and its counts."""
    with connection.transaction(force_rollback=dry_run):
        page = _locked(connection, selection, after, until)
        if not page:
            return after, Replayed()
        verdicts = [(held, judge(held)) for held in page]
        try:
            with connection.transaction():
                counts = release(connection, verdicts)
        except _POISON:
            counts = release(connection, [(held, _tried(connection, held, verdict)) for held, verdict in verdicts])
        return page[-1].id, counts


def _locked(connection: psycopg.Connection[Any], selection: Selection, after: int, until: int) -> list[Held]:
    words, values = selection.conditions()
    parameters = [after, until, *values, PAGE_RECORDS]
    ids: list[int] = []
    size = 0
    for held_id, length in connection.execute(_LOCK.format(conditions=words).encode(), parameters).fetchall():
        size += length
        if ids and size > PAGE_BYTES:
            break
        ids.append(held_id)
    return [Held(*row) for row in connection.execute(_READ, (ids,))] if ids else []


def _tried(connection: psycopg.Connection[Any], held: Held, verdict: Verdict) -> Verdict:
    """The verdict, or a refusal where the database does not take its rows."""
    try:
        with connection.transaction(force_rollback=True):
            release(connection, [(held, verdict)])
    except _POISON as error:
        return Verdict((), [Quarantined(REFUSED_BY_DATABASE, explain(error), held.record)])
    return verdict
