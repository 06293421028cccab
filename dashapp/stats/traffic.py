"""Requests, errors and latency per chart bucket."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from dashapp.stats.tally import Latency, Tally
from dashapp.time_range import bucket_starts
from sql.plan import MINUTE, Range, floor
from sql.reading import Cell, Filters, breakdown, data_span

CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


@dataclass(frozen=True, slots=True)
class TrafficBucket:
    """One bucket. Everything is None where nothing can be known (yet); 0 requests is a real zero.

    `classes` counts requests by status class, "2xx" to "5xx" ("1xx" too where there are any).
    """

    start: datetime
    total: int | None = None
    errors: int | None = None
    classes: dict[str, int] = field(default_factory=dict)
    latency: Latency = field(default_factory=Latency)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Every bucket that overlaps the range, in order of time."""

    interval_minutes: int
    buckets: list[TrafficBucket]


def traffic(
    connection: sa.Connection, whole: Range, filters: Filters, *, minutes: int, zone: ZoneInfo, complete: datetime
) -> Traffic:
    """Read the series of a range in buckets of `minutes`, aligned to midnight in `zone`.

    A bucket is known if the range's part of it ends by `complete` and does not lie before the
    first stored request of the service.
    """
    starts = bucket_starts(whole, minutes, zone)
    cells = breakdown(connection, whole, filters, ["status_class"], edges=starts[1:])
    span = data_span(connection, filters.service)
    known_from = floor(span.start, MINUTE) if span else None
    ends = [*starts[1:], whole.end]
    return Traffic(minutes, _buckets(starts, ends, cells, known_from, complete))


def status_class_name(status_class: int) -> str:
    """Name of a class: 4 -> "4xx". Codes of 600 and above count as server errors, as in every total."""
    return f"{min(status_class, 5)}xx"


def _buckets(
    starts: list[datetime], ends: list[datetime], cells: list[Cell], known_from: datetime | None, complete: datetime
) -> list[TrafficBucket]:
    by_slot: dict[int, list[Cell]] = {}
    for cell in cells:
        by_slot.setdefault(cell.slot, []).append(cell)
    buckets = []
    for slot, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if known_from is None or end <= known_from or end > complete:
            buckets.append(TrafficBucket(start))
        else:
            buckets.append(_bucket(start, by_slot.get(slot, [])))
    return buckets


def _bucket(start: datetime, cells: list[Cell]) -> TrafficBucket:
    tally = Tally()
    classes = dict.fromkeys(CLASSES[1:], 0)
    for cell in cells:
        tally.add(cell, cell.keys[0])
        name = status_class_name(cell.keys[0])
        classes[name] = classes.get(name, 0) + cell.n
    return TrafficBucket(start, tally.n, tally.errors, classes, tally.latency())
