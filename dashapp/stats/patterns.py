"""Requests by hour of day and weekday of the viewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from dashapp.stats.tally import Tally
from dashapp.time_range import bucket_starts
from sql.plan import Range
from sql.reading import Filters, breakdown, data_span

HOURS = 24
WEEKDAYS = 7


@dataclass(frozen=True, slots=True)
class WeekHour:
    """Sums of one hour of the week (weekday 0 is Monday); None where the range has no such known hour."""

    weekday: int
    hour: int
    total: int | None
    errors: int | None
    mean_ms: float | None


def week_hours(
    connection: sa.Connection, whole: Range, filters: Filters, *, zone: ZoneInfo, complete: datetime
) -> list[WeekHour]:
    """Read 7 x 24 cells, Monday 00:00 first, in the viewer's zone."""
    span = data_span(connection)
    known = Range(max(whole.start, span.start), min(whole.end, complete)) if span else Range(complete, complete)
    tallies: dict[tuple[int, int], Tally] = {}
    if known.start < known.end:
        starts = bucket_starts(known, 60, zone)
        places = [(local.weekday(), local.hour) for local in (start.astimezone(zone) for start in starts)]
        for place in places:
            tallies.setdefault(place, Tally())
        for cell in breakdown(connection, known, filters, ["status_class"], edges=starts[1:]):
            tallies[places[cell.slot]].add(cell, cell.keys[0])
    return [_week_hour(day, hour, tallies.get((day, hour))) for day in range(WEEKDAYS) for hour in range(HOURS)]


def _week_hour(weekday: int, hour: int, tally: Tally | None) -> WeekHour:
    if tally is None:
        return WeekHour(weekday, hour, None, None, None)
    return WeekHour(weekday, hour, tally.n, tally.errors, tally.mean_ms)
