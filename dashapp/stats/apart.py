"""Groups of requests that fare differently from all others of a range: by network, kind of client, method, ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from dashapp.insight.groups import ATTRIBUTE, Counted, Field
from dashapp.insight.segments import FEWEST, Segment, segments
from dashapp.stats.change_fields import counted_fields, sampled_fields, slow_from_ms, slow_slot, window_of
from dashapp.stats.changes import MOST_DRAWN
from dashapp.stats.endpoint_common import slices_of
from dashapp.stats.patterns import Hour
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.reading import breakdown
from sql.sample import sample

HOUR_OF_DAY = "hour"
_COUNTED = ("service", "method")
# Single clients have a page of their own, and programs are named by their kind.
_DRAWN = ("network", "client_type")


@dataclass(frozen=True, slots=True)
class Apart:
    """Groups by how much they differ, the most first.

    Attributes:
        segments: the groups.
        n: requests of the range.
        drawn: requests that were looked at for networks, kinds of client and attributes.
        slow_ms: from which latency on a request is slow: that of the slowest 5 % of the range.
    """

    segments: list[Segment]
    n: int
    drawn: int
    slow_ms: float | None

    @property
    def is_enough(self) -> bool:
        """Whether any group could have been told from the others."""
        return self.n >= 2 * FEWEST


def read_apart(reading: Reading, whole: Range, filters: Filters, hours: Sequence[Hour], *, zone: ZoneInfo) -> Apart:
    """Compare the groups of each field; `hours` are those of the range."""
    cells = breakdown(reading, whole, filters, _COUNTED)
    slot = slow_slot(cells)
    n = sum(cell.n for cell in cells)
    slow_ms = slow_from_ms(slot)
    rows = sample(reading, slices_of(reading, whole, zone)[0], filters, most=MOST_DRAWN)
    drawn = [
        field
        for field in sampled_fields(rows, rows, slow_ms, exact=len(rows) >= n)
        if field.name in _DRAWN or field.name.startswith(ATTRIBUTE)
    ]
    by_hour = _hours(hours, slot, zone)
    fields = [*counted_fields(cells, cells, slot, _COUNTED), *drawn, *by_hour]
    return Apart(segments(fields), n, len(rows), slow_ms)


def _hours(hours: Sequence[Hour], slot: int | None, zone: ZoneInfo) -> list[Field]:
    """Hours of the viewer's day."""
    counts = np.zeros((4, 24))
    for hour in hours:
        tally = hour.tally
        slow = 0 if tally.sketch is None or slot is None else int(tally.sketch[slot + 1 :].sum())
        counts[:, hour.start.astimezone(zone).hour] += (tally.n, tally.errors, tally.n_lat, slow)
    used = np.flatnonzero(counts[0])
    counted = Counted(*counts[:, used])
    whole = window_of([], slot)
    return [Field(HOUR_OF_DAY, used.tolist(), counted, counted, whole, whole, exact=True)] if len(used) > 1 else []
