"""Calls, errors and latency per endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from dashapp.stats.tally import Latency, Tally, tally_by
from sql.plan import Range
from sql.reading import Filters, breakdown


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


def usage(
    connection: sa.Connection, whole: Range, filters: Filters, *, by: Literal["route", "path"] = "route"
) -> list[Endpoint]:
    """Read all endpoints of a range, most calls first.

    `by="path"` does not fold ids into routes; no aggregate holds paths, so it reads every row.
    """
    cells = breakdown(connection, whole, filters, ["method", by, "status_class"])
    tallies = tally_by(cells, lambda cell: cell.keys[:2], lambda cell: cell.keys[2])
    total = sum(tally.n for tally in tallies.values())
    endpoints = [_endpoint(method, route, tally, total) for (method, route), tally in tallies.items()]
    return sorted(endpoints, key=lambda e: (-e.count, e.route, e.method))


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
