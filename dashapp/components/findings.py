"""What stands out in a range: rows that open, and the bands of the charts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import data
from dashapp.components.card import icon, note
from dashapp.components.finding_panel import Look, panel, said, subject_name
from dashapp.figures.base import LABEL_SHARE, LABEL_SHARE_PHONE, Band
from dashapp.insight.finding import SEVERITIES, Finding, Kind
from dashapp.quantities import age
from dashapp.sentences_findings import in_short, say_nothing_found, say_watched, title
from dashapp.stats.known_findings import Found
from dashapp.words import Words
from sql.plan import MINUTE, Range

MOST_FINDINGS = 5
MOST_BANDS = 3
# They have no beginning that a chart of the range could show.
_WITHOUT_BAND: frozenset[Kind] = frozenset({"latency_drift", "latency_band"})
_WHOLE = 0.9


def ordered(found: Sequence[Finding]) -> list[Finding]:
    """The worst first, and of these what still lasts, what is surest and what is newest."""

    def rank(each: Finding) -> tuple[int, bool, float, float]:
        return SEVERITIES.index(each.severity), each.end is not None, -each.score, -each.start.timestamp()

    return sorted(found, key=rank)


def finding_rows(
    found: Found, look: Look, *, of: int | None = None, all_at: str | None = None
) -> Component:  # fmt: skip
    """The worst first; each opens what is known of it.

    Args:
        found: the findings.
        look: from where they are looked at.
        of: how many requests the range has, where that is known.
        all_at: where all of them are listed.
    """
    if not found.findings:
        return note(say_nothing_found(of, found.watched, look.words))
    rows = [html.Li(_pop_over(each, look)) for each in ordered(found.findings)[:MOST_FINDINGS]]
    more = len(found.findings) - MOST_FINDINGS
    rest: list[Component] = []
    if more > 0:
        text = look.words("more_findings", n=fmt.count(more))
        link = dcc.Link(look.words("all_findings"), href=all_at) if all_at else None
        rest = [html.P([text, " · ", link] if link else text, className="note left")]
    return html.Div([html.Ul(rows, className="finds"), *rest, *watched_note(found.watched, look.words)])


def watched_note(watched: float | None, words: Words) -> list[Component]:
    """That not all was watched, where that is so."""
    return [] if watched is None else [html.P(say_watched(watched, words), className="note left")]


def finding_history(found: Found, look: Look, *, most: int | None = None) -> Component:
    """All of them (or the first) as wide rows, the worst first; each unfolds in its place."""
    rows = [
        html.Li(
            html.Details(
                [
                    html.Summary(_wide_row(each, look), className="find wide"),
                    html.Div(panel(each, look, sentence=False)),
                ],
                className="fold",
                **_kept_open(each),
            )
        )
        for each in ordered(found.findings)[:most]
    ]
    return html.Div([html.Ul(rows, className="finds history"), *watched_note(found.watched, look.words)])


def bands_of(
    found: Sequence[Finding], whole: Range, zone: ZoneInfo, words: Words, complete: datetime, *, phone: bool = False
) -> list[Band]:  # fmt: skip
    """The worst findings that have a time of their own, as bands of a chart; same times share one."""
    bands: dict[tuple[datetime, datetime], Band] = {}
    short = whole.end - whole.start <= timedelta(hours=24)
    for each in ordered(found):
        end = each.end or max(complete, each.start + MINUTE)
        inside = min(end, whole.end) - max(each.start, whole.start)
        if each.kind in _WITHOUT_BAND or each.severity == "low" or not timedelta() < inside:
            continue
        if inside >= _WHOLE * (whole.end - whole.start):
            continue
        when = fmt.clock(each.start, zone) if short else fmt.day_clock(each.start, zone)
        label_share = LABEL_SHARE_PHONE if phone else LABEL_SHARE
        band = Band(each.start, end, f"{when} {title(each.kind, words).lower()}", label_share)
        bands.setdefault((each.start, end), band)
    return list(bands.values())[:MOST_BANDS]


def _pop_over(each: Finding, look: Look) -> Component:
    return html.Details(
        [html.Summary(_row(each, look), className="find"), html.Div(panel(each, look), className="panel")],
        className="menu right find-menu",
        **_kept_open(each),
    )


def _kept_open(each: Finding) -> dict[str, Any]:
    """What names it to assets/menus.js: the same however often it is drawn."""
    return data(keep=" ".join([each.kind, *each.subject.parameters().values(), each.start.isoformat()]))


def _row(each: Finding, look: Look) -> list[Component]:
    observed, usual = in_short(each, look.words)
    name = [html.B(title(each.kind, look.words)), subject_name(each.subject, look.view, look.words)]
    text = look.words.rich("in_short", observed=html.B(observed), usual=usual)
    return [
        _level(each, look.words, named=False),
        html.Span([html.Span(name), html.Span(text, className="what")], className="find-text"),
        _state(each, look.words),
        html.Span(_when(each, look), className="w"),
    ]


def _wide_row(each: Finding, look: Look) -> list[Component]:
    return [
        _level(each, look.words, named=True),
        html.B(title(each.kind, look.words), className="kd"),
        html.Span(said(each, look), className="find-text"),
        html.Span(_when(each, look), className="w"),
        _state(each, look.words),
    ]


def _level(each: Finding, words: Words, *, named: bool) -> Component:
    name = html.Span(words(f"sev_{each.severity}"), className="" if named else "sr")
    return html.Span([icon(f"sev-{each.severity}"), name], className=f"sev {each.severity}")


def _state(each: Finding, words: Words) -> Component:
    key = "closed" if each.end else "open"
    return html.Span(words(key), className=f"tag {key}")


def _when(each: Finding, look: Look) -> str:
    if each.end is None:
        lasting = max(look.complete - each.start, MINUTE)
        return look.words("lasting", start=look.clock(each.start), age=age(lasting, look.words))
    return f"{look.clock(each.start)} – {look.clock(each.end)}"
