"""What changed between a range and the one that it is compared with, read from aggregates and from drawn requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dashapp.comparison import Comparison, known_on_both
from dashapp.insight.changes import Explanation, Measure, what_changed
from dashapp.insight.groups import Window
from dashapp.stats.change_fields import (
    EXACT,
    Together,
    counted_fields,
    sampled_fields,
    slow_from_ms,
    slow_slot,
    window_of,
)
from dashapp.stats.endpoint_common import slices_of
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import MINUTE, Range, floor
from sql.reading import breakdown
from sql.sample import sample
from sql.span import data_span

MOST_DRAWN = 3_000  # requests of each window


@dataclass(frozen=True, slots=True)
class Changed:
    """What explains the difference, the most telling first, by measure.

    Attributes:
        now, before: the two spans, without what only one of them knows; None where there is no such time.
        counts_now, counts_before: all requests of each, failures and slow ones.
        slow_ms: from which latency on a request is slow: that of the slowest 5 % of the comparison.
        drawn: how many single requests were looked at for the fields that no aggregate has.
    """

    now: Range | None
    before: Range | None
    counts_now: Window
    counts_before: Window
    slow_ms: float | None
    drawn: int
    found: Mapping[Measure, Sequence[Explanation]]


_NOTHING = Window(0, 0, 0, 0)


def read_changes(
    reading: Reading, whole: Range, filters: Filters, comparison: Comparison, *, zone: ZoneInfo, complete: datetime
) -> Changed:
    """Compare what is known of both."""
    span = data_span(reading, filters.service)
    first = floor(span.start, MINUTE) if span else None
    both = known_on_both(comparison, whole, first, complete)
    if both is None:
        return Changed(None, None, _NOTHING, _NOTHING, None, 0, {})
    cells_now, cells_before = (breakdown(reading, each, filters, EXACT) for each in (both.now, both.before))
    slot = slow_slot(cells_before)
    slow_ms = slow_from_ms(slot)
    now, before = window_of(cells_now, slot), window_of(cells_before, slot)
    drawn_now, drawn_before = (
        sample(reading, slices_of(reading, each, zone)[0], filters, most=MOST_DRAWN) for each in (both.now, both.before)
    )
    all_drawn = len(drawn_now) >= now.n and len(drawn_before) >= before.n
    drawn = sampled_fields(drawn_now, drawn_before, slow_ms, exact=all_drawn)
    found = what_changed(
        [*counted_fields(cells_now, cells_before, slot), *drawn],
        now,
        before,
        durations=(both.now.end - both.now.start) / (both.before.end - both.before.start),
        joint=Together((cells_now, cells_before), (drawn_now, drawn_before), slot),
    )
    return Changed(both.now, both.before, now, before, slow_ms, len(drawn_now) + len(drawn_before), found)
