"""Single requests of an endpoint, and its clients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.agent import short_agent
from dashapp.components.attributes import aria
from dashapp.components.card import note
from dashapp.view import View, moment_text
from dashapp.words import Words
from sql.clients import ClientCount, NewestClients
from sql.plan import MINUTE, floor
from sql.slowest import SlowRequest

LOGS = "/logs"


def slow_requests_table(requests: Sequence[SlowRequest], view: View, zone: ZoneInfo, words: Words) -> Component:
    """The slowest requests; the time of each leads to its rows of the log, its client and status filter the page."""
    if not requests:
        return note(words("no_latency"))
    most = requests[0].latency_ms or 1
    rows = [html.Tr(_request(each, most, view, zone)) for each in requests]
    heads = (
        ("time", ""),
        ("status", "n"),
        ("latency", "n sort"),
        ("client", ""),
        ("path", "hide-n"),
        ("agent", "hide-n"),
    )
    head = [html.Th(words(key), scope="col", className=kind) for key, kind in heads]
    return html.Div(html.Table([html.Thead(html.Tr(head)), html.Tbody(rows)]), className="tw")


def record_link(request: SlowRequest, view: View, zone: ZoneInfo) -> str:
    """The search that finds a request: its minute, its endpoint, and requests as slow as it is."""
    start = floor(request.ts, MINUTE)
    return view.link(
        LOGS,
        start=moment_text(start, zone),
        end=moment_text(start + MINUTE, zone),
        method=request.method,
        route=request.route,
        latency_min=f"{math.floor(request.latency_ms)}",
        by=None,
        among=None,
    )


def _request(request: SlowRequest, most: float, view: View, zone: ZoneInfo) -> list[Component]:
    kind = min(max(request.status // 100, 1), 5)
    moment = f"{request.ts.astimezone(zone):%m-%d} {fmt.clock_ms(request.ts, zone)}"
    bar = html.I(className=f"s{kind}", style={"width": f"{request.latency_ms / most * 100:.1f}%"})
    client = request.client_ip
    agent = short_agent(request.user_agent)
    return [
        html.Td(dcc.Link(moment, href=record_link(request, view, zone)), className="mono"),
        html.Td(dcc.Link(str(request.status), href=view.link(status=str(request.status))), className=f"n b x{kind}"),
        html.Td(
            html.Div(
                [html.Span(bar, className="ib", **aria(hidden="true")), html.Span(fmt.ms_number(request.latency_ms))],
                className="barred",
            ),
            className="n",
        ),
        html.Td(dcc.Link(client, href=view.link(client_ip=client)) if client else fmt.UNKNOWN, className="mono"),
        html.Td(html.Span(request.path, className="rt ell", title=request.path), className="name hide-n"),
        html.Td(html.Span(agent, title=request.user_agent or ""), className="hide-n"),
    ]


def client_rows(newest: NewestClients, view: View, zone: ZoneInfo, words: Words) -> Component:
    """The clients with the most requests; each filters by its address. Says of which requests, where not of all."""
    if not newest.clients:
        return note(words("no_clients"))
    most = newest.clients[0].count
    rows = html.Ul([_client(each, most, view, words) for each in newest.clients], className="rows")
    since = [] if newest.since is None else [
        html.P(words("clients_since", since=fmt.local_minute(newest.since, zone)), className="sub basis")
    ]  # fmt: skip
    return html.Div([rows, *since])


def _client(each: ClientCount, most: int, view: View, words: Words) -> Component:
    share = html.Span(
        html.I(className="s2", style={"width": f"{each.count / most * 100:.1f}%"}),
        className="ib",
        **aria(hidden="true"),
    )
    rate = fmt.rate(each.errors / each.count)
    cells = [
        html.Span(each.client_ip or words("no_address"), className="mono ell"),
        share,
        html.Span(fmt.count(each.count), className="num"),
        html.Span(rate, className="num mut", title=words("n_errors", n=fmt.count(each.errors))),
    ]
    if each.client_ip is None:
        return html.Li(html.Div(cells, className="client-row"))
    return html.Li(dcc.Link(cells, href=view.link(client_ip=each.client_ip), className="client-row"))
