"""Mean, percentiles and maximum of a range in one line."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.stats.tally import Latency
from dashapp.words import Words


def latency_line(latency: Latency, words: Words) -> list[Component]:
    """The figures of all requests with a latency, in ms; nothing where there is none."""
    if latency.p99 is None:
        return []
    figures = (
        (words("mean"), latency.mean),
        ("p50", latency.p50),
        ("p90", latency.p90),
        ("p95", latency.p95),
        ("p99", latency.p99),
        (words("max"), latency.max),
    )
    exact = words("bound_percentiles", bound=fmt.error_bound(latency.error_bound))
    return [
        *(html.Span([name, " ", html.B(fmt.ms_number(value))]) for name, value in figures),
        html.Span(exact, className="mut only-w"),
    ]
