"""Calls, errors and latency per endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from dashapp.stats.tally import Latency, Tally, tally_by
from sql.plan import Range
from sql.reading import Filters, breakdown, top_groups

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
    connection: sa.Connection,
    whole: Range,
    filters: Filters,
    *,
    by: Literal["route", "path"] = "route",
    most: int = MOST_ENDPOINTS,
) -> Usage:
    """Read the endpoints of a range, most calls first, at most `most` of them.

    `by="path"` does not fold ids into routes; no aggregate holds paths, so it reads every row.
    """
    top = top_groups(connection, whole, filters, ["method", by], most)
    only = top.groups if top.found > most else None
    cells = breakdown(connection, whole, filters, ["method", by, "status_class"], only=only)
    tallies = tally_by(cells, lambda cell: cell.keys[:2], lambda cell: cell.keys[2])
    endpoints = [_endpoint(method, route, tally, top.n) for (method, route), tally in tallies.items()]
    return Usage(sorted(endpoints, key=lambda e: (-e.count, e.route, e.method)), top.found, top.n)


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
