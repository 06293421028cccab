"""What is slow: endpoints by their tail, single requests, and what the slowest requests have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashapp.stats.patterns import by_hour
from dashapp.stats.tally import Latency, Tally
from dashapp.time_range import local_hours
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import MINUTE, Range, levels_for
from sql.reading import Cell, breakdown
from sql.slowest import SlowRequest, slowest_requests
from sql.span import data_span

# Below it a p95 is the accident of one or two requests.
ENOUGH_CALLS = 20
FEWEST_EXAMINED = 20
MOST_COMMON = 12
_ENDPOINT = ("service", "method", "route")
Shares = dict[tuple[str, Any], float]


@dataclass(frozen=True, slots=True)
class SlowEndpoint:
    """One method and route; `time_ms` is the time spent in all its requests, `time_share` its part of everything's.

    `enough_calls` tells whether its percentiles rest on at least ENOUGH_CALLS requests.
    """

    method: str
    route: str
    count: int
    errors: int
    error_rate: float
    time_ms: float
    time_share: float
    enough_calls: bool
    latency: Latency


@dataclass(frozen=True, slots=True)
class Common:
    """A value that several of the slowest requests share; the overall share is None where only rows know it."""

    field: str
    value: str | int
    count: int
    share_in_slowest: float
    share_overall: float | None


@dataclass(frozen=True, slots=True)
class Bottlenecks:
    """The slowest endpoints of `found`, the slowest requests, and what `examined` slowest ones have in common."""

    endpoints: list[SlowEndpoint]
    found: int
    requests: list[SlowRequest]
    common: list[Common]
    examined: int


def bottlenecks(reading: Reading, whole: Range, filters: Filters, *, most: int, zone: ZoneInfo) -> Bottlenecks:
    """Read what is slow in a range."""
    cells = breakdown(reading, whole, filters, _ENDPOINT)
    slowest = slowest_requests(reading, whole, filters, max(most, FEWEST_EXAMINED))
    endpoints, found = slowest_endpoints(cells, most)
    repeated = repeated_values(slowest, zone)
    overall = _shares_of_cells(cells) | _other_shares(reading, whole, filters, repeated, zone, sum(c.n for c in cells))
    return Bottlenecks(endpoints, found, slowest[:most], common_values(repeated, len(slowest), overall), len(slowest))


def slowest_endpoints(cells: Iterable[Cell], most: int) -> tuple[list[SlowEndpoint], int]:
    """Rank endpoints by their p95, those with enough calls first; also how many endpoints have a latency. Pure."""
    tallies: dict[tuple[str, str], Tally] = {}
    for cell in cells:
        tallies.setdefault((cell.keys[1], cell.keys[2]), Tally()).add(cell)
    everything = sum(tally.us for tally in tallies.values())
    ranked = sorted(
        (
            (tally.n_lat >= ENOUGH_CALLS, tally.quantiles_ms(0.95)[0], tally.n, key)
            for key, tally in tallies.items()
            if tally.n_lat
        ),
        reverse=True,
    )
    slow = [_slow_endpoint(key, tallies[key], everything, enough) for enough, _, _, key in ranked[:most]]
    return slow, len(ranked)


def repeated_values(slowest: Sequence[SlowRequest], zone: ZoneInfo) -> Counter[tuple[str, Any]]:
    """Count the values of each field that more than one of the slowest requests has. Pure."""
    counts: Counter[tuple[str, Any]] = Counter()
    for request in slowest:
        for field in (*_ENDPOINT, "status", "client_ip"):
            counts[field, getattr(request, field)] += 1
        counts["hour", request.ts.astimezone(zone).hour] += 1
    return Counter({key: n for key, n in counts.items() if n > 1 and key[1] is not None})


def common_values(repeated: Counter[tuple[str, Any]], examined: int, overall: Shares) -> list[Common]:
    """Rank repeated values by how much more frequent they are than overall; those that are not are left out. Pure."""
    found = [Common(*key, n, n / examined, overall.get(key)) for key, n in repeated.items()]
    telling = [each for each in found if _excess(each) > 0]
    return sorted(telling, key=lambda each: (-_excess(each), each.field, str(each.value)))[:MOST_COMMON]


def _excess(common: Common) -> float:
    return common.share_in_slowest - (common.share_overall or 0)


def _slow_endpoint(key: tuple[str, str], tally: Tally, everything: int, enough: bool) -> SlowEndpoint:
    return SlowEndpoint(
        method=key[0],
        route=key[1],
        count=tally.n,
        errors=tally.errors,
        error_rate=tally.errors / tally.n,
        time_ms=tally.us / 1000,
        time_share=tally.us / everything if everything else 0.0,
        enough_calls=enough,
        latency=tally.latency(),
    )


def _shares_of_cells(cells: Sequence[Cell]) -> Shares:
    counts: Counter[tuple[str, Any]] = Counter()
    for cell in cells:
        for field, value in zip(_ENDPOINT, cell.keys, strict=True):
            counts[field, value] += cell.n
    total = sum(cell.n for cell in cells)
    return {key: n / total for key, n in counts.items()}


def _other_shares(
    reading: Reading, whole: Range, filters: Filters, repeated: Iterable[tuple[str, Any]], zone: ZoneInfo, total: int
) -> Shares:
    """Shares of the fields that the endpoints do not tell; of clients only where an aggregate counts them."""
    wanted = {field for field, _ in repeated}
    counts: Counter[tuple[str, Any]] = Counter()
    if "status" in wanted:
        for cell in breakdown(reading, whole, filters, ["status"], sketches=False):
            counts["status", cell.keys[0]] += cell.n
    if "hour" in wanted and (span := data_span(reading, filters.service)) is not None:
        stored = Range(max(whole.start, span.start), min(whole.end, span.end + MINUTE))
        starts = local_hours(stored, zone)
        for hour, cell in by_hour(reading, stored, filters, starts, sketches=False):
            counts["hour", _hour(starts[hour], zone)] += cell.n
    clients = [(value,) for field, value in repeated if field == "client_ip"]
    if clients and levels_for(filters.columns() | {"client_ip"}):
        for cell in breakdown(reading, whole, filters, ["client_ip"], only=clients, sketches=False):
            counts["client_ip", str(cell.keys[0])] += cell.n
    return {key: n / total for key, n in counts.items()}


def _hour(moment: datetime, zone: ZoneInfo) -> int:
    return moment.astimezone(zone).hour
