"""Requests by hour of day and weekday of the viewer."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from dashapp.stats.tally import Tally
from dashapp.time_range import HOUR, local_hours
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import MINUTE, Range, floor
from sql.reading import Cell, breakdown
from sql.span import data_span
from sql.watching import spans_with_data

HOURS = 24
WEEKDAYS = 7
# Less of an hour than this says nothing about it.
SHORTEST = HOUR / 2
Place = tuple[int, int]  # weekday, hour


@dataclass(frozen=True, slots=True)
class WeekHour:
    """One hour of the week (weekday 0 is Monday) over all its occurrences in a range.

    Total and errors are None where the range has no such known hour. `covered` is the time of the range
    that lies in it: a range holds some hours of the week more often than others and cuts its first and
    last, so totals alone would call a Tuesday busy because there were five of them. `latest` is its last occurrence.
    """

    weekday: int
    hour: int
    total: int | None
    errors: int | None
    mean_ms: float | None
    covered: timedelta
    timed: int = 0
    p95_ms: float | None = None
    latest: Range | None = None

    @property
    def mean(self) -> float | None:
        """Requests per hour; None where the range has no such known hour.

        Less than half an hour counts as half an hour: a few busy minutes are no busy hour.
        """
        if self.total is None or not self.covered:
            return None
        return self.total * (HOUR / max(self.covered, SHORTEST))

    @property
    def error_rate(self) -> float | None:
        """Errors by requests, 0 to 1; None without requests."""
        return (self.errors or 0) / self.total if self.total else None

    @property
    def is_held(self) -> bool:
        """Tell whether the range holds enough of it to compare it with others."""
        return self.total is not None and self.covered >= SHORTEST


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of the viewer's clock, or what of it lies in the range, and its requests."""

    start: datetime
    end: datetime
    tally: Tally

    @property
    def is_whole(self) -> bool:
        """Tell whether no part of it is missing."""
        return self.end - self.start >= HOUR


def read_hours(reading: Reading, whole: Range, filters: Filters, *, zone: ZoneInfo, complete: datetime) -> list[Hour]:
    """Read the known hours of a range, in order of time; once in a snapshot."""
    return reading.once(("hours", whole, filters, zone), lambda: _read_hours(reading, whole, filters, zone, complete))


def _read_hours(reading: Reading, whole: Range, filters: Filters, zone: ZoneInfo, complete: datetime) -> list[Hour]:
    span = data_span(reading, filters.service)
    known = Range(max(whole.start, floor(span.start, MINUTE)), min(whole.end, complete)) if span else None
    if known is None or known.start >= known.end:
        return []
    starts = local_hours(known, zone)
    hours = [Hour(start, end, Tally()) for start, end in zip(starts, [*starts[1:], known.end], strict=True)]
    for hour, cell in by_hour(reading, known, filters, starts):
        hours[hour].tally.add(cell)
    return hours


def by_hour(
    reading: Reading, whole: Range, filters: Filters, starts: Sequence[datetime], *, sketches: bool = True
) -> Iterator[tuple[int, Cell]]:
    """Sums of the hours of a range that begin at `starts`, the first of which is its own start; with each its index.

    Only hours in which something is stored are asked for: one row of a clock that stood at 1970 makes a range of
    half a million hours.
    """
    bounds = [*starts, whole.end]
    asked: set[int] = set()
    for span in spans_with_data(reading, whole):
        asked.update(range(bisect_right(bounds, span.start) - 1, min(bisect_left(bounds, span.end), len(starts))))
    asked.discard(-1)
    cuts = sorted({cut for hour in asked for cut in (hour, hour + 1)} - {0, len(starts)})
    slots = [0, *cuts]
    for cell in breakdown(reading, whole, filters, edges=[bounds[cut] for cut in cuts], sketches=sketches):
        yield slots[cell.slot], cell


def week_of(hours: Sequence[Hour], zone: ZoneInfo) -> list[WeekHour]:
    """Sum hours to 7 x 24 cells, Monday 00:00 first, in the viewer's zone. Pure."""
    places: dict[Place, list[Hour]] = {}
    for hour in hours:
        local = hour.start.astimezone(zone)
        places.setdefault((local.weekday(), local.hour), []).append(hour)
    return [_week_hour(place, places.get(place, [])) for place in product(range(WEEKDAYS), range(HOURS))]


def extremes(hours: Sequence[WeekHour]) -> tuple[WeekHour, WeekHour] | None:
    """Busiest and quietest hour of those that the range holds for half an hour or more; None below two."""
    held = [hour for hour in hours if hour.is_held]
    if len(held) < 2:
        return None
    ordered = sorted(held, key=lambda hour: (hour.mean or 0, -hour.weekday, -hour.hour))
    return ordered[-1], ordered[0]


def ranked_hours(hours: Sequence[Hour], most: int) -> tuple[list[Hour], list[Hour]]:
    """The whole hours with the most and with the fewest requests; none is in both lists."""
    ordered = sorted((hour for hour in hours if hour.is_whole), key=lambda hour: (-hour.tally.n, hour.start))
    most = min(most, len(ordered) // 2)
    return ordered[:most], ordered[len(ordered) - most :][::-1]


def _week_hour(place: Place, hours: Sequence[Hour]) -> WeekHour:
    if not hours:
        return WeekHour(*place, None, None, None, timedelta())
    tally = Tally()
    for hour in hours:
        tally.merge(hour.tally)
    covered = sum((hour.end - hour.start for hour in hours), timedelta())
    latest = Range(hours[-1].start, hours[-1].end)
    p95 = tally.latency().p95
    return WeekHour(*place, tally.n, tally.errors, tally.mean_ms, covered, tally.n_lat, p95, latest)
