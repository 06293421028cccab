"""The key figures of a range."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dashapp.stats.tally import Latency, Tally
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.reading import breakdown


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals of `[start, end)`; an error is a status of 400 or above, rates are 0 to 1."""

    start: datetime
    end: datetime
    complete_through: datetime
    total: int
    errors: int
    client_errors: int
    server_errors: int
    error_rate: float | None
    latency_ms: Latency
    bytes: int


def summary(reading: Reading, whole: Range, filters: Filters, complete: datetime) -> Summary:
    """Read the key figures of a range."""
    tally = Tally()
    for cell in breakdown(reading, whole, filters):
        tally.add(cell)
    return Summary(
        start=whole.start,
        end=whole.end,
        complete_through=complete,
        total=tally.n,
        errors=tally.errors,
        client_errors=tally.client_errors,
        server_errors=tally.server_errors,
        error_rate=tally.error_rate,
        latency_ms=tally.latency(),
        bytes=tally.bytes,
    )
