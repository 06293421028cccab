"""AI 분석: on a button, what the most recent five minutes say. Rules only; never called AI.

Ids: ai-analyze, ai-result, ai-source.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp import sentences
from dashapp.components.attributes import aria
from dashapp.components.card import card, severity
from dashapp.components.empty import empty_state
from dashapp.site import Site
from dashapp.stats.summary import summary
from dashapp.stats.usage import usage
from dashapp.words import Words
from sql.connection import snapshot
from sql.plan import Range
from sql.span import data_span

PATH = "/ai"
TAB = "AI 분석"
RANGELESS = True
FIVE_MINUTES = timedelta(minutes=5)


def layout(site: Site, words: Words) -> Component:
    """The page before anyone asked."""
    why = "ai_no_key" if site.settings.openai_api_key is None else "ai_not_connected"
    button = html.Button(words("ai_button"), id="ai-analyze", className="button pri", type="button")
    return html.Div(
        [
            card(
                words("ai"),
                html.Div(html.P(words("ai_intro"), className="note left"), id="ai-result", **aria(live="polite")),
                subtitle=rules_badge(words),
                aside=button,
                width="c8",
            ),
            card(
                words("ai_sources"),
                html.Dl(
                    [html.Dt(rules_badge(words)), html.Dd([words("ai_rules_mean"), " ", words(why)], id="ai-source")]
                ),
                width="c4",
            ),
        ],
        className="g",
    )


def register(app: Dash, site: Site) -> None:
    """Add the callback of the button."""

    def analyze(_clicks: int, search: str) -> Any:
        return analysis(site, search)

    app.callback(
        Output("ai-result", "children"),
        Input("ai-analyze", "n_clicks"),
        State("shell-url", "search"),
        running=[(Output("ai-analyze", "disabled"), True, False)],
        prevent_initial_call=True,
    )(analyze)


def analysis(site: Site, search: str) -> list[Component]:
    """Compare the last five settled minutes with the five before, in sentences."""
    view, words, complete = site.view(search), site.words(search), site.complete()
    latest = Range(complete - FIVE_MINUTES, complete)
    earlier = Range(latest.start - FIVE_MINUTES, latest.start)
    with snapshot(site.engine) as connection:
        now = summary(connection, latest, view.filters, complete)
        before = summary(connection, earlier, view.filters, complete)
        endpoints = usage(connection, latest, view.filters).endpoints
        span = data_span(connection, view.filters.service)
    if not now.total and not before.total:
        return [empty_state(view, span, site.zone, words, path="/")]
    worst = sentences.most_failing(endpoints)
    said = sentences.say_five_minutes(now, before, endpoints, words)
    clocks = [fmt.clock(moment, site.zone) for moment in (latest.start, latest.end)]
    when = f"{clocks[0]} – {clocks[1]} {fmt.zone_name(complete, site.zone)}"
    head = [severity(sentences.failing_level(worst), words), html.Span(when, className="mut")]
    return [html.Div(head, className="meta"), html.Ul([html.Li(sentence) for sentence in said], className="said")]


def rules_badge(words: Words) -> Component:
    """Marks a result of rules; dashed, so that it is not taken for a model's."""
    return html.Span(words("ai_rules"), className="tag dashed")
