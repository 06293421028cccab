"""Read figures: one breakdown over the aggregates and, where they do not reach, over the rows.

Every figure of every page is a breakdown of the same pieces, so two pages cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from sql.plan import ENDPOINT, MINUTE, TRAFFIC, Level, Piece, Range, floor, plan, touched_ranges, usable_levels

_ACCESS_LOG = sa.table(
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
)
_TRAFFIC_KEYS = frozenset({"service", "status", "status_class"})
_ENDPOINT_KEYS = _TRAFFIC_KEYS | {"method", "route"}
_KEYS = ("service", "method", "route", "path", "status", "client_ip")


@dataclass(frozen=True, slots=True)
class Filters:
    """What to count. `status` is an inclusive range of codes: (404, 404) or (500, 599)."""

    service: str | None = None
    method: str | None = None
    route: str | None = None
    status: tuple[int, int] | None = None
    client_ip: str | None = None

    def keys(self) -> set[str]:
        """Columns that the filters need."""
        return {name for name in self.__slots__ if getattr(self, name) is not None}


@dataclass(frozen=True, slots=True)
class Cell:
    """Sums over the requests of one group.

    `slot` is the index of the chart bucket (0 where the breakdown has no edges), `keys` the values of
    the group columns, `us` the sum of latencies in microseconds over the `n_lat` requests that have
    one, `mx` their maximum in ms, `sketch` their quantile sketch (0 where there is none).
    """

    slot: int
    keys: tuple[Any, ...]
    n: int
    n_lat: int
    us: int
    mx: float | None
    bytes: int
    sketch: int


@dataclass(frozen=True, slots=True)
class TopGroups:
    """The groups with the most requests, how many groups there are, and the requests of all of them."""

    groups: list[tuple[Any, ...]]
    found: int
    n: int


def top_groups(connection: sa.Connection, whole: Range, filters: Filters, by: Sequence[str], most: int) -> TopGroups:
    """Rank groups by their requests, without reading anything else of them.

    A breakdown by path may have as many groups as there are requests; this bounds what is read of it.
    """
    parts = _parts(connection, whole, filters, by, (), sketches=False)
    if parts is None:
        return TopGroups([], 0, 0)
    keys = [parts.c[name] for name in by]
    n = sa.func.sum(parts.c.n)
    statement = (
        sa.select(
            *keys,
            sa.cast(sa.func.count().over(), sa.BigInteger),
            sa.cast(sa.func.sum(n).over(), sa.BigInteger),
        )
        .group_by(*keys)
        .order_by(n.desc(), *keys)
        .limit(most)
    )
    rows = connection.execute(statement).all()
    if not rows:
        return TopGroups([], 0, 0)
    return TopGroups([tuple(row[: len(by)]) for row in rows], rows[0][-2], rows[0][-1])


def breakdown(
    connection: sa.Connection,
    whole: Range,
    filters: Filters,
    by: Sequence[str] = (),
    *,
    edges: Sequence[datetime] = (),
    only: Sequence[tuple[str, ...]] | None = None,
) -> list[Cell]:
    """Sum requests by group and, with edges, by chart bucket.

    Args:
        connection: inside one snapshot transaction.
        whole: `[start, end)`, exact to the microsecond.
        filters: combined with AND.
        by: of service, method, route, path, status, status_class, client_ip.
        edges: ascending inner edges of the chart's buckets; slot i holds what is at or after
            edges[i-1] and before edges[i].
        only: values of the first columns of `by`, all of them text; other groups are left out.
    """
    parts = _parts(connection, whole, filters, by, edges, only=only)
    if parts is None:
        return []
    keys = [parts.c.slot, *(parts.c[name] for name in by)]
    # Sums beyond a bigint travel as text: a few absurd sizes must not take a page down.
    statement = sa.select(
        *keys,
        sa.cast(sa.func.sum(parts.c.n), sa.BigInteger),
        sa.cast(sa.func.sum(parts.c.n_lat), sa.BigInteger),
        sa.cast(sa.func.coalesce(sa.func.sum(parts.c.us), 0), sa.Text),
        sa.func.max(parts.c.mx),
        sa.cast(sa.func.coalesce(sa.func.sum(parts.c.bytes), 0), sa.Text),
        sa.cast(sa.func.coalesce(sa.func.sum(parts.c.sketch), 0), sa.Text),
    ).group_by(*keys)
    return [_cell(row, len(by)) for row in connection.execute(statement)]


def touched_minutes(connection: sa.Connection, whole: Range) -> list[datetime]:
    """Minutes of a range whose rows the aggregates do not hold yet, ascending."""
    rows = connection.execute(
        sa.text("select distinct minute from touched_minute where minute >= :low and minute < :high order by minute"),
        {"low": floor(whole.start, MINUTE), "high": whole.end},
    )
    return [row[0] for row in rows]


# The daily aggregate and the touched minutes bound the search: no index holds the service.
_SERVICE_SPAN = sa.text("""
with bound as (
    select least(
        (select min(bucket) from traffic_1d where service = :service), (select min(minute) from touched_minute)
    ) as low, greatest(
        (select max(bucket) + interval '1 day' from traffic_1d where service = :service),
        (select max(minute) + interval '1 minute' from touched_minute)
    ) as high
)
select
    (select ts from access_log where service = :service and ts >= low and ts < high order by ts limit 1),
    (select ts from access_log where service = :service and ts >= low and ts < high order by ts desc limit 1)
from bound
""")


def data_span(connection: sa.Connection, service: str | None = None) -> Range | None:
    """First and last moment with a stored request, of one service or of all; None while there is none."""
    if service is None:
        first, last = connection.execute(sa.text("select min(ts), max(ts) from access_log")).one()
    else:
        first, last = connection.execute(_SERVICE_SPAN, {"service": service}).one()
    return None if first is None else Range(first, last)


def services(connection: sa.Connection) -> list[str]:
    """Names of all services with a stored request, ascending."""
    rows = connection.execute(sa.text("select name from service order by name"))
    return [row[0] for row in rows]


def _parts(
    connection: sa.Connection,
    whole: Range,
    filters: Filters,
    by: Sequence[str],
    edges: Sequence[datetime],
    *,
    only: Sequence[tuple[str, ...]] | None = None,
    sketches: bool = True,
) -> sa.Subquery | None:
    """Partial sums of every piece of a range, one under the other; None for an empty range."""
    levels = usable_levels(_levels(filters.keys() | set(by)), edges)
    touched = touched_minutes(connection, whole) if levels else []
    pieces = plan(whole, levels, touched_ranges(touched))
    if not pieces:
        return None
    selects = (_piece(piece, filters, by, edges, only=only, sketches=sketches) for piece in pieces)
    return sa.union_all(*selects).subquery("part")


def _cell(row: Any, width: int) -> Cell:
    n, n_lat, us, mx, size, sketch = row[width + 1 :]
    return Cell(row[0], tuple(row[1 : width + 1]), n, n_lat, int(us), mx, int(size), int(sketch))


def _levels(keys: set[str]) -> Sequence[Level]:
    if keys <= _TRAFFIC_KEYS:
        return TRAFFIC
    return ENDPOINT if keys <= _ENDPOINT_KEYS else ()


def _piece(
    piece: Piece,
    filters: Filters,
    by: Sequence[str],
    edges: Sequence[datetime],
    *,
    only: Sequence[tuple[str, ...]] | None,
    sketches: bool,
) -> sa.Select[Any]:
    source, moment, sums = _rows_source() if piece.level is None else _level_source(piece.level)
    columns: dict[str, sa.ColumnElement[Any]] = {name: source.c[name] for name in _KEYS if name in source.c}
    columns["status_class"] = source.c.status // 100
    columns["slot"] = _slot(moment, edges)
    keys = [columns[name].label(name) for name in ("slot", *by)]
    conditions = _conditions(source, filters)
    if only is not None:
        wanted = (sa.func.unnest(sa.cast(list(values), pg.ARRAY(sa.Text))) for values in zip(*only, strict=True))
        chosen = sa.tuple_(*(columns[name] for name in by[: len(only[0])]))
        conditions.append(chosen.in_(sa.select(*wanted)))
    return (
        sa.select(*keys, *(sums if sketches else [each for each in sums if each.name == "n"]))
        .select_from(source)
        .where(moment >= piece.range.start, moment < piece.range.end, *conditions)
        .group_by(*(sa.text(str(i + 1)) for i in range(len(keys))))
    )


def _slot(moment: sa.ColumnElement[datetime], edges: Sequence[datetime]) -> sa.ColumnElement[int]:
    if not edges:
        return sa.literal_column("0", sa.Integer)
    thresholds = sa.cast(list(edges), pg.ARRAY(sa.DateTime(timezone=True)))
    return sa.func.width_bucket(moment, thresholds, type_=sa.Integer)


def _rows_source() -> tuple[sa.TableClause, sa.ColumnElement[datetime], list[sa.ColumnElement[Any]]]:
    log = _ACCESS_LOG
    latency = log.c.latency_ms
    sums: list[sa.ColumnElement[Any]] = [
        sa.func.count().label("n"),
        sa.func.count(latency).label("n_lat"),
        sa.func.sum(sa.cast(sa.func.round(latency * 1000), sa.BigInteger)).label("us"),
        sa.func.max(latency).label("mx"),
        sa.func.sum(log.c.bytes).label("bytes"),
        sa.func.sum(sa.func.latency_sketch(latency, type_=sa.Numeric)).label("sketch"),
    ]
    return log, log.c.ts, sums


def _level_source(
    level: Level,
) -> tuple[sa.TableClause, sa.ColumnElement[datetime], list[sa.ColumnElement[Any]]]:
    keys = [sa.column(name, sa.Text) for name in ("service", "method", "route")]
    numbers = [sa.column(name, sa.Numeric) for name in ("n", "n_lat", "us", "bytes", "sketch")]
    view = sa.table(
        level.view,
        sa.column("bucket", sa.DateTime(timezone=True)),
        *(keys if level in ENDPOINT else keys[:1]),
        sa.column("status", sa.SmallInteger),
        sa.column("mx", sa.Double),
        *numbers,
    )
    sums: list[sa.ColumnElement[Any]] = [
        sa.func.sum(view.c.n).label("n"),
        sa.func.sum(view.c.n_lat).label("n_lat"),
        sa.func.sum(view.c.us).label("us"),
        sa.func.max(view.c.mx).label("mx"),
        sa.func.sum(view.c.bytes).label("bytes"),
        sa.func.sum(view.c.sketch).label("sketch"),
    ]
    return view, view.c.bucket, sums


def _conditions(source: sa.TableClause, filters: Filters) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [
        source.c[name] == value
        for name in ("service", "method", "route")
        if (value := getattr(filters, name)) is not None
    ]
    if filters.status is not None:
        conditions.append(source.c.status.between(*filters.status))
    if filters.client_ip is not None:
        conditions.append(source.c.client_ip == sa.cast(filters.client_ip, pg.INET))
    return conditions
