"""Requests by hour of day and weekday of the viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from dashapp.stats.tally import Tally
from dashapp.time_range import HOUR, local_hours
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import MINUTE, Range, floor
from sql.reading import breakdown
from sql.span import data_span

HOURS = 24
WEEKDAYS = 7
Place = tuple[int, int]  # weekday, hour


@dataclass(frozen=True, slots=True)
class WeekHour:
    """One hour of the week (weekday 0 is Monday) over all its occurrences in a range.

    Total and errors are None where the range has no such known hour. `covered` is the time of the range
    that lies in it: a range holds some hours of the week more often than others and cuts its first and
    last, so totals alone would call a Tuesday busy because there were five of them.
    """

    weekday: int
    hour: int
    total: int | None
    errors: int | None
    mean_ms: float | None
    covered: timedelta

    @property
    def mean(self) -> float | None:
        """Requests per hour; None where the range has no such known hour.

        Less than half an hour counts as half an hour: a few busy minutes are no busy hour.
        """
        if self.total is None or not self.covered:
            return None
        return self.total * (HOUR / max(self.covered, HOUR / 2))


def week_hours(
    reading: Reading, whole: Range, filters: Filters, *, zone: ZoneInfo, complete: datetime
) -> list[WeekHour]:
    """Read 7 x 24 cells, Monday 00:00 first, in the viewer's zone."""
    span = data_span(reading, filters.service)
    known = Range(max(whole.start, floor(span.start, MINUTE)), min(whole.end, complete)) if span else None
    tallies: dict[Place, Tally] = {}
    covered: dict[Place, timedelta] = {}
    if known is not None and known.start < known.end:
        starts = local_hours(known, zone)
        places = [(local.weekday(), local.hour) for local in (start.astimezone(zone) for start in starts)]
        for place, start, end in zip(places, starts, [*starts[1:], known.end], strict=True):
            tallies.setdefault(place, Tally())
            covered[place] = covered.get(place, timedelta()) + (end - start)
        for cell in breakdown(reading, known, filters, edges=starts[1:], sketches=False):
            tallies[places[cell.slot]].add(cell)
    return [
        _week_hour(place, tallies.get(place), covered.get(place, timedelta()))
        for place in product(range(WEEKDAYS), range(HOURS))
    ]


def extremes(hours: Sequence[WeekHour]) -> tuple[WeekHour, WeekHour] | None:
    """Busiest and quietest hour of those that the range holds for half an hour or more; None below two."""
    held = [hour for hour in hours if hour.mean is not None and hour.covered >= HOUR / 2]
    if len(held) < 2:
        return None
    ordered = sorted(held, key=lambda hour: (hour.mean or 0, -hour.weekday, -hour.hour))
    return ordered[-1], ordered[0]


def _week_hour(place: Place, tally: Tally | None, covered: timedelta) -> WeekHour:
    if tally is None:
        return WeekHour(*place, None, None, None, covered)
    return WeekHour(*place, tally.n, tally.errors, tally.mean_ms, covered)
