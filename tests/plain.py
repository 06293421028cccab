"""The figures as a plain calculation over rows, and random rows to calculate them over."""

from __future__ import annotations

import math
import random
import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from sql.batch import LogRow
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.reading import CLASSES, breakdown
from sql.sketch import FIELD_DIGITS, SLOTS, Sketch
from tests.rows import micros, moment

KEYS = ("service", "method", "route", "path", "status", "client_ip")
# n, classes, n_lat, us, mx, bytes, sketch: as a cell has them.
Sums = tuple[int, tuple[int, ...], int, int, float | None, int, int]


def slot_of(latency_ms: float) -> int:
    low, high = -2.302585092994046, 13.310267242
    position = math.log(latency_ms + 1e-9)
    return 0 if position < low else SLOTS + 1 if position >= high else int((position - low) / (high - low) * SLOTS) + 1


def matches(row: LogRow, filters: Filters) -> bool:
    names = ("service", "method", "route", "client_ip")
    wanted = {name: value for name in names if (value := getattr(filters, name)) is not None}
    low, high = filters.status or (0, 999)
    return (
        low <= row.status <= high
        and all(getattr(row, name) == value for name, value in wanted.items())
        and (filters.path_text or "").lower() in row.path.lower()
        and re.search(filters.path_regex or "", row.path) is not None
        and (filters.latency_ms is None or in_range(row.latency_ms, *filters.latency_ms))
    )


def in_range(latency: float | None, least: float | None, limit: float | None) -> bool:
    return latency is not None and (least is None or latency >= least) and (limit is None or latency < limit)


def plain_breakdown(
    rows: Sequence[LogRow], whole: Range, filters: Filters, by: Sequence[str], edges: Sequence[datetime]
) -> dict[tuple[Any, ...], Sums]:
    groups: dict[tuple[Any, ...], list[LogRow]] = {}
    for row in rows:
        if whole.start <= moment(row.ts) < whole.end and matches(row, filters):
            key = (bisect_right(edges, moment(row.ts)), *(getattr(row, name) for name in by))
            groups.setdefault(key, []).append(row)
    return {key: sums_of(group) for key, group in groups.items()}


def sums_of(rows: Sequence[LogRow]) -> Sums:
    latencies = [row.latency_ms for row in rows if row.latency_ms is not None]
    return (
        len(rows),
        tuple(sum(low <= row.status < limit for row in rows) for low, limit in CLASSES),
        len(latencies),
        sum(round(latency * 1000) for latency in latencies),
        max(latencies, default=None),
        sum(row.bytes or 0 for row in rows),
        sum(int(10 ** (FIELD_DIGITS * slot_of(latency))) for latency in latencies),
    )


def stored_breakdown(
    reading: Reading, whole: Range, filters: Filters, by: Sequence[str], edges: Sequence[datetime]
) -> dict[tuple[Any, ...], Sums]:
    cells = breakdown(reading, whole, filters, by, edges=edges)
    found: dict[tuple[Any, ...], Sums] = {
        (cell.slot, *(None if key is None else plain(key) for key in cell.keys)): (
            cell.n,
            cell.classes,
            cell.n_lat,
            cell.us,
            cell.mx,
            cell.bytes,
            number_of(cell.sketch),
        )
        for cell in cells
    }
    assert len(found) == len(cells), "a group came twice"
    return found


def number_of(sketch: Sketch | None) -> int:
    """A sketch as the one number that it is in the database."""
    if sketch is None:
        return 0
    return sum(int(sketch[slot]) * 10 ** (FIELD_DIGITS * int(slot)) for slot in np.flatnonzero(sketch))


def sketch_of(number: int) -> Sketch:
    """The reverse, digit by digit."""
    fields = str(number).zfill(FIELD_DIGITS * (SLOTS + 2))
    starts = range(len(fields) - FIELD_DIGITS, -1, -FIELD_DIGITS)
    return np.array([int(fields[at : at + FIELD_DIGITS]) for at in starts], dtype=np.int64)


def plain(key: Any) -> Any:
    return key if isinstance(key, int | str) else str(key)


def drawn_rows(draw: random.Random, number: int, first: datetime, span: timedelta) -> list[LogRow]:
    """Rows of several services, with and without a latency, some in the same microsecond, some on an edge."""
    rows = []
    for _ in range(number):
        ts = first + timedelta(seconds=draw.uniform(0, span.total_seconds()))
        if draw.random() < 0.2:
            ts = ts.replace(second=0, microsecond=0)
        item = draw.randrange(40)
        latency = draw.choice([None, 0.0, 0.0005, 0.0015, draw.lognormvariate(4, 2), draw.uniform(0, 1e6)])
        rows.append(
            LogRow(
                micros(ts),
                f"exact-{draw.choice('abc')}",
                draw.choice(["GET", "GET", "POST"]),
                f"/shop/item/{item}" if item < 20 else f"/page{item}",
                "/shop/item/{id}" if item < 20 else f"/page{item}",
                draw.choice([200, 200, 200, 201, 101, 304, 404, 404, 429, 500, 503, 799]),
                latency,
                draw.choice([None, 0, draw.randrange(10**9)]),
                draw.choice([None, "10.0.0.1", "10.0.0.2", "2001:db8::1"]),
                *[None] * 4,
            )
        )
    return rows
