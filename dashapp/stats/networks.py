"""From where the requests come: networks of clients, and how many come from inside."""

from __future__ import annotations

from dataclasses import dataclass

from sql.connection import Reading
from sql.filters import Filters
from sql.networks import top_networks
from sql.plan import Range


@dataclass(frozen=True, slots=True)
class NetworkFigures:
    """One network and its clients; share and error_rate are 0 to 1, the share is of all requests of the range."""

    network: str
    clients: int
    count: int
    share: float
    client_errors: int
    server_errors: int
    mean_ms: float | None

    @property
    def error_rate(self) -> float:
        """Errors by requests."""
        return (self.client_errors + self.server_errors) / self.count


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks with the most requests, how many there are; requests from inside, from outside, of no address."""

    networks: list[NetworkFigures]
    found: int
    total: int
    internal: int
    external: int
    without: int


def networks(reading: Reading, whole: Range, filters: Filters, *, most: int) -> Networks:
    """Read the networks of a range, most requests first, at most `most` of them."""
    top = top_networks(reading, whole, filters, most)
    figures = [
        NetworkFigures(
            network=each.network,
            clients=each.clients,
            count=each.n,
            share=each.n / top.total,
            client_errors=each.client_errors,
            server_errors=each.server_errors,
            mean_ms=each.us / each.n_lat / 1000 if each.n_lat else None,
        )
        for each in top.networks
    ]
    external = top.total - top.internal - top.without
    return Networks(figures, top.found, top.total, top.internal, external, top.without)
