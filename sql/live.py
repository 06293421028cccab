"""The log as it arrives: which rows became visible since the last look."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sql.reading import Filters

# A reader that was away does not want the backlog of an import, but what is newest.
MOST_BATCHES = 500
_CURSOR = re.compile(r"(\d{1,18}):(\d{1,18}):((?:\d{1,18}(?:,\d{1,18})*)?)")


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Rows newest first; `more` counts those that arrived too but were left out; `cursor` is for the next look."""

    rows: list[dict[str, Any]]
    more: int
    cursor: str


_BATCHES = """
select id, stored, first_ts, last_ts
from ingest_batch
where stored > 0 and {since}
order by id desc
limit :most
"""
# Rows of the newest batches only; their span of time keeps the scan to few chunks.
_ROWS = """
select ts, received_at, log.service, method, path, route, status, latency_ms, log.bytes,
    host(client_ip) as client_ip, user_agent, referer, attributes, source
from access_log as log join ingest_batch as batch on batch.id = log.batch_id
where log.batch_id = any(:batches) and ts >= :low and ts <= :high {conditions}
order by ts desc, log.batch_id desc
limit :most
"""


def arrivals(connection: sa.Connection, filters: Filters, *, limit: int, after: str | None = None) -> Arrivals:
    """Return what became visible after a cursor, or the newest rows without one.

    The cursor is a snapshot of the database, not a number: two batches that commit in another order
    than they began in are both seen, each once.

    Raises:
        ValueError: `after` is no cursor.
    """
    if after is not None and not _is_snapshot(after):
        raise ValueError("after is no cursor of this list")
    cursor = str(connection.execute(sa.text("select pg_current_snapshot()::text")).scalar_one())
    since = "true"
    if after is not None:
        since = (
            "xact >= pg_snapshot_xmin(cast(:after as pg_snapshot)) "
            "and not pg_visible_in_snapshot(xact, cast(:after as pg_snapshot))"
        )
    parameters = {"most": MOST_BATCHES} | ({"after": after} if after is not None else {})
    batches = connection.execute(sa.text(_BATCHES.format(since=since)), parameters).all()
    wanted, count = [], 0
    for batch in batches:
        wanted.append(batch)
        count += batch.stored
        if count >= limit and not filters.keys() and after is None:
            break
    if not wanted:
        return Arrivals([], 0, cursor)
    rows = _rows(connection, filters, [batch.id for batch in wanted], wanted, limit)
    arrived = sum(batch.stored for batch in batches)
    return Arrivals(rows, max(0, arrived - len(rows)) if after is not None and not filters.keys() else 0, cursor)


def _is_snapshot(text: str) -> bool:
    """Whether PostgreSQL would read a text as pg_snapshot: xmin:xmax:open, the open ones between them, ascending."""
    match = _CURSOR.fullmatch(text)
    if match is None:
        return False
    low, high = int(match[1]), int(match[2])
    numbers = [int(number) for number in match[3].split(",") if number]
    return 0 < low <= high and numbers == sorted(set(numbers)) and all(low <= number < high for number in numbers)


def _rows(
    connection: sa.Connection, filters: Filters, ids: list[int], batches: list[Any], limit: int
) -> list[dict[str, Any]]:
    low: datetime = min(batch.first_ts for batch in batches)
    high: datetime = max(batch.last_ts for batch in batches)
    parameters: dict[str, Any] = {"batches": ids, "low": low, "high": high, "most": limit}
    conditions = []
    for name in ("service", "method", "route"):
        if (value := getattr(filters, name)) is not None:
            conditions.append(f"and log.{name} = :{name}")
            parameters[name] = value
    if filters.status is not None:
        conditions.append("and status between :status_low and :status_high")
        parameters["status_low"], parameters["status_high"] = filters.status
    if filters.client_ip is not None:
        conditions.append("and client_ip = cast(:client_ip as inet)")
        parameters["client_ip"] = filters.client_ip
    statement = sa.text(_ROWS.format(conditions=" ".join(conditions)))
    return [dict(row._mapping) for row in connection.execute(statement, parameters)]
