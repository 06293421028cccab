"""What surrounds one request: how its endpoint did in the hour around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashapp.stats.tally import Latency, Tally
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import MINUTE, Range, ceil
from sql.reading import breakdown

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RecordContext:
    """Requests of the same endpoint in `span`; `same_status` of them have the status of the request."""

    span: Range
    calls: int
    same_status: int
    latency: Latency


def hour_around(moment: datetime, complete: datetime) -> Range:
    """The hour in whose middle a moment lies; of a recent one the last hour that is final."""
    end = min(ceil(moment + _HOUR / 2, MINUTE), complete)
    return Range(end - _HOUR, end)


def record_context(
    reading: Reading, moment: datetime, endpoint: Filters, status: int, complete: datetime
) -> RecordContext:
    """Read the figures of an endpoint around a request of it; `endpoint` names service, method and route."""
    span = hour_around(moment, complete)
    tally, same = Tally(), 0
    for cell in breakdown(reading, span, endpoint, ["status"]):
        tally.add(cell)
        if cell.keys[0] == status:
            same += cell.n
    return RecordContext(span, tally.n, same, tally.latency())
