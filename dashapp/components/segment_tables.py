"""Who calls and how: tables of methods, of client networks and of clients. Each row filters by what it names."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.comparison import change
from dashapp.components.attributes import aria
from dashapp.components.card import note
from dashapp.components.changes import change_mark
from dashapp.components.table import table
from dashapp.stats.clients import Clients
from dashapp.stats.methods import MethodFigures
from dashapp.stats.networks import Networks
from dashapp.stats.tally import is_notable
from dashapp.view import View
from dashapp.words import Words


def methods_table(
    methods: Sequence[MethodFigures],
    now: Sequence[MethodFigures] | None,
    before: Sequence[MethodFigures] | None,
    view: View,
    words: Words,
    *,
    against: str,
) -> Component:
    """Methods by requests; with `now` and `before`, of the same minutes, the change of their number."""
    sides = [{each.method: each.count for each in side} for side in (now or (), before or ())]
    compared = before is not None
    shares = fmt.shares([each.count for each in methods])
    rows = [
        [
            _name(each.method, view.link(method=each.method)),
            _count(each.count),
            html.Td(share, className="n"),
            _rate(each.error_rate, each.server_errors, each.count),
            html.Td(fmt.ms_number(each.latency.p95), className="n"),
            *([_change(*(side.get(each.method) for side in sides))] if compared else []),
        ]
        for each, share in zip(methods, shares, strict=True)
    ]
    heads = [
        (words("requests"), "n sort"),
        (words("share"), "n"),
        (words("error_rate"), "n"),
        ("p95 ms", "n"),
        *([(against, "n hide-n")] if compared else []),
    ]
    return table(words("field_method"), heads, rows)


def networks_table(networks: Networks, view: View, words: Words) -> Component:
    """How much comes from inside, and the networks by requests."""
    if not networks.networks:
        return note(words("no_addresses"))
    rows = [
        [
            _name(each.network, view.link(client_ip=each.network)),
            html.Td(fmt.count(each.clients), className="n hide-n"),
            _count(each.count),
            html.Td(fmt.rate(each.share), className="n"),
            _rate(each.error_rate, each.server_errors, each.count),
        ]
        for each in networks.networks
    ]
    heads = [
        (words("clients_short"), "n hide-n"),
        (words("requests"), "n sort"),
        (words("share"), "n"),
        (words("error_rate"), "n"),
    ]
    rest = networks.found - len(networks.networks)
    more = [html.P(words("networks_more", n=fmt.count(rest)), className="note left")] if rest > 0 else []
    return html.Div([_sides(networks, words), table(words("network"), heads, rows), *more])


def clients_table(clients: Clients, view: View, words: Words) -> Component:
    """Clients by requests."""
    if not clients.clients:
        return note(words("no_addresses"))
    rows = [
        [
            _name(each.client_ip, view.link(client_ip=each.client_ip)),
            _count(each.count),
            html.Td(fmt.rate(each.share), className="n"),
            _rate(each.error_rate, each.server_errors, each.count),
        ]
        for each in clients.clients
    ]
    heads = [(words("requests"), "n sort"), (words("share"), "n"), (words("error_rate"), "n")]
    return table(words("client"), heads, rows)


def _sides(networks: Networks, words: Words) -> Component:
    """One bar of shares and its legend."""
    sides = [(words("from_inside"), networks.internal, "in"), (words("from_outside"), networks.external, "out")]
    if networks.without:
        sides.append((words("from_nowhere"), networks.without, "none"))
    shares = fmt.shares([n for _, n, _ in sides])
    bar = [html.I(className=f"seg-{kind}", style={"flexGrow": n}) for _, n, kind in sides if n]
    named = [
        html.Span([html.Span(className=f"sw seg-{kind}", **aria(hidden="true")), name, " ", html.B(share)])
        for (name, _, kind), share in zip(sides, shares, strict=True)
    ]
    return html.Div(
        [html.Div(bar, className="stack", **aria(hidden="true")), html.Div(named, className="seg-line")],
        className="seg-head",
    )


def _name(text: str, href: str) -> Component:
    return html.Td(dcc.Link(html.Span(text, className="rt"), href=href))


def _count(n: int) -> Component:
    return html.Td(fmt.count(n), className="n")


def _rate(rate: float, server_errors: int, count: int) -> Component:
    return html.Td(fmt.rate(rate), className="n bad" if is_notable(server_errors, count) else "n")


def _change(now: int | None, before: int | None) -> Component:
    return html.Td(change_mark(change(now, before)), className="n hide-n")
