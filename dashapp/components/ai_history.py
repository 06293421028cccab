"""The history of the AI page: a line for each entry, and one entry with everything that was sent and came back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.ai.viewing import Shown
from dashapp.components.ai_text import source_badge
from dashapp.components.attributes import aria, data
from dashapp.components.card import note
from dashapp.words import Words
from sql.ai_history import Entry

FILTERS = ("model", "unchanged", "rules", "budget", "failed")
_MOST_CHARACTERS = 20_000


def history_list(
    entries: Sequence[Entry], opened: int | None, now: datetime, zone: ZoneInfo, words: Words
) -> Component:  # fmt: skip
    """Lines, the newest first; each opens its entry."""
    if not entries:
        return note(words("ai_history_empty"))
    return html.Ul([html.Li(_line(each, opened, now, zone, words)) for each in entries], className="hl")


def entry_tools(
    shown: Shown, others: Sequence[Entry], versions: Sequence[str], zone: ZoneInfo, words: Words
) -> Component:
    """What can be done with an entry: run it again, compare it."""
    entry = shown.entry
    parts: list[Any] = []
    if entry.kind == "analysis" and shown.pack is not None:
        parts.append(
            html.Div(
                [
                    _input("ai-rerun-model", entry.model or "", words("ai_rerun_model")),
                    _select("ai-rerun-version", versions, entry.prompt_version, words("ai_rerun_prompt")),
                    html.Button(
                        words("ai_rerun"),
                        type="button",
                        className="button sm",
                        **data(act="ai-rerun", entry=str(entry.id)),
                    ),
                ],
                className="ai-rerun",
            )
        )
    comparable = [each for each in others if each.id != entry.id and each.kind == "analysis" and each.source]
    if entry.kind == "analysis" and comparable:
        options = [
            (str(each.id), f"{fmt.day_clock(each.created_at, zone)} {each.title or ''}"[:60]) for each in comparable
        ]
        parts.append(
            _select("ai-compare", ["", *(key for key, _ in options)], "", words("ai_compare_with"), dict(options))
        )
    return html.Div(parts, className="ai-tools")


def thumbs(entry: Entry, words: Words) -> Component:
    """Whether a result helped."""
    return html.Div([_thumb(entry, 1, "ai_good", words), _thumb(entry, -1, "ai_bad", words)], className="ai-thumbs")


def entry_facts(shown: Shown, words: Words) -> Component:
    """Who asked, what it took and cost, why it is not the model's, and all that went over the wire."""
    entry = shown.entry
    cost = cost_text(entry.cost_usd) if entry.cost_usd is not None else words("ai_no_price") if entry.calls else "-"
    facts = [
        ("ai_viewer", entry.viewer or "-"),
        ("ai_model", entry.model or "-"),
        ("ai_prompt_version", entry.prompt_version or "-"),
        ("ai_calls", words("ai_times", n=entry.calls)),
        ("ai_tokens", f"{fmt.count(entry.tokens_in)} / {fmt.count(entry.tokens_out)}"),
        ("ai_cost", cost),
        ("ai_latency", fmt.duration(entry.latency_ms)),
    ]
    if entry.reason:
        why = reason_text(entry.reason, words)
        facts.append(("ai_reason", " ".join(filter(None, (why, entry.detail)))))
    rows = [html.Div([html.Span(words(key), className="mut"), html.Span(text, className="num")]) for key, text in facts]
    folds = [html.Details([html.Summary(words("ai_facts")), html.Div(rows, className="rows u")], className="ai-fold")]
    if shown.pack is not None:
        lines = html.Pre("\n".join(shown.pack.lines), tabIndex="0")
        title = words("ai_evidence", n=len(shown.pack.figures))
        folds.append(html.Details([html.Summary(title), lines], className="ai-fold"))
    for key, value in (("ai_sent", shown.sent), ("ai_reply", shown.reply)):
        text = _readable(value) if value else words("ai_nothing_sent")
        folds.append(html.Details([html.Summary(words(key)), html.Pre(text, tabIndex="0")], className="ai-fold"))
    return html.Div(folds, className="ai-facts")


def reason_text(reason: str, words: Words) -> str:
    """Why a result is not the model's."""
    return words("ai_budget_spent" if reason == "budget" else f"ai_why_{reason}")


def cost_text(cost: Decimal | float) -> str:
    """Dollars with four decimals; what is not 0 is never written as 0."""
    value = float(cost)
    return "<$0.0001" if 0 < value < 0.00005 else f"${value:.4f}"


def _line(entry: Entry, opened: int | None, now: datetime, zone: ZoneInfo, words: Words) -> Component:
    today = entry.created_at.astimezone(zone).date() == now.astimezone(zone).date()
    when = fmt.clock(entry.created_at, zone) if today else f"{entry.created_at.astimezone(zone):%m-%d}"
    cost = cost_text(entry.cost_usd) if entry.cost_usd else "-"
    return html.Button(
        [
            html.Span(when, className="w", title=fmt.local_minute(entry.created_at, zone)),
            source_badge(entry, words),
            html.Span(_title(entry, words), className="ell"),
            html.Span(cost, className="num"),
        ],
        type="button",
        className="hi on" if entry.id == opened else "hi",
        **data(act="ai-open", entry=str(entry.id)),
        **aria(current="true" if entry.id == opened else None),
    )


def _title(entry: Entry, words: Words) -> str:
    if entry.kind == "test":
        return words("ai_kind_test")
    if entry.source == "unchanged":
        return words("ai_source_unchanged") if entry.same_as is None else words("ai_same_data")
    title = entry.question if entry.kind == "question" else entry.title
    if entry.kind == "question":
        kind = words("ai_kind_question")
        return f"{kind}: {title}"
    if title or entry.reason is None:
        return title or words("ai_no_title")
    return reason_text(entry.reason, words)


def _thumb(entry: Entry, value: int, key: str, words: Words) -> Component:
    chosen = entry.feedback == value
    return html.Button(
        words(key),
        type="button",
        className="button sm on" if chosen else "button sm",
        **data(act="ai-feedback", entry=str(entry.id), value=str(0 if chosen else value)),
        **aria(pressed="true" if chosen else "false"),
    )


def _input(input_id: str, value: str, label: str) -> Component:
    return html.Label(
        [html.Span(label), dcc.Input(id=input_id, value=value, type="text", className="input", maxLength=100)]
    )


def _select(
    select_id: str, options: Sequence[str], value: str | None, label: str, names: dict[str, str] | None = None
) -> Component:  # fmt: skip
    choices = [{"label": (names or {}).get(each, each) or "-", "value": each} for each in options]
    return html.Label([html.Span(label), dbc.Select(id=select_id, options=choices, value=value, size="sm")])


def _readable(value: Any) -> str:
    """Messages and texts for reading; a text that is JSON in lines."""
    parts = []
    for each in value:
        if isinstance(each, str):
            try:
                parts.append(json.dumps(json.loads(each), ensure_ascii=False, indent=2))
            except ValueError:
                parts.append(each)
            continue
        for message in each:
            said = message.get("content") or json.dumps(message.get("tool_calls"), ensure_ascii=False)
            parts.append(f"{message.get('role')}:\n{said}")
    return "\n\n".join(parts)[:_MOST_CHARACTERS]
