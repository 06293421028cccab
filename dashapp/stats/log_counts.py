"""How many rows a search matches: all of them, and by status class over time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from dashapp.stats.traffic import Traffic, TrafficBucket, traffic
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range


@dataclass(frozen=True, slots=True)
class LogCounts:
    """Requests that match, exactly. Buckets in which none can be known are None."""

    total: int
    traffic: Traffic


def log_counts(
    reading: Reading, whole: Range, filters: Filters, *, minutes: int, zone: ZoneInfo, complete: datetime
) -> LogCounts:
    """Count what matches. Unlike a chart of traffic this shows what has come of minutes that are not final."""
    series = traffic(reading, whole, filters, minutes=minutes, zone=zone, complete=whole.end, percentiles=False)
    return LogCounts(
        total=sum(bucket.total or 0 for bucket in series.buckets),
        traffic=replace(series, buckets=so_far(series.buckets, whole, complete, reading.lost)),
    )


def so_far(
    buckets: list[TrafficBucket], whole: Range, complete: datetime, lost: Collection[Range] = ()
) -> list[TrafficBucket]:
    """Take the zeros away that are not final, or that stand where rows are no longer kept. Pure."""
    ends = [*(bucket.start for bucket in buckets[1:]), whole.end]
    return [
        TrafficBucket(bucket.start)
        if not bucket.total and (end > complete or _overlap(bucket.start, end, lost))
        else bucket
        for bucket, end in zip(buckets, ends, strict=True)
    ]


def _overlap(start: datetime, end: datetime, spans: Collection[Range]) -> bool:
    return any(span.start < end and start < span.end for span in spans)
