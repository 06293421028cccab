"""Questions and their answers: sentences with figures, a chart of bars, what was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.ai.asking.charts import Chart
from dashapp.ai.result import Piece
from dashapp.ai.viewing import Shown
from dashapp.components.ai_history import cost_text, reason_text
from dashapp.components.ai_result import removed_view
from dashapp.components.ai_text import References, source_badge
from dashapp.components.attributes import data
from dashapp.components.card import icon
from dashapp.view import address, moment_text
from dashapp.words import Words


def conversation(thread: Sequence[Shown], zone: ZoneInfo, words: Words) -> list[Component]:
    """Questions and answers, the first one first."""
    return [
        part for each in thread for part in (question_view(each.entry.question or ""), answer_view(each, zone, words))
    ]


def question_view(text: str) -> Component:
    """What was asked."""
    return html.Div(html.P(text), className="me")


def answer_view(shown: Shown, zone: ZoneInfo, words: Words) -> Component:
    """What was answered, and by whom."""
    entry, answer = shown.entry, shown.answer
    refs = References(shown.pack, words)
    parts: list[Any] = [_meta(shown, zone, words)]
    if entry.source == "rules" or (entry.reason and not (answer and answer.sentences)):
        parts.append(html.P(why_text(entry.reason, words), className="ai-notice"))
    if answer is None:
        return html.Div(parts, className="ai")
    if answer.kind in ("not_in_logs", "nothing_left"):
        parts.append(html.P(words(f"ai_{answer.kind}")))
    if answer.sentences:
        parts.append(html.P(refs.text(answer.sentences), className="answer"))
    if entry.reason and answer.sentences and entry.source == "model":
        parts.append(html.P(words("ai_broken"), className="ai-notice"))
    if answer.chart is not None and answer.kind != "not_in_logs":
        parts.append(bars(answer.chart, refs, words))
    parts.append(_acts(shown, zone, words))
    if answer.removed:
        parts.append(removed_view(answer.removed, words))
    return html.Div(parts, className="ai")


def bars(chart: Chart, refs: References, words: Words) -> Component:
    """A chart of bars, each with its figure; its head says what is measured."""
    largest = max((each.value for each in chart.bars), default=0.0) or 1.0
    rows = [
        html.Div(
            [
                html.Span(
                    refs.endpoint(each.label) if chart.kind == "endpoint" else _named(each.label, refs), className="ell"
                ),
                html.Span(html.Span(style={"width": f"{100 * each.value / largest:.1f}%"}), className="track"),
                html.Span(each.text, className="num"),
            ],
            className="qr",
        )
        for each in chart.bars
    ]
    title = words("ai_chart_of", measure=words(f"ai_chart_{chart.measure}"), kind=words(f"ai_by_{chart.kind}"))
    return html.Figure([html.Figcaption(title), *rows], className=f"ai-bars by-{chart.kind} of-{chart.measure}")


def why_text(reason: str | None, words: Words) -> str:
    """Why an answer is not the model's."""
    if reason is None:
        return words("ai_mean_rules")
    said = reason_text(reason, words)
    return (
        said
        if reason in ("no_key", "no_data", "per_minute", "cancelled")
        else " ".join((said, words("ai_served_by_rules")))
    )


def _named(label: str, refs: References) -> Any:
    return refs.piece(Piece(kind="name", text=label)) if label.startswith(("client-", "text-")) else label


def _meta(shown: Shown, zone: ZoneInfo, words: Words) -> Component:
    entry = shown.entry
    parts = []
    if entry.start is not None and entry.end is not None:
        parts.append(f"{fmt.day_clock(entry.start, zone)} – {fmt.day_clock(entry.end, zone)}")
    if entry.latency_ms:
        parts.append(fmt.duration(entry.latency_ms))
    if entry.cost_usd:
        parts.append(cost_text(entry.cost_usd))
    return html.Div([source_badge(entry, words), html.Span(" · ".join(parts))], className="meta")


def _acts(shown: Shown, zone: ZoneInfo, words: Words) -> Component:
    entry, answer = shown.entry, shown.answer
    acts: list[Any] = []
    if entry.start is not None and entry.end is not None:
        moments = {"start": moment_text(entry.start, zone), "end": moment_text(entry.end, zone)}
        href = address("/", {**entry.filters, **moments})
        acts.append(dcc.Link(words("ai_open_period"), href=href, className="button sm"))
    if answer is not None and answer.chart is not None:
        text = "\n".join(["label,value", *(f"{_csv(each.label)},{each.value:g}" for each in answer.chart.bars)])
        acts.append(
            html.Button(
                [icon("export"), words("ai_csv")],
                type="button",
                className="button sm",
                **data(act="ai-csv", csv=text),
            )
        )
    body: list[Any] = [html.Div(acts, className="acts")] if acts else []
    if answer is not None and answer.tools and shown.pack is not None:
        used = [html.Li(words("ai_used_tool", tool=_tool(each.name, words))) for each in answer.tools]
        queries = sorted({figure.query for figure in shown.pack.figures.values()})
        listed = html.Pre("\n".join(queries[:40]), tabIndex="0")
        body.append(
            html.Details(
                [html.Summary(words("ai_queries")), html.Ul(used, className="said"), listed], className="ai-fold"
            )
        )
    return html.Div(body)


def _tool(name: str, words: Words) -> str:
    return words(f"ai_tool_{name}") if words.has(f"ai_tool_{name}") else name


def _csv(text: str) -> str:
    # A spreadsheet takes what begins with one of these for a formula.
    safe = f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
    return '"' + safe.replace('"', '""') + '"'
