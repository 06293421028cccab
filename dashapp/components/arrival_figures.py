"""Key figures of the collection, the equation that nothing is missing from, and refused requests by reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import aria, data
from dashapp.components.key_figures import sparkline
from dashapp.figures.arrivals import OUTCOMES
from dashapp.figures.base import role
from dashapp.quantities import byte_size
from dashapp.sentences_collection import LOSING, adds_up, refusal_name, refused_by_reason
from dashapp.stats.arriving import ArrivalBucket
from dashapp.stats.collection import Arrived, Collection
from dashapp.words import Words


def arrival_figures(arrived: Arrived, buckets: Sequence[ArrivalBucket], words: Words) -> list[Component]:
    """Received, stored, duplicate and quarantined, each with its course."""
    rate = words("rate_now", n=fmt.mean_count(arrived.rate_per_minute))
    figures = [_figure("received", arrived.received, rate, buckets, words, note=byte_size(arrived.bytes))]
    for name, _ in OUTCOMES:
        number: int = getattr(arrived, name)
        share = words("share_of_received", share=fmt.rate(number / arrived.received)) if arrived.received else ""
        figures.append(_figure(name, number, share, buckets, words))
    return figures


def equation(found: Collection, words: Words) -> list[Component]:
    """Whether every received record is accounted for, and the requests that were turned away whole."""
    totals = found.totals
    holds = adds_up(totals)
    numbers = {name: fmt.count(getattr(totals, name)) for name in ("received", "stored", "duplicate", "quarantined")}
    parts = [(name, color, getattr(totals, name)) for name, color in OUTCOMES]
    strip = [
        html.I(style={"flexGrow": number, "background": role(color)}, title=f"{words(name)} {fmt.count(number)}")
        for name, color, number in parts
        if number
    ]
    return [
        html.Div(
            [
                html.Span(words("equation_text", **numbers), id="collection-equation", className="num"),
                html.Span(
                    words("equation_holds" if holds else "equation_broken"),
                    id="collection-equation-mark",
                    className="mark ok" if holds else "mark bad",
                    **data(holds="true" if holds else "false"),
                ),
            ],
            className="equation",
        ),
        html.Div(strip, className="stack", **aria(hidden="true")),
        html.Ul([_part(words(name), color, number) for name, color, number in parts], className="rows"),
        html.P(words("refused"), className="sub-h"),
        _refusals(found, words),
        html.P(words("equation_means"), className="note left"),
    ]


def _part(name: str, color: str, number: int) -> Component:
    mark = html.Span(className="sw", style={"background": role(color)}, **aria(hidden="true"))
    return html.Li([mark, html.Span(name), html.Span(fmt.count(number), className="num")], className="part-row")


def _refusals(found: Collection, words: Words) -> Component:
    reasons = refused_by_reason(found)
    if not reasons:
        return html.P(words("no_refused"), className="mut")
    rows = []
    for reason, number in reasons.items():
        lost = reason in LOSING
        what = html.Span(words("refusal_lost" if lost else "refusal_again"), className="bad" if lost else "mut")
        rows.append(
            html.Li(
                [html.Span(refusal_name(reason, words)), what, html.Span(fmt.count(number), className="num")],
                className="refusal-row",
            )
        )
    return html.Ul(rows, id="collection-refused", className="rows")


def _figure(
    name: str, number: int, detail: str, buckets: Sequence[ArrivalBucket], words: Words, *, note: str = ""
) -> Component:
    bad = name == "quarantined" and number > 0
    value: list[Any] = [html.Span(fmt.count(number), id=f"collection-{name}"), html.Small(words("records_unit"))]
    return html.Section(
        [
            html.Div([html.H2(words(name)), html.Span(note, className="mut")], className="t"),
            html.Div(value, className="v warn" if bad else "v"),
            html.Div(detail, className="d"),
            html.Div(sparkline([getattr(bucket, name) for bucket in buckets]), className="sparks"),
        ],
        className="card kpi c3",
        role="group",
        **aria(label=words(name)),
    )
