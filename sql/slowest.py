"""The slowest requests of a range, found by the maxima of the aggregates instead of a scan of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sql.connection import Reading
from sql.filters import Filters, conditions
from sql.freshness import Freshness, freshness
from sql.plan import Level, Piece, Range, levels_for, plan
from sql.reading import ACCESS_LOG

_READ = sa.cast(sa.func.count().over(), sa.BigInteger).label("rows_read")


@dataclass(frozen=True, slots=True)
class SlowRequest:
    """One request of the log."""

    ts: datetime
    service: str
    method: str
    path: str
    route: str
    status: int
    latency_ms: float
    bytes: int | None
    client_ip: str | None
    user_agent: str | None
    attributes: dict[str, Any] | None = None


def slowest_requests(reading: Reading, whole: Range, filters: Filters, most: int) -> list[SlowRequest]:
    """Return exactly the `most` slowest requests, of equally slow ones the newest; those without a latency are none.

    Each group of an aggregate has its maximum, and it is that of a request. So the `most` greatest maxima, of equal
    ones the newest, tell in which buckets the slowest requests lie; these are read from the next finer level, and so
    on down to the rows. Filters that no aggregate knows make it read every row.
    """
    # A least latency takes away only what is slower than nothing: the slowest of all hold the slowest of these.
    searched = filters
    if filters.latency_ms is not None and filters.latency_ms[1] is None:
        searched = replace(filters, latency_ms=None)
    fresh = freshness(reading, whole)
    if fresh.rows_from > whole.start:
        # Of dropped rows the aggregates know how slow they were, not which they were.
        reading.lost.add(Range(whole.start, min(whole.end, fresh.rows_from)))
    levels = levels_for(searched.columns())
    pieces = _pieces([Range(max(whole.start, fresh.rows_from), whole.end)], levels, fresh)
    bound = 0.0
    while any(piece.level for piece in pieces):
        found = _greatest(reading, [piece for piece in pieces if piece.level], searched, most)
        if len(found) == most:
            bound = max(bound, found[-1][1])
        pieces = [piece for piece in pieces if piece.level is None]
        for level in levels:
            buckets = {at for at, _ in found if at.level == level}
            pieces += _pieces([each.range for each in buckets], levels[: levels.index(level)], fresh)
    return _slowest_rows(reading, pieces, filters, bound, most)


def _pieces(ranges: Sequence[Range], levels: Sequence[Level], fresh: Freshness) -> list[Piece]:
    return [piece for each in ranges for piece in plan(each, levels, fresh.touched, fresh.stale)]


def _greatest(reading: Reading, pieces: Sequence[Piece], filters: Filters, most: int) -> list[tuple[Piece, float]]:
    """The greatest maxima of single groups, of equal ones the newest, each with its bucket."""
    parts = sa.union_all(
        *(_maxima(number, piece, piece.level, filters) for number, piece in enumerate(pieces) if piece.level)
    ).subquery("part")
    statement = (
        sa.select(parts.c.piece, parts.c.bucket, parts.c.mx, _READ)
        .order_by(parts.c.mx.desc(), parts.c.bucket.desc())
        .limit(most)
    )
    rows = reading.execute(statement).all()
    reading.count_rows(rows[0].rows_read if rows else 0)
    found = []
    for number, bucket, mx, _ in rows:
        level = pieces[number].level
        if level is not None:
            found.append((Piece(level, Range(bucket, bucket + level.width)), mx))
    return found


def _maxima(number: int, piece: Piece, level: Level, filters: Filters) -> sa.Select[Any]:
    view = sa.table(
        level.view,
        sa.column("bucket", sa.DateTime(timezone=True)),
        sa.column("mx", sa.Double),
        *(sa.column(name, ACCESS_LOG.c[name].type) for name in level.columns),
    )
    bucket = view.c.bucket
    return sa.select(sa.literal_column(str(number), sa.Integer).label("piece"), bucket, view.c.mx).where(
        bucket >= piece.range.start,
        bucket < piece.range.end,
        view.c.mx.is_not(None),
        *conditions(view, filters),
    )


def _slowest_rows(
    reading: Reading, pieces: Sequence[Piece], filters: Filters, bound: float, most: int
) -> list[SlowRequest]:
    if not pieces:
        return []
    log = ACCESS_LOG.c
    names = ("ts", "service", "method", "path", "route", "status", "latency_ms", "bytes")
    client = sa.func.host(log.client_ip).label("client_ip")
    parts = sa.union_all(
        *(
            sa.select(*(log[name] for name in names), client, log.user_agent, log.attributes).where(
                log.ts >= piece.range.start,
                log.ts < piece.range.end,
                log.latency_ms >= bound,
                *conditions(ACCESS_LOG, filters),
            )
            for piece in pieces
        )
    ).subquery("part")
    columns = [parts.c[name] for name in (*names, "client_ip", "user_agent", "attributes")]
    ranked = sa.select(*columns, _READ).order_by(parts.c.latency_ms.desc(), parts.c.ts.desc()).limit(most)
    rows = reading.execute(ranked).all()
    reading.count_rows(rows[0].rows_read if rows else 0)
    return [SlowRequest(*row[:-1]) for row in rows]
