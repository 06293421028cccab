"""Arrivals over time by what became of them, and below them the refused requests on their own scale."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashapp.figures.base import (
    Slot,
    gap_labels,
    gaps_of,
    hatch,
    hidden_axis,
    lane_title,
    layout,
    positions,
    role,
    slots_of,
    time_axis,
    value_axis,
)
from dashapp.stats.arriving import ArrivalBucket
from dashapp.words import Words

# Outcome and the role of its colour, in stacking order: what needs nobody below.
OUTCOMES = (("stored", "2xx"), ("duplicate", "3xx"), ("quarantined", "sev-medium"))
_TOUCHING_ABOVE = 90
_UPPER, _LOWER = [0.34, 1], [0, 0.24]


def arrivals_figure(buckets: Sequence[ArrivalBucket], minutes: int, zone: ZoneInfo, words: Words) -> go.Figure:
    """Stacked bars, stored below; a bucket before the first arrival has no bar but a hatched band."""
    known = [bucket.stored is not None for bucket in buckets]
    slots = slots_of([bucket.start for bucket in buckets], minutes, known, zone)
    shown = buckets[: len(slots)]
    gaps = gaps_of(slots)
    figure = go.Figure(layout=_layout(slots, gaps, words))
    for name, color in OUTCOMES:
        values = [getattr(bucket, name) for bucket in shown]
        figure.add_trace(_bars(words(name), color, values, slots, yaxis="y"))
    figure.add_trace(_bars(words("refused"), "sev-high", [bucket.refused for bucket in shown], slots, yaxis="y2"))
    figure.add_trace(_totals(shown, slots, words))
    if gaps:
        figure.add_trace(hatch(gaps, yaxis="y3"))
        figure.add_trace(hatch(gaps, yaxis="y4"))
    return figure


def _bars(name: str, color: str, values: Sequence[int | None], slots: Sequence[Slot], *, yaxis: str) -> go.Bar:
    ratio = 1.0 if len(slots) > _TOUCHING_ABOVE else 0.85
    return go.Bar(
        **positions(slots),
        y=values,
        width=[slot.width_ms * ratio for slot in slots],
        yaxis=yaxis,
        name=name,
        marker={"color": role(color), "line": {"width": 0}},
        hovertemplate="%{y:,}",
    )


def _totals(buckets: Sequence[ArrivalBucket], slots: Sequence[Slot], words: Words) -> go.Scatter:
    """Nothing to see: it adds the sum to what hovering shows."""
    return go.Scatter(
        **positions(slots),
        y=[bucket.received for bucket in buckets],
        mode="lines",
        line={"width": 0, "color": "rgba(0,0,0,0)"},
        connectgaps=False,
        name=words("received"),
        showlegend=False,
        hovertemplate="%{y:,}",
    )


def _layout(slots: Sequence[Slot], gaps: Sequence[tuple[datetime, datetime]], words: Words) -> dict[str, object]:
    title = lane_title(words("refused_lane"), _LOWER[1])
    return layout(
        barmode="stack",
        bargap=0,
        xaxis=time_axis(slots, anchor="y2"),
        yaxis=value_axis(domain=_UPPER, rangemode="tozero"),
        # Without a refusal the lane would have no scale of its own.
        yaxis2=value_axis(domain=_LOWER, rangemode="tozero", nticks=3, anchor="x", minallowed=0),
        yaxis3=hidden_axis("y"),
        yaxis4=hidden_axis("y2"),
        annotations=[title, *gap_labels(gaps, words("no_data"))],
    )
