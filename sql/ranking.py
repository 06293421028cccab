"""The groups with the most requests, without more of the others than their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.reading import READ, Cell, cell_of, columns_of, parts_of, sums_of


@dataclass(frozen=True, slots=True)
class TopGroups:
    """The groups with the most requests, how many groups there are, and the requests of all of them."""

    groups: list[tuple[Any, ...]]
    found: int
    n: int


@dataclass(frozen=True, slots=True)
class TopCells:
    """The same with all sums of the groups."""

    cells: list[Cell]
    found: int
    n: int


def top_groups(reading: Reading, whole: Range, filters: Filters, by: Sequence[str], most: int) -> TopGroups:
    """Rank groups by their requests, without reading anything else of them.

    A breakdown by path may have as many groups as there are requests; this bounds what is read of it.
    """
    parts = parts_of(reading, whole, filters, by, (), columns=("n", READ))
    if parts is None:
        return TopGroups([], 0, 0)
    rows = reading.execute(_ranked(parts, by, [], most)).all()
    return TopGroups([tuple(row[: len(by)]) for row in rows], *_of_all(reading, rows))


def top_cells(reading: Reading, whole: Range, filters: Filters, by: Sequence[str], most: int) -> TopCells:
    """Rank groups by their requests, with their sums and sketches: for groups of which there are not very many."""
    parts = parts_of(reading, whole, filters, by, (), columns=columns_of(sketches=True))
    if parts is None:
        return TopCells([], 0, 0)
    rows = reading.execute(_ranked(parts, by, sums_of(parts, sketches=True), most)).all()
    cells = [cell_of(0, row[: len(by)], row[len(by) : -_OF_ALL])[1] for row in rows]
    return TopCells(cells, *_of_all(reading, rows))


_OF_ALL = 3


def _ranked(
    parts: sa.Subquery, by: Sequence[str], sums: Sequence[sa.ColumnElement[Any]], most: int
) -> sa.Select[tuple[Any, ...]]:
    """Groups with the most requests first; at the end of each row what there is of all."""
    keys = [parts.c[name] for name in by]
    n = sa.func.sum(parts.c.n)
    of_all = (sa.func.count().over(), sa.func.sum(n).over(), sa.func.sum(sa.func.sum(parts.c[READ])).over())
    return (
        sa.select(*keys, *sums, *(sa.cast(each, sa.BigInteger) for each in of_all))
        .group_by(*keys)
        .order_by(n.desc(), *keys)
        .limit(most)
    )


def _of_all(reading: Reading, rows: Sequence[sa.Row[Any]]) -> tuple[int, int]:
    """How many groups there are, and their requests."""
    if not rows:
        return 0, 0
    found, requests, read = rows[0][-_OF_ALL:]
    reading.count_rows(read)
    return found, requests
