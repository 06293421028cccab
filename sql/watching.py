"""What the watch writes: findings, what it has gone through, what is still to do, and messages to be sent.

Whoever watches holds a lease, and every transaction renews it first: two processes never write at the same time. It is
a row and no advisory lock, since all clients of the embedded server share one session.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

import psycopg
import sqlalchemy as sa
from psycopg_pool import ConnectionPool

from sql.connection import Reading, writing_pool
from sql.plan import MINUTE, Range, floor, joined
from sql.store import Store

LEASE_S = 90
# Ranges that lie closer together are one: a night without requests is no gap in a log.
GAP = timedelta(hours=6)
# A source that is less behind is waited for (sql/lagging.py); a few rows later than that change no finding.
LATE = timedelta(minutes=3)
_HOUR = timedelta(hours=1)


class LeaseLost(Exception):
    """Another process watches now; nothing was written."""


@dataclass(frozen=True, slots=True)
class WatchState:
    """Up to where all is watched (None before the first minute), and by which version of the search."""

    through: datetime | None
    watch: int


class Queued(NamedTuple):
    """A range that is still to be searched, from `done_to` on."""

    id: int
    service: str | None
    start: datetime
    end: datetime
    done_to: datetime


class Telling(NamedTuple):
    """A message to be sent about an incident, once."""

    incident: str
    what: str
    severity: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one transaction writes.

    Attributes:
        rows: findings as columns of the table, to be inserted or to replace what is there.
        watched: range that was searched, and the service if it was one alone.
        through: how far all is watched now; None leaves it.
        queued: id in the queue and how far its range is done; at its end the entry goes.
        withdrawn: findings that began in this range of this service and are over are withdrawn, unless in `kept`.
        gone: keys of findings that are withdrawn.
        tellings: messages to be sent.
        ended: incidents of which a finding closed: those that were told and have no open one left are told as closed.
    """

    watch: int
    rows: Sequence[Mapping[str, Any]] = ()
    watched: Range | None = None
    service: str | None = None
    through: datetime | None = None
    queued: tuple[int, datetime] | None = None
    withdrawn: Range | None = None
    kept: Sequence[str] = ()
    gone: Sequence[str] = ()
    tellings: Sequence[Telling] = ()
    ended: Sequence[str] = ()


_LEASE = """
update watch_state set holder = %(holder)s, leased_to = clock_timestamp() + make_interval(secs => %(seconds)s),
    updated_at = clock_timestamp()
where holder = %(holder)s or holder is null or leased_to < clock_timestamp()
returning through, watch
"""
_RENEW = """
update watch_state set updated_at = clock_timestamp(),
    leased_to = clock_timestamp() + make_interval(secs => %(seconds)s)
where holder = %(holder)s
returning through, watch
"""
_RELEASE = "update watch_state set holder = null, leased_to = '-infinity' where holder = %s"
_BEGIN = """
update watch_state set through = %(through)s, watch = %(watch)s, batches = pg_current_snapshot()
"""
_PROBLEM = "update watch_state set problem = %s"
_WRITE = """
insert into finding (key, kind, severity, service, method, route, status, client_ip, network, client_type, start_at,
    end_at, unit, observed, expected, effect, score, p, n, cause, payload, incident, late, watch, closed_at)
select key, kind, severity, service, method, route, status, client_ip, network, client_type, start_at, end_at, unit,
    observed, expected, effect, score, p, n, cause, payload, incident, late, watch,
    case when end_at is not null then clock_timestamp() end
from jsonb_to_recordset(%s::jsonb) as given (key text, kind text, severity text, service text, method text,
    route text, status text, client_ip inet, network cidr, client_type text, start_at timestamptz, end_at timestamptz,
    unit text, observed float8, expected float8, effect float8, score float8, p float8, n bigint, cause text,
    payload jsonb, incident text, late boolean, watch integer)
on conflict (key) do update set severity = excluded.severity, end_at = excluded.end_at, observed = excluded.observed,
    expected = excluded.expected, effect = excluded.effect, score = excluded.score, p = excluded.p, n = excluded.n,
    cause = excluded.cause, payload = excluded.payload, watch = excluded.watch, updated_at = clock_timestamp(),
    closed_at = case
        when excluded.end_at is null then null else coalesce(finding.closed_at, clock_timestamp())
    end, withdrawn_at = null
"""
_WATCHED = """
with near as (
    delete from watched where service is not distinct from %(service)s and watch = %(watch)s
    and start_at <= %(end)s and end_at >= %(start)s
    returning start_at, end_at
)
insert into watched (service, start_at, end_at, watch)
select %(service)s, least(%(start)s, min(start_at)), greatest(%(end)s, max(end_at)), %(watch)s from near
"""
_THROUGH = "update watch_state set through = %s, watch = %s, problem = null"
_QUEUED = "update watch_queue set done_to = greatest(done_to, least(%(to)s, end_at)) where id = %(id)s"
_DEQUEUE = "delete from watch_queue where id = %s and done_to >= end_at"
_WITHDRAW = """
update finding set withdrawn_at = clock_timestamp()
where withdrawn_at is null and end_at is not null and start_at >= %(start)s and start_at < %(end)s
and kind <> 'canary_lost' and (%(service)s::text is null or service = %(service)s) and key <> all(%(kept)s)
"""
_GONE = """
update finding set withdrawn_at = clock_timestamp(), end_at = coalesce(end_at, greatest(start_at, %(end)s)),
    closed_at = coalesce(closed_at, clock_timestamp())
where key = any(%(keys)s)
"""
# What is not sent yet may have become worse.
_TELL = """
insert into alert (incident, what, severity)
select * from unnest(%s::text[], %s::text[], %s::text[])
on conflict (incident, what) where incident is not null do update set severity = excluded.severity, state = 'due'
where alert.state in ('due', 'held') and alert.digest is null
and array_position(array['low', 'medium', 'high'], excluded.severity)
    > array_position(array['low', 'medium', 'high'], alert.severity)
"""
_TELL_ENDED = """
insert into alert (incident, what, severity)
select opened.incident, 'closed', opened.severity from alert as opened
where opened.what = 'opened' and opened.incident = any(%(incidents)s)
and not exists (
    select from finding where finding.incident = opened.incident and end_at is null and withdrawn_at is null
)
on conflict do nothing
"""
# Batches that became visible since the last look and lie in what is watched already. Their rows may be of any service,
# whatever the batch is of.
_LATE = """
select min(first_ts), max(last_ts)
from ingest_batch
where stored > 0 and first_ts < %(through)s
and xact >= pg_snapshot_xmin(%(seen)s::pg_snapshot) and not pg_visible_in_snapshot(xact, %(seen)s::pg_snapshot)
group by time_bucket(interval '6 hours', first_ts)
"""
_SEEN = "select coalesce(batches, pg_current_snapshot())::text, pg_current_snapshot()::text from watch_state"
_LOOKED = "update watch_state set batches = %s::pg_snapshot"
# What is short and of today waits for more: a source that is always a little late must not have hours gone through for
# every minute of it.
_QUEUE = """
select id, service, start_at, end_at, done_to from watch_queue
where added_at < now() - interval '10 minutes' or end_at - start_at > interval '1 hour'
or end_at < now() - interval '1 day' or done_to > start_at
order by end_at desc, id
"""
_WAITING = "delete from watch_queue where service is null and done_to = start_at returning start_at, end_at, added_at"
_ADD = """
insert into watch_queue (service, start_at, end_at, done_to, added_at)
values (null, %(start)s, %(end)s, %(start)s, coalesce(%(added_at)s, now()))
"""
# What the hours do not know yet is on one of the lists.
_HOURS = """
select bucket from traffic_1h where bucket >= :low and bucket < :high
union select time_bucket(interval '1 hour', minute) from touched_minute where minute >= :low and minute < :high
union select bucket from stale_bucket where view = 'traffic_1h' and bucket >= :low and bucket < :high
"""
_ALWAYS = Range(datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


class WatchStore(Store):
    """Writes for the watch, on a connection of its own. Its methods raise DatabaseUnavailable where it is away."""

    connections = 2

    def __init__(self, pool: ConnectionPool[psycopg.Connection[Any]], holder: str = "") -> None:
        """Use a pool, which `close` closes; `holder` names this process in the lease."""
        super().__init__(pool)
        self._holder = holder

    @classmethod
    def open(cls, dsn: str, holder: str = "") -> Self:
        """A store with a pool of its own; connects in the background."""
        return cls(writing_pool(dsn, max_size=cls.connections), holder)

    def lease(self) -> WatchState | None:
        """Take or renew the lease and return the state; None while another process holds it."""
        with self.connection() as connection:
            row = connection.execute(_LEASE, {"holder": self._holder, "seconds": LEASE_S}).fetchone()
        return None if row is None else WatchState(*row)

    def release(self) -> None:
        """Let another process go on at once."""
        with self.connection() as connection:
            connection.execute(_RELEASE, (self._holder,))

    def begin(self, through: datetime, watch: int, earlier: Sequence[Range]) -> None:
        """Begin to watch at a minute; what there is before it is queued."""
        with self._mine() as connection:
            connection.execute(_BEGIN, {"through": through, "watch": watch})
            for each in earlier:
                connection.execute(_ADD, {"start": each.start, "end": each.end, "added_at": None})

    def skip(self, span: Range, watch: int) -> None:
        """Leave a range to the queue and go on after it."""
        with self._mine() as connection:
            connection.execute(_ADD, {"start": span.start, "end": span.end, "added_at": None})
            connection.execute(_THROUGH, (span.end, watch))

    def note_problem(self, problem: str | None) -> None:
        """Take down what keeps the watch from going on."""
        with self._mine() as connection:
            connection.execute(_PROBLEM, (problem,))

    def keep(self, step: Step) -> None:
        """Write a step, whole or not at all.

        Raises:
            LeaseLost: another process watches.
            DatabaseUnavailable: nothing was written.
        """
        with self._mine() as connection:
            if step.rows:
                connection.execute(_WRITE, (json.dumps(list(step.rows), default=str),))
            if step.withdrawn is not None:
                values = {"service": step.service, "kept": list(step.kept)}
                span = {"start": step.withdrawn.start, "end": step.withdrawn.end}
                connection.execute(_WITHDRAW, values | span)
            if step.gone:
                connection.execute(_GONE, {"keys": list(step.gone), "end": step.through})
            if step.watched is not None:
                span = {"start": step.watched.start, "end": step.watched.end}
                connection.execute(_WATCHED, {"service": step.service, "watch": step.watch} | span)
            if step.through is not None:
                connection.execute(_THROUGH, (step.through, step.watch))
            if step.queued is not None:
                connection.execute(_QUEUED, {"id": step.queued[0], "to": step.queued[1]})
                connection.execute(_DEQUEUE, (step.queued[0],))
            if step.tellings:
                connection.execute(_TELL, [list(column) for column in zip(*step.tellings, strict=True)])
            if step.ended:
                connection.execute(_TELL_ENDED, {"incidents": list(step.ended)})

    def queue_late(self, through: datetime) -> list[Queued]:
        """Look for rows that were stored since the last look and are from well before a moment; return the queue.

        Ranges that are close together become one, unless the search of one has begun.
        """
        with self._mine() as connection:
            seen, now = _one(connection, _SEEN)
            late = connection.execute(_LATE, {"through": through, "seen": seen}).fetchall()
            connection.execute(_LOOKED, (now,))
            if late and min(first for first, _ in late) < through - LATE:
                self._add(connection, [_whole_minutes(first, last, through) for first, last in late])
            return [Queued(*row) for row in connection.execute(_QUEUE)]

    @staticmethod
    def _add(connection: psycopg.Connection[Any], late: Sequence[Range]) -> None:
        waiting = connection.execute(_WAITING).fetchall()
        for each in joined([*late, *(Range(start, end) for start, end, _ in waiting)], GAP):
            added = (added_at for start, end, added_at in waiting if start >= each.start and end <= each.end)
            values = {"start": each.start, "end": each.end, "added_at": min(added, default=None)}
            connection.execute(_ADD, values)

    @contextmanager
    def _mine(self) -> Iterator[psycopg.Connection[Any]]:
        """A transaction of the process that holds the lease."""
        with self.connection() as connection, connection.transaction():
            if connection.execute(_RENEW, {"holder": self._holder, "seconds": LEASE_S}).fetchone() is None:
                raise LeaseLost
            yield connection


def spans_with_data(reading: Reading, whole: Range = _ALWAYS, *, gap: timedelta = GAP) -> list[Range]:
    """Hours of a range with requests, joined where they are close together; no more exact than an hour."""
    bounds = {"low": floor(whole.start, _HOUR), "high": whole.end}
    hours = [Range(row[0], row[0] + _HOUR) for row in reading.execute(sa.text(_HOURS), bounds)]
    return joined(hours, gap)


def watched_through(reading: Reading) -> datetime | None:
    """The first minute that has not been watched; None before the first."""
    found: datetime | None = reading.execute(sa.text("select through from watch_state")).scalar_one()
    return found


def watch_problem(reading: Reading) -> str | None:
    """What keeps the watch from looking, if anything does."""
    found: str | None = reading.execute(sa.text("select problem from watch_state")).scalar_one()
    return found


def watched_at(reading: Reading, moment: datetime, service: str | None) -> bool:
    """Whether the minute that begins at a moment was watched, for all services or for one."""
    statement = sa.text(
        "select exists (select from watched where start_at <= :moment and end_at > :moment "
        "and (service is null or service = cast(:service as text)))"
    )
    return bool(reading.execute(statement, {"moment": moment, "service": service}).scalar_one())


def _one(connection: psycopg.Connection[Any], statement: str) -> Any:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None, "the table has one row"
    return row


def _whole_minutes(first: datetime, last: datetime, through: datetime) -> Range:
    return Range(floor(first, MINUTE), min(floor(last, MINUTE) + MINUTE, through))
