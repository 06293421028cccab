"""Which endpoints each service has."""

from __future__ import annotations

from dataclasses import dataclass

from dashapp.stats.tally import Tally, tally_by
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.reading import breakdown


@dataclass(frozen=True, slots=True)
class ListedEndpoint:
    """One endpoint of one service, and its sums without percentiles."""

    service: str
    method: str
    route: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class EndpointList:
    """Endpoints, most calls first, and the requests of all, of those not searched for too."""

    endpoints: list[ListedEndpoint]
    total: int


def endpoint_list(reading: Reading, whole: Range, filters: Filters, *, search: str | None) -> EndpointList:
    """Read the endpoints of a range whose method and route hold a text, in any case."""
    tallies = tally_by(breakdown(reading, whole, filters, ("service", "method", "route"), sketches=False))
    wanted = (search or "").casefold()
    found = [
        ListedEndpoint(service, method, route, tally)
        for (service, method, route), tally in tallies.items()
        if wanted in f"{method} {route}".casefold()
    ]
    ranked = sorted(found, key=lambda each: (-each.tally.n, each.service, each.route, each.method))
    return EndpointList(ranked, sum(tally.n for tally in tallies.values()))
