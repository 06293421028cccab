"""Clients that called much in some hour, day by day: from the hourly level, and the rows where that is behind."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from sql.connection import Reading
from sql.filters import Filters, conditions
from sql.plan import Piece, Range
from sql.reading import ACCESS_LOG, pieces_of

# Of one reading, the busiest first: memory is bounded.
MOST = 10_000
_HOUR = timedelta(hours=1)


class BusyClient(NamedTuple):
    """The most requests that a client made to a service in an hour of a day of UTC."""

    service: str
    client: str
    day: date
    n: int


def busy_clients(reading: Reading, whole: Range, least: int, service: str | None = None) -> list[BusyClient]:
    """Return who made at least so many requests to a service in an hour of a range of whole hours, for each day."""
    filters = Filters(service=service)
    columns = {"service", "client_ip"}
    pieces = pieces_of(reading, whole, columns, edges=_hours(whole))
    if not pieces:
        return []
    of_hours = sa.union_all(*(_piece(piece, filters, least) for piece in pieces)).subquery("of_hours")
    day = sa.cast(sa.func.timezone("UTC", of_hours.c.hour), sa.Date)
    most = sa.func.max(of_hours.c.n)
    statement = (
        sa.select(of_hours.c.service, sa.func.host(of_hours.c.client_ip), day, most)
        .group_by(of_hours.c.service, of_hours.c.client_ip, day)
        .order_by(most.desc())
        .limit(MOST)
    )
    rows = reading.execute(statement).all()
    reading.count_rows(len(rows))
    return [BusyClient(*row) for row in rows]


def _hours(whole: Range) -> list[datetime]:
    """Inner edges, so that no level is taken that is coarser than an hour."""
    return [whole.start + i * _HOUR for i in range(1, int((whole.end - whole.start) / _HOUR))]


def _piece(piece: Piece, filters: Filters, least: int) -> sa.Select[Any]:
    if piece.level is None:
        log = ACCESS_LOG
        hour = sa.func.time_bucket(_HOUR, log.c.ts, type_=sa.DateTime(timezone=True))
        return (
            sa.select(hour.label("hour"), log.c.service, log.c.client_ip, sa.func.count().label("n"))
            .where(log.c.ts >= piece.range.start, log.c.ts < piece.range.end, log.c.client_ip.is_not(None))
            .where(*conditions(log, filters))
            .group_by(sa.text("1"), log.c.service, log.c.client_ip)
            .having(sa.func.count() >= least)
        )
    view = sa.table(
        piece.level.view,
        sa.column("bucket", sa.DateTime(timezone=True)),
        sa.column("n", sa.BigInteger),
        *(sa.column(name, ACCESS_LOG.c[name].type) for name in piece.level.columns),
    )
    return (
        sa.select(view.c.bucket.label("hour"), view.c.service, view.c.client_ip, view.c.n)
        .where(view.c.bucket >= piece.range.start, view.c.bucket < piece.range.end, view.c.client_ip.is_not(None))
        .where(view.c.n >= least, *conditions(view, filters))
    )
