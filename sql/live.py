"""The log as it arrives: which rows became visible since the last look."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from sql.connection import Reading
from sql.filters import Filters, conditions
from sql.reading import ACCESS_LOG

# A reader that was away does not want the backlog of an import, but what is newest.
MOST_BATCHES = 500
_CURSOR = re.compile(r"(\d{1,18}):(\d{1,18}):((?:\d{1,18}(?:,\d{1,18})*)?)")


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Rows newest first; `more` counts those that arrived too but were left out; `cursor` is for the next look.

    What was left out lies between `more_from` and the oldest of the rows. With `uncounted` it may be more: so many
    batches came at once that not all were looked into.
    """

    rows: list[dict[str, Any]]
    more: int
    cursor: str
    more_from: datetime | None = None
    uncounted: bool = False


_BATCHES = """
select id, stored, first_ts, last_ts
from ingest_batch
where stored > 0 and {since}
order by id desc
limit :most
"""
_ARRIVED = """
select cast(coalesce(sum(stored), 0) as bigint), min(first_ts)
from ingest_batch
where stored > 0 and {since}
"""
_BATCH = sa.table(
    "ingest_batch",
    sa.column("id", sa.BigInteger),
    sa.column("received_at", sa.DateTime(timezone=True)),
    sa.column("source", sa.Text),
)


def arrivals(reading: Reading, filters: Filters, *, limit: int, after: str | None = None) -> Arrivals:
    """Return what became visible after a cursor, or the newest rows without one.

    The cursor is a snapshot of the database, not a number: two batches that commit in another order
    than they began in are both seen, each once.

    Raises:
        ValueError: `after` is no cursor.
    """
    if after is not None and not _is_snapshot(after):
        raise ValueError("after is no cursor of this list")
    cursor = str(reading.execute(sa.text("select pg_current_snapshot()::text")).scalar_one())
    since = "true"
    if after is not None:
        since = (
            "xact >= pg_snapshot_xmin(cast(:after as pg_snapshot)) "
            "and not pg_visible_in_snapshot(xact, cast(:after as pg_snapshot))"
        )
    parameters = {"most": MOST_BATCHES} | ({"after": after} if after is not None else {})
    batches = reading.execute(sa.text(_BATCHES.format(since=since)), parameters).all()
    wanted, count = [], 0
    for batch in batches:
        wanted.append(batch)
        count += batch.stored
        if count >= limit and not filters and after is None:
            break
    if not wanted:
        return Arrivals([], 0, cursor)
    ids = [batch.id for batch in wanted]
    rows = _rows(reading, filters, ids, wanted, limit)
    crowded = len(batches) == MOST_BATCHES
    if after is None or (len(rows) < limit and not crowded):
        return Arrivals(rows, 0, cursor)
    if filters:
        arrived, first = _matching(reading, filters, ids, wanted)
    else:
        # The ledger knows it, without a look at the rows.
        arrived, first = reading.execute(sa.text(_ARRIVED.format(since=since)), parameters).one()
    more = max(0, arrived - len(rows))
    return Arrivals(rows, more, cursor, first if more else None, uncounted=crowded and bool(filters))


def _is_snapshot(text: str) -> bool:
    """Whether PostgreSQL would read a text as pg_snapshot: xmin:xmax:open, the open ones between them, ascending."""
    match = _CURSOR.fullmatch(text)
    if match is None:
        return False
    low, high = int(match[1]), int(match[2])
    numbers = [int(number) for number in match[3].split(",") if number]
    return 0 < low <= high and numbers == sorted(set(numbers)) and all(low <= number < high for number in numbers)


def _of_batches(filters: Filters, ids: list[int], batches: list[Any]) -> list[sa.ColumnElement[bool]]:
    """Conditions of their matching rows; their span of time keeps the scan to few chunks."""
    low: datetime = min(batch.first_ts for batch in batches)
    high: datetime = max(batch.last_ts for batch in batches)
    log = ACCESS_LOG.c
    chosen = log.batch_id == sa.any_(sa.cast(ids, pg.ARRAY(sa.BigInteger)))
    return [chosen, log.ts >= low, log.ts <= high, *conditions(ACCESS_LOG, filters)]


def _matching(reading: Reading, filters: Filters, ids: list[int], batches: list[Any]) -> tuple[int, datetime | None]:
    """How many matching rows some batches have, and when the first of them was."""
    counted = sa.select(sa.cast(sa.func.count(), sa.BigInteger), sa.func.min(ACCESS_LOG.c.ts))
    count, first = reading.execute(counted.where(*_of_batches(filters, ids, batches))).one()
    return count, first


def _rows(reading: Reading, filters: Filters, ids: list[int], batches: list[Any], limit: int) -> list[dict[str, Any]]:
    log = ACCESS_LOG.c
    names = ("service", "method", "path", "route", "status", "latency_ms", "bytes")
    statement = (
        sa.select(
            log.ts,
            _BATCH.c.received_at,
            *(log[name] for name in names),
            sa.func.host(log.client_ip).label("client_ip"),
            *(log[name] for name in ("user_agent", "referer", "attributes")),
            _BATCH.c.source,
        )
        .join_from(ACCESS_LOG, _BATCH, _BATCH.c.id == log.batch_id)
        .where(*_of_batches(filters, ids, batches))
        .order_by(log.ts.desc(), log.batch_id.desc())
        .limit(limit)
    )
    return [dict(row._mapping) for row in reading.execute(statement)]
