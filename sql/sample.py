"""Rows from all over a range, of which never more than a bounded number is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sql.connection import Reading
from sql.filters import Filters, conditions
from sql.plan import Range
from sql.reading import ACCESS_LOG

_NAMES = ("ts", "service", "path", "status", "latency_ms", "user_agent", "attributes")
_ENDPOINT = ("method", "route")


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a range, and how many of its rows are looked at: its newest ones."""

    range: Range
    rows: int


@dataclass(frozen=True, slots=True)
class SampledRequest:
    """What is compared of a request."""

    ts: datetime
    service: str
    path: str
    status: int
    latency_ms: float | None
    user_agent: str | None
    attributes: dict[str, Any] | None
    client_ip: str | None
    method: str = ""
    route: str = ""


def sample(
    reading: Reading, slices: Sequence[Slice], filters: Filters, *, most: int, failed_from: int | None = None
) -> list[SampledRequest]:
    """Matching rows among those that the slices name, at most `most` of them, drawn by a digest of their content.

    With `failed_from`, a status, as many of the requests from it on are drawn as of the others.
    """
    looked_at = [each for each in slices if each.rows > 0]
    if not looked_at:
        return []
    log = ACCESS_LOG.c
    names = sorted({*_NAMES, *_ENDPOINT, "client_ip"} | filters.columns())
    parts = [
        sa.select(*(log[name] for name in names))
        .where(log.ts >= each.range.start, log.ts < each.range.end)
        .order_by(log.ts.desc())
        .limit(each.rows)
        .subquery(f"slice_{number}")
        for number, each in enumerate(looked_at)
    ]
    rows = sa.union_all(*(sa.select(part) for part in parts)).subquery("rows")
    failed = sa.false() if failed_from is None else rows.c.status >= failed_from
    digest = sa.func.md5(sa.func.concat(rows.c.ts, rows.c.client_ip, rows.c.path))
    drawn = (
        sa.select(
            *(rows.c[name] for name in (*_NAMES, *_ENDPOINT)),
            sa.func.host(rows.c.client_ip).label("client"),
            sa.func.row_number().over(partition_by=failed, order_by=digest).label("place"),
        )
        .where(*conditions(rows, filters))
        .subquery("drawn")
    )
    columns = [drawn.c[name] for name in (*_NAMES, "client", *_ENDPOINT)]
    found = reading.execute(sa.select(*columns).where(drawn.c.place <= most)).all()
    reading.count_rows(sum(each.rows for each in looked_at))
    return [SampledRequest(*row) for row in found]
