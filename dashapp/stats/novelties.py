"""Which endpoints, status codes and kinds of client appeared in a range or vanished from it, read with its history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np

from dashapp.insight.agents import client_type
from dashapp.insight.novelty import FEWEST_HOURS, PARTS, Course, Novelty, novelties
from dashapp.stats.changes import MOST_DRAWN
from dashapp.stats.endpoint_common import slices_of
from dashapp.time_range import HOUR
from sql.connection import Reading
from sql.courses import courses
from sql.filters import Filters
from sql.plan import MINUTE, Range, ceil, floor
from sql.reading import breakdown
from sql.sample import sample
from sql.span import data_span

NovelField = Literal["endpoint", "status", "client_type"]
Value = tuple[Any, ...]
# At least so much of the time before is looked at, and more only for ranges that are longer themselves.
HISTORY, LONGEST_HISTORY = timedelta(days=14), timedelta(days=62)
# Names that may be new, or gone, whose course is read: those with the most requests.
MOST_COURSES = 60
_BY: tuple[tuple[NovelField, tuple[str, ...]], ...] = (("endpoint", ("method", "route")), ("status", ("status",)))
_LONG = timedelta(hours=PARTS)


@dataclass(frozen=True, slots=True)
class Novel:
    """Something that is new or gone: of an endpoint method and route, of a status or a kind of client one value."""

    field: NovelField
    value: Value
    found: Novelty[Value]


@dataclass(frozen=True, slots=True)
class Novelties:
    """What is new and what is gone, the most requests first.

    Attributes:
        found: what appeared or vanished.
        history: the time that the range was compared with; None where there is none.
        n: requests of the range.
        drawn: whether kinds of client were told by requests that were drawn, not by all.
    """

    found: list[Novel]
    history: Range | None
    n: int
    drawn: bool

    @property
    def is_enough(self) -> bool:
        """Whether the history is long enough to miss anything."""
        return self.history is not None and self.history.end - self.history.start >= FEWEST_HOURS * HOUR


@dataclass(frozen=True, slots=True)
class _Spans:
    """The range as far as it is final, the whole hours of history before it, and the parts of the range."""

    window: Range
    history: Range
    edges: tuple[datetime, ...]
    zone: ZoneInfo

    @property
    def hours(self) -> int:
        return (self.history.end - self.history.start) // HOUR

    def search(self, all_: dict[Value, Course]) -> list[Novelty[Value]]:
        """What is new or gone."""
        return novelties(
            all_,
            window_hours=(self.window.end - self.window.start) / HOUR,
            first_hour=self.history.start.astimezone(self.zone).hour,
            starts_at=self.window.start.astimezone(self.zone).hour,
        )


def read_novelties(
    reading: Reading, whole: Range, filters: Filters, *, zone: ZoneInfo, complete: datetime
) -> Novelties:
    """Compare what is final of a range with the weeks before it."""
    spans = _spans(reading, whole, filters, zone, complete)
    if spans is None:
        return Novelties([], None, 0, drawn=False)
    found: list[Novel] = []
    n = 0
    for name, by in _BY:
        counted = _counted(reading, spans, filters, by)
        n = sum(course.now for course in counted.values())
        found += [Novel(name, each.name, each) for each in spans.search(counted)]
    kinds, drawn = _client_types(reading, spans, filters, n)
    found += [Novel("client_type", each.name, each) for each in spans.search(kinds)]
    found.sort(key=lambda each: (-each.found.n, each.field, str(each.value)))
    return Novelties(found, spans.history, n, drawn=drawn)


def _spans(reading: Reading, whole: Range, filters: Filters, zone: ZoneInfo, complete: datetime) -> _Spans | None:
    stored = data_span(reading, filters.service)
    window = Range(whole.start, min(whole.end, complete))
    if stored is None or window.start >= window.end:
        return None
    length = min(max(HISTORY, window.end - window.start), LONGEST_HISTORY)
    # Whole hours, which the aggregates have; what lies between them and the range is only asked for names.
    end = floor(window.start, HOUR)
    history = Range(max(end - length, ceil(stored.start, HOUR)), end)
    if history.start >= history.end:
        return None
    step = HOUR if window.end - window.start >= _LONG else MINUTE
    cuts = (floor(window.start + (window.end - window.start) * i / PARTS, step) for i in range(1, PARTS))
    return _Spans(window, history, tuple(sorted({cut for cut in cuts if window.start < cut < window.end})), zone)


def _counted(reading: Reading, spans: _Spans, filters: Filters, by: tuple[str, ...]) -> dict[Value, Course]:
    """Courses of all names; in full only of those that may be new or gone."""
    now, before = (
        {cell.keys: cell.n for cell in breakdown(reading, span, filters, by, sketches=False)}
        for span in (spans.window, Range(spans.history.start, spans.window.start))
    )
    new = _largest({key: n for key, n in now.items() if key not in before})
    gone = _largest({key: n for key, n in before.items() if key not in now})
    parts = courses(reading, spans.window, filters, by, edges=spans.edges, only=new)
    cuts = [spans.history.start + i * HOUR for i in range(1, spans.hours)]
    past = courses(reading, spans.history, filters, by, edges=cuts, only=gone)
    silent = np.zeros(spans.hours, np.int64)
    known = {key: Course(n, 0, np.append(silent[1:], before.get(key, 0))) for key, n in now.items()}
    known |= {key: Course(now[key], len(parts.get(key, ())), silent) for key in new}
    known |= {key: Course(0, 0, _hours(past.get(key, {}), spans.hours)) for key in gone}
    return known


def _largest(names: dict[Value, int]) -> list[Value]:
    return sorted(names, key=lambda key: (-names[key], str(key)))[:MOST_COURSES]


def _hours(slots: dict[int, int], hours: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    counts = np.zeros(hours, np.int64)
    for slot, n in slots.items():
        counts[slot] = n
    return counts


def _client_types(reading: Reading, spans: _Spans, filters: Filters, n: int) -> tuple[dict[Value, Course], bool]:
    """Courses of the kinds of client, by requests that are drawn: no aggregate knows programs."""
    before = sum(cell.n for cell in breakdown(reading, spans.history, filters, sketches=False))
    rows_now, rows_before = (
        sample(reading, slices_of(reading, span, spans.zone)[0], filters, most=MOST_DRAWN)
        for span in (spans.window, spans.history)
    )
    if not rows_now or not rows_before or not n or not before:
        return {}, False
    seen = min(1.0, (len(rows_before) / before) / (len(rows_now) / n))
    now: Counter[str] = Counter(client_type(row.user_agent) for row in rows_now)
    places = {(client_type(row.user_agent), _place(row.ts, spans.edges)) for row in rows_now}
    hours: dict[str, Counter[int]] = {}
    for row in rows_before:
        hour = (row.ts - spans.history.start) // HOUR
        hours.setdefault(client_type(row.user_agent), Counter())[hour] += 1
    kinds: dict[Value, Course] = {
        (kind,): Course(
            now[kind], sum(each == kind for each, _ in places), _hours(hours.get(kind, Counter()), spans.hours), seen
        )
        for kind in {*now, *hours}
    }
    return kinds, len(rows_now) < n or len(rows_before) < before


def _place(moment: datetime, edges: Sequence[datetime]) -> int:
    return sum(moment >= edge for edge in edges)
