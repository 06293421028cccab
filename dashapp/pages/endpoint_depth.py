"""One endpoint in depth: the part of Endpoint Analysis that shows when a method and a route are filtered.

Ids: endpoints-title, endpoints-back, endpoints-name, endpoints-figures (with endpoints-requests, -error-rate, -mean,
-p50, -p90, -p95, -p99, -max), endpoints-heat-graph, endpoints-common, endpoints-among, endpoints-traffic-graph,
endpoints-slow, endpoints-rows, endpoints-latency-graph, endpoints-statuses, endpoints-clients. What failed stands in
`<id>-failed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import Output, dcc, html, no_update
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import aria
from dashapp.components.card import card
from dashapp.components.commonalities import among_links, common_list
from dashapp.components.endpoint_head import endpoint_figures, endpoint_title
from dashapp.components.endpoint_requests import LOGS, client_rows, slow_requests_table
from dashapp.components.findings import bands_of
from dashapp.components.graph import graph
from dashapp.components.heat_scale import heat_scale
from dashapp.components.part import part, shown
from dashapp.components.statuses import status_rows
from dashapp.figures.base import Band, blank, role
from dashapp.figures.latency import latency_figure
from dashapp.figures.latency_heat import latency_heat_figure
from dashapp.figures.traffic import traffic_figure
from dashapp.pages import changed_card
from dashapp.pages.overview import bucket_name
from dashapp.parts import Failed
from dashapp.site import Site, is_phone, most_points
from dashapp.stats.endpoint_common import AMONG, Among
from dashapp.stats.endpoint_page import Depth, read_depth
from dashapp.stats.overview import Codes, Question, Series
from dashapp.time_range import bucket_minutes
from dashapp.view import View
from dashapp.words import Words

PATH = "/endpoints"
GRAPHS = ("endpoints-heat-graph", "endpoints-traffic-graph", "endpoints-latency-graph")
_LINES = ("p50", "p95")

OUTPUTS = {
    "title": Output("endpoints-title", "children"),
    "figures": Output("endpoints-figures", "children"),
    "figures_failed": Output("endpoints-figures-failed", "children"),
    "heat": Output("endpoints-heat-graph-figure", "data"),
    "heat_failed": Output("endpoints-heat-graph-failed", "children"),
    "heat_unit": Output("endpoints-heat-unit", "children"),
    "no_latency": Output("endpoints-no-latency", "hidden"),
    "heat_class": Output("endpoints-heat-graph", "className"),
    "common": Output("endpoints-common", "children"),
    "common_failed": Output("endpoints-common-failed", "children"),
    "among": Output("endpoints-among", "children"),
    "traffic": Output("endpoints-traffic-graph-figure", "data"),
    "traffic_failed": Output("endpoints-traffic-graph-failed", "children"),
    "traffic_unit": Output("endpoints-traffic-unit", "children"),
    "slow": Output("endpoints-slow", "children"),
    "slow_failed": Output("endpoints-slow-failed", "children"),
    "all_rows": Output("endpoints-rows", "href"),
    "latency": Output("endpoints-latency-graph-figure", "data"),
    "latency_failed": Output("endpoints-latency-graph-failed", "children"),
    "latency_unit": Output("endpoints-latency-unit", "children"),
    "latency_class": Output("endpoints-latency-graph", "className"),
    "statuses": Output("endpoints-statuses", "children"),
    "statuses_failed": Output("endpoints-statuses-failed", "children"),
    "clients": Output("endpoints-clients", "children"),
    "clients_failed": Output("endpoints-clients-failed", "children"),
}


def depth_layout(words: Words) -> list[Component]:
    """The endpoint before its numbers, every part in its final place."""
    return [
        html.Section(
            [html.Div(id="endpoints-title", className="nm"), part("endpoints-figures", words)],
            className="card det",
            **aria(label=words("endpoint")),
        ),
        html.Div(
            [
                *_first_row(words),
                changed_card.changed_card("endpoints", words),
                *_second_row(words),
                *_third_row(words),
            ],
            className="g",
        ),
    ]


def _first_row(words: Words) -> list[Component]:
    among = html.Div(id="endpoints-among", className="seg", role="group", **aria(label=words("among")))
    return [
        card(
            words("distribution"),
            [
                graph("endpoints-heat-graph", label=words("distribution"), height="chart-l"),
                html.P(words("no_latency"), id="endpoints-no-latency", className="note", hidden=True),
            ],
            subtitle_id="endpoints-heat-unit",
            aside=[heat_scale(words, gaps=False), _lines()],
            menu=words,
            width="c8",
        ),
        card(words("common"), part("endpoints-common", words), aside=among, width="c4"),
    ]


def _lines() -> Component:
    """What the lines above the heat map are; the legend of the chart itself would lie over its scale."""
    marks: list[Component | str] = []
    for name in _LINES:
        marks += [html.Span(className="ln", style={"borderColor": role(f"chart-{name}")}), name]
    return html.Div(marks, className="lg")


def _second_row(words: Words) -> list[Component]:
    rows = dcc.Link(words("all_rows"), href=LOGS, id="endpoints-rows")
    return [
        card(
            words("requests_and_status"),
            graph("endpoints-traffic-graph", label=words("traffic_chart"), height="chart-l"),
            subtitle_id="endpoints-traffic-unit",
            menu=words,
            width="c6",
        ),
        card(
            words("slow_requests"),
            part("endpoints-slow", words),
            subtitle="ms",
            aside=rows,
            menu=words,
            chart=False,
            width="c6",
            flush=True,
        ),
    ]


def _third_row(words: Words) -> list[Component]:
    return [
        card(
            words("percentiles"),
            graph("endpoints-latency-graph", label=words("latency_chart"), height="chart-m"),
            subtitle_id="endpoints-latency-unit",
            menu=words,
            width="c6",
        ),
        card(words("statuses"), part("endpoints-statuses", words), width="c3"),
        card(words("clients"), part("endpoints-clients", words), subtitle=words("clients_unit"), width="c3"),
    ]


def is_one(view: View) -> bool:
    """Tell whether a view is about one endpoint."""
    return bool(view.filters.method and view.filters.route)


def among_of(view: View) -> Among:
    """Which requests the view compares with the others."""
    return next((each for each in AMONG if each == view.parameters.get("among")), AMONG[0])


def read_page(site: Site, view: View) -> Depth:
    """Parts of the page; viewers who look at the same view at the same moment share them."""
    minutes = bucket_minutes(view.whole, most=most_points(), by_endpoint=True)
    question = Question(view.whole, view.filters, view.comparison, minutes, site.zone, site.complete())
    among = among_of(view)
    return site.shared.get(
        ("endpoint", question, among), lambda: read_depth(site.engine, question, among=among)
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Page:
    """What the builders of all parts need."""

    view: View
    site: Site
    words: Words
    complete: datetime
    bands: list[Band]

    @property
    def other(self) -> str:
        """Name of the period compared with."""
        return self.words(f"vs_name_{self.view.comparison.kind}") if self.view.comparison else ""


def show(read: Depth, view: View, site: Site, words: Words, kept_since: str | None = None) -> dict[str, Any]:
    """Components and figures of every part; of one that failed, why."""
    found = [] if isinstance(read.found, Failed) else read.found.findings
    complete = site.complete()
    bands = bands_of(found, view.whole, site.zone, words, complete, phone=is_phone())
    page = _Page(view, site, words, complete, bands)
    zone = site.zone

    def put(value: Any, make: Any, key: str, blank: Any = None) -> tuple[Any, Any]:
        return shown(value, make, title=words(key), words=words, kept_since=kept_since, blank=blank)

    parts = {
        "figures": put(read.totals, lambda each: endpoint_figures(each, page.other, words), "key_figures"),
        "heat": put(read.series, lambda each: _heat(each, page), "distribution", blank()),
        "common": put(read.slow, lambda each: common_list(each.common, view, zone, words), "common"),
        "traffic": put(read.series, lambda each: _traffic(each, page), "requests", blank()),
        "slow": put(read.slow, lambda each: slow_requests_table(each.requests, view, zone, words), "slow_requests"),
        "latency": put(read.series, lambda each: _latency(each, page), "latency", blank()),
        "statuses": put(read.codes, lambda each: _statuses(each, page), "statuses"),
        "clients": put(read.clients, lambda each: client_rows(each, view, zone, words), "clients"),
    }
    shown_parts: dict[str, Any] = {}
    for name, (content, failed) in parts.items():
        shown_parts |= {name: content, f"{name}_failed": failed}
    return {**shown_parts, **_around(read, page)}


def _around(read: Depth, page: _Page) -> dict[str, Any]:
    """Titles, subtitles and links beside the parts."""
    words, view = page.words, page.view
    bucket = "" if isinstance(read.series, Failed) else bucket_name(read.series.now.interval_minutes, words)
    has_latency = isinstance(read.totals, Failed) or read.totals.total.latency_ms.p95 is not None
    unfinished = words("unfinished", through=fmt.clock(page.complete, page.site.zone))
    return {
        "title": endpoint_title(view, PATH, words),
        "heat_unit": words("distribution_unit", bucket=bucket) if has_latency and bucket else "",
        "traffic_unit": f"{bucket} · {unfinished}" if bucket and view.whole.end > page.complete else bucket,
        "latency_unit": words("latency_unit", bucket=bucket) if has_latency and bucket else "",
        "no_latency": has_latency,
        "heat_class": "chart-graph" if has_latency else "chart-graph none",
        "latency_class": "chart-graph" if has_latency else "chart-graph none",
        "among": among_links(view, PATH, among_of(view), words),
        "all_rows": view.link(LOGS, by=None, among=None),
    }


def _heat(series: Series, page: _Page) -> Any:
    figure = latency_heat_figure(series.now, page.site.zone, page.words, percentiles=_LINES, bands=page.bands)
    return figure.update_layout(showlegend=False)


def _traffic(series: Series, page: _Page) -> Any:
    name = page.words("total_of", name=page.other)
    return traffic_figure(
        series.now, page.site.zone, page.words, before=series.before, before_name=name, bands=page.bands
    )  # fmt: skip


def _latency(series: Series, page: _Page) -> Any:
    name = page.words("p95_of", name=page.other)
    return latency_figure(
        series.now, page.site.zone, page.words, before=series.before, before_name=name, bands=page.bands
    )  # fmt: skip


def _statuses(codes: Codes, page: _Page) -> list[Component]:
    return status_rows(codes.whole, page.view, page.words, now=codes.now, before=codes.before)


UNCHANGED = dict.fromkeys(OUTPUTS, no_update)
