"""An analysis: what is behind it, what speaks for it, what to do, each problem in a row, and what was removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.ai.result import CheckedCause, CheckedInsight, Removed, Result, Sentence
from dashapp.ai.viewing import Shown
from dashapp.components.ai_text import References
from dashapp.components.card import icon, severity
from dashapp.words import Words

_COLUMNS = ("severity", "problem", "figures", "cause", "improvement")


def analysis_view(shown: Shown, words: Words, *, notice: str | None = None) -> list[Component]:
    """The body of the card.

    Args:
        shown: the entry.
        words: the language of the page.
        notice: why the result is not the model's, or not new.
    """
    said: list[Component] = [html.P(notice, className="ai-notice", role="status")] if notice else []
    if shown.result is None:
        return said
    result, refs = shown.result, References(shown.pack, words)
    parts: list[Component] = list(said)
    if result.summary:
        parts.append(html.P(refs.text(result.summary), className="ai-summary"))
    parts.append(_cause(result.root_cause, refs, words))
    parts.append(_insights(result.insights, refs, words))
    if result.removed:
        parts.append(removed_view(result.removed, words))
    return parts


def checked_mark(result: Result | None, source: str | None, words: Words) -> Component | None:
    """How many figures were confirmed, and how much was removed."""
    if result is None:
        return None
    if source == "rules":
        return html.Span(words("ai_rules_figures", n=result.confirmed), className="ver quiet")
    if result.removed:
        text = words("ai_some_removed", n=result.confirmed, m=len(result.removed))
        return html.Span(text, className="ver some")
    return html.Span([icon("check"), words("ai_all_confirmed", n=result.confirmed)], className="ver")


def window_text(shown: Shown, words: Words, zone: ZoneInfo) -> str:
    """Model, window and number of requests."""
    entry, made = shown.entry, shown.made_by
    parts = [made.model] if made.source == "model" and made.model else []
    if entry.start is not None and entry.end is not None:
        same_day = entry.start.astimezone(zone).date() == entry.end.astimezone(zone).date()
        end = fmt.clock(entry.end, zone) if same_day else fmt.day_clock(entry.end, zone)
        parts.append(f"{fmt.day_clock(entry.start, zone)} – {end}")
    if shown.pack is not None and entry.kind == "analysis":
        n = words("ai_requests", n=words("n_requests", n=fmt.count(shown.pack.total)))
        parts.append(n)
    return " · ".join(parts)


def removed_view(removed: Sequence[Removed], words: Words) -> Component:
    """Sentences that were taken out, each with why; closed until somebody opens it."""
    rows = [
        html.Li(
            [
                html.Span(words(f"ai_fault_{each.fault}"), className="tag outlined"),
                html.Span(each.text, className="gone"),
                html.Span(each.detail, className="mut"),
            ]
        )
        for each in removed
    ]
    return html.Details(
        [html.Summary(words("ai_removed", n=len(removed))), html.Ul(rows, className="ai-removed")], className="ai-fold"
    )


def _cause(cause: CheckedCause | None, refs: References, words: Words) -> Component:
    if cause is None:
        return html.P(words("ai_no_root_cause"), className="note left")
    claimed = cause.confidence_claimed
    capped = claimed is not None and claimed != cause.confidence
    named: dict[str, Any] = {}
    if capped:
        named["title"] = words("ai_capped", claimed=words(f"ai_confidence_{claimed}"))
    confidence = html.Span(words(f"ai_confidence_{cause.confidence}"), className="conf", **named)
    head = html.Div([html.H3(words("ai_root_cause")), confidence], className="lbl")
    columns = [
        html.Div([html.H3(words(key), className="lbl"), (html.Ul if key == "ai_reasons" else html.Ol)(items)])
        for key, sentences in (("ai_reasons", cause.reasons), ("ai_improvements", cause.improvements))
        if (items := [html.Li(refs.text([sentence])) for sentence in sentences])
    ]
    return html.Div([head, html.P(refs.text(cause.text)), html.Div(columns, className="two")], className="rc")


def _insights(insights: Sequence[CheckedInsight], refs: References, words: Words) -> Component:
    if not insights:
        return html.P(words("ai_no_insights"), className="note left")
    head = html.Tr([html.Th(words(f"ai_col_{name}"), scope="col") for name in _COLUMNS])
    rows = [_row(each, refs, words) for each in insights]
    return html.Div(html.Table([html.Thead(head), html.Tbody(rows)]), className="tw ai-insights", tabIndex="0")


def _row(each: CheckedInsight, refs: References, words: Words) -> Component:
    level = severity(each.severity, words)
    claimed = each.severity_claimed
    if claimed is not None and claimed != each.severity:
        level = html.Span(level, title=words("ai_capped", claimed=words(f"sev_{claimed}")))
    is_named = any(piece.kind == "endpoint" for sentence in each.title for piece in sentence)
    endpoint = html.Code(refs.endpoint(each.endpoint), className="block") if each.endpoint and not is_named else None
    added = html.Span(words("ai_found_by_rules"), className="mut block") if each.source == "rules" else None
    title = _cell(each.title, refs) or []
    return html.Tr(
        [
            html.Td(level),
            html.Td([html.Span(title, className="b"), endpoint, added]),
            *(html.Td(_cell(part, refs)) for part in (each.key_figures, each.cause, each.improvement)),
        ]
    )


def _cell(sentences: list[Sentence], refs: References) -> Any:
    return refs.text(sentences) or None
