"""Whether data is arriving: arrivals over time by what became of them, and sources that fell silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashapp.stats.collection import Collection, collection
from dashapp.time_range import bucket_starts
from sql.arriving import Activity, ArrivedInBucket, activity, arrived_by_bucket, ledger_begin, refused_by_bucket
from sql.connection import Reading
from sql.plan import MINUTE, Range, floor

HOUR = timedelta(hours=1)
LOOK_BACK = timedelta(days=1)
MOST_SOURCES = 1_000
# A shipper with something to send sends every second; but a quiet service has pauses of its own.
SILENT_AFTER = timedelta(minutes=5)
_PATIENCE = 5
# Whoever sent in fewer minutes never was a stream: somebody tried it out.
_STEADY_MINUTES = 3
IMPORTED = "import:"


@dataclass(frozen=True, slots=True)
class ArrivalBucket:
    """One bucket of the chart. Everything is None before the first arrival ever, and while it is not over."""

    start: datetime
    stored: int | None = None
    duplicate: int | None = None
    quarantined: int | None = None
    refused: int | None = None

    @property
    def received(self) -> int | None:
        """Records of any outcome."""
        parts = (self.stored, self.duplicate, self.quarantined)
        return None if self.stored is None else sum(part or 0 for part in parts)


@dataclass(frozen=True, slots=True)
class Arriving:
    """The ledger of a range and of the last hour, its course, and how the sources of the last day sent."""

    whole: Collection
    hour: Collection
    interval_minutes: int
    buckets: list[ArrivalBucket]
    sources: list[Activity]
    began: datetime | None
    now: datetime


def arriving(
    reading: Reading, span: Range, *, minutes: int, zone: ZoneInfo, now: datetime, service: str | None = None
) -> Arriving:
    """Read all of it in one snapshot."""
    starts = bucket_starts(span, minutes, zone)
    whole = collection(reading, span, now, service=service, by_minute=False)
    began = ledger_begin(reading)
    return Arriving(
        whole,
        collection(reading, Range(now - HOUR, now), now, service=service, by_minute=False),
        minutes,
        buckets_of(
            starts,
            whole.span,
            arrived_by_bucket(reading, whole.span, starts, service=service),
            refused_by_bucket(reading, whole.span, starts),
            began,
            now,
        ),
        activity(reading, floor(now - LOOK_BACK, MINUTE), service=service, most=MOST_SOURCES),
        began,
        now,
    )


def buckets_of(
    starts: Sequence[datetime],
    span: Range,
    arrived: Sequence[ArrivedInBucket],
    refused: Mapping[int, int],
    began: datetime | None,
    now: datetime,
) -> list[ArrivalBucket]:
    """Put counts into their buckets. Minutes before the first bucket belong to it: the ledger has whole ones."""
    counts: dict[int, tuple[int, int, int]] = {}
    for part in arrived:
        before = counts.get(max(part.slot, 0), (0, 0, 0))
        now_too = (part.stored, part.duplicate, part.quarantined)
        counts[max(part.slot, 0)] = (before[0] + now_too[0], before[1] + now_too[1], before[2] + now_too[2])
    buckets = []
    for slot, start in enumerate(starts):
        end = starts[slot + 1] if slot + 1 < len(starts) else span.end
        if began is None or end <= began or end > now:
            buckets.append(ArrivalBucket(start))
        else:
            buckets.append(ArrivalBucket(start, *counts.get(slot, (0, 0, 0)), refused.get(slot, 0)))
    return buckets


def is_import(source: str) -> bool:
    """Whether a source is a file that was imported or uploaded, from which nothing more is to be expected."""
    return source.startswith(IMPORTED)


def is_silent(sent: Activity, now: datetime) -> bool:
    """Whether a source that sent steadily has sent nothing for much longer than it usually does."""
    if is_import(sent.source) or sent.minutes < _STEADY_MINUTES:
        return False
    usual = (sent.last_arrival - sent.first_arrival) / (sent.minutes - 1)
    return now - sent.last_arrival > max(SILENT_AFTER, _PATIENCE * usual)


def silent_sources(sources: Sequence[Activity], now: datetime) -> list[Activity]:
    """Those that fell silent, the latest first."""
    return sorted((each for each in sources if is_silent(each, now)), key=lambda each: each.last_arrival, reverse=True)


def live_sources(sources: Sequence[Activity], now: datetime) -> list[Activity]:
    """Those that sent a short while ago, files apart, the latest first."""
    recent = [each for each in sources if not is_import(each.source) and now - each.last_arrival <= SILENT_AFTER]
    return sorted(recent, key=lambda each: each.last_arrival, reverse=True)
