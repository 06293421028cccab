"""One endpoint in depth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dashapp.stats.errors import StatusCount
from dashapp.stats.tally import Tally
from dashapp.stats.traffic import Traffic, traffic
from sql.clients import NewestClients, newest_clients
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.reading import breakdown
from sql.sketch import LOWEST_MS, RATIO, SLOTS, Sketch, slot_counts
from sql.slowest import SlowRequest, slowest_requests

# No aggregate knows the clients of an endpoint: so many of the newest rows are read to find them.
SCANNED_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Bin:
    """Requests with a latency from `from_ms` to below `to_ms`; None: without an end."""

    from_ms: float
    to_ms: float | None
    count: int


@dataclass(frozen=True, slots=True)
class EndpointDetail:
    """Sums of an endpoint, its series, status codes, latencies, slowest requests, and clients of late."""

    tally: Tally
    series: Traffic
    statuses: list[StatusCount]
    distribution: list[Bin]
    slowest: list[SlowRequest]
    newest: NewestClients


def endpoint_detail(
    reading: Reading, whole: Range, filters: Filters, *, minutes: int, zone: ZoneInfo, complete: datetime, most: int
) -> EndpointDetail:
    """Read everything about the endpoint that the filters name; at most `most` requests and clients."""
    tally = Tally()
    codes: dict[int, int] = {}
    for cell in breakdown(reading, whole, filters, ["status"]):
        tally.add(cell)
        codes[cell.keys[0]] = cell.n
    return EndpointDetail(
        tally=tally,
        series=traffic(reading, whole, filters, minutes=minutes, zone=zone, complete=complete),
        statuses=sorted(
            (StatusCount(status, n, n / tally.n) for status, n in codes.items()), key=lambda s: (-s.count, s.status)
        ),
        distribution=distribution(tally.sketch),
        slowest=slowest_requests(reading, whole, filters, most),
        newest=newest_clients(reading, whole, filters, most=most, scanned=SCANNED_ROWS),
    )


def distribution(sketch: Sketch | None) -> list[Bin]:
    """The bins of a sketch that hold requests, lowest latency first. Pure."""
    counts = [] if sketch is None else slot_counts(sketch)
    return [Bin(_lower_ms(slot), _lower_ms(slot + 1) if slot <= SLOTS else None, n) for slot, n in counts]


def _lower_ms(slot: int) -> float:
    return LOWEST_MS * math.pow(RATIO, slot - 1) if slot else 0.0
