"""Read what the watch sees: settled minutes by endpoint and by client, and single requests."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import numpy as np

from dashapp.insight.minute import ClientMinute, Counts, Endpoint, Minute, Requests
from sql.client_minutes import ClientEntry, client_entries, single_requests
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import MINUTE, Range
from sql.reading import Cell, breakdown, services
from sql.sketch import SLOTS

BY = ("service", "method", "route", "status")
_Key = TypeVar("_Key")


def starts_of(span: Range) -> list[datetime]:
    """Starts of the minutes of a span of whole minutes."""
    return [span.start + i * MINUTE for i in range(int((span.end - span.start) / MINUTE))]


def read_minutes(
    reading: Reading, span: Range, service: str | None = None, *, unseen: Sequence[Range] = ()
) -> list[Minute]:
    """Every minute of a span, also those without a request.

    Args:
        reading: one snapshot.
        span: whole minutes.
        service: one alone, or None for all.
        unseen: ranges in which nobody looked whether anything is collected: a minute without any request in them is
            one of which nothing is known.
    """
    starts = starts_of(span)
    cells = breakdown(reading, span, Filters(service=service), BY, edges=starts[1:])
    by_minute: dict[int, list[Cell]] = defaultdict(list)
    for cell in cells:
        by_minute[cell.slot].append(cell)
    known: frozenset[str] | None = None
    found = []
    for slot, start in enumerate(starts):
        unknown: frozenset[str] = frozenset()
        if slot not in by_minute and any(each.start <= start < each.end for each in unseen):
            known = frozenset(services(reading)) if known is None else known
            unknown = known
        found.append(minute_of(start, by_minute.get(slot, ()), unknown))
    return found


def minute_of(
    start: datetime, cells: Sequence[Cell], unknown: frozenset[str] = frozenset(), *, width: timedelta = MINUTE
) -> Minute:
    """A bucket of the cells of its endpoints and statuses."""
    endpoints = _places(Endpoint(*cell.keys[:3]) for cell in cells)
    statuses = _places(sorted(cell.keys[3] for cell in cells))
    counts: Counts = np.zeros((len(endpoints), len(statuses)), np.int64)
    latencies: Counts = np.zeros((len(endpoints), SLOTS + 2), np.int64)
    for cell in cells:
        row = endpoints[Endpoint(*cell.keys[:3])]
        counts[row, statuses[cell.keys[3]]] += cell.n
        if cell.sketch is not None:
            latencies[row] += cell.sketch
    return Minute(start, width, list(endpoints), list(statuses), counts, latencies, unknown)


def read_clients(reading: Reading, span: Range, service: str | None = None) -> dict[datetime, ClientMinute]:
    """The minutes of a span by client, as far as there are requests with an address; empty where they are too many."""
    entries = client_entries(reading, span, service)
    by_minute: dict[datetime, list[ClientEntry]] = defaultdict(list)
    for entry in entries or ():
        by_minute[entry.minute.astimezone(UTC)].append(entry)
    return {start: client_minute_of(start, found) for start, found in by_minute.items()}


def client_minute_of(start: datetime, entries: Sequence[ClientEntry]) -> ClientMinute:
    """A minute of its entries."""
    clients = _places(entry.client for entry in entries)
    endpoints = _places(Endpoint(entry.service, entry.method, entry.route) for entry in entries)
    agents: list[Counter[str]] = [Counter() for _ in clients]
    for entry in entries:
        if entry.agent is not None:
            agents[clients[entry.client]][entry.agent] += entry.n
    return ClientMinute(
        start,
        MINUTE,
        list(clients),
        [agent.most_common(1)[0][0] if agent else None for agent in agents],
        list(endpoints),
        client=_numbers(clients[entry.client] for entry in entries),
        endpoint=_numbers(endpoints[Endpoint(entry.service, entry.method, entry.route)] for entry in entries),
        status=_numbers(entry.status for entry in entries),
        n=_numbers(entry.n for entry in entries),
        failed_paths=_numbers(entry.paths if entry.status >= 400 else 0 for entry in entries),
        paths=_numbers(entry.paths for entry in entries),
    )


def read_requests(
    reading: Reading,
    span: Range,
    *,
    endpoints: Sequence[Endpoint] = (),
    service: str | None = None,
) -> Requests:
    """Single requests of a span, at most as many as `sql.client_minutes` reads."""
    rows = single_requests(reading, span, endpoints=endpoints, service=service)
    addresses = _places(row.client for row in rows if row.client is not None)
    found = _places(Endpoint(row.service, row.method, row.route) for row in rows)
    return Requests(
        list(addresses),
        list(found),
        ts=np.array([row.ts for row in rows], np.float64),
        client=_numbers(-1 if row.client is None else addresses[row.client] for row in rows),
        endpoint=_numbers(found[Endpoint(row.service, row.method, row.route)] for row in rows),
        status=_numbers(row.status for row in rows),
        latency_ms=np.array([np.nan if row.latency_ms is None else row.latency_ms for row in rows], np.float64),
    )


def _places(keys: Iterable[_Key]) -> Mapping[_Key, int]:
    """Each key once, in the order in which they come, with its place."""
    return {key: place for place, key in enumerate(dict.fromkeys(keys))}


def _numbers(values: Iterable[int]) -> Counts:
    return np.fromiter(values, np.int64)
