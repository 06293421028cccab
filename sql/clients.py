"""The clients with the most requests, without summing up all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from sql.connection import Reading
from sql.filters import Filters, conditions
from sql.plan import Level, Piece, Range
from sql.ranking import top_groups
from sql.reading import ACCESS_LOG, Cell, breakdown, pieces_of, services

# How much longer than the answer the list of a bucket is: long enough for the usual few heavy clients at once.
_LISTED = 4
_FEWEST_LISTED = 200
_MOST_LISTED = 800
_FIRST_ERROR = 400
_Entry = tuple[str, int]


@dataclass(frozen=True, slots=True)
class TopClients:
    """A cell for each of the clients with the most requests, most first; `more` where there are further clients."""

    cells: list[Cell]
    more: bool


def top_clients(reading: Reading, whole: Range, filters: Filters, most: int) -> TopClients:
    """Return exactly the clients with the most requests; requests without an address belong to none.

    The threshold algorithm (R. Fagin, A. Lotem, M. Naor, 2001): each bucket lists its largest clients, and who is
    listed and may be among the most frequent is summed up over the whole range. A client that is not in a list has at
    most what the last one in it has. Where one in no list could still have more than the last one of the answer, the
    lists grow.
    """
    pieces = pieces_of(reading, whole, filters.columns() | {"client_ip"})
    if not pieces:
        return TopClients([], more=False)
    listed = max(_FEWEST_LISTED, _LISTED * most)
    # A list has a client once for each service.
    times = 1 if filters.service is not None else len(services(reading))
    while listed <= _MOST_LISTED and any(piece.level for piece in pieces):
        lists = _lists(reading, pieces, filters, listed)
        clients, found, unlisted = _candidates(lists, listed, times, most)
        cells = _cells(reading, whole, filters, clients)
        if not unlisted or (len(cells) >= most and cells[most - 1].n > unlisted):
            return TopClients(cells[:most], more=found > most or unlisted > 0)
        listed *= 4
    # One more, and one without an address.
    top = top_groups(reading, whole, filters, ["client_ip"], most + 2)
    clients = {str(client) for (client,) in top.groups if client is not None}
    cells = _cells(reading, whole, filters, clients)
    return TopClients(cells[:most], more=len(cells) > most)


def _candidates(lists: Sequence[list[_Entry]], listed: int, times: int, most: int) -> tuple[set[str], int, int]:
    """Clients that may be among the most frequent, how many are listed, and the most that one in no list can have."""
    known: dict[str, int] = defaultdict(int)
    # What a client may have at most beside what is known, over the lists in which it is.
    covered: dict[str, int] = defaultdict(int)
    unlisted = 0
    for entries in lists:
        last = entries[-1][1] if len(entries) == listed else 0
        unlisted += times * last
        for client, n in entries:
            known[client] += n
            covered[client] += last
    least = sorted(known.values(), reverse=True)[most - 1] if len(known) >= most else 0
    able = {client for client, n in known.items() if n + unlisted - covered[client] >= least}
    return able, len(known), unlisted


def _cells(reading: Reading, whole: Range, filters: Filters, clients: set[str]) -> list[Cell]:
    if not clients:
        return []
    cells = breakdown(reading, whole, filters, ["client_ip"], only=[(client,) for client in clients])
    return sorted(cells, key=lambda cell: (-cell.n, str(cell.keys[0])))


def _lists(reading: Reading, pieces: Sequence[Piece], filters: Filters, listed: int) -> list[list[_Entry]]:
    """For each bucket, and each piece of rows, its largest clients with their requests, most first."""
    parts = (
        _list_of_rows(number, piece, filters, listed)
        if piece.level is None
        else _lists_of_level(number, piece, piece.level, filters, listed)
        for number, piece in enumerate(pieces)
    )
    lists: dict[tuple[int, datetime], list[_Entry]] = defaultdict(list)
    for number, bucket, client, n in reading.execute(sa.union_all(*parts)).all():
        lists[number, bucket].append((client, n))
    reading.count_rows(sum(len(each) for each in lists.values()))
    return [sorted(each, key=lambda entry: -entry[1]) for each in lists.values()]


def _lists_of_level(
    number: int, piece: Piece, level: Level, filters: Filters, listed: int
) -> sa.Select[tuple[int, datetime, Any, int]]:
    view = sa.table(
        level.view,
        sa.column("bucket", sa.DateTime(timezone=True)),
        sa.column("n", sa.BigInteger),
        *(sa.column(name, ACCESS_LOG.c[name].type) for name in level.columns),
    )
    starts = []
    at = piece.range.start
    while at < piece.range.end:
        starts.append(at)
        at += level.width
    moments = sa.cast(starts, pg.ARRAY(sa.DateTime(timezone=True)))
    buckets = sa.func.unnest(moments).table_valued("start", name=f"buckets_{number}").render_derived()
    largest = (
        sa.select(view.c.client_ip, view.c.n)
        # The constant bounds let the planner leave chunks out.
        .where(view.c.bucket == buckets.c.start, view.c.bucket >= piece.range.start, view.c.bucket < piece.range.end)
        .where(view.c.client_ip.is_not(None), *conditions(view, filters))
        .order_by(view.c.n.desc())
        .limit(listed)
        .lateral(f"largest_{number}")
    )
    client = sa.func.host(largest.c.client_ip)
    return sa.select(_number(number), buckets.c.start, client, largest.c.n).select_from(
        buckets.join(largest, sa.true())
    )


def _list_of_rows(
    number: int, piece: Piece, filters: Filters, listed: int
) -> sa.Select[tuple[int, datetime, Any, int]]:
    log = ACCESS_LOG.c
    n = sa.func.count()
    largest = (
        sa.select(log.client_ip, n.label("n"))
        .where(log.ts >= piece.range.start, log.ts < piece.range.end, log.client_ip.is_not(None))
        .where(*conditions(ACCESS_LOG, filters))
        .group_by(log.client_ip)
        .order_by(n.desc())
        .limit(listed)
        .subquery(f"largest_{number}")
    )
    start = sa.literal(piece.range.start, sa.DateTime(timezone=True))
    client = sa.func.host(largest.c.client_ip)
    return sa.select(_number(number), sa.cast(start, sa.DateTime(timezone=True)), client, largest.c.n)


def _number(number: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(number), sa.Integer)


@dataclass(frozen=True, slots=True)
class ClientCount:
    """Requests of one client, and how many of them are errors; None: without an address."""

    client_ip: str | None
    count: int
    errors: int


@dataclass(frozen=True, slots=True)
class NewestClients:
    """Clients of the newest requests, most requests first. `since`: where reading stopped, None if nowhere."""

    clients: list[ClientCount]
    since: datetime | None


def newest_clients(reading: Reading, whole: Range, filters: Filters, *, most: int, scanned: int) -> NewestClients:
    """Count the clients of any filters among the newest `scanned` rows of a range."""
    log = ACCESS_LOG.c
    names = sorted({"ts", "client_ip", "status"} | filters.columns())
    newest = (
        sa.select(*(log[name] for name in names))
        .where(log.ts >= whole.start, log.ts < whole.end)
        .order_by(log.ts.desc())
        .limit(scanned)
        .cte("newest")
    )
    matching = sa.select(newest).where(*conditions(newest, filters)).subquery("matching")
    n = sa.func.count()
    client = sa.func.host(matching.c.client_ip)
    counted = (
        sa.select(client.label("client_ip"), n.label("n"), n.filter(matching.c.status >= _FIRST_ERROR).label("errors"))
        .group_by(matching.c.client_ip)
        .order_by(n.desc(), client)
        .limit(most)
        .subquery("counted")
    )
    read = sa.select(n.label("rows"), sa.func.min(newest.c.ts).label("since")).subquery("read")
    statement = (
        sa.select(read.c.rows, read.c.since, counted)
        .select_from(read.outerjoin(counted, sa.true()))
        .order_by(counted.c.n.desc(), counted.c.client_ip)
    )
    rows = reading.execute(statement).all()
    reading.count_rows(rows[0].rows)
    clients = [ClientCount(*row[2:]) for row in rows if row.n is not None]
    return NewestClients(clients, rows[0].since if rows[0].rows == scanned else None)
