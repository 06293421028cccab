"""The endpoints with errors."""

from __future__ import annotations

from dataclasses import dataclass

from dashapp.stats.tally import Tally, tally_by
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.reading import breakdown


@dataclass(frozen=True, slots=True)
class FailingEndpoint:
    """One method and route, and its sums without percentiles."""

    method: str
    route: str
    tally: Tally


def failing_endpoints(reading: Reading, whole: Range, filters: Filters) -> list[FailingEndpoint]:
    """Read the endpoints that have errors in a range, most errors first."""
    tallies = tally_by(breakdown(reading, whole, filters, ("method", "route"), sketches=False))
    found = [FailingEndpoint(method, route, tally) for (method, route), tally in tallies.items() if tally.errors]
    return sorted(found, key=lambda each: (-each.tally.errors, each.route, each.method))
