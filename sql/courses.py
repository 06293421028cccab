"""The course of the requests of some groups: their number in each bucket of a chart, and nothing else of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.reading import READ, parts_of


def courses(
    reading: Reading,
    whole: Range,
    filters: Filters,
    by: Sequence[str],
    *,
    edges: Sequence[datetime],
    only: Sequence[tuple[str, ...]],
) -> dict[tuple[Any, ...], dict[int, int]]:
    """Requests by bucket of each of the groups `only`; a bucket that is not named has none.

    A group comes as one row, however many buckets there are.
    """
    parts = parts_of(reading, whole, filters, by, edges, columns=("n", READ), only=only) if only else None
    if parts is None:
        return {}
    keys = [parts.c[name] for name in by]
    sums = (
        sa.select(
            *keys,
            parts.c.slot,
            sa.cast(sa.func.sum(parts.c.n), sa.BigInteger).label("n"),
            sa.cast(sa.func.sum(parts.c[READ]), sa.BigInteger).label(READ),
        )
        .group_by(*keys, parts.c.slot)
        .subquery("sums")
    )
    lists = (
        sa.func.array_agg(column, type_=pg.ARRAY(sa.BigInteger)) for column in (sums.c.slot, sums.c.n, sums.c[READ])
    )
    names = [sums.c[name] for name in by]
    found = {}
    for *key, slots, counts, read in reading.execute(sa.select(*names, *lists).group_by(*names)).all():
        reading.count_rows(sum(read))
        found[tuple(key)] = dict(zip(slots, counts, strict=True))
    return found
