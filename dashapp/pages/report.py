"""Report: a range on paper, with the sentences, charts and tables of Overview, and who calls.

It is of the moment in which it was opened: nothing on it changes by itself. Always light, as wide as a sheet.

Ids: report-head, report-print, report-insight, report-figures, report-traffic-graph, report-latency-graph,
report-words, report-statuses, report-slowest, report-failing, report-busiest, report-clients,
report-empty, report-body. What failed stands in `<id>-failed`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dash import Dash, Input, Output, dcc, html, no_update
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.analyses import analyses_in_words
from dashapp.components.attributes import data
from dashapp.components.card import card
from dashapp.components.empty import empty_state
from dashapp.components.finding_panel import Look
from dashapp.components.graph import graph, paint
from dashapp.components.part import part, shown
from dashapp.components.report_tables import MOST_ROWS, busiest_table, clients_table
from dashapp.pages import overview, patterns
from dashapp.parts import Failed, Parts
from dashapp.site import Site
from dashapp.stats.clients import Clients, clients
from dashapp.stats.overview import Overview
from dashapp.view import View
from dashapp.words import Words

PATH = "/report"
TAB = ""
PARENT = "/"
GRAPHS = ("report-traffic-graph", "report-latency-graph")
_TABLES = ("slowest", "failing", "busiest", "report_clients")


def layout(_site: Site, words: Words) -> Component:
    """The page before its numbers."""
    charts = [
        card(
            words("requests"),
            graph(GRAPHS[0], label=words("traffic_chart"), height="chart-l"),
            subtitle_id="report-traffic-unit",
        ),
        card(
            words("latency"),
            [
                graph(GRAPHS[1], label=words("latency_chart"), height="chart-m"),
                html.P(words("no_latency"), id="report-no-latency", className="note", hidden=True),
                html.Div(id="report-latencies", className="lat-line"),
            ],
            subtitle_id="report-latency-unit",
        ),
    ]
    lists = [
        card(words("statuses"), part("report-statuses", words), subtitle_id="report-status-against"),
    ]
    tables = [card(words(name), part(_id(name), words), subtitle=words(f"{name}_unit"), flush=True) for name in _TABLES]
    body = [
        html.Section(part("report-insight", words), className="card insight"),
        html.Div([html.Div(id="report-figures", className="g"), html.Div(id="report-figures-failed")]),
        card(words("in_words"), part("report-words", words)),
        *charts,
        *lists,
        *tables,
        html.Div(id="report-routes"),
    ]
    acts = [
        html.Button(words("report_print"), id="report-print", type="button", className="button", **data(act="print")),
        dcc.Link(words("report_back"), href="/", id="report-back", className="button"),
    ]
    sheet = [html.Div(id="report-head"), html.Div(id="report-empty"), html.Div(body, id="report-body")]
    return html.Div(
        [
            html.Div(acts, className="acts off-paper"),
            html.Article(sheet, className="sheet", **data(bs_theme="light")),
        ]
    )


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the page."""

    def update_page(search: str, _clicks: int) -> dict[str, Any]:
        view, words = site.view(search), site.words(search)
        read = overview.read_page(site, view)
        head = {"head": _head(view, site, words), "back": view.link("/")}
        if not isinstance(read.key_figures, Failed) and not read.key_figures[0].total.total:
            empty = empty_state(view, read.key_figures[0].span, site.zone, words, path=PATH)
            return dict.fromkeys(_OUTPUTS, no_update) | head | {"empty": empty, "hidden": True}
        return {**head, "empty": None, "hidden": False, **_body(read, view, site, words)}

    app.callback(output=_OUTPUTS, inputs=[Input("shell-url", "search"), Input("shell-refresh", "n_clicks")])(
        update_page
    )
    for graph_id in GRAPHS:
        paint(app, graph_id)


def _body(read: Overview, view: View, site: Site, words: Words) -> dict[str, Any]:
    parts = overview.show(read, view, site, words)
    with Parts(site.engine) as reading:
        callers = reading.read(lambda each: clients(each, view.whole, view.filters, most=MOST_ROWS))

    def put(name: str, value: Any, make: Any) -> dict[str, Any]:
        content, failed = shown(value, make, title=words(name), words=words, kept_since=None, blank=None)
        return {name: content, f"{name}_failed": failed}

    parts |= put("busiest", read.endpoints, lambda each: busiest_table(each.whole.endpoints, words))
    look = Look(view, site.complete(), site.zone, words)
    # Each of its blocks fails by itself.
    parts |= {"words": analyses_in_words(patterns.read_words(site, view), look), "words_failed": None}
    parts |= put("report_clients", callers, lambda each: _clients(each, words))
    return {name: parts[name] for name in _OUTPUTS if name in parts}


def _clients(found: Clients, words: Words) -> Component:
    return clients_table(found.clients, words)


def _head(view: View, site: Site, words: Words) -> list[Component]:
    """What the report is about: range, filters, comparison, and up to when it is final."""
    zone, complete = site.zone, site.complete()
    whole, compared = view.whole, view.compared
    filters = [f"{name} {value}" for name, value in view.counted.items()]
    final = words("report_all_final")
    if whole.end > complete:
        final = words("report_final_to", through=fmt.local_minute(complete, zone))
    facts = [
        ("report_range", f"{_moments(whole.start, whole.end, zone)} {fmt.zone_name(whole.end, zone)}"),
        ("report_filters", " · ".join(filters) or words("report_no_filters")),
        *([("report_against", _moments(compared.start, compared.end, zone))] if compared else []),
        ("report_final", final),
        ("report_made", fmt.local_minute(site.now(), zone)),
    ]
    listed = [each for key, text in facts for each in (html.Dt(words(key)), html.Dd(text))]
    return [
        html.P(site.settings.company_name, className="mut"),
        html.H2(words("report_title")),
        html.Dl(listed, className="facts"),
    ]


def _moments(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    return f"{fmt.local_minute(start, zone)} – {fmt.local_minute(end, zone)}"


def _id(name: str) -> str:
    return f"report-{name.removeprefix('report_')}"


_OUTPUTS = {
    "head": Output("report-head", "children"),
    "back": Output("report-back", "href"),
    "empty": Output("report-empty", "children"),
    "hidden": Output("report-body", "hidden"),
    "traffic": Output("report-traffic-graph-figure", "data"),
    "traffic_failed": Output("report-traffic-graph-failed", "children"),
    "traffic_unit": Output("report-traffic-unit", "children"),
    "latency": Output("report-latency-graph-figure", "data"),
    "latency_failed": Output("report-latency-graph-failed", "children"),
    "latency_unit": Output("report-latency-unit", "children"),
    "no_latency": Output("report-no-latency", "hidden"),
    "latency_class": Output("report-latency-graph", "className"),
    "latencies": Output("report-latencies", "children"),
    "statuses_against": Output("report-status-against", "children"),
    "routes": Output("report-routes", "children"),
    **{
        key: Output(f"{_id(name)}{suffix}", "children")
        for name in ("insight", "figures", "words", "statuses", *_TABLES)
        for key, suffix in ((name, ""), (f"{name}_failed", "-failed"))
    },
}
