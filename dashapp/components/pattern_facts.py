"""Sentences of Pattern Analysis, and its busiest and quietest hours: what they name leads to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.card import note
from dashapp.sentences_patterns import Fact
from dashapp.stats.patterns import Hour, ranked_hours
from dashapp.view import View, moment_text
from dashapp.words import Words
from sql.plan import Range

MOST_HOURS = 4


def say_fact(fact: Fact, view: View, zone: ZoneInfo, words: Words) -> list[Any]:
    """Children of a sentence; its first value and the times it names stand out."""
    parts: dict[str, Any] = {}
    for name, text in fact.values.items():
        if name in fact.times:
            parts[name] = dcc.Link(text, href=_shown(fact.times[name], view, zone))
        else:
            parts[name] = html.Span(html.B(text), className="text-nowrap")
    return words.rich(fact.key, **parts)


def fact_list(facts: Sequence[Fact], view: View, zone: ZoneInfo, words: Words) -> Component:
    """Sentences one below the other."""
    return html.Ul([html.Li(say_fact(fact, view, zone, words)) for fact in facts], className="said week-facts")


def busy_hours(hours: Sequence[Hour], view: View, zone: ZoneInfo, words: Words) -> Component:
    """The busiest and the quietest hours of the calendar, as bars on one scale; each leads to its hour."""
    busiest, quietest = ranked_hours(hours, MOST_HOURS)
    if not busiest:
        return note(words("no_whole_hour"))
    most = max(busiest[0].tally.n, 1)
    rows: list[Component] = []
    for title, listed in (("busiest_hours", busiest), ("quietest_hours", quietest)):
        rows.append(html.H3(words(title), className="sub-h"))
        rows.append(html.Ul([html.Li(_hour(each, most, view, zone, words)) for each in listed], className="rows"))
    return html.Div(rows)


def _hour(hour: Hour, most: int, view: View, zone: ZoneInfo, words: Words) -> Component:
    local = hour.start.astimezone(zone)
    day = words("weekdays").split()[local.weekday()]
    bar = html.Span(html.I(className="s2", style={"width": f"{hour.tally.n / most * 100:.1f}%"}), className="ib")
    return dcc.Link(
        [
            html.Span(f"{local:%m-%d} {day} {local:%H:%M}"),
            bar,
            html.Span(fmt.count(hour.tally.n), className="num"),
            html.Span(fmt.rate(hour.tally.error_rate), className="num t2"),
        ],
        href=_shown(Range(hour.start, hour.end), view, zone),
        className="hour-row",
    )


def _shown(span: Range, view: View, zone: ZoneInfo) -> str:
    return view.link(start=moment_text(span.start, zone), end=moment_text(span.end, zone))
