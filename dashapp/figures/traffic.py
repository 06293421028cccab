"""Requests by status class over time, and below them the errors alone on their own scale."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashapp import format as fmt
from dashapp.figures.base import (
    Band,
    Slot,
    band_labels,
    band_shapes,
    compare_line,
    follows,
    gap_labels,
    gaps_of,
    hatch,
    hidden_axis,
    hover_times,
    lane_title,
    layout,
    meta,
    positions,
    role,
    slots_of,
    time_axis,
    value_axis,
)
from dashapp.stats.tally import CLASSES
from dashapp.stats.traffic import Traffic, TrafficBucket
from dashapp.words import Words

_ERROR_CLASSES = ("4xx", "5xx")
_TOUCHING_ABOVE = 90
_UPPER, _LOWER = [0.34, 1], [0, 0.24]


def traffic_figure(
    traffic: Traffic,
    zone: ZoneInfo,
    words: Words,
    *,
    before: Traffic | None = None,
    before_name: str = "",
    bands: Sequence[Band] = (),
) -> go.Figure:
    """Stacked bars, 2xx below and 5xx on top; an unknown bucket has no bar but a hatched band.

    `before` has the same buckets of the comparison; its total is a dotted line.
    """
    known = [bucket.total is not None for bucket in traffic.buckets]
    slots = slots_of([bucket.start for bucket in traffic.buckets], traffic.interval_minutes, known, zone)
    buckets = traffic.buckets[: len(slots)]
    gaps = gaps_of(slots)
    classes = [name for name in CLASSES if name != "1xx" or any("1xx" in bucket.classes for bucket in buckets)]
    figure = go.Figure(layout=_layout(slots, gaps, bands, words))
    for name in classes:
        figure.add_trace(_bars(name, buckets, slots, yaxis="y"))
    for name in _ERROR_CLASSES:
        figure.add_trace(_bars(name, buckets, slots, yaxis="y2"))
    figure.add_trace(_totals(buckets, slots, words))
    if before is not None:
        totals = [bucket.total for bucket in before.buckets[: len(slots)]]
        figure.add_trace(compare_line(slots, totals, name=before_name, text=[fmt.count(total) for total in totals]))
    if gaps:
        figure.add_trace(hatch(gaps, yaxis="y3"))
        figure.add_trace(hatch(gaps, yaxis="y4"))
    return figure


def _bars(name: str, buckets: Sequence[TrafficBucket], slots: Sequence[Slot], *, yaxis: str) -> go.Bar:
    lane = yaxis != "y"
    values = [None if bucket.total is None else bucket.classes.get(name, 0) for bucket in buckets]
    color = role("3xx" if name == "1xx" else name)
    ratio = 1.0 if len(slots) > _TOUCHING_ABOVE else 0.85
    return go.Bar(
        **positions(slots),
        y=values,
        width=[slot.width_ms * ratio for slot in slots],
        yaxis=yaxis,
        name=name,
        legendgroup=name,
        showlegend=not lane,
        meta=follows(status=name),
        # Touching bars need no outline; one would draw seams between them.
        marker={"color": color, "line": {"width": 0}},
        # The lane repeats two of the values above it.
        **({"hoverinfo": "skip"} if lane else {"hovertemplate": "%{y:,}"}),
    )


def _totals(buckets: Sequence[TrafficBucket], slots: Sequence[Slot], words: Words) -> go.Scatter:
    """Nothing to see: it adds the total to what hovering shows."""
    times = hover_times(slots)
    return go.Scatter(
        **positions(slots),
        y=[bucket.total for bucket in buckets],
        mode="lines",
        line={"width": 0, "color": "rgba(0,0,0,0)"},
        connectgaps=False,
        name=words("total"),
        showlegend=False,
        meta={"slots": True},
        customdata=times,
        hovertemplate="%{y:,} · %{customdata}" if times else "%{y:,}",
    )


def _layout(
    slots: Sequence[Slot], gaps: Sequence[tuple[datetime, datetime]], bands: Sequence[Band], words: Words
) -> dict[str, object]:
    axis = time_axis(slots, anchor="y2")
    title = lane_title(words("errors_only"), _LOWER[1])
    return layout(
        barmode="stack",
        bargap=0,
        xaxis=axis,
        yaxis=value_axis(domain=_UPPER, rangemode="tozero"),
        yaxis2=value_axis(domain=_LOWER, rangemode="tozero", nticks=3, anchor="x"),
        yaxis3=hidden_axis("y"),
        yaxis4=hidden_axis("y2"),
        annotations=[title, *gap_labels(gaps, words("no_data")), *band_labels(bands, slots)],
        shapes=band_shapes(bands, slots),
        meta=meta(slots),
    )
