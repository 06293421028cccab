"""The two tables of Overview: what is slow and what fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.comparison import change
from dashapp.components.attributes import aria
from dashapp.components.card import endpoint_name, note
from dashapp.components.changes import change_mark
from dashapp.components.table import table
from dashapp.stats.tally import is_notable
from dashapp.stats.usage import Endpoint
from dashapp.view import View
from dashapp.words import Words

MOST_ROWS = 7


@dataclass(frozen=True, slots=True)
class Sides:
    """Endpoints of both sides of a comparison, of the same minutes, and the name of the other side."""

    name: str
    now: Sequence[Endpoint]
    before: Sequence[Endpoint]

    def cell(self, endpoint: Endpoint, value: Callable[[Endpoint], float | None]) -> Component:
        """The change of one figure of an endpoint; more of it is worse."""
        sides = [_same(endpoint, each) for each in (self.now, self.before)]
        now, before = (value(each) if each else None for each in sides)
        return html.Td(change_mark(change(now, before, good="down")), className="n hide-n")


def _same(endpoint: Endpoint, others: Sequence[Endpoint]) -> Endpoint | None:
    name = (endpoint.method, endpoint.route)
    return next((each for each in others if (each.method, each.route) == name), None)


def slowest_table(endpoints: Sequence[Endpoint], view: View, words: Words, sides: Sides | None = None) -> Component:
    """Endpoints by p95, in ms."""
    slow = sorted(
        (e for e in endpoints if e.latency.p95 is not None), key=lambda e: (-(e.latency.p95 or 0), e.route, e.method)
    )[:MOST_ROWS]
    if not slow:
        return note(words("no_latency"))
    most = slow[0].latency.p95 or 1
    rows = [
        [
            _name(e, view),
            html.Td(fmt.count(e.count), className="n"),
            html.Td(fmt.ms_number(e.latency.mean), className="n hide-n"),
            html.Td(_bar([("s2", e.latency.p95 or 0)], most, fmt.ms_number(e.latency.p95)), className="n"),
            html.Td(fmt.ms_number(e.latency.p99), className="n"),
            *([sides.cell(e, lambda each: each.latency.p95)] if sides else []),
        ]
        for e in slow
    ]
    heads = [
        (words("calls"), "n"),
        (words("mean"), "n hide-n"),
        ("p95", "n sort"),
        ("p99", "n"),
        *_against(sides, words),
    ]
    return table(words("endpoint"), heads, rows)


def failing_table(endpoints: Sequence[Endpoint], view: View, words: Words, sides: Sides | None = None) -> Component:
    """Endpoints by number of errors."""
    failing = sorted((e for e in endpoints if e.errors), key=lambda e: (-e.errors, e.route, e.method))[:MOST_ROWS]
    if not failing:
        return note(words("no_errors"))
    most = failing[0].errors
    rows = [
        [
            _name(e, view),
            html.Td(_bar([("s4", e.client_errors), ("s5", e.server_errors)], most, fmt.count(e.errors)), className="n"),
            html.Td(_count(e, e.client_errors, "4xx", view), className="n x4 hide-n"),
            html.Td(_count(e, e.server_errors, "5xx", view), className="n x5"),
            html.Td(fmt.rate(e.error_rate), className="n bad" if is_notable(e.server_errors, e.count) else "n"),
            *([sides.cell(e, lambda each: each.errors)] if sides else []),
        ]
        for e in failing
    ]
    heads = [
        (words("errors"), "n sort"),
        ("4xx", "n hide-n"),
        ("5xx", "n"),
        (words("error_rate"), "n"),
        *_against(sides, words),
    ]
    return table(words("endpoint"), heads, rows)


def _against(sides: Sides | None, words: Words) -> list[tuple[str, str]]:
    return [(words("against", name=sides.name), "n hide-n")] if sides else []


def _name(endpoint: Endpoint, view: View) -> Component:
    href = view.link("/endpoints", method=endpoint.method, route=endpoint.route)
    return html.Td(dcc.Link(endpoint_name(endpoint.method, endpoint.route), href=href), className="name")


def _count(endpoint: Endpoint, n: int, status: str, view: View) -> Component | str:
    """A count that leads to the requests it counts."""
    if not n:
        return fmt.count(n)
    return dcc.Link(fmt.count(n), href=view.link(method=endpoint.method, route=endpoint.route, status=status))


def _bar(parts: Sequence[tuple[str, float]], most: float, text: str) -> Component:
    marks = [html.I(className=kind, style={"width": f"{value / most * 100:.1f}%"}) for kind, value in parts if value]
    return html.Div([html.Span(marks, className="ib", **aria(hidden="true")), html.Span(text)], className="barred")
