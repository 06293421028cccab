"""The tables that only the report has: the busiest endpoints and clients."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.card import endpoint_name, note
from dashapp.components.table import table
from dashapp.stats.clients import Client
from dashapp.stats.usage import Endpoint
from dashapp.words import Words

MOST_ROWS = 10


def busiest_table(endpoints: Sequence[Endpoint], words: Words) -> Component:
    """The first endpoints, which come with the most calls first, latencies in ms."""
    rows = [
        [
            html.Td(endpoint_name(each.method, each.route), className="name"),
            *_figures(each, fmt.ms_number(each.latency.p50), fmt.ms_number(each.latency.p95)),
        ]
        for each in endpoints[:MOST_ROWS]
    ]
    names = (words("calls"), words("share"), words("error_rate"), "p50", "p95")
    return table(words("endpoint"), [(name, "n") for name in names], rows)


def clients_table(clients: Sequence[Client], words: Words) -> Component:
    """Clients by requests, latencies in ms."""
    if not clients:
        return note(words("no_data"))
    rows = [
        [
            html.Td(each.client_ip, className="name mono"),
            *_figures(each, fmt.count(each.client_errors), fmt.count(each.server_errors)),
        ]
        for each in clients
    ]
    names = (words("requests"), words("share"), words("error_rate"), "4xx", "5xx")
    return table(words("report_client"), [(name, "n") for name in names], rows)


def _figures(each: Endpoint | Client, *more: str) -> list[Component]:
    texts = (fmt.count(each.count), fmt.rate(each.share), fmt.rate(each.error_rate), *more)
    return [html.Td(text, className="n") for text in texts]
