"""Groups that fare differently from all others, and what is new or gone. A click on a name filters by it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.card import note
from dashapp.components.table import table
from dashapp.components.values import linked, linked_value
from dashapp.insight.segments import FEWEST, Segment
from dashapp.stats.apart import Apart
from dashapp.stats.novelties import Novel, Novelties
from dashapp.values import field_name, filters_of, novel_name
from dashapp.view import View
from dashapp.words import Words

MOST_ROWS = 8


def apart_table(found: Apart, view: View, words: Words) -> Component:
    """Groups by how much they differ, and by how many requests the drawn fields were judged."""
    if not found.is_enough:
        return note(words("too_little", n=fmt.count(found.n), needed=fmt.count(2 * FEWEST)))
    if not found.segments:
        return note(words("apart_none"))
    shown = found.segments[:MOST_ROWS]
    heads = [
        (words("apart_measure"), ""),
        (words("apart_rate"), "n"),
        (words("apart_others"), "n"),
        (words("requests"), "n hide-n"),
    ]
    rows = [_group(each, found.slow_ms, view, words) for each in shown]
    drawn = [words("apart_drawn", n=fmt.count(found.drawn))] if any(not each.exact for each in shown) else []
    return html.Div([table(words("group"), heads, rows), *(html.P(each, className="note left") for each in drawn)])


def _group(each: Segment, slow_ms: float | None, view: View, words: Words) -> list[Component]:
    measure = words("apart_failures") if each.measure == "failures" else words("apart_slow", ms=fmt.duration(slow_ms))
    name = [
        html.Span(field_name(each.field, words), className="lab"),
        linked_value(each.field, each.value, view, words),
    ]
    n = fmt.count(each.n) if each.exact else words("changed_about", n=fmt.count(each.n))
    return [
        html.Td(html.Div(name, className="fa-h")),
        html.Td(measure),
        html.Td(html.B(fmt.rate(each.rate)) if each.effect > 0 else fmt.rate(each.rate), className="n"),
        html.Td(fmt.rate(each.rate_others), className="n"),
        html.Td(n, className="n hide-n"),
    ]


def novelties_table(found: Novelties, view: View, zone: ZoneInfo, words: Words) -> Component:
    """What appeared and what vanished, and with which time it was compared."""
    if found.history is None or not found.is_enough:
        return note(words("novel_no_history"))
    since = fmt.day_clock(found.history.start, zone)
    if not found.found:
        return note(words("novel_none", since=since))
    rows = [_novel(each, view, words) for each in found.found[:MOST_ROWS]]
    heads = [("", ""), (words("requests"), "n")]
    basis = html.P(words("novel_since", since=since), className="note left")
    return html.Div([table(words("novelties_what"), heads, rows), basis])


def _novel(each: Novel, view: View, words: Words) -> list[Component]:
    path = "/endpoints" if each.field == "endpoint" else ""
    label = [] if each.field == "endpoint" else [html.Span(field_name(each.field, words), className="lab")]
    name = linked(novel_name(each, words), filters_of(each), view, path)
    return [
        html.Td(html.Div([*label, name], className="fa-h")),
        html.Td(html.Span(words(f"novel_{each.found.what}"), className="tag")),
        html.Td(fmt.count(each.found.n), className="n"),
    ]
