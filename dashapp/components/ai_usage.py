"""What the AI page has cost today, and where a result may come from."""

from __future__ import annotations

from urllib.parse import urlsplit

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.ai.desk import Budget
from dashapp.components.ai_history import cost_text
from dashapp.components.ai_text import badges
from dashapp.components.attributes import aria
from dashapp.settings import DashboardSettings
from dashapp.words import Words


def usage_body(budget: Budget, settings: DashboardSettings, words: Words) -> list[Component]:
    """Dollars of today against the budget, calls, tokens, and who is asked."""
    spent = budget.spent
    share = min(1.0, float(spent.cost_usd) / budget.most_usd) if budget.most_usd else 1.0
    percent = f"{share * 100:.1f}%"
    rows = [
        ("ai_calls", words("ai_times", n=fmt.count(spent.calls))),
        ("ai_tokens", f"{fmt.count(spent.tokens_in)} / {fmt.count(spent.tokens_out)}"),
        ("ai_model", settings.openai_model),
        ("ai_server", server_name(settings, words)),
    ]
    said: list[Component] = [
        html.Div(
            [
                html.B(cost_text(spent.cost_usd)),
                html.Span(f"/ ${budget.most_usd:.2f}", className="mut"),
                html.Span(percent, className="mut grow-right"),
            ],
            className="cost",
        ),
        html.Div(
            html.Span(style={"width": percent}),
            className="meter",
            role="meter",
            **aria(valuenow=f"{share * 100:.1f}", valuemin="0", valuemax="100", label=words("ai_usage")),
        ),
        html.Div(
            [
                html.Div([html.Span(words(key), className="mut"), html.Span(text, className="num")])
                for key, text in rows
            ],
            className="rows u",
        ),
    ]
    if not budget.priced or spent.unpriced:
        said.append(html.P(words("ai_unpriced", model=settings.openai_model), className="note left"))
    return said


def server_name(settings: DashboardSettings, words: Words) -> str:
    """Host and port of the model's server."""
    return urlsplit(settings.openai_base_url).netloc if settings.openai_base_url else words("ai_own_server")


def sources_list(words: Words) -> Component:
    """Every badge and what it means."""
    rows = [
        part
        for name, look in badges()
        for part in (
            html.Dt(html.Span(words(f"ai_source_{name}"), className=f"tag {look}")),
            html.Dd(words(f"ai_mean_{name}")),
        )
    ]
    return html.Dl(rows, className="ai-sources")
