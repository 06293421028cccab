"""Analyses and answers of a model: taken down, paid for out of a daily budget, and read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from sql.connection import Reading
from sql.store import Store


class Entry(NamedTuple):
    """A row of the history, without its long columns."""

    id: int
    kind: str
    token: str
    created_at: datetime
    finished_at: datetime | None
    viewer: str
    language: str
    state: str
    source: str | None
    reason: str | None
    detail: str | None
    start: datetime | None
    end: datetime | None
    minutes: float | None
    filters: Mapping[str, str]
    question: str | None
    thread: str | None
    same_as: int | None
    rerun_of: int | None
    prompt_version: str | None
    model: str | None
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal | None
    calls: int
    latency_ms: float | None
    feedback: int | None
    title: str | None


class Opened(NamedTuple):
    """A row with everything."""

    entry: Entry
    pack: Any
    sent: Any
    reply: Any
    result: Any


class Spent(NamedTuple):
    """What a day has cost so far: calls, tokens, dollars, those of calls that run, and calls without a price."""

    calls: int
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    reserved_usd: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known when something is asked."""

    kind: str
    token: str
    at: datetime
    viewer: str
    language: str
    start: datetime | None = None
    end: datetime | None = None
    minutes: float | None = None
    filters: Mapping[str, str] | None = None
    fingerprint: str | None = None
    question: str | None = None
    thread: str | None = None
    rerun_of: int | None = None
    prompt_version: str | None = None
    model: str | None = None
    pack: Any = None


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of it."""

    state: str
    source: str | None = None
    reason: str | None = None
    detail: str | None = None
    same_as: int | None = None
    model: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal | None = None
    calls: int = 0
    latency_ms: float | None = None
    title: str | None = None
    pack: Any = None
    sent: Any = None
    reply: Any = None
    result: Any = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What calls may cost from the start of the viewer's day on, and how many there may be in the minute before now."""

    now: datetime
    day_start: datetime
    day_usd: Decimal
    per_minute: int


_COLUMNS = (
    "id, kind, token, created_at, finished_at, viewer, language, state, source, reason, detail, start_at, end_at, "
    "minutes, filters, question, thread, same_as, rerun_of, prompt_version, model, tokens_in, tokens_out, "
    "cost_usd, calls, latency_ms, feedback, title"
)
_BEGIN = """
insert into ai_analysis (
    kind, token, created_at, viewer, language, start_at, end_at, minutes, filters, fingerprint, question,
    thread, rerun_of, prompt_version, model, pack
)
values (
    %(kind)s, %(token)s, %(at)s, %(viewer)s, %(language)s, %(start)s, %(end)s, %(minutes)s, %(filters)s,
    %(fingerprint)s, %(question)s, %(thread)s, %(rerun_of)s, %(prompt_version)s, %(model)s, %(pack)s
)
returning id
"""
_LOCK = "lock table ai_analysis in share row exclusive mode"
_DAY = """
select coalesce(sum(calls), 0), coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0), coalesce(sum(cost_usd), 0),
    coalesce(sum(reserved_usd), 0), count(*) filter (where calls > 0 and cost_usd is null)
from ai_analysis where created_at >= %s
"""
_MINUTE = """
select count(*) from ai_analysis
where created_at > %s - interval '1 minute' and id <> %s and (calls > 0 or state = 'running')
"""
_RESERVE = "update ai_analysis set reserved_usd = %s where id = %s"
_END = """
update ai_analysis set state = %(state)s, source = %(source)s, reason = %(reason)s, detail = %(detail)s,
    same_as = %(same_as)s, model = coalesce(%(model)s, model), tokens_in = %(tokens_in)s, tokens_out = %(tokens_out)s,
    cost_usd = %(cost_usd)s, calls = %(calls)s, latency_ms = %(latency_ms)s, title = %(title)s,
    pack = coalesce(%(pack)s, pack), sent = %(sent)s, reply = %(reply)s, result = %(result)s, reserved_usd = 0,
    finished_at = clock_timestamp()
where id = %(id)s
"""
_CANCEL = "update ai_analysis set cancelled = true where token = %s and state = 'running'"
_IS_CANCELLED = "select cancelled from ai_analysis where id = %s"
_FEEDBACK = "update ai_analysis set feedback = %s where id = %s and kind <> 'test'"
# What ran when its process ended has no result; what it may have cost stays counted.
_INTERRUPTED = """
update ai_analysis set state = 'failed', reason = 'interrupted', cost_usd = reserved_usd, calls = 1, reserved_usd = 0,
    finished_at = clock_timestamp()
where state = 'running' and created_at < %s
"""
_SAME = "select max(id) from ai_analysis where fingerprint = :fingerprint and source = 'model' and kind = 'analysis'"
_LAST = "select max(id) from ai_analysis where kind = 'analysis' and source is not null and result is not null"
_OPEN = "select {columns}, pack, sent, reply, result from ai_analysis where id = :id"
_THREAD = "select {columns}, pack, sent, reply, result from ai_analysis where thread = :thread order by id"
_FIND = """
select {columns} from ai_analysis
where (cast(:kind as text) is null or kind = :kind) and (cast(:before as bigint) is null or id < :before)
    and (cast(:source as text) is null or :source in (source, state, reason))
order by id desc limit :most
"""


class AiStore(Store):
    """Writes the history, on a connection of its own. Raises DatabaseUnavailable where the database is away."""

    connections = 2

    def begin(self, begun: Begun) -> int:
        """Take down that something was asked; returns its id."""
        values = {name: getattr(begun, name) for name in Begun.__slots__}
        values["filters"] = Jsonb(dict(begun.filters or {}))
        values["pack"] = _json(begun.pack)
        with self.connection() as connection:
            row = connection.execute(_BEGIN, values).fetchone()
        assert row is not None
        return int(row[0])

    def reserve(self, entry: int, most_usd: Decimal, limits: Limits) -> str | None:
        """Set the most that a call may cost aside; returns `budget` or `per_minute` where it may not be made.

        Two who ask at the same moment are let through one after the other, so they cannot spend the same dollar.
        """
        with self.connection() as connection, connection.transaction():
            connection.execute(_LOCK)
            spent = Spent(*_one(connection.execute(_DAY, (limits.day_start,)).fetchone()))
            if not limits.day_usd or spent.cost_usd + spent.reserved_usd + most_usd > limits.day_usd:
                return "budget"
            (lately,) = _one(connection.execute(_MINUTE, (limits.now, entry)).fetchone())
            if lately >= limits.per_minute:
                return "per_minute"
            connection.execute(_RESERVE, (most_usd, entry))
        return None

    def end(self, entry: int, ended: Ended) -> None:
        """Take down what came of it."""
        values = {name: getattr(ended, name) for name in Ended.__slots__} | {"id": entry}
        for name in ("pack", "sent", "reply", "result"):
            values[name] = _json(values[name])
        with self.connection() as connection:
            connection.execute(_END, values)

    def cancel(self, token: str) -> bool:
        """Take back what somebody asked, while it runs; tells whether it ran."""
        with self.connection() as connection:
            return connection.execute(_CANCEL, (token,)).rowcount > 0

    def is_cancelled(self, entry: int) -> bool:
        """Whether it was taken back."""
        with self.connection() as connection:
            row = connection.execute(_IS_CANCELLED, (entry,)).fetchone()
        return bool(row and row[0])

    def give_feedback(self, entry: int, value: int | None) -> bool:
        """Take down what somebody thinks of a result: 1, -1, or None to take it back."""
        with self.connection() as connection:
            return connection.execute(_FEEDBACK, (value, entry)).rowcount > 0

    def end_interrupted(self, before: datetime) -> None:
        """Close what a process that ended has left open: what began before a moment and still runs."""
        with self.connection() as connection:
            connection.execute(_INTERRUPTED, (before,))


def same_analysis(reading: Reading, fingerprint: str) -> int | None:
    """The newest analysis of a model of the same data."""
    found: int | None = reading.execute(sa.text(_SAME), {"fingerprint": fingerprint}).scalar()
    return found


def last_analysis(reading: Reading) -> Opened | None:
    """The newest analysis with a result."""
    entry = reading.execute(sa.text(_LAST)).scalar()
    return None if entry is None else open_entry(reading, entry)


def open_entry(reading: Reading, entry: int) -> Opened | None:
    """One row, whole; None where there is none."""
    row = reading.execute(sa.text(_OPEN.format(columns=_COLUMNS)), {"id": entry}).first()
    return None if row is None else _opened(row)


def thread_of(reading: Reading, thread: str) -> list[Opened]:
    """The questions of a conversation, the first one first."""
    return [_opened(row) for row in reading.execute(sa.text(_THREAD.format(columns=_COLUMNS)), {"thread": thread})]


def find_entries(
    reading: Reading, *, most: int, before: int | None = None, kind: str | None = None, source: str | None = None
) -> list[Entry]:  # fmt: skip
    """The newest rows first; `source` is a source, a state, or budget."""
    values = {"most": most, "before": before, "kind": kind, "source": source}
    return [Entry(*row) for row in reading.execute(sa.text(_FIND.format(columns=_COLUMNS)), values)]


def count_entries(reading: Reading) -> int:
    """How many rows there are."""
    return int(reading.execute(sa.text("select count(*) from ai_analysis")).scalar() or 0)


def spent_since(reading: Reading, day_start: datetime) -> Spent:
    """What a day has cost."""
    return Spent(*reading.execute(sa.text(_DAY.replace("%s", ":day_start")), {"day_start": day_start}).one())


def _opened(row: Any) -> Opened:
    width = len(Entry._fields)
    return Opened(Entry(*row[:width]), *row[width:])


def _one(row: Any) -> Any:
    assert row is not None
    return row


def _json(value: Any) -> Jsonb | None:
    return None if value is None else Jsonb(value)
