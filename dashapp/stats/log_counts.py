"""How many rows a search matches: all of them, by status class, and over time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from dashapp.stats.tally import named_classes
from dashapp.stats.traffic import Traffic, TrafficBucket, traffic
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.reading import CLASSES

_NAMES = [f"{n}xx" for n in range(1, len(CLASSES) + 1)]


@dataclass(frozen=True, slots=True)
class LogCounts:
    """Requests that match, exactly. Buckets in which none can be known are None, also in `lost`."""

    total: int
    classes: dict[str, int]
    traffic: Traffic
    lost: tuple[Range, ...] = ()


def log_counts(
    reading: Reading, whole: Range, filters: Filters, *, minutes: int, zone: ZoneInfo, complete: datetime
) -> LogCounts:
    """Count what matches. Unlike a chart of traffic this shows what has come of minutes that are not final."""
    series = traffic(reading, whole, filters, minutes=minutes, zone=zone, complete=whole.end, percentiles=False)
    lost = tuple(sorted(reading.lost, key=lambda span: span.start))
    counts = [tuple(bucket.classes.get(name, 0) for name in _NAMES) for bucket in series.buckets]
    return LogCounts(
        total=sum(bucket.total or 0 for bucket in series.buckets),
        classes=named_classes(counts),
        traffic=replace(series, buckets=so_far(series.buckets, whole, complete, lost)),
        lost=lost,
    )


def so_far(
    buckets: list[TrafficBucket], whole: Range, complete: datetime, lost: Iterable[Range] = ()
) -> list[TrafficBucket]:
    """Take the zeros away that are not final, or that stand where rows are no longer kept. Pure."""
    gone = list(lost)
    ends = [*(bucket.start for bucket in buckets[1:]), whole.end]
    return [
        TrafficBucket(bucket.start)
        if not bucket.total and (end > complete or _overlap(bucket.start, end, gone))
        else bucket
        for bucket, end in zip(buckets, ends, strict=True)
    ]


def _overlap(start: datetime, end: datetime, spans: list[Range]) -> bool:
    return any(span.start < end and start < span.end for span in spans)
