"""Log search: the stored requests of a range, page by page, with how many match and when.

Ids: logs-rows, logs-shown (how many stand there), logs-more, logs-end (how far the search came), logs-problem,
logs-count, logs-graph, logs-classes, logs-download, logs-min and logs-max (latency), logs-found and logs-next
(stores); and those of console_bar and record.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components import console_bar
from dashapp.components.attributes import aria
from dashapp.components.card import choice_link, swatch
from dashapp.components.console import console_row, utc_text
from dashapp.components.graph import graph, paint
from dashapp.components.part import failure, retry
from dashapp.components.record import drawer
from dashapp.figures.base import blank
from dashapp.figures.log_histogram import log_histogram
from dashapp.parts import Failed, Parts
from dashapp.pattern_words import say_pattern
from dashapp.patterns import objection
from dashapp.site import Site, most_points
from dashapp.stats.log_counts import LogCounts, log_counts
from dashapp.time_range import bucket_minutes
from dashapp.view import View, address, parameters_of
from dashapp.words import Words
from sql.connection import BadPattern, DatabaseUnavailable
from sql.plan import Range
from sql.position import position_of
from sql.search import SEARCH_S, Found, search

PATH = console_bar.SEARCH
TAB = ""
COMPARES = False
PARENT = console_bar.LIVE
EXPLAINS_PATTERNS = True
PAGE_ROWS = 100
COUNT_S = 10
CLASSES = ("2xx", "3xx", "4xx", "5xx")
_KINDS = (("CSV", "csv", "0"), ("NDJSON", "ndjson", "0"), ("CSV.gz", "csv", "1"), ("NDJSON.gz", "ndjson", "1"))

log = logging.getLogger(__name__)


def layout(site: Site, words: Words) -> Component:
    """The page without rows."""
    found = html.Section(
        [
            _bar(words),
            html.Div(
                [
                    html.H2(id="logs-count", className="num", children=words("logs_counting")),
                    html.Div(id="logs-classes", className="seg", role="group", **aria(label=words("logs_classes"))),
                    html.Span(id="logs-problem", className="bad", role="alert"),
                    html.Span(className="grow"),
                    html.Span([words("logs_download"), " ", html.Span(id="logs-download")], className="sub downloads"),
                ],
                className="console-state",
            ),
            graph("logs-graph", label=words("logs_histogram"), height="chart-log"),
            console_bar.heads(site.now(), site.zone, words),
            console_bar.rows_box("logs-rows", words("logs_list"), site.now(), site.zone, empty=words("logs_searching")),
            html.Div(
                [
                    html.Button(id="logs-more", className="button", type="button", hidden=True),
                    html.Span(id="logs-end", className="sub", role="status"),
                    html.Span(id="logs-shown", hidden=True),
                ],
                className="log-foot",
            ),
        ],
        className="card console search",
        **aria(label=words("logs_list")),
    )
    stores = [dcc.Store(id="logs-found"), dcc.Store(id="logs-next")]
    return html.Div([*stores, found, drawer(words)], id="record-layout", className="log-layout")


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the page; those shared with the live console are registered there."""

    def load(address_: str, _refresh: int | None, _more: int | None, following: dict[str, str] | None) -> Any:
        view, words = site.view(address_), site.words(address_)
        fresh = ctx.triggered_id != "logs-more" or not following
        whole = view.whole if fresh or not following else _kept(following)
        before = None if fresh or not following else position_of(following["before"])
        reason = objection(view.parameters.get("regex", ""))
        try:
            if reason is not None:
                raise BadPattern(reason)
            found = search(site.engine, whole, view.filters, limit=PAGE_ROWS, before=before)
        except BadPattern as error:
            return {"fresh": True, "rows": []}, None, True, "", "", say_pattern(str(error), words)
        except DatabaseUnavailable as error:
            log.warning("no log rows: %s", error)
            return no_update, no_update, no_update, no_update, no_update, [words("database_away"), " ", retry(words)]
        rows = [console_row(row, site.zone) for row in found.rows]
        label = words("logs_go_on") if found.truncated else words("logs_more", n=PAGE_ROWS)
        going_on = _following(found, whole) if found.next else None
        return {"fresh": fresh, "rows": rows}, going_on, going_on is None, label, say_end(found, whole, site, words), ""

    def count(address_: str, _refresh: int | None) -> tuple[Any, ...]:
        view, words = site.view(address_), site.words(address_)
        links = (download_links(view), class_links(view, words))
        if objection(view.parameters.get("regex", "")) is not None:
            # Without the pattern a download would have rows that are not on the page.
            return blank(), "", "", [], links[1]
        counts = read_counts(site, view)
        if isinstance(counts, Failed):
            told = [] if counts.reason == "failed_pattern" else failure(counts, words("logs_histogram"), words)
            return blank(), fmt.UNKNOWN if told else "", told, *links
        said = words("logs_count", n=fmt.count(counts.total))
        return log_histogram(counts.traffic, site.zone).to_plotly_json(), said, "", *links

    app.callback(
        Output("logs-found", "data"),
        Output("logs-next", "data"),
        Output("logs-more", "hidden"),
        Output("logs-more", "children"),
        Output("logs-end", "children"),
        Output("logs-problem", "children"),
        Input("shell-url", "search"),
        Input("shell-refresh", "n_clicks"),
        Input("logs-more", "n_clicks"),
        State("logs-next", "data"),
    )(load)
    app.callback(
        Output("logs-graph-figure", "data"),
        Output("logs-count", "children"),
        Output("logs-graph-failed", "children"),
        Output("logs-download", "children"),
        Output("logs-classes", "children"),
        Input("shell-url", "search"),
        Input("shell-refresh", "n_clicks"),
    )(count)
    app.clientside_callback(
        ClientsideFunction("accessboard", "showFound"), Output("logs-shown", "children"), Input("logs-found", "data")
    )
    app.callback(Output("logs-min", "value"), Output("logs-max", "value"), Input("shell-url", "search"))(latency_limits)
    app.callback(
        Output("shell-url", "search", allow_duplicate=True),
        Input("logs-min", "n_submit"),
        Input("logs-min", "n_blur"),
        Input("logs-max", "n_submit"),
        Input("logs-max", "n_blur"),
        State("logs-min", "value"),
        State("logs-max", "value"),
        State("shell-url", "search"),
        prevent_initial_call=True,
    )(filter_latency)
    paint(app, "logs-graph")


def read_counts(site: Site, view: View) -> LogCounts | Failed:
    """Count what matches, in one snapshot; or why that failed."""
    by_endpoint = bool(view.filters.method or view.filters.route)
    minutes = bucket_minutes(view.whole, most=most_points(), by_endpoint=by_endpoint)
    complete = site.complete()
    with Parts(site.engine, seconds=COUNT_S) as parts:
        return parts.read(
            lambda reading: log_counts(
                reading, view.whole, view.filters, minutes=minutes, zone=site.zone, complete=complete
            )
        )


def latency_limits(search_: str) -> tuple[str, str]:
    """Latency limits of the address, for their fields."""
    parameters = parameters_of(search_)
    return parameters.get("latency_min", ""), parameters.get("latency_max", "")


def filter_latency(*given: Any) -> Any:
    """Address with the limits that were typed; nothing where they are its own already."""
    least, most, search_ = given[-3:]
    limits = {"latency_min": (least or "").strip() or None, "latency_max": (most or "").strip() or None}
    parameters = parameters_of(search_)
    if all(parameters.get(name) == value for name, value in limits.items()):
        return no_update
    return address("", parameters, **limits)


def say_end(found: Found, whole: Range, site: Site, words: Words) -> str:
    """How far a search came, and what is no longer kept."""
    if found.kept_from is not None and found.kept_from > whole.start and found.next is None:
        return words("logs_not_kept", when=fmt.day_clock(found.kept_from, site.zone))
    if found.next is None:
        return words("logs_reached_end")
    when = fmt.day_clock(found.next.ts, site.zone)
    if found.truncated:
        return words("logs_truncated", n=round(SEARCH_S), when=when)
    return words("logs_reached", when=when)


def download_links(view: View) -> list[Component]:
    """Links to all that matches as a file, with the filters of the view."""
    asked = {"start": utc_text(view.whole.start), "end": utc_text(view.whole.end), **view.counted}
    return [
        html.A(
            name,
            href="/api/logs/export?" + urlencode({**asked, "format": kind, "gzip": packed}),
            id=f"logs-download-{name.lower().replace('.', '-')}",
        )
        for name, kind, packed in _KINDS
    ]


def class_links(view: View, words: Words) -> list[Component]:
    """One link for each status class, and one for all of them."""
    chosen = view.parameters.get("status")
    every = html.Span(words("logs_all"), title=words("logs_class_all"))
    links = [choice_link(every, view.link(PATH, status=None), chosen=view.filters.status is None)]
    for name in CLASSES:
        label = html.Span([swatch(name), name], title=words("logs_class_title", name=name))
        links.append(choice_link(label, view.link(PATH, status=name), chosen=chosen == name))
    return links


def _following(found: Found, whole: Range) -> dict[str, str]:
    return {"before": str(found.next), "start": utc_text(whole.start), "end": utc_text(whole.end)}


def _kept(following: dict[str, str]) -> Range:
    """The range that a first page was of; one that ends now would slide between pages."""
    return Range(*(datetime.fromisoformat(following[name]).astimezone(UTC) for name in ("start", "end")))


def _bar(words: Words) -> Component:
    limits: list[Component] = [
        dcc.Input(
            id=field,
            type="text",
            maxLength=9,
            placeholder=words(key),
            className="inp log-limit",
            autoComplete="off",
        )
        for field, key in (("logs-min", "logs_latency_min"), ("logs-max", "logs_latency_max"))
    ]
    return html.Div(
        [
            console_bar.switch_place(words),
            console_bar.text_field(words),
            *limits,
            html.Span(className="grow"),
            *console_bar.row_tools(words),
        ],
        className="console-bar",
    )
