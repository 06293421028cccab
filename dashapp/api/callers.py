"""Who calls and how, and what arrives."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from dashapp.api.inputs import FILTERS, WHOLE, Context, number, text
from dashapp.api.model import Answer, Count, Latencies, Milliseconds, Model, Moment, Share, percentiles
from dashapp.api.route import Route
from dashapp.api_params import BadParameter
from dashapp.stats.clients import Client, clients
from dashapp.stats.methods import methods
from dashapp.stats.networks import networks
from sql.connection import Reading
from sql.filters import Filters
from sql.live import arrivals
from sql.plan import Range

MOST_CLIENTS = 1_000
MOST_ROWS = 1_000


class ClientFigures(Latencies):
    """Requests of one address; the share is of all requests of the range."""

    client_ip: str
    count: Count
    share: Share
    errors: Count
    client_errors: Count
    server_errors: Count
    error_rate: Share
    bytes: Count


class Clients(Answer):
    """Clients, most requests first; `total` counts the requests of all, also of those without an address."""

    total: Count
    truncated: bool
    clients: list[ClientFigures]


class NetworkFigures(Model):
    """Requests of one network; the share is of all requests of the range."""

    model_config = ConfigDict(from_attributes=True)

    network: str
    clients: Count = Field(description="Addresses of it that sent a request.")
    count: Count
    share: Share
    client_errors: Count
    server_errors: Count
    error_rate: Share
    mean_ms: Milliseconds | None


class Networks(Answer):
    """Networks of clients (24 bits of IPv4, 48 of IPv6), most requests first, and where the requests came from.

    `internal` are from networks that the Internet does not route, `without` from no address; all three make `total`.
    """

    total: Count
    internal: Count
    external: Count
    without: Count
    found: Count
    networks: list[NetworkFigures]


class MethodFigures(Latencies):
    """Requests of one method."""

    method: str
    count: Count
    share: Share
    client_errors: Count
    server_errors: Count
    error_rate: Share


class Methods(Answer):
    """Methods, most requests first."""

    methods: list[MethodFigures]


class LogRow(Model):
    """A request as it was stored; `attributes` holds what no other field does."""

    model_config = ConfigDict(from_attributes=True)

    ts: Moment
    service: str
    method: str
    path: str
    route: str
    status: int
    latency_ms: Milliseconds | None
    bytes: Count | None
    client_ip: str | None
    user_agent: str | None
    referer: str | None
    attributes: dict[str, Any] | None


class ArrivedRow(LogRow):
    """A request with the source that sent it, and when it came."""

    received_at: Moment
    source: str


class RecentLogs(Answer):
    """What arrived, newest first; `cursor` goes into the next request's `after`."""

    logs: list[ArrivedRow]
    skipped: Count = Field(description="Rows that arrived as well but are left out.")
    cursor: str


def make_clients(reading: Reading, _context: Context, *, whole: Range, filters: Filters, limit: int) -> Clients:
    """Clients by requests."""
    found = clients(reading, whole, filters, most=limit)
    return Clients(total=found.total, truncated=found.more, clients=[_client(each) for each in found.clients])


def make_networks(reading: Reading, _context: Context, *, whole: Range, filters: Filters, limit: int) -> Networks:
    """Networks by requests."""
    found = networks(reading, whole, filters, most=limit)
    return Networks(
        total=found.total,
        internal=found.internal,
        external=found.external,
        without=found.without,
        found=found.found,
        networks=[NetworkFigures.model_validate(each) for each in found.networks],
    )


def make_methods(reading: Reading, _context: Context, *, whole: Range, filters: Filters) -> Methods:
    """Methods by requests."""
    return Methods(
        methods=[
            MethodFigures(
                method=each.method,
                count=each.count,
                share=each.share,
                client_errors=each.client_errors,
                server_errors=each.server_errors,
                error_rate=each.error_rate,
                **percentiles(each.latency),
            )
            for each in methods(reading, whole, filters)
        ]
    )


def make_recent_logs(
    reading: Reading, _context: Context, *, filters: Filters, limit: int, after: str | None
) -> RecentLogs:
    """Rows as they arrive."""
    try:
        arrived = arrivals(reading, filters, limit=limit, after=after)
    except ValueError as error:
        raise BadParameter(str(error)) from None
    return RecentLogs(
        logs=[ArrivedRow.model_validate(row) for row in arrived.rows], skipped=arrived.more, cursor=arrived.cursor
    )


def _client(client: Client) -> ClientFigures:
    return ClientFigures(
        client_ip=client.client_ip,
        count=client.count,
        share=client.share,
        errors=client.errors,
        client_errors=client.client_errors,
        server_errors=client.server_errors,
        error_rate=client.error_rate,
        bytes=client.bytes,
        **percentiles(client.latency),
    )


ROUTES = (
    Route(
        "/stats/clients",
        "Clients, most requests first",
        make_clients,
        Clients,
        (WHOLE, FILTERS, number("limit", "Most clients.", 50, MOST_CLIENTS)),
    ),
    Route(
        "/stats/networks",
        "Networks of clients, most requests first",
        make_networks,
        Networks,
        (WHOLE, FILTERS, number("limit", "Most networks.", 50, MOST_CLIENTS)),
    ),
    Route("/stats/methods", "Methods, most requests first", make_methods, Methods, (WHOLE, FILTERS)),
    Route(
        "/stats/recent-logs",
        "Requests as they arrive",
        make_recent_logs,
        RecentLogs,
        (
            FILTERS,
            number("limit", "Most rows.", 50, MOST_ROWS),
            text("after", "`cursor` of the answer before: only what arrived since."),
        ),
        shared=False,
    ),
)
