"""Overview: is the service healthy, and if not, since when and where.

Ids: overview-insight, overview-requests, overview-error-rate, overview-p95, overview-throughput (the key
figures as text), overview-traffic-graph, overview-latency-graph, overview-status-rows, overview-findings,
overview-slowest, overview-failing, overview-routes (the note where routes were summed), overview-empty (why there
is nothing), overview-empty-go, overview-body. What failed stands in `<id>-failed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp import sentences
from dashapp.components.attributes import aria
from dashapp.components.capped_routes import capped_routes
from dashapp.components.card import card, endpoint_name, severity
from dashapp.components.empty import empty_state
from dashapp.components.endpoint_tables import Sides, failing_table, slowest_table
from dashapp.components.finding_panel import Look, said, time_label, time_link
from dashapp.components.findings import bands_of, finding_rows, ordered
from dashapp.components.graph import graph, paint
from dashapp.components.key_figures import Against, key_figures
from dashapp.components.latencies import latency_line
from dashapp.components.part import part, shown, skeleton
from dashapp.components.statuses import status_rows
from dashapp.figures.base import Band, blank
from dashapp.figures.latency import latency_figure
from dashapp.figures.traffic import traffic_figure
from dashapp.pages import changed_card
from dashapp.parts import Failed
from dashapp.site import Site, is_phone, most_points
from dashapp.stats.known_findings import Found
from dashapp.stats.overview import Codes, Endpoints, Overview, Question, Series, Totals, read_overview
from dashapp.time_range import bucket_minutes
from dashapp.view import View
from dashapp.words import Words
from sql.plan import MINUTE, Range, floor

PATH = "/"
TAB = "Overview"
GRAPHS = ("overview-traffic-graph", "overview-latency-graph")
# Where all findings are.
HISTORY = "/findings"


def layout(_site: Site, words: Words) -> Component:
    """The page before its numbers, every part in its final place."""
    return html.Div(
        [
            dcc.Store(id="overview-read-at"),
            html.Div(id="overview-empty"),
            html.Div(
                [
                    html.Section(
                        part("overview-insight", words), className="card insight", **aria(label=words("insight"))
                    ),
                    html.Div(
                        [
                            html.Div(_blank_figures(words), id="overview-figures", className="g"),
                            html.Div(id="overview-figures-failed", className="failed card", role="alert"),
                        ],
                        className="part",
                    ),
                    html.Div(
                        [*_charts(words), changed_card.changed_card("overview", words), *_tables(words)], className="g"
                    ),
                    html.Div(id="overview-routes"),
                ],
                id="overview-body",
            ),
        ]
    )


def _blank_figures(words: Words) -> list[Component]:
    titles = ("requests", "error_rate", "p95_latency", "throughput")
    return [
        html.Section([html.Div(html.H2(words(title)), className="t"), skeleton(words)], className="card kpi c3")
        for title in titles
    ]


def _charts(words: Words) -> list[Component]:
    return [
        card(
            words("requests"),
            graph("overview-traffic-graph", label=words("traffic_chart"), height="chart-l"),
            subtitle_id="overview-traffic-unit",
            menu=words,
            width="c8",
        ),
        card(
            words("statuses"),
            part("overview-status-rows", words),
            subtitle_id="overview-status-against",
            width="c4",
        ),
        card(
            words("latency"),
            [
                graph("overview-latency-graph", label=words("latency_chart"), height="chart-m"),
                html.P(words("no_latency"), id="overview-no-latency", className="note", hidden=True),
                html.Div(id="overview-latencies", className="lat-line"),
            ],
            subtitle_id="overview-latency-unit",
            menu=words,
            width="c8",
        ),
        card(
            words("findings"),
            part("overview-findings", words),
            subtitle=html.Span(id="overview-findings-count", className="cnt"),
            width="c4",
            flush=True,
        ),
    ]


def _tables(words: Words) -> list[Component]:
    return [
        card(
            words(name),
            part(f"overview-{name}", words),
            subtitle=words(f"{name}_unit"),
            menu=words,
            chart=False,
            width="c6",
            flush=True,
        )
        for name in ("slowest", "failing")
    ]


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the page."""

    def update_page(search: str, _tick: int, read_at: str | None) -> dict[str, Any]:
        view, words = site.view(search), site.words(search)
        # Values of another view must not stay beside the name of this one.
        kept_since = read_at if ctx.triggered_id == "shell-tick" else None
        # Building the figures takes longer than writing them down: viewers of the same view share that, too.
        same = ("overview page", view.link(), view.whole, words.language, kept_since, most_points())
        return site.shared.get(same, lambda: page_of(view, words, kept_since))

    def page_of(view: View, words: Words, kept_since: str | None) -> dict[str, Any]:
        read = read_page(site, view)
        if not isinstance(read.key_figures, Failed) and not read.key_figures[0].total.total:
            empty = empty_state(view, read.key_figures[0].span, site.zone, words, path=PATH)
            return dict.fromkeys(_OUTPUTS, no_update) | {"empty": empty, "hidden": True}
        return {"empty": None, "hidden": False, **show(read, view, site, words, kept_since)}

    app.callback(
        output=_OUTPUTS,
        inputs=[Input("shell-url", "search"), Input("shell-tick", "data"), State("overview-read-at", "data")],
    )(update_page)
    changed_card.register(app, site, "overview")
    for graph_id in GRAPHS:
        paint(app, graph_id)


_OUTPUTS = {
    "empty": Output("overview-empty", "children"),
    "hidden": Output("overview-body", "hidden"),
    "read_at": Output("overview-read-at", "data"),
    "insight": Output("overview-insight", "children"),
    "insight_failed": Output("overview-insight-failed", "children"),
    "figures": Output("overview-figures", "children"),
    "figures_failed": Output("overview-figures-failed", "children"),
    "traffic": Output("overview-traffic-graph-figure", "data"),
    "traffic_failed": Output("overview-traffic-graph-failed", "children"),
    "traffic_unit": Output("overview-traffic-unit", "children"),
    "statuses": Output("overview-status-rows", "children"),
    "statuses_failed": Output("overview-status-rows-failed", "children"),
    "statuses_against": Output("overview-status-against", "children"),
    "latency": Output("overview-latency-graph-figure", "data"),
    "latency_failed": Output("overview-latency-graph-failed", "children"),
    "latency_unit": Output("overview-latency-unit", "children"),
    "no_latency": Output("overview-no-latency", "hidden"),
    "latency_class": Output("overview-latency-graph", "className"),
    "latencies": Output("overview-latencies", "children"),
    "findings": Output("overview-findings", "children"),
    "findings_failed": Output("overview-findings-failed", "children"),
    "findings_count": Output("overview-findings-count", "children"),
    "slowest": Output("overview-slowest", "children"),
    "slowest_failed": Output("overview-slowest-failed", "children"),
    "failing": Output("overview-failing", "children"),
    "failing_failed": Output("overview-failing-failed", "children"),
    "routes": Output("overview-routes", "children"),
}


def read_page(site: Site, view: View) -> Overview:
    """Parts of the page; viewers who look at the same view at the same moment share them."""
    by_endpoint = bool(view.filters.method or view.filters.route)
    minutes = bucket_minutes(view.whole, most=most_points(), by_endpoint=by_endpoint)
    question = Question(view.whole, view.filters, view.comparison, minutes, site.zone, site.complete())
    return site.shared.get(("overview", question), lambda: read_overview(site.engine, question))


@dataclass(frozen=True, slots=True)
class _Page:
    """What the builders of all parts need."""

    view: View
    site: Site
    words: Words
    complete: datetime

    @property
    def other(self) -> str:
        """Name of the period compared with."""
        return self.words(f"vs_name_{self.view.comparison.kind}") if self.view.comparison else ""

    @property
    def look(self) -> Look:
        """From where findings are looked at."""
        return Look(self.view, self.complete, self.site.zone, self.words)


def show(read: Overview, view: View, site: Site, words: Words, kept_since: str | None = None) -> dict[str, Any]:
    """Components and figures of every part; of one that failed, why."""
    page = _Page(view, site, words, site.complete())
    bands = [] if isinstance(read.found, Failed) else _bands(read, page)

    def put(value: Any, make: Any, key: str, blank: Any = None) -> tuple[Any, Any]:
        return shown(value, make, title=words(key), words=words, kept_since=kept_since, blank=blank)

    parts = {
        "insight": put(_insight_of(read), lambda each: _insight(each, page), "insight"),
        "figures": put(read.key_figures, lambda each: _figures(each, page), "key_figures", _blank_figures(words)),
        "traffic": put(read.series, lambda each: _traffic(each, bands, page), "requests", blank()),
        "latency": put(read.series, lambda each: _latency(each, bands, page), "latency", blank()),
        "statuses": put(read.codes, lambda each: _statuses(each, page), "statuses"),
        "findings": put(read.found, lambda each: _findings(each, read, page), "findings"),
        "slowest": put(read.endpoints, lambda each: _slowest(each, page), "slowest"),
        "failing": put(read.endpoints, lambda each: _failing(each, page), "failing"),
    }
    shown_parts: dict[str, Any] = {}
    for name, (content, failed) in parts.items():
        shown_parts |= {name: content, f"{name}_failed": failed}
    return {**shown_parts, **_around(read, page)}


def _around(read: Overview, page: _Page) -> dict[str, Any]:
    """Subtitles and notes beside the parts."""
    words = page.words
    series, total = read.series, None if isinstance(read.key_figures, Failed) else read.key_figures[0].total
    bucket = "" if isinstance(series, Failed) else bucket_name(series.now.interval_minutes, words)
    has_latency = total is None or total.latency_ms.p95 is not None
    failed = any(isinstance(each, Failed) for each in (read.key_figures, read.series, read.codes, read.endpoints))
    compared = not isinstance(read.codes, Failed) and read.codes.before is not None
    routes = no_update if isinstance(read.endpoints, Failed) else capped_routes(read.endpoints.routes, words)
    return {
        "read_at": no_update if failed else fmt.clock_seconds(page.site.now(), page.site.zone),
        "traffic_unit": _traffic_unit(bucket, page) if bucket else "",
        "statuses_against": words("against", name=page.other) if compared else "",
        "latency_unit": words("latency_unit", bucket=bucket) if has_latency and bucket else "",
        "no_latency": has_latency,
        "latency_class": "chart-graph" if has_latency else "chart-graph none",
        "latencies": latency_line(total.latency_ms, words) if total else None,
        "findings_count": "" if isinstance(read.found, Failed) else str(len(read.found.findings) or ""),
        "routes": routes,
    }


def _figures(read: tuple[Totals, Series], page: _Page) -> list[Component]:
    totals, series = read
    against = None
    if totals.both and totals.now and totals.before and series.before:
        against = Against(page.other, totals.now, totals.before, series.before, totals.both.left_out)
    figures = key_figures(
        totals.total,
        series.now,
        seconds=covered_seconds(page.view.whole, totals.span, page.site.now()),
        zone=page.site.zone,
        words=page.words,
        against=against,
    )
    if page.view.comparison and against is None:
        figures.append(html.P(f"{page.other}: {page.words('nothing_there')}", className="left-out c12"))
    return figures


def _traffic(series: Series, bands: list[Band], page: _Page) -> Any:
    name = page.words("total_of", name=page.other)
    return traffic_figure(
        series.now, page.site.zone, page.words, before=series.before, before_name=name, bands=bands
    )  # fmt: skip


def _latency(series: Series, bands: list[Band], page: _Page) -> Any:
    name = page.words("p95_of", name=page.other)
    return latency_figure(
        series.now, page.site.zone, page.words, before=series.before, before_name=name, bands=bands
    )  # fmt: skip


def _findings(found: Found, read: Overview, page: _Page) -> Component:
    total = None if isinstance(read.key_figures, Failed) else read.key_figures[0].total.total
    return finding_rows(found, page.look, of=total, all_at=page.view.link(HISTORY))


def _bands(read: Overview, page: _Page) -> list[Band]:
    found = [] if isinstance(read.found, Failed) else read.found.findings
    return bands_of(found, page.view.whole, page.site.zone, page.words, page.complete, phone=is_phone())


def _statuses(codes: Codes, page: _Page) -> list[Component]:
    return status_rows(codes.whole, page.view, page.words, now=codes.now, before=codes.before)


def _sides(endpoints: Endpoints, page: _Page) -> Sides | None:
    if endpoints.now is None or endpoints.before is None:
        return None
    return Sides(page.other, endpoints.now.endpoints, endpoints.before.endpoints)


def _slowest(endpoints: Endpoints, page: _Page) -> Component:
    return slowest_table(endpoints.whole.endpoints, page.view, page.words, _sides(endpoints, page))


def _failing(endpoints: Endpoints, page: _Page) -> Component:
    return failing_table(endpoints.whole.endpoints, page.view, page.words, _sides(endpoints, page))


def covered_seconds(whole: Range, span: Range | None, now: datetime) -> float:
    """Seconds of a range in which requests could have been stored."""
    start = max(whole.start, floor(span.start, MINUTE)) if span else whole.start
    return max((min(whole.end, now) - start).total_seconds(), 0)


def bucket_name(minutes: int, words: Words) -> str:
    """Width of a bucket in its largest whole unit."""
    if minutes % (24 * 60) == 0:
        return words("per_days", n=minutes // (24 * 60))
    return words("per_hours", n=minutes // 60) if minutes % 60 == 0 else words("per_minutes", n=minutes)


def _traffic_unit(bucket: str, page: _Page) -> str:
    if page.view.whole.end <= page.complete:
        return bucket
    return f"{bucket} · {page.words('unfinished', through=fmt.clock(page.complete, page.site.zone))}"


def _insight_of(read: Overview) -> Overview | Failed:
    """The sentence needs all of these."""
    needed = (read.key_figures, read.series, read.endpoints, read.found)
    return next((each for each in needed if isinstance(each, Failed)), read)


def _insight(read: Overview, page: _Page) -> list[Component]:
    view, words, zone = page.view, page.words, page.site.zone
    assert not isinstance(read.found, Failed)
    assert not isinstance(read.series, Failed)
    peak = sentences.say_peak(read.series.now, view.whole, zone, words)
    if read.found.findings:
        worst, look = ordered(read.found.findings)[0], page.look
        links = [(words("see_requests"), time_link(worst, look, "/logs"))]
        if (worst.start, worst.end) != (view.whole.start, view.whole.end):
            links.insert(0, (time_label(worst, look), time_link(worst, look)))
        acts = [*_to_changes(page), *(dcc.Link(text, href=href, className="button sm") for text, href in links)]
        text = html.P([*said(worst, look, leads=True), " ", *peak])
        return [severity(worst.severity, words), text, html.Div(acts, className="acts")]
    assert not isinstance(read.key_figures, Failed)
    assert not isinstance(read.endpoints, Failed)
    if view.filters.status is not None:
        # Of requests that were chosen by their status, the share of errors says nothing.
        chosen = words("say_chosen", n=fmt.count(read.key_figures[0].total.total))
        return [html.P([chosen, " ", *peak]), html.Div(_to_changes(page), className="acts")]
    failing = sentences.most_failing(read.endpoints.whole.endpoints)
    name = None
    if failing is not None:
        href = view.link("/endpoints", method=failing.method, route=failing.route)
        name = dcc.Link(endpoint_name(failing.method, failing.route), href=href)
    told = sentences.say_failing(failing, read.key_figures[0].total, name, words)
    level = severity(sentences.failing_level(failing), words)
    return [level, html.P([*told, " ", *peak]), html.Div(_to_changes(page), className="acts")]


def _to_changes(page: _Page) -> list[Component]:
    """Where a part of the time was chosen, a way to what changed in it."""
    if not changed_card.is_asked(page.view):
        return []
    return [html.A(page.words("changed_go"), href="#overview-changed-card", className="button sm")]
