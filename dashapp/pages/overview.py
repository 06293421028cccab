"""Overview: is the service healthy, and if not, since when and where.

Ids: overview-insight, overview-requests, overview-error-rate, overview-p95, overview-throughput (the key
figures as text), overview-traffic-graph, overview-latency-graph, overview-status-rows, overview-slowest,
overview-failing, overview-routes (the note where routes were summed), overview-empty (why there is nothing),
overview-empty-go, overview-body.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp import sentences
from dashapp.components.attributes import aria
from dashapp.components.capped_routes import capped_routes
from dashapp.components.card import card, endpoint_name, severity
from dashapp.components.empty import empty_state
from dashapp.components.endpoint_tables import failing_table, slowest_table
from dashapp.components.graph import graph, paint
from dashapp.components.key_figures import key_figures
from dashapp.components.latencies import latency_rows
from dashapp.components.statuses import status_rows
from dashapp.figures.latency import latency_figure
from dashapp.figures.traffic import traffic_figure
from dashapp.site import Site, most_points
from dashapp.stats.errors import Statuses, statuses
from dashapp.stats.summary import Summary, summary
from dashapp.stats.traffic import Traffic, traffic
from dashapp.stats.usage import Endpoint, routes_of, usage
from dashapp.time_range import bucket_minutes
from dashapp.view import View, address, local_text, parameters_of
from dashapp.words import Words
from sql.collection import RouteCount
from sql.connection import snapshot
from sql.plan import MINUTE, Range, floor
from sql.span import data_span

PATH = "/"
TAB = "Overview"
GRAPHS = ("overview-traffic-graph", "overview-latency-graph")


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of the page, of one moment."""

    total: Summary
    traffic: Traffic
    statuses: Statuses
    endpoints: list[Endpoint]
    routes: RouteCount
    span: Range | None


def layout(_site: Site, words: Words) -> Component:
    """The page before its numbers, every part in its final place."""
    blank_figures = [html.Section(className="card kpi c3") for _ in range(4)]
    return html.Div(
        [
            html.Div(id="overview-empty"),
            html.Div(
                [
                    html.Section(id="overview-insight", className="card insight", **aria(label=words("insight"))),
                    html.Div(blank_figures, id="overview-figures", className="g"),
                    html.Div(
                        [
                            card(
                                words("requests"),
                                graph("overview-traffic-graph", label=words("traffic_chart"), height="chart-l"),
                                subtitle_id="overview-traffic-unit",
                                width="c8",
                            ),
                            card(words("statuses"), html.Div(id="overview-status-rows"), width="c4"),
                            card(
                                words("latency"),
                                [
                                    graph("overview-latency-graph", label=words("latency_chart"), height="chart-m"),
                                    html.P(
                                        words("no_latency"), id="overview-no-latency", className="note", hidden=True
                                    ),
                                ],
                                subtitle_id="overview-latency-unit",
                                width="c8",
                            ),
                            card(words("percentiles"), html.Div(id="overview-latencies"), subtitle="ms", width="c4"),
                            card(
                                words("slowest"),
                                html.Div(id="overview-slowest"),
                                subtitle=words("slowest_unit"),
                                width="c6",
                                flush=True,
                            ),
                            card(
                                words("failing"),
                                html.Div(id="overview-failing"),
                                subtitle=words("failing_unit"),
                                width="c6",
                                flush=True,
                            ),
                        ],
                        className="g",
                    ),
                    html.Div(id="overview-routes"),
                ],
                id="overview-body",
            ),
        ]
    )


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the page."""

    def update_page(search: str, _tick: int) -> dict[str, Any]:
        view, words = site.view(search), site.words(search)
        figures = read_figures(site, view)
        if not figures.total.total:
            empty = empty_state(view, figures.span, site.zone, words, path=PATH)
            return dict.fromkeys(_OUTPUTS, no_update) | {"empty": empty, "hidden": True}
        return {"empty": None, "hidden": False, **show(figures, view, site, words)}

    def zoom(_traffic: dict[str, Any], _latency: dict[str, Any], search: str) -> Any:
        moments = zoomed(ctx.triggered[0]["value"] if ctx.triggered else None)
        return address("", parameters_of(search), **moments) if moments else no_update

    app.callback(output=_OUTPUTS, inputs=[Input("shell-url", "search"), Input("shell-tick", "data")])(update_page)
    app.callback(
        Output("shell-url", "search", allow_duplicate=True),
        *(Input(graph_id, "relayoutData") for graph_id in GRAPHS),
        State("shell-url", "search"),
        prevent_initial_call=True,
    )(zoom)
    for graph_id in GRAPHS:
        paint(app, graph_id)


_OUTPUTS = {
    "empty": Output("overview-empty", "children"),
    "hidden": Output("overview-body", "hidden"),
    "insight": Output("overview-insight", "children"),
    "figures": Output("overview-figures", "children"),
    "traffic": Output("overview-traffic-graph-figure", "data"),
    "traffic_unit": Output("overview-traffic-unit", "children"),
    "statuses": Output("overview-status-rows", "children"),
    "latency": Output("overview-latency-graph-figure", "data"),
    "latency_unit": Output("overview-latency-unit", "children"),
    "no_latency": Output("overview-no-latency", "hidden"),
    "latency_class": Output("overview-latency-graph", "className"),
    "latencies": Output("overview-latencies", "children"),
    "slowest": Output("overview-slowest", "children"),
    "failing": Output("overview-failing", "children"),
    "routes": Output("overview-routes", "children"),
}


def read_figures(site: Site, view: View) -> Figures:
    """Figures of a view; viewers who look at the same view at the same moment share them."""
    by_endpoint = bool(view.filters.method or view.filters.route)
    complete, minutes = site.complete(), bucket_minutes(view.whole, most=most_points(), by_endpoint=by_endpoint)
    question = ("overview", view.whole, view.filters, minutes, complete)
    return site.shared.get(question, lambda: _read(site, view, minutes, complete))


def _read(site: Site, view: View, minutes: int, complete: datetime) -> Figures:
    """Read everything in one snapshot, so that all parts of the page agree."""
    whole = view.whole
    with snapshot(site.engine) as connection:
        used = usage(connection, whole, view.filters)
        return Figures(
            total=summary(connection, whole, view.filters, complete),
            traffic=traffic(connection, whole, view.filters, minutes=minutes, zone=site.zone, complete=complete),
            statuses=statuses(connection, whole, view.filters),
            endpoints=used.endpoints,
            routes=routes_of(connection, used, view.filters),
            span=data_span(connection, view.filters.service),
        )


def show(figures: Figures, view: View, site: Site, words: Words) -> dict[str, Any]:
    """Components and figures of every part."""
    zone = site.zone
    has_latency = figures.total.latency_ms.p95 is not None
    bucket = bucket_name(figures.traffic.interval_minutes, words)
    return {
        "insight": _insight(figures, view, site, words),
        "figures": key_figures(
            figures.total,
            figures.traffic,
            seconds=covered_seconds(view.whole, figures.span, site.now()),
            zone=zone,
            words=words,
        ),
        "traffic": traffic_figure(figures.traffic, zone, words),
        "traffic_unit": _traffic_unit(bucket, view.whole, site, words),
        "statuses": status_rows(figures.statuses, view, words),
        "latency": latency_figure(figures.traffic, zone, words) if has_latency else no_update,
        "latency_unit": words("latency_unit", bucket=bucket) if has_latency else "",
        "no_latency": has_latency,
        "latency_class": "chart-graph" if has_latency else "chart-graph none",
        "latencies": latency_rows(figures.total.latency_ms, words),
        "slowest": slowest_table(figures.endpoints, view, words),
        "failing": failing_table(figures.endpoints, view, words),
        "routes": capped_routes(figures.routes, words),
    }


def covered_seconds(whole: Range, span: Range | None, now: datetime) -> float:
    """Seconds of a range in which requests could have been stored."""
    start = max(whole.start, floor(span.start, MINUTE)) if span else whole.start
    return max((min(whole.end, now) - start).total_seconds(), 0)


def bucket_name(minutes: int, words: Words) -> str:
    """Width of a bucket in its largest whole unit."""
    if minutes % (24 * 60) == 0:
        return words("per_days", n=minutes // (24 * 60))
    return words("per_hours", n=minutes // 60) if minutes % 60 == 0 else words("per_minutes", n=minutes)


def zoomed(relayout: dict[str, Any] | None) -> dict[str, str] | None:
    """Start and end of a range dragged in a chart, widened to whole minutes; None for any other change."""
    ends = [(relayout or {}).get(f"xaxis.range[{i}]") for i in (0, 1)]
    if not all(isinstance(end, str) for end in ends):
        return None
    start, end = (datetime.fromisoformat(str(text)[:23]) for text in ends)
    start = start.replace(second=0, microsecond=0)
    end = (end + timedelta(seconds=59)).replace(second=0, microsecond=0)
    return {"start": local_text(start), "end": local_text(max(end, start + timedelta(minutes=1)))}


def _traffic_unit(bucket: str, whole: Range, site: Site, words: Words) -> str:
    complete = site.complete()
    if whole.end <= complete:
        return bucket
    return f"{bucket} · {words('unfinished', through=fmt.clock(complete, site.zone))}"


def _insight(figures: Figures, view: View, site: Site, words: Words) -> list[Component]:
    worst = sentences.most_failing(figures.endpoints)
    name = None
    if worst is not None:
        href = view.link("/endpoints", method=worst.method, route=worst.route)
        name = dcc.Link(endpoint_name(worst.method, worst.route), href=href)
    failing = sentences.say_failing(worst, figures.total, name, words)
    peak = sentences.say_peak(figures.traffic, view.whole, site.zone, words)
    return [
        severity(sentences.failing_level(worst), words),
        html.P([*failing, " ", *peak]),
    ]
