"""What an hour of the week had on average, and which were busiest. Pure.

A range holds some hours of the week more often than others, and cuts its first and last: totals alone
would call a Tuesday busy because there were five of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashapp.stats.patterns import WeekHour
from dashapp.time_range import bucket_starts
from sql.plan import MINUTE, Range, floor

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class HourRate:
    """One hour of the week: its total, the time of the range that lies in it, and the mean per hour."""

    weekday: int
    hour: int
    total: int | None
    covered: timedelta

    @property
    def mean(self) -> float | None:
        """Requests per hour; None where the range has no such known hour.

        Less than half an hour counts as half an hour: a few busy minutes are no busy hour.
        """
        if self.total is None or not self.covered:
            return None
        return self.total * (HOUR / max(self.covered, HOUR / 2))


def hour_rates(cells: Sequence[WeekHour], known: Range | None, zone: ZoneInfo) -> list[HourRate]:
    """Add to each cell how much of the known range lies in it."""
    covered: dict[tuple[int, int], timedelta] = {}
    if known is not None and known.start < known.end:
        starts = bucket_starts(known, 60, zone)
        for start, end in zip(starts, [*starts[1:], known.end], strict=True):
            local = start.astimezone(zone)
            place = (local.weekday(), local.hour)
            covered[place] = covered.get(place, timedelta()) + (end - max(start, known.start))
    return [
        HourRate(cell.weekday, cell.hour, cell.total, covered.get((cell.weekday, cell.hour), timedelta()))
        for cell in cells
    ]


def known_part(whole: Range, span: Range | None, complete: datetime) -> Range | None:
    """Part of a range for which numbers can be known: from the first stored request to what is final."""
    if span is None:
        return None
    start, end = max(whole.start, floor(span.start, MINUTE)), min(whole.end, complete)
    return Range(start, end) if start < end else None


def extremes(rates: Sequence[HourRate]) -> tuple[HourRate, HourRate] | None:
    """Busiest and quietest hour of those that the range holds for half an hour or more; None below two."""
    held = [rate for rate in rates if rate.mean is not None and rate.covered >= HOUR / 2]
    if len(held) < 2:
        return None
    ordered = sorted(held, key=lambda rate: (rate.mean or 0, -rate.weekday, -rate.hour))
    return ordered[-1], ordered[0]
