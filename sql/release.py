"""Store quarantined records that can be read now, take them out of the quarantine, and write down both.

What was counted stays counted: in the ledger of the minute of its arrival a record moves from quarantined to stored
or duplicate, under the kind it had, and a batch is written that holds the rows and takes as much off the quarantined.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from sql.batch import LogRow, Quarantined
from sql.storing import UNNEST_ROWS, insert_rows
from sql.writing import MOST_KEPT, remember_names

_MICROSECONDS_A_MINUTE = 60_000_000


class Held(NamedTuple):
    """A record in quarantine, whole, with the source and the service of its batch."""

    id: int
    received_at: datetime
    source: str
    service: str
    kind: str
    reason: str
    record: bytes


class Verdict(NamedTuple):
    """What became of a record: rows, and what of it still cannot be read. Without rows it stays where it is."""

    rows: Sequence[LogRow]
    refused: Sequence[Quarantined]


@dataclass(slots=True)
class Replayed:
    """Counts: records looked at, of these taken out; rows stored, there already; and what still cannot be read."""

    looked_at: int = 0
    released: int = 0
    stored: int = 0
    duplicate: int = 0
    kept: int = 0

    def add(self, other: Replayed) -> None:
        """Add the counts of another page."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


_NEW_IDS = "select nextval(pg_get_serial_sequence('ingest_batch', 'id')) from generate_series(1, %s)"
_BATCHES = """
insert into ingest_batch (id, source, service, received, stored, duplicate, quarantined, first_ts, last_ts)
overriding system value
select * from unnest(%s::bigint[], %s::text[], %s::text[], %s::int[], %s::int[], %s::int[], %s::int[],
    %s::timestamptz[], %s::timestamptz[])
"""
# The seconds from event to arrival: what passed in quarantine is nobody's delay.
_LEDGER = """
insert into ingest_ledger (minute, source, service, kind, received, stored, duplicate, quarantined, bytes,
                           first_arrival, last_arrival, lag_s, lag_max_s)
select date_trunc('minute', arrival), source, service, kind, received, stored, duplicate, quarantined, 0,
    arrival, arrival,
    greatest(0, lag_s - stored * waited), greatest(0, lag_max_s - waited)
from (
    select *, extract(epoch from clock_timestamp() - arrival)::float8 as waited
    from unnest(%s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[],
        %s::bigint[], %s::float8[], %s::float8[])
        as part (arrival, source, service, kind, received, stored, duplicate, quarantined, lag_s, lag_max_s)
) as part
"""
_TOUCH = """
insert into touched_minute (minute)
select timestamptz 'epoch' + minute * interval '1 minute' from unnest(%s::bigint[]) as minute
"""
_HOLD = """
insert into quarantine (batch_id, received_at, kind, reason, record, size)
select * from unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::text[], %s::bytea[], %s::int[])
"""
_RENEW = """
update quarantine as held set kind = new.kind, reason = new.reason
from unnest(%s::bigint[], %s::text[], %s::text[]) as new (id, kind, reason)
where held.id = new.id
"""
_RELEASE = "delete from quarantine where id = any(%s) returning id"


@dataclass(slots=True)
class _Group:
    """Released records of one source, service, kind and minute of arrival: what becomes one batch."""

    held: list[Held] = field(default_factory=list)
    rows: list[LogRow] = field(default_factory=list)
    refused: list[tuple[Held, Quarantined]] = field(default_factory=list)


def release(connection: psycopg.Connection[Any], verdicts: Iterable[tuple[Held, Verdict]]) -> Replayed:
    """Act on verdicts, inside the transaction that has locked the records."""
    counts = Replayed()
    groups: dict[tuple[Any, ...], _Group] = defaultdict(_Group)
    renewed: list[tuple[Held, Quarantined]] = []
    for held, verdict in verdicts:
        counts.looked_at += 1
        if verdict.rows:
            group = groups[held.source, held.service, held.kind, held.received_at.replace(second=0, microsecond=0)]
            group.held.append(held)
            group.rows += verdict.rows
            group.refused += [(held, one) for one in verdict.refused]
            continue
        counts.kept += 1
        if len(verdict.refused) == 1 and verdict.refused[0][:2] != (held.kind, held.reason):
            renewed.append((held, verdict.refused[0]))
    entries = [entry for held, one in renewed if one.kind != held.kind for entry in _moved(held, one.kind)]
    if renewed:
        connection.execute(_RENEW, _columns((held.id, one.kind, one.reason) for held, one in renewed))
    if groups:
        entries += _store(connection, list(groups.values()), counts)
    if entries:
        connection.execute(_LEDGER, _columns(entries))
    return counts


def _store(connection: psycopg.Connection[Any], groups: Sequence[_Group], counts: Replayed) -> list[tuple[Any, ...]]:
    """Store the rows of groups and take their records out; returns the entries of the ledger."""
    ids = [row[0] for row in connection.execute(_NEW_IDS, (len(groups),))]
    rows = [(batch_id, row) for batch_id, group in zip(ids, groups, strict=True) for row in group.rows]
    remember_names(connection, {row.service for _, row in rows}, {(row.service, row.route) for _, row in rows})
    tallies: dict[int, list[Any]] = defaultdict(list)
    for start in range(0, len(rows), UNNEST_ROWS):
        for batch_id, *tally in insert_rows(connection, rows[start : start + UNNEST_ROWS]):
            tallies[batch_id].append(tally)
    batches, entries, still = [], [], []
    for batch_id, group in zip(ids, groups, strict=True):
        inserted = tallies[batch_id]
        stored = sum(tally[1] for tally in inserted)
        part = Replayed(0, len(group.held), stored, len(group.rows) - stored, len(group.refused))
        batches.append((batch_id, *_batch(group, part, inserted)))
        entries += _entries(group, inserted)
        still += [
            (batch_id, held.received_at, one.kind, one.reason, one.record[:MOST_KEPT], len(one.record))
            for held, one in group.refused
        ]
        counts.add(part)
    connection.execute(_BATCHES, _columns(batches))
    if any(tallies.values()):
        connection.execute(_TOUCH, (sorted({row.ts // _MICROSECONDS_A_MINUTE for _, row in rows}),))
    if still:
        connection.execute(_HOLD, _columns(still))
    leaving = [held.id for group in groups for held in group.held]
    gone = connection.execute(_RELEASE, (leaving,)).fetchall()
    assert len(gone) == len(leaving), "the records of a page are locked until its end"
    return entries


def _batch(group: _Group, part: Replayed, inserted: Sequence[Any]) -> tuple[Any, ...]:
    source, service = group.held[0].source, group.held[0].service
    left = part.kept - part.released
    first = min((tally[2] for tally in inserted), default=None)
    last = max((tally[3] for tally in inserted), default=None)
    return source, service, len(group.rows) + left, part.stored, part.duplicate, left, first, last


def _entries(group: _Group, inserted: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What changes in the ledger; for a record that became one row of its service: 0 received, 1 stored, -1 held."""
    head, arrival = group.held[0], max(held.received_at for held in group.held)
    received = Counter((row.service, head.kind) for row in group.rows)
    held = Counter((head.service, one.kind) for _, one in group.refused)
    held[head.service, head.kind] -= len(group.held)
    stored: Counter[tuple[str, str]] = Counter()
    lag_s: dict[tuple[str, str], float] = defaultdict(float)
    lag_max_s: dict[tuple[str, str], float] = defaultdict(float)
    for service, n, _, _, lag, lag_max in inserted:
        key = service, head.kind
        stored[key] += n
        lag_s[key] += lag
        lag_max_s[key] = max(lag_max_s[key], lag_max)
    return [
        (arrival, head.source, *key, received[key] + held[key], stored[key], received[key] - stored[key], held[key],
         lag_s[key], lag_max_s[key])
        for key in {**received, **held}
    ]  # fmt: skip


def _moved(held: Held, kind: str) -> list[tuple[Any, ...]]:
    """The record has another reason now."""
    place = (held.received_at, held.source, held.service)
    return [(*place, held.kind, -1, 0, 0, -1, 0.0, 0.0), (*place, kind, 1, 0, 0, 1, 0.0, 0.0)]


def _columns(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
