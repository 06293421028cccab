"""Pattern Analysis: when requests come, how they are answered, how long they take, and who sends them.

Ids: patterns-sentence, patterns-graph, patterns-errors-graph, patterns-p95-graph (by weekday and hour),
patterns-facts, patterns-findings, patterns-status-graph, patterns-spread-graph, patterns-times, patterns-methods,
patterns-networks, patterns-clients, patterns-apart (groups that differ), patterns-novelties (new and gone),
patterns-words (the range in words),
patterns-empty, patterns-body. What failed stands in `<id>-failed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.analyses import analyses_in_words
from dashapp.components.apart import apart_table, novelties_table
from dashapp.components.attributes import aria
from dashapp.components.card import card, note
from dashapp.components.empty import empty_state
from dashapp.components.finding_panel import Look
from dashapp.components.findings import MOST_FINDINGS, bands_of, finding_history
from dashapp.components.graph import graph, paint
from dashapp.components.heat_scale import heat_scale
from dashapp.components.part import part, shown
from dashapp.components.pattern_facts import busy_hours, fact_list, say_fact
from dashapp.components.segment_tables import clients_table, methods_table, networks_table
from dashapp.figures.base import Band, blank
from dashapp.figures.heatmap import What, week_figure
from dashapp.figures.latency_heat import latency_heat_figure
from dashapp.figures.status_share import status_share_figure
from dashapp.pages.overview import HISTORY, bucket_name
from dashapp.parts import Failed
from dashapp.sentences_findings import say_nothing_found
from dashapp.sentences_patterns import Fact, pattern_facts
from dashapp.site import Site, is_phone, most_points
from dashapp.stats.analyses import Analyses, read_analyses
from dashapp.stats.known_findings import Found
from dashapp.stats.networks import Networks
from dashapp.stats.overview import Question, Series
from dashapp.stats.pattern_page import Methods, PatternPage, Week, read_patterns
from dashapp.time_range import bucket_minutes
from dashapp.view import View
from dashapp.words import Words

PATH = "/patterns"
TAB = "Pattern Analysis"
GRAPHS = (
    "patterns-graph", "patterns-errors-graph", "patterns-p95-graph", "patterns-status-graph", "patterns-spread-graph"
)  # fmt: skip
_SHORT = timedelta(hours=24)
_ADVISED = ("7d", "30d")
# Sentences of the insight line; the others stand in the list of findings.
_FIRST = ("say_busiest", "say_too_short", "say_error_hours")
# A network that sends less is none to speak of.
_LARGE_NETWORK = 0.2


def layout(_site: Site, words: Words) -> Component:
    """The page before its numbers, every part in its final place."""
    return html.Div(
        [
            dcc.Store(id="patterns-read-at"),
            html.Div(id="patterns-empty"),
            html.Div(
                [
                    html.Section(
                        part("patterns-sentence", words), className="card insight", **aria(label=words("insight"))
                    ),
                    html.Div(
                        [*_matrices(words), _found(words), *_courses(words), *_segments(words), _words(words)],
                        className="g",
                    ),
                ],
                id="patterns-body",
            ),
        ]
    )


def _matrices(words: Words) -> list[Component]:
    hero = card(
        words("heat"),
        graph("patterns-graph", label=words("heat"), height="chart-heat"),
        subtitle_id="patterns-unit",
        aside=heat_scale(words),
        menu=words,
        width="c8",
    )
    small = [
        card(
            words(f"heat_{name}"),
            graph(f"patterns-{name}-graph", label=words(f"heat_{name}_label"), height="chart-heat-s"),
            subtitle=words(f"heat_{name}_unit"),
            aside=heat_scale(words, low=words(low), high=words(high), gaps=False),
            menu=words,
            width="",
        )
        for name, low, high in (("errors", "low", "high"), ("p95", "fast", "slow"))
    ]
    return [hero, html.Div(small, className="c4 stacked")]


def _found(words: Words) -> Component:
    return card(
        words("findings"),
        part("patterns-findings", words),
        subtitle=html.Span(id="patterns-findings-count", className="cnt"),
        aside=dcc.Link(words("all_findings"), href=HISTORY, id="patterns-findings-all"),
        flush=True,
    )


def _courses(words: Words) -> list[Component]:
    return [
        card(
            words("status_course"),
            graph("patterns-status-graph", label=words("status_course_label"), height="chart-m"),
            subtitle_id="patterns-status-unit",
            menu=words,
            width="c8",
        ),
        card(words("pattern_findings"), part("patterns-facts", words), width="c4"),
        card(
            words("spread"),
            [
                graph("patterns-spread-graph", label=words("spread_label"), height="chart-l"),
                html.P(words("no_latency"), id="patterns-no-latency", className="note", hidden=True),
            ],
            subtitle=[html.Span(id="patterns-spread-unit"), heat_scale(words, gaps=False)],
            menu=words,
            width="c8",
        ),
        card(words("busy_times"), part("patterns-times", words), subtitle=words("busy_times_unit"), width="c4"),
    ]


def _segments(words: Words) -> list[Component]:
    cards = (("methods", ""), ("networks", words("networks_unit")), ("clients", ""))
    by_requests = [
        card(
            words("top_clients" if name == "clients" else name),
            part(f"patterns-{name}", words),
            subtitle=unit,
            menu=words,
            chart=False,
            width="c4",
            flush=True,
        )
        for name, unit in cards
    ]
    unlike = [
        card(
            words(name),
            part(f"patterns-{name}", words),
            subtitle=unit,
            menu=words,
            chart=False,
            width=width,
            flush=True,
        )
        for name, unit, width in (("apart", words("apart_unit"), "c8"), ("novelties", words("novelties_unit"), "c4"))
    ]
    return [*by_requests, *unlike]


def _words(words: Words) -> Component:
    return card(words("in_words"), part("patterns-words", words), subtitle=words("in_words_unit"))


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the page."""

    def update_page(search: str, _tick: int, read_at: str | None) -> dict[str, Any]:
        view, words = site.view(search), site.words(search)
        # Values of another view must not stay beside the name of this one.
        kept_since = read_at if ctx.triggered_id == "shell-tick" else None
        # Building the figures takes longer than writing them down: viewers of the same view share that, too.
        same = ("patterns page", view.link(), view.whole, words.language, most_points(), kept_since)
        return site.shared.get(same, lambda: page_of(view, words, kept_since))

    def page_of(view: View, words: Words, kept_since: str | None) -> dict[str, Any]:
        read = read_page(site, view)
        if not isinstance(read.week, Failed) and not any(hour.tally.n for hour in read.week.hours):
            empty = empty_state(view, read.week.span, site.zone, words, path=PATH)
            return dict.fromkeys(_OUTPUTS, no_update) | {"empty": empty, "hidden": True}
        return {"empty": None, "hidden": False, **show(read, view, site, words, kept_since)}

    def update_words(search: str, _tick: int) -> Component:
        view, words = site.view(search), site.words(search)
        return analyses_in_words(read_words(site, view), Look(view, site.complete(), site.zone, words))

    app.callback(
        output=_OUTPUTS,
        inputs=[Input("shell-url", "search"), Input("shell-tick", "data"), State("patterns-read-at", "data")],
    )(update_page)
    # Apart from the rest, which need not wait for it.
    app.callback(
        Output("patterns-words", "children"), Input("shell-url", "search"), Input("shell-tick", "data")
    )(update_words)  # fmt: skip
    for graph_id in GRAPHS:
        paint(app, graph_id)


_PARTS = ("sentence", "findings", "facts", "times", "methods", "networks", "clients", "apart", "novelties")
_DRAWN = {
    "heat": "patterns-graph",
    "heat_errors": "patterns-errors-graph",
    "heat_p95": "patterns-p95-graph",
    "status": "patterns-status-graph",
    "spread": "patterns-spread-graph",
}
_OUTPUTS = {
    "empty": Output("patterns-empty", "children"),
    "hidden": Output("patterns-body", "hidden"),
    "read_at": Output("patterns-read-at", "data"),
    "unit": Output("patterns-unit", "children"),
    "findings_count": Output("patterns-findings-count", "children"),
    "findings_all": Output("patterns-findings-all", "href"),
    "status_unit": Output("patterns-status-unit", "children"),
    "spread_unit": Output("patterns-spread-unit", "children"),
    "no_latency": Output("patterns-no-latency", "hidden"),
    "spread_class": Output("patterns-spread-graph", "className"),
    **{name: Output(f"patterns-{name}", "children") for name in _PARTS},
    **{f"{name}_failed": Output(f"patterns-{name}-failed", "children") for name in _PARTS},
    **{name: Output(f"{graph_id}-figure", "data") for name, graph_id in _DRAWN.items()},
    **{f"{name}_failed": Output(f"{graph_id}-failed", "children") for name, graph_id in _DRAWN.items()},
}


def read_page(site: Site, view: View) -> PatternPage:
    """Parts of the page; viewers who look at the same view at the same moment share them."""
    by_endpoint = bool(view.filters.method or view.filters.route)
    minutes = bucket_minutes(view.whole, most=most_points(), by_endpoint=by_endpoint)
    question = Question(view.whole, view.filters, view.comparison, minutes, site.zone, site.complete())
    return site.shared.get(("patterns", question), lambda: read_patterns(site.engine, question))


def read_words(site: Site, view: View) -> Analyses:
    """The five analyses of a view, the same for every size of window."""
    question = Question(view.whole, view.filters, view.comparison, 1, site.zone, site.complete())
    return site.shared.get(("analyses", question), lambda: read_analyses(site.engine, question))


@dataclass(frozen=True, slots=True)
class _Page:
    """What the builders of all parts need."""

    view: View
    site: Site
    words: Words

    @property
    def other(self) -> str:
        """Name of the period compared with."""
        return self.words(f"vs_name_{self.view.comparison.kind}") if self.view.comparison else ""


def show(read: PatternPage, view: View, site: Site, words: Words, kept_since: str | None = None) -> dict[str, Any]:
    """Components and figures of every part; of one that failed, why."""
    page = _Page(view, site, words)
    found = [] if isinstance(read.found, Failed) else read.found.findings
    bands = bands_of(found, view.whole, site.zone, words, site.complete(), phone=is_phone())

    def put(value: Any, make: Any, key: str, blank: Any = None) -> tuple[Any, Any]:
        return shown(value, make, title=words(key), words=words, kept_since=kept_since, blank=blank)

    parts = {
        "sentence": put(read.week, lambda each: _insight(each, page), "insight"),
        "heat": put(read.week, lambda each: _week(each, page, "requests", 3), "heat", blank()),
        "heat_errors": put(read.week, lambda each: _week(each, page, "error_rate", 6), "heat_errors", blank()),
        "heat_p95": put(read.week, lambda each: _week(each, page, "p95", 6), "heat_p95", blank()),
        "findings": put(read.found, lambda each: _findings(each, read.week, page), "findings"),
        "facts": put(read.week, lambda each: _facts(each, read.networks, page), "pattern_findings"),
        "times": put(read.week, lambda each: busy_hours(each.hours, view, site.zone, words), "busy_times"),
        "status": put(read.series, lambda each: _statuses(each, bands, page), "status_course", blank()),
        "spread": put(read.series, lambda each: _spread(each, bands, page), "spread", blank()),
        "methods": put(read.methods, lambda each: _methods(each, page), "methods"),
        "networks": put(read.networks, lambda each: networks_table(each, view, words), "networks"),
        "clients": put(read.clients, lambda each: clients_table(each, view, words), "top_clients"),
        "apart": put(read.apart, lambda each: apart_table(each, view, words), "apart"),
        "novelties": put(read.novelties, lambda each: novelties_table(each, view, site.zone, words), "novelties"),
    }
    shown_parts: dict[str, Any] = {}
    for name, (content, failed) in parts.items():
        shown_parts |= {name: content, f"{name}_failed": failed}
    return {**shown_parts, **_around(read, page)}


def _around(read: PatternPage, page: _Page) -> dict[str, Any]:
    """Subtitles and notes beside the parts."""
    words, zone = page.words, page.site.zone
    series = read.series
    bucket = "" if isinstance(series, Failed) else bucket_name(series.now.interval_minutes, words)
    timed = isinstance(series, Failed) or any(each.sketch is not None for each in series.now.buckets)
    parts = (read.week, read.series, read.methods, read.networks, read.clients, read.apart, read.novelties, read.found)
    failed = any(isinstance(each, Failed) for each in parts)
    return {
        "read_at": no_update if failed else fmt.clock_seconds(page.site.now(), zone),
        "findings_count": "" if isinstance(read.found, Failed) else str(len(read.found.findings) or ""),
        "findings_all": page.view.link(HISTORY),
        "unit": words("heat_unit", zone=fmt.zone_name(page.view.whole.end, zone)),
        "status_unit": words("status_course_unit", bucket=bucket) if bucket else "",
        "spread_unit": words("spread_unit", bucket=bucket) if bucket else "",
        "no_latency": timed,
        "spread_class": "chart-graph" if timed else "chart-graph none",
    }


def _insight(week: Week, page: _Page) -> list[Component]:
    """When most requests come, and when errors concentrate."""
    facts = pattern_facts(week.week, page.words)
    said: list[Any] = []
    for fact in facts:
        if fact.key not in _FIRST:
            continue
        said += [*say_fact(fact, page.view, page.site.zone, page.words), " "]
    return [html.P(said), *_advice(page)]


def _advice(page: _Page) -> list[Component]:
    view, words = page.view, page.words
    if view.whole.end - view.whole.start > _SHORT:
        return []
    links = [
        dcc.Link(words("show_range", name=name), href=view.link(PATH, last=name), className="button sm")
        for name in _ADVISED
    ]
    return [html.Div([html.Span(words("weeks_advice"), className="mut only-w"), *links], className="acts")]


def _week(week: Week, page: _Page, what: What, every: int) -> Any:
    return week_figure(week.week, page.words, what=what, zone=page.site.zone, every=every)


def _findings(found: Found, week: Week | Failed, page: _Page) -> Component:
    if not found.findings:
        total = None if isinstance(week, Failed) else sum(hour.tally.n for hour in week.hours)
        return note(say_nothing_found(total, found.watched, page.words))
    look = Look(page.view, page.site.complete(), page.site.zone, page.words)
    return finding_history(found, look, most=MOST_FINDINGS)


def _facts(week: Week, networks: Networks | Failed, page: _Page) -> Component:
    facts = [fact for fact in pattern_facts(week.week, page.words) if fact.key not in _FIRST]
    if not isinstance(networks, Failed) and networks.networks and networks.networks[0].share >= _LARGE_NETWORK:
        largest = networks.networks[0]
        values = {"share": fmt.rate(largest.share), "network": largest.network, "n": fmt.count(largest.clients)}
        facts.append(Fact("say_network", values))
    if not facts:
        return note(page.words("no_pattern"))
    return fact_list(facts, page.view, page.site.zone, page.words)


def _statuses(series: Series, bands: list[Band], page: _Page) -> Any:
    name = page.words("error_rate_of", name=page.other)
    return status_share_figure(
        series.now, page.site.zone, page.words, before=series.before, before_name=name, bands=bands
    )


def _spread(series: Series, bands: list[Band], page: _Page) -> Any:
    name = page.words("p95_of", name=page.other)
    return latency_heat_figure(
        series.now, page.site.zone, page.words, before=series.before, before_name=name, bands=bands
    )


def _methods(methods: Methods, page: _Page) -> Component:
    against = page.words("against", name=page.other) if page.other else ""
    return methods_table(methods.whole, methods.now, methods.before, page.view, page.words, against=against)
