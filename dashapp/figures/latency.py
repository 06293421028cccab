"""Latency percentiles over time, on a log scale."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashapp import format as fmt
from dashapp.figures.base import (
    Band,
    band_shapes,
    compare_line,
    gap_labels,
    gaps_of,
    hatch,
    hidden_axis,
    hover_times,
    layout,
    meta,
    positions,
    role,
    slots_of,
    time_axis,
    value_axis,
)
from dashapp.stats.traffic import Traffic
from dashapp.words import Words

_LINES = (("p50", 1.5), ("p95", 2.0), ("p99", 1.25))


def latency_figure(
    traffic: Traffic,
    zone: ZoneInfo,
    words: Words,
    *,
    before: Traffic | None = None,
    before_name: str = "",
    bands: Sequence[Band] = (),
) -> go.Figure:
    """Lines of p50, p95 and p99; they break where a bucket has no request with a latency.

    `before` has the same buckets of the comparison; its p95 is a dotted line.
    """
    known = [bucket.total is not None for bucket in traffic.buckets]
    slots = slots_of([bucket.start for bucket in traffic.buckets], traffic.interval_minutes, known, zone)
    buckets = traffic.buckets[: len(slots)]
    gaps = gaps_of(slots)
    figure = go.Figure(
        layout=layout(
            bargap=0,
            xaxis=time_axis(slots),
            yaxis=value_axis(type="log", dtick="D2", tickformat=",~r"),
            yaxis2=hidden_axis("y"),
            annotations=gap_labels(gaps, words("no_data")),
            shapes=band_shapes(bands, slots),
            meta=meta(slots),
        )
    )
    times = hover_times(slots) or [""] * len(slots)
    for name, width in _LINES:
        values = [getattr(bucket.latency, name) for bucket in buckets]
        texts = [fmt.duration(value) for value in values]
        if name == _LINES[0][0]:
            texts = [" · ".join(filter(None, parts)) for parts in zip(texts, times, strict=True)]
        figure.add_trace(
            go.Scatter(
                **positions(slots),
                y=values,
                mode="lines+markers",
                connectgaps=False,
                name=name,
                line={"color": role(f"chart-{name}"), "width": width},
                marker={"color": role(f"chart-{name}"), "size": lone_points(values), "line": {"width": 0}},
                customdata=texts,
                hovertemplate="%{customdata}",
                meta={"slots": True},
            )
        )
    if before is not None:
        values = [bucket.latency.p95 for bucket in before.buckets[: len(slots)]]
        texts = [fmt.duration(value) for value in values]
        figure.add_trace(compare_line(slots, values, name=before_name, text=texts))
    if gaps:
        figure.add_trace(hatch(gaps, yaxis="y2"))
    return figure


def lone_points(values: Sequence[float | None]) -> list[int]:
    """Marker sizes: a point without neighbours has no line and would not be seen."""
    padded = [None, *values, None]
    return [4 if before is None and after is None else 0 for before, after in zip(padded, padded[2:], strict=False)]
