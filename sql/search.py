"""Search the rows of the log, newest first, page by page.

A search looks back from the end of its range in steps that are bounded in rows and in time, so nothing sorts or
scans the whole range, and between two turns other users of a shared session come to theirs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sql.as_of import AsOf, not_later
from sql.connection import Reading, snapshot
from sql.filters import Filters, conditions
from sql.plan import Range
from sql.position import Position
from sql.reading import ACCESS_LOG

SEARCH_S = 10.0
TURN_S = 0.5
_STEP_S = 0.25  # what a step should take
_FIRST_ROWS, _FEWEST_ROWS, _MOST_ROWS = 250, 16, 1_000_000
_SHORTEST, _LONGEST = timedelta(hours=1), timedelta(days=400)
_FACTOR = 4
_MICROSECOND = timedelta(microseconds=1)

_LOG = ACCESS_LOG.c
_TEXTS_AND_NUMBERS = (
    *(_LOG[name] for name in ("service", "method", "path", "route", "status", "latency_ms", "bytes")),
    sa.func.host(_LOG.client_ip, type_=sa.Text).label("client_ip"),
    *(_LOG[name] for name in ("user_agent", "referer", "attributes")),
)
COLUMNS = ("ts", *(column.name for column in _TEXTS_AND_NUMBERS))


@dataclass(frozen=True, slots=True)
class Step:
    """How far the next look goes: so many rows, and no further back than `width`. It learns from the last one."""

    rows: int = _FIRST_ROWS
    width: timedelta = timedelta(days=1)

    def after(self, seconds: float) -> Step:
        """The step to take after one that took so long."""
        if seconds < _STEP_S / _FACTOR:
            return Step(min(self.rows * _FACTOR, _MOST_ROWS), min(self.width * _FACTOR, _LONGEST))
        if seconds > _STEP_S:
            return Step(max(self.rows // _FACTOR, _FEWEST_ROWS), max(self.width / _FACTOR, _SHORTEST))
        return self


@dataclass(slots=True)
class Found:
    """Rows newest first, as dictionaries of COLUMNS.

    `next` is where to go on, None at the end of the range. `truncated`: time ran out before the page was full.
    `kept_from`: rows before it may be gone and are not shown. The rest is what it cost.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    next: Position | None = None
    truncated: bool = False
    kept_from: datetime | None = None
    step: Step = field(default_factory=Step)
    statements: int = 0
    rows_read: int = 0
    seconds: float = 0.0


def search(
    engine: sa.Engine,
    whole: Range,
    filters: Filters,
    *,
    limit: int,
    before: Position | None = None,
    as_of: AsOf | None = None,
    step: Step | None = None,
    seconds: float = SEARCH_S,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Return up to `limit` matching rows of a range, or what of them was found in `seconds`.

    Every page gets on by at least one step, however little time it has.

    Raises:
        BadPattern: a filter is no regular expression.
        DatabaseUnavailable: the database is away, or a single step took too long.
    """
    found = Found(next=before, step=step or Step())
    deadline = clock() + seconds
    while True:
        with snapshot(engine, seconds=SEARCH_S) as reading:
            if found.statements == 0:
                try_pattern(reading, filters)
            _Turn(reading, whole, filters, limit, as_of, found).run(clock, min(deadline, clock() + TURN_S))
        found.statements += reading.statements
        found.rows_read += reading.rows_read
        found.seconds += reading.seconds
        if not found.truncated or clock() >= deadline:
            return found


class _Turn:
    """One transaction's part of a search: it adds to `found` and says there how far it came."""

    def __init__(
        self, reading: Reading, whole: Range, filters: Filters, limit: int, as_of: AsOf | None, found: Found
    ) -> None:
        self._reading = reading
        self._found = found
        self._limit = limit
        self._wanted = [*conditions(ACCESS_LOG, filters), *not_later(_LOG.batch_id, as_of)]
        # The only filter with an index: with it, only rows of that client count as looked at.
        self._counted = conditions(ACCESS_LOG, Filters(client_ip=filters.client_ip))
        found.kept_from = kept_from(reading)
        self._start = max(whole.start, found.kept_from or whole.start)
        self._end = whole.end

    @property
    def _room(self) -> int:
        return self._limit - len(self._found.rows)

    def run(self, clock: Callable[[], float], until: float) -> None:
        found, at = self._found, self._found.next
        found.next, found.truncated = None, False
        upper = self._end if at is None else min(at.ts, self._end)
        if at is not None and at.batch_id is not None and self._start <= at.ts < self._end and self._same_time(at):
            return
        while upper > self._start:
            started = time.perf_counter()
            lower = self._lower(upper)
            if self._older(lower, upper):
                return
            upper = lower
            found.step = found.step.after(time.perf_counter() - started)
            if upper > self._start and (self._room == 0 or clock() >= until):
                found.next, found.truncated = Position(upper), self._room > 0
                return

    def _lower(self, upper: datetime) -> datetime:
        """Where the step that ends before `upper` begins."""
        step = self._found.step
        floor = max(self._start, upper - step.width)
        newest = (
            sa.select(_LOG.ts)
            .where(_LOG.ts >= floor, _LOG.ts < upper, *self._counted)
            .order_by(_LOG.ts.desc())
            .limit(step.rows)
            .subquery()
        )
        oldest, n = self._reading.execute(sa.select(sa.func.min(newest.c.ts), sa.func.count())).one()
        self._reading.count_rows(n)
        return oldest if n == step.rows else floor

    def _older(self, lower: datetime, upper: datetime) -> bool:
        """Add the matches of a step; True if they fill the page."""
        room = self._room
        newest = (
            sa.select(_LOG.ts, *_TEXTS_AND_NUMBERS, _LOG.batch_id, _digest().label("digest"))
            .where(_LOG.ts >= lower, _LOG.ts < upper, *self._wanted)
            .order_by(_LOG.ts.desc())
            .limit(room + 1)
            .subquery()
        )
        by = newest.c
        ordered = sa.select(*(by[name] for name in COLUMNS)).order_by(by.ts.desc(), by.batch_id.desc(), by.digest)
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in self._reading.execute(ordered).all()]
        if len(rows) <= room:
            self._found.rows += rows
            return False
        border = rows[-1]["ts"]
        self._found.rows += [row for row in rows if row["ts"] > border]
        if self._room == 0:
            self._found.next = Position(border + _MICROSECOND)
            return True
        # Which of the border's rows came with this page was chance.
        return self._same_time(Position(border))

    def _same_time(self, at: Position) -> bool:
        """Add the matches of the very time of a position that follow it; True if they fill the page."""
        room, digest = self._room, _digest()
        wanted = [_LOG.ts == at.ts, *self._wanted]
        if at.batch_id is not None:
            wanted.append(
                sa.or_(_LOG.batch_id < at.batch_id, sa.and_(_LOG.batch_id == at.batch_id, digest >= at.digest))
            )
        # Batches that the page will not come to need no digests.
        last = (
            sa.select(_LOG.batch_id).where(*wanted).order_by(_LOG.batch_id.desc()).offset(at.shown + room).limit(1)
        ).correlate(None)
        wanted.append(_LOG.batch_id >= sa.func.coalesce(last.scalar_subquery(), 0))
        statement = (
            sa.select(_LOG.ts, *_TEXTS_AND_NUMBERS, _LOG.batch_id, digest.label("digest"))
            .where(*wanted)
            .order_by(_LOG.batch_id.desc(), sa.text("digest"))
            .offset(at.shown)
            .limit(room + 1)
        )
        rows = self._reading.execute(statement).all()
        self._reading.count_rows(len(rows))
        self._found.rows += [dict(zip(COLUMNS, row, strict=False)) for row in rows[:room]]
        if len(rows) <= room:
            return False
        self._found.next = _after(at, rows[:room])
        return True


def kept_from(reading: Reading) -> datetime | None:
    """The moment before which rows may be gone; None where all of them are kept."""
    horizon: datetime | None = reading.execute(
        sa.text("select nullif(raw_from, '-infinity') from log_horizon")
    ).scalar_one()
    return horizon


def try_pattern(reading: Reading, filters: Filters) -> None:
    """Have the database read a regular expression even where there is no row to match it with."""
    if filters.path_regex is not None:
        reading.execute(sa.select(sa.literal("", sa.Text).regexp_match(filters.path_regex)))


def _after(at: Position, rows: Sequence[Any]) -> Position:
    """The position after the last of some rows of one time, which followed `at`."""
    last = (rows[-1].batch_id, rows[-1].digest)
    alike = sum((row.batch_id, row.digest) == last for row in rows)
    before = at.shown if (at.batch_id, at.digest) == last else 0
    return replace(at, batch_id=last[0], digest=last[1], shown=before + alike)


def _digest() -> sa.ColumnElement[str]:
    """What tells rows of one batch and time apart: two with the same digest look the same to everybody."""
    content = sa.cast(sa.func.jsonb_build_array(*_TEXTS_AND_NUMBERS), sa.Text)
    digest = sa.func.encode(sa.func.sha256(sa.func.convert_to(content, "UTF8")), "hex", type_=sa.Text)
    return sa.collate(digest, "C")
