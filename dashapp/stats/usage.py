"""Calls, errors and latency per endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dashapp.stats.tally import Latency, Tally, tally_by
from sql.batch import OTHER_ROUTES
from sql.collection import RouteCount, route_count
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.ranking import top_cells, top_groups
from sql.reading import breakdown

MOST_ENDPOINTS = 2_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and route (or path) of a range; share and error_rate are 0 to 1."""

    method: str
    route: str
    count: int
    share: float
    errors: int
    client_errors: int
    server_errors: int
    error_rate: float
    latency: Latency


@dataclass(frozen=True, slots=True)
class Usage:
    """The endpoints with the most calls, how many there are, and the calls of all of them."""

    endpoints: list[Endpoint]
    found: int
    total: int


def usage(
    reading: Reading,
    whole: Range,
    filters: Filters,
    *,
    by: Literal["route", "path"] = "route",
    most: int = MOST_ENDPOINTS,
) -> Usage:
    """Read the endpoints of a range, most calls first, at most `most` of them.

    `by="path"` does not fold ids into routes; no aggregate holds paths, so it reads every row.
    """
    if by == "route":
        top = top_cells(reading, whole, filters, ["method", by], most)
        cells, found, total = top.cells, top.found, top.n
    else:
        # There may be as many paths as requests: only those that are shown are summed up.
        paths = top_groups(reading, whole, filters, ["method", by], most)
        cells, found, total = [], paths.found, paths.n
        if paths.groups:
            cells = breakdown(reading, whole, filters, ["method", by], only=paths.groups if found > most else None)
    endpoints = [_endpoint(method, route, tally, total) for (method, route), tally in tally_by(cells).items()]
    return Usage(sorted(endpoints, key=lambda e: (-e.count, e.route, e.method)), found, total)


def routes_of(reading: Reading, used: Usage, filters: Filters, *, by: Literal["route", "path"] = "route") -> RouteCount:
    """How many routes are kept, and whether some of these endpoints' requests are summed as OTHER_ROUTES.

    Where not all endpoints were read, they may be among the others: then it counts whether there are any at all.
    """
    count = route_count(reading, filters.service)
    here = any(endpoint.route == OTHER_ROUTES for endpoint in used.endpoints)
    perhaps = used.found > len(used.endpoints) and count.capped
    return RouteCount(count.kept, by == "route" and (here or perhaps))


def _endpoint(method: str, route: str, tally: Tally, total: int) -> Endpoint:
    return Endpoint(
        method=method,
        route=route,
        count=tally.n,
        share=tally.n / total,
        errors=tally.errors,
        client_errors=tally.client_errors,
        server_errors=tally.server_errors,
        error_rate=tally.errors / tally.n,
        latency=tally.latency(),
    )
