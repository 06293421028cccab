"""Matching requests by status class over the range of a log search: one low band of bars."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashapp.figures.base import (
    FONT_PX,
    MARGIN_LEFT,
    MARGIN_RIGHT,
    Slot,
    follows,
    gaps_of,
    hatch,
    hidden_axis,
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

_TOUCHING_ABOVE = 90
CHOICES = ("2xx", "3xx", "4xx", "5xx")


def log_histogram(traffic: Traffic, zone: ZoneInfo) -> go.Figure:
    """Stacked bars, 2xx below and 5xx on top. Each carries its bucket and its class, for who clicks on it."""
    known = [bucket.total is not None for bucket in traffic.buckets]
    slots = slots_of([bucket.start for bucket in traffic.buckets], traffic.interval_minutes, known, zone)
    buckets = traffic.buckets[: len(slots)]
    gaps = gaps_of(slots)
    figure = go.Figure(
        layout=layout(
            barmode="stack",
            bargap=0,
            meta=meta(slots),
            hovermode="closest",
            showlegend=False,
            margin={"l": MARGIN_LEFT, "r": MARGIN_RIGHT, "t": 6, "b": 20},
            xaxis=time_axis(slots, anchor="y") | {"tickformat": _tick_format(slots)},
            yaxis=value_axis(rangemode="tozero", nticks=3),
            yaxis2=hidden_axis("y"),
            font={"family": role("font"), "size": FONT_PX, "color": role("chart-text")},
        )
    )
    for name in CLASSES:
        if any(bucket.classes.get(name) for bucket in buckets):
            figure.add_trace(_bars(name, buckets, slots))
    if gaps:
        figure.add_trace(hatch(gaps, yaxis="y2"))
    return figure


def _bars(name: str, buckets: Sequence[TrafficBucket], slots: Sequence[Slot]) -> go.Bar:
    ratio = 1.0 if len(slots) > _TOUCHING_ABOVE else 0.85
    return go.Bar(
        **positions(slots),
        y=[None if bucket.total is None else bucket.classes.get(name) or None for bucket in buckets],
        width=[slot.width_ms * ratio for slot in slots],
        name=name,
        # 1xx is no class that an address can name.
        meta=follows(status=name if name in CHOICES else None),
        marker={"color": role("3xx" if name == "1xx" else name), "line": {"width": 0}},
        hovertemplate="%{x}  " + name + "  %{y:,}<extra></extra>",
    )


def _tick_format(slots: Sequence[Slot]) -> str:
    """One line of ticks only: the band is low."""
    days = (slots[-1].end - slots[0].start).days if slots else 0
    return (
        "%m-%d" if days > 7 else "%m-%d %H:%M" if slots and slots[0].start.date() != slots[-1].end.date() else "%H:%M"
    )
