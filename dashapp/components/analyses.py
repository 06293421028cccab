"""The five analyses as blocks of sentences; what a sentence names leads to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.card import icon
from dashapp.components.finding_panel import Look, said
from dashapp.components.findings import ordered, watched_note
from dashapp.components.part import failure
from dashapp.parts import Failed
from dashapp.sentences_analyses import (
    Line,
    say_apart,
    say_bottlenecks,
    say_endpoints,
    say_novelties,
    say_segments,
    say_statuses,
    say_traffic,
)
from dashapp.sentences_findings import say_basis, say_cause, say_improvement, say_nothing_found, title
from dashapp.stats.analyses import Analyses, BeyondPart
from dashapp.view import moment_text
from dashapp.words import Words

MOST_SAID = 8
_DEPTH = {"method", "route"}


def analyses_in_words(read: Analyses, look: Look) -> Component:
    """All five, each in its own frame; one that could not be read says so."""
    view, zone, words = look.view, look.zone, look.words
    other = words(f"vs_name_{view.comparison.kind}") if view.comparison else ""
    whole = view.whole
    blocks = [
        _block("r1", read.traffic, lambda part: _lines(say_traffic(part, whole, zone, words, other), look), words),
        _block("r2", read.endpoints, lambda used: _lines(say_endpoints(used, words), look), words),
        _block("r3", read.statuses, lambda part: _lines(say_statuses(part, zone, whole, words), look), words),
        _block("r4", read.slow, lambda slow: _lines(say_bottlenecks(slow, zone, whole, words), look), words),
        _block("r5", read.beyond, lambda part: _beyond(part, look), words, wide=True),
    ]
    return html.Div(blocks, className="analyses")


def say_line(line: Line, look: Look) -> list[Any]:
    """Children of a sentence: names and times are links, other values stand out."""
    parts: dict[str, Any] = {}
    for name, text in line.values.items():
        if name in line.links:
            parts[name] = dcc.Link(_name(text, line.links[name]), href=_href(line.links[name], look))
        elif name in line.times:
            span = line.times[name]
            ends = {"start": moment_text(span.start, look.zone), "end": moment_text(span.end, look.zone)}
            parts[name] = dcc.Link(text, href=look.view.link(**ends))
        else:
            parts[name] = html.Span(html.B(text), className="text-nowrap")
    return look.words.rich(line.key, **parts)


def _block(key: str, read: Any, make: Any, words: Words, *, wide: bool = False) -> Component:
    content = html.Div(failure(read, words(key), words), className="failed") if isinstance(read, Failed) else make(read)
    return html.Section(
        [html.H3([html.Span(key.upper(), className="rno"), words(key)]), content],
        className="analysis wide" if wide else "analysis",
        id=f"analysis-{key}",
    )


def _lines(lines: Sequence[Line], look: Look) -> Component:
    return html.Ul([html.Li(say_line(each, look)) for each in lines], className="said")


def _beyond(part: BeyondPart, look: Look) -> Component:
    words = look.words
    found = ordered(part.found.findings)
    rows = [html.Li(_finding(each, look)) for each in found[:MOST_SAID]]
    more = len(found) - MOST_SAID
    rest = [html.P(words("r5_rest", n=fmt.count(more)), className="mut")] if more > 0 else []
    watched = part.found.watched
    none = [] if found else [html.P(say_nothing_found(part.networks.total, watched, words))]
    return html.Div(
        [
            *none,
            html.Ul(rows, className="told"),
            *rest,
            *(watched_note(watched, words) if found else ()),
            _lines(
                [
                    *say_apart(part.apart, words),
                    *say_novelties(part.novelties, look.zone, words),
                    *say_segments(part.networks, part.hours, look.zone, words),
                ],
                look,
            ),
        ]
    )


def _finding(each: Any, look: Look) -> list[Component]:
    words = look.words
    level = html.Span([icon(f"sev-{each.severity}"), words(f"sev_{each.severity}")], className=f"sev {each.severity}")
    key = "closed" if each.end else "open"
    reasons = (("presumed_cause", say_cause(each, words)), ("improvement", say_improvement(each, words)))
    return [
        html.P(
            [level, html.B(title(each.kind, words)), html.Span(words(key), className=f"tag {key}")], className="hd1"
        ),
        html.P(said(each, look, leads=True)),
        *(html.P([html.B(words(name)), " ", text]) for name, text in reasons),
        html.P(say_basis(each, words), className="mut"),
    ]


def _name(text: str, changes: dict[str, str]) -> Any:
    return html.Code(text) if changes.keys() & {*_DEPTH, "client_ip"} else text


def _href(changes: dict[str, str], look: Look) -> str:
    return look.view.link("/endpoints" if changes.keys() >= _DEPTH else "", **changes)
