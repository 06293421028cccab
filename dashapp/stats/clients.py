"""Who calls: requests, errors and latency by client address."""

from __future__ import annotations

from dataclasses import dataclass

from dashapp.stats.tally import Latency, Tally
from sql.clients import top_clients
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.reading import Cell, breakdown


@dataclass(frozen=True, slots=True)
class Client:
    """One address; shares and rates are 0 to 1, the share is of all requests of the range."""

    client_ip: str
    count: int
    share: float
    errors: int
    client_errors: int
    server_errors: int
    error_rate: float
    bytes: int
    latency: Latency


@dataclass(frozen=True, slots=True)
class Clients:
    """The clients with the most requests; `more` where there are further ones; the requests of all."""

    clients: list[Client]
    more: bool
    total: int


def clients(reading: Reading, whole: Range, filters: Filters, *, most: int) -> Clients:
    """Read the clients with the most requests of a range, most first."""
    top = top_clients(reading, whole, filters, most)
    total = sum(cell.n for cell in breakdown(reading, whole, filters, sketches=False))
    return Clients([_client(cell, total) for cell in top.cells], top.more, total)


def _client(cell: Cell, total: int) -> Client:
    tally = Tally()
    tally.add(cell)
    return Client(
        client_ip=str(cell.keys[0]),
        count=tally.n,
        share=tally.n / total,
        errors=tally.errors,
        client_errors=tally.client_errors,
        server_errors=tally.server_errors,
        error_rate=tally.errors / tally.n,
        bytes=tally.bytes,
        latency=tally.latency(),
    )
