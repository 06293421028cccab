"""Requests, errors and latency per chart bucket."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from dashapp.comparison import Comparison
from dashapp.stats.tally import Latency, Tally, named_classes
from dashapp.time_range import DAY_MINUTES, bucket_starts
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import MINUTE, Range, floor
from sql.reading import Cell, breakdown
from sql.sketch import Sketch
from sql.span import data_span


@dataclass(frozen=True, slots=True)
class TrafficBucket:
    """One bucket. Everything is None where nothing can be known (yet); 0 requests is a real zero.

    `classes` counts requests by status class, "2xx" to "5xx" ("1xx" too where there are any); `sketch` holds
    their latencies, None where there are none or percentiles were not read.
    """

    start: datetime
    total: int | None = None
    errors: int | None = None
    classes: dict[str, int] = field(default_factory=dict)
    latency: Latency = field(default_factory=Latency)
    sketch: Sketch | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Every bucket that overlaps the range, in order of time."""

    interval_minutes: int
    buckets: list[TrafficBucket]


def traffic(
    reading: Reading,
    whole: Range,
    filters: Filters,
    *,
    minutes: int,
    zone: ZoneInfo,
    complete: datetime,
    percentiles: bool = True,
) -> Traffic:
    """Read the series of a range in buckets of `minutes`, aligned to midnight in `zone`.

    A bucket is known if the range's part of it ends by `complete` and does not lie before the
    first stored request of the service. Without `percentiles` it is read faster.
    """
    starts = bucket_starts(whole, minutes, zone)
    cells = breakdown(reading, whole, filters, edges=starts[1:], sketches=percentiles)
    return Traffic(minutes, _buckets(starts, [*starts[1:], whole.end], cells, _known_from(reading, filters), complete))


def traffic_there(
    reading: Reading,
    whole: Range,
    filters: Filters,
    comparison: Comparison,
    *,
    minutes: int,
    zone: ZoneInfo,
    complete: datetime,
) -> Traffic:
    """Read the series of the comparison in buckets that belong one by one to those of `traffic`.

    Where a change of the clock makes a bucket longer or shorter than its counterpart, it is unknown.
    """
    starts = bucket_starts(whole, minutes, zone)
    edges = comparison.edges(starts, whole.end)
    there = Range(comparison.there(whole.start), edges[-1])
    if there.start >= there.end:
        return Traffic(minutes, [TrafficBucket(edge) for edge in edges[:-1]])
    cells = breakdown(reading, there, filters, edges=edges[1:-1])
    buckets = _buckets(edges[:-1], edges[1:], cells, _known_from(reading, filters), complete)
    if minutes % DAY_MINUTES:
        ends = [*starts[1:], whole.end]
        lengths = zip(edges, edges[1:], starts, ends, buckets, strict=False)
        buckets = [
            bucket if there_end - there_start == end - start else TrafficBucket(there_start)
            for there_start, there_end, start, end, bucket in lengths
        ]
    return Traffic(minutes, buckets)


def known_buckets(
    reading: Reading, filters: Filters, starts: list[datetime], end: datetime, complete: datetime
) -> list[bool]:
    """Tell of each bucket whether it is known, as `traffic` does."""
    first = _known_from(reading, filters)
    return [_is_known(each, first, complete) for each in [*starts[1:], end]]


def _is_known(end: datetime, known_from: datetime | None, complete: datetime) -> bool:
    return known_from is not None and known_from < end <= complete


def _known_from(reading: Reading, filters: Filters) -> datetime | None:
    span = data_span(reading, filters.service)
    return floor(span.start, MINUTE) if span else None


def _buckets(
    starts: list[datetime], ends: list[datetime], cells: list[Cell], known_from: datetime | None, complete: datetime
) -> list[TrafficBucket]:
    by_slot = {cell.slot: cell for cell in cells}
    buckets = []
    for slot, (start, end) in enumerate(zip(starts, ends, strict=True)):
        known = _is_known(end, known_from, complete)
        buckets.append(_bucket(start, by_slot.get(slot)) if known else TrafficBucket(start))
    return buckets


def _bucket(start: datetime, cell: Cell | None) -> TrafficBucket:
    tally = Tally()
    if cell is not None:
        tally.add(cell)
    classes = named_classes([] if cell is None else [cell.classes])
    return TrafficBucket(start, tally.n, tally.errors, classes, tally.latency(), tally.sketch)
