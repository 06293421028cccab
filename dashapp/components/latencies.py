"""Mean, percentiles and maximum of a range as rows."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.card import note
from dashapp.stats.tally import Latency
from dashapp.words import Words


def latency_rows(latency: Latency, words: Words) -> list[Component]:
    """Bars from 0 to the 99th percentile; the maximum is a number only, or it would flatten the rest."""
    if latency.p99 is None:
        return [note(words("no_latency"))]
    measured = (("p50", latency.p50), ("p90", latency.p90), ("p95", latency.p95), ("p99", latency.p99))
    rows = [_row(name, value, latency.p99, f"q-{name}") for name, value in measured]
    rows += [_row(words("mean"), latency.mean, None, ""), _row(words("max"), latency.max, None, "")]
    exact = words("bound_percentiles", bound=fmt.error_bound(latency.error_bound))
    return [html.Ul(rows, className="rows"), html.P(exact, className="note left")]


def _row(name: str, value: float | None, most: float | None, kind: str) -> Component:
    width = f"{(value or 0) / most * 100:.1f}%" if most else "0"
    return html.Li(
        html.Div(
            [
                html.B(name),
                html.Span(html.I(className=kind, style={"width": width}) if most else None, className="ib"),
                html.Span(fmt.ms_number(value), className="num"),
            ],
            className="latency-row",
        )
    )
