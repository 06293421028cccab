"""Pattern Analysis: when requests come, by hour of day and weekday of the viewer.

Ids: patterns-graph, patterns-sentence, patterns-empty, patterns-body.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dash import Dash, Input, Output, dcc, html, no_update
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import aria
from dashapp.components.card import card
from dashapp.components.empty import empty_state
from dashapp.components.graph import graph, paint
from dashapp.components.heat_scale import heat_scale
from dashapp.figures.heatmap import week_figure
from dashapp.site import Site
from dashapp.stats.patterns import WeekHour, extremes, week_hours
from dashapp.view import View
from dashapp.words import Words
from sql.connection import snapshot
from sql.plan import Range
from sql.span import data_span

PATH = "/patterns"
TAB = "Pattern Analysis"
_SHORT = timedelta(hours=24)
_ADVISED = ("7d", "30d")


def layout(_site: Site, words: Words) -> Component:
    """The page before its numbers."""
    return html.Div(
        [
            html.Div(id="patterns-empty"),
            html.Div(
                [
                    html.Section(id="patterns-sentence", className="card insight", **aria(label=words("insight"))),
                    html.Div(
                        card(
                            words("heat"),
                            graph("patterns-graph", label=words("heat"), height="chart-heat"),
                            subtitle_id="patterns-unit",
                            aside=heat_scale(words),
                        ),
                        className="g",
                    ),
                ],
                id="patterns-body",
            ),
        ]
    )


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the page."""

    def update_page(search: str, _tick: int) -> dict[str, Any]:
        view, words = site.view(search), site.words(search)
        rates, span = read_rates(site, view)
        if not any(rate.total for rate in rates):
            empty = empty_state(view, span, site.zone, words, path=PATH)
            return dict.fromkeys(_OUTPUTS, no_update) | {"empty": empty, "hidden": True}
        return {
            "empty": None,
            "hidden": False,
            "sentence": [html.P(say_extremes(rates, words)), *_advice(view, words)],
            "unit": words("heat_unit", zone=fmt.zone_name(view.whole.end, site.zone)),
            "figure": week_figure(rates, words),
        }

    app.callback(output=_OUTPUTS, inputs=[Input("shell-url", "search"), Input("shell-tick", "data")])(update_page)
    paint(app, "patterns-graph")


_OUTPUTS = {
    "empty": Output("patterns-empty", "children"),
    "hidden": Output("patterns-body", "hidden"),
    "sentence": Output("patterns-sentence", "children"),
    "unit": Output("patterns-unit", "children"),
    "figure": Output("patterns-graph-figure", "data"),
}


def read_rates(site: Site, view: View) -> tuple[list[WeekHour], Range | None]:
    """Read the hours of the week and the span of the data in one snapshot."""
    complete = site.complete()
    with snapshot(site.engine) as connection:
        span = data_span(connection, view.filters.service)
        return week_hours(connection, view.whole, view.filters, zone=site.zone, complete=complete), span


def say_extremes(rates: list[WeekHour], words: Words) -> list[Any]:
    """Busiest and quietest hour, of those that the range holds whole."""
    found = extremes(rates)
    if found is None:
        return [words("say_too_short")]
    days = words("weekdays").split()
    named = [words("week_hour", day=days[rate.weekday], hour=f"{rate.hour:02d}:00") for rate in found]
    means = [words("n_requests", n=fmt.mean_count(rate.mean or 0)) for rate in found]
    return words.rich(
        "say_busiest", busiest=html.B(named[0]), most=html.B(means[0]), quietest=html.B(named[1]), least=means[1]
    )


def _advice(view: View, words: Words) -> list[Component]:
    if view.whole.end - view.whole.start > _SHORT:
        return []
    links = [
        dcc.Link(words("show_range", name=name), href=view.link(PATH, last=name), className="button sm")
        for name in _ADVISED
    ]
    return [html.Div([html.Span(words("weeks_advice"), className="mut only-w"), *links], className="acts")]
