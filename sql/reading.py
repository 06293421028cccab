"""Read figures: one breakdown over the aggregates and, where they do not reach, over the rows.

Every figure of every page is a breakdown of the same pieces, so two pages cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from sql.connection import Reading
from sql.filters import Filters, conditions
from sql.freshness import freshness
from sql.plan import Level, Piece, Range, kept, levels_for, plan, usable_levels
from sql.sketch import Sketch, decode

ACCESS_LOG = sa.table(
    "access_log",
    sa.column("ts", sa.DateTime(timezone=True)),
    sa.column("service", sa.Text),
    sa.column("method", sa.Text),
    sa.column("path", sa.Text),
    sa.column("route", sa.Text),
    sa.column("status", sa.SmallInteger),
    sa.column("latency_ms", sa.Double),
    sa.column("bytes", sa.BigInteger),
    sa.column("client_ip", pg.INET),
    sa.column("user_agent", sa.Text),
    sa.column("referer", sa.Text),
    sa.column("attributes", pg.JSONB),
    sa.column("batch_id", sa.BigInteger),
)
_KEYS = ("service", "method", "route", "path", "status", "client_ip")
# Requests by status class: 1xx, 2xx, 3xx, 4xx, and everything from 500 on.
CLASSES = ((0, 200), (200, 300), (300, 400), (400, 500), (500, 1000))
CLASS_NAMES = ("n1", "n2", "n3", "n4", "n5")
READ = "rows_read"


@dataclass(frozen=True, slots=True)
class Cell:
    """Sums over the requests of one group.

    `slot` is the index of the chart bucket (0 where the breakdown has no edges), `keys` the values of
    the group columns, `classes` the requests by status class (1xx to 4xx, the last all from 500 on), `us`
    the sum of latencies in microseconds over the `n_lat` requests that have one, `mx` their maximum in
    ms, `sketch` their quantile sketch (None where none has a latency or none was asked for).
    """

    slot: int
    keys: tuple[Any, ...]
    n: int
    classes: tuple[int, int, int, int, int]
    n_lat: int
    us: int
    mx: float | None
    bytes: int
    sketch: Sketch | None


def breakdown(
    reading: Reading,
    whole: Range,
    filters: Filters,
    by: Sequence[str] = (),
    *,
    edges: Sequence[datetime] = (),
    only: Sequence[tuple[str, ...]] | None = None,
    sketches: bool = True,
) -> list[Cell]:
    """Sum requests by group and, with edges, by chart bucket.

    Args:
        reading: one snapshot.
        whole: `[start, end)`, exact to the microsecond.
        filters: combined with AND.
        by: of service, method, route, path, status, client_ip.
        edges: ascending inner edges of the chart's buckets; slot i holds what is at or after
            edges[i-1] and before edges[i].
        only: values of the first columns of `by`; other groups are left out.
        sketches: whether percentiles are wanted; without them the cells have no sketch and are read faster.
    """
    parts = parts_of(reading, whole, filters, by, edges, only=only, columns=columns_of(sketches=sketches))
    if parts is None:
        return []
    keys = [parts.c.slot, *(parts.c[name] for name in by)]
    statement = sa.select(*keys, *sums_of(parts, sketches=sketches)).group_by(*keys)
    cells = []
    for row in reading.execute(statement).all():
        read, cell = cell_of(row[0], row[1 : 1 + len(by)], row[1 + len(by) :])
        reading.count_rows(read)
        cells.append(cell)
    return cells


def columns_of(*, sketches: bool) -> tuple[str, ...]:
    """Sums that every piece of a breakdown has."""
    return (*CLASS_NAMES, "n", "n_lat", "us", "mx", "bytes", *(["sketch"] if sketches else []), READ)


def sums_of(parts: sa.Subquery, *, sketches: bool) -> list[sa.ColumnElement[Any]]:
    """Sums over pieces, as `cell_of` reads them."""
    counts = (sa.cast(sa.func.sum(parts.c[name]), sa.BigInteger) for name in (READ, "n", *CLASS_NAMES, "n_lat"))
    # Sums beyond a bigint travel as text: a few absurd sizes must not take a page down.
    texts = (sa.cast(sa.func.coalesce(sa.func.sum(parts.c[name]), 0), sa.Text) for name in ("us", "bytes"))
    sketch = sa.func.numeric_send(sa.func.sum(parts.c.sketch)) if sketches else sa.null()
    return [*counts, *texts, sa.func.max(parts.c.mx), sketch]


def cell_of(slot: int, keys: Sequence[Any], sums: Sequence[Any]) -> tuple[int, Cell]:
    """Rows read for a group, and its cell."""
    read, n, n1, n2, n3, n4, n5, n_lat, us, size, mx, sent = sums
    sketch = None if sent is None else decode(sent)
    return read, Cell(slot, tuple(keys), n, (n1, n2, n3, n4, n5), n_lat, int(us), mx, int(size), sketch)


def services(reading: Reading) -> list[str]:
    """Names of all services with a stored request, ascending."""
    return list(reading.execute(sa.text("select name from service order by name")).scalars())


def pieces_of(reading: Reading, whole: Range, columns: set[str], edges: Sequence[datetime] = ()) -> list[Piece]:
    """What a figure that needs these columns is read from; what is no longer kept is taken down in `reading.lost`."""
    levels = usable_levels(levels_for(columns), edges)
    fresh = freshness(reading, whole)
    pieces, lost = kept(plan(whole, levels, fresh.touched, fresh.stale), fresh.rows_from)
    reading.lost.update(lost)
    return pieces


def parts_of(
    reading: Reading,
    whole: Range,
    filters: Filters,
    by: Sequence[str],
    edges: Sequence[datetime],
    *,
    columns: Sequence[str],
    only: Sequence[tuple[str, ...]] | None = None,
) -> sa.Subquery | None:
    """Partial sums of every piece of a range, one under the other; None where nothing can be read."""
    pieces = pieces_of(reading, whole, filters.columns() | set(by), edges)
    if not pieces:
        return None
    return sa.union_all(*(_piece(piece, filters, by, edges, only, columns) for piece in pieces)).subquery("part")


def _piece(
    piece: Piece,
    filters: Filters,
    by: Sequence[str],
    edges: Sequence[datetime],
    only: Sequence[tuple[str, ...]] | None,
    columns: Sequence[str],
) -> sa.Select[Any]:
    source, moment, sums = _rows_source() if piece.level is None else _level_source(piece.level)
    keys = [_slot(moment, edges).label("slot"), *(source.c[name] for name in by)]
    wanted = [moment >= piece.range.start, moment < piece.range.end, *conditions(source, filters)]
    if only is not None:
        chosen = [source.c[name] for name in by[: len(only[0])]]
        lists = zip(chosen, zip(*only, strict=True), strict=True)
        values = (sa.func.unnest(sa.cast(list(each), pg.ARRAY(column.type))) for column, each in lists)
        wanted.append(sa.tuple_(*chosen).in_(sa.select(*values)))
    return (
        sa.select(*keys, *(sums[name].label(name) for name in columns))
        .select_from(source)
        .where(*wanted)
        .group_by(*(sa.text(str(i + 1)) for i in range(len(keys))))
    )


def _slot(moment: sa.ColumnElement[datetime], edges: Sequence[datetime]) -> sa.ColumnElement[int]:
    if not edges:
        return sa.literal_column("0", sa.Integer)
    thresholds = sa.cast(list(edges), pg.ARRAY(sa.DateTime(timezone=True)))
    return sa.func.width_bucket(moment, thresholds, type_=sa.Integer)


_Source = tuple[sa.TableClause, sa.ColumnElement[datetime], Mapping[str, sa.ColumnElement[Any]]]


def _rows_source() -> _Source:
    log = ACCESS_LOG
    latency = log.c.latency_ms
    count = sa.func.count()
    sums: dict[str, sa.ColumnElement[Any]] = {
        "n": count,
        **{name: count.filter(condition) for name, condition in _classes(log).items()},
        "n_lat": sa.func.count(latency),
        "us": sa.func.sum(sa.cast(sa.func.round(latency * 1000), sa.BigInteger)),
        "mx": sa.func.max(latency),
        "bytes": sa.func.sum(log.c.bytes),
        "sketch": sa.func.sum(sa.func.latency_sketch(latency, type_=sa.Numeric)),
        READ: count,
    }
    return log, log.c.ts, sums


def _level_source(level: Level) -> _Source:
    by_status = "status" in level.columns
    numbers = ("n", *(() if by_status else CLASS_NAMES), "n_lat", "us", "bytes", "sketch")
    view = sa.table(
        level.view,
        sa.column("bucket", sa.DateTime(timezone=True)),
        *(sa.column(name, ACCESS_LOG.c[name].type) for name in level.columns),
        sa.column("mx", sa.Double),
        *(sa.column(name, sa.Numeric) for name in numbers),
    )
    sums: dict[str, sa.ColumnElement[Any]] = {name: sa.func.sum(view.c[name]) for name in numbers}
    if by_status:
        sums |= {
            name: sa.func.coalesce(sa.func.sum(view.c.n).filter(condition), 0)
            for name, condition in _classes(view).items()
        }
    return view, view.c.bucket, sums | {"mx": sa.func.max(view.c.mx), READ: sa.func.count()}


def _classes(source: sa.TableClause) -> dict[str, sa.ColumnElement[bool]]:
    status = source.c.status
    return {
        name: sa.and_(status >= low, status < limit) for name, (low, limit) in zip(CLASS_NAMES, CLASSES, strict=True)
    }
