"""Methods: how often each is called, and how it is answered."""

from __future__ import annotations

from dataclasses import dataclass

from dashapp.stats.tally import Latency, tally_by
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.reading import breakdown


@dataclass(frozen=True, slots=True)
class MethodFigures:
    """One method; the share is 0 to 1 of all requests of the range."""

    method: str
    count: int
    share: float
    client_errors: int
    server_errors: int
    latency: Latency

    @property
    def error_rate(self) -> float:
        """Errors by requests."""
        return (self.client_errors + self.server_errors) / self.count


def methods(reading: Reading, whole: Range, filters: Filters) -> list[MethodFigures]:
    """Read the methods of a range, most requests first."""
    tallies = tally_by(breakdown(reading, whole, filters, ["method"]))
    total = sum(tally.n for tally in tallies.values())
    figures = [
        MethodFigures(method, tally.n, tally.n / total, tally.client_errors, tally.server_errors, tally.latency())
        for (method,), tally in tallies.items()
    ]
    return sorted(figures, key=lambda each: (-each.count, each.method))
