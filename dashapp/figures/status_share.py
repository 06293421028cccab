"""Shares of the status classes over time, and below them those of the errors alone on their own scale."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashapp import format as fmt
from dashapp.figures.base import (
    Band,
    Slot,
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
_UPPER, _LOWER = [0.46, 1], [0, 0.34]


def status_share_figure(
    traffic: Traffic,
    zone: ZoneInfo,
    words: Words,
    *,
    before: Traffic | None = None,
    before_name: str = "",
    bands: Sequence[Band] = (),
) -> go.Figure:
    """Stacked to 100 %, 2xx below and 5xx on top; a bucket without requests has no shares, an unknown one a hatch.

    `before` has the same buckets of the comparison; its error rate is a dotted line in the lower lane. `bands` are
    times in which something stood out; without their names, which would stand before bars that are all of the height.
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
    if before is not None:
        rates = [_percent(bucket.errors, bucket) for bucket in before.buckets[: len(slots)]]
        texts = [fmt.UNKNOWN if rate is None else fmt.rate(rate / 100) for rate in rates]
        line = compare_line(slots, rates, name=before_name, text=texts)
        figure.add_trace(line.update(yaxis="y2"))
    if gaps:
        figure.add_trace(hatch(gaps, yaxis="y3"))
        figure.add_trace(hatch(gaps, yaxis="y4"))
    return figure


def _percent(part: int | None, bucket: TrafficBucket) -> float | None:
    return None if part is None or not bucket.total else round(part / bucket.total * 100, 4)


def _bars(name: str, buckets: Sequence[TrafficBucket], slots: Sequence[Slot], *, yaxis: str) -> go.Bar:
    lane = yaxis != "y"
    counts = [None if bucket.total is None else bucket.classes.get(name, 0) for bucket in buckets]
    values = [_percent(count, bucket) for count, bucket in zip(counts, buckets, strict=True)]
    ratio = 1.0 if len(slots) > _TOUCHING_ABOVE else 0.85
    hover: dict[str, Any] = {"hoverinfo": "skip"}  # the lane repeats two of the values above it
    if not lane:
        shares = [fmt.UNKNOWN if value is None else fmt.rate(value / 100) for value in values]
        texts = [f"{share} ({fmt.count(count)})" for share, count in zip(shares, counts, strict=True)]
        if name == "2xx" and (times := hover_times(slots)):
            texts = [" · ".join(parts) for parts in zip(texts, times, strict=True)]
        hover = {"customdata": texts, "hovertemplate": "%{customdata}"}
    return go.Bar(
        **positions(slots),
        y=values,
        width=[slot.width_ms * ratio for slot in slots],
        yaxis=yaxis,
        name=name,
        legendgroup=name,
        showlegend=not lane,
        meta=follows(status=name),
        marker={"color": role("3xx" if name == "1xx" else name), "line": {"width": 0}},
        **hover,
    )


def _layout(
    slots: Sequence[Slot], gaps: Sequence[tuple[datetime, datetime]], bands: Sequence[Band], words: Words
) -> dict[str, object]:
    title = lane_title(words("errors_only"), _LOWER[1])
    upper = {"range": [0, 100], "tick0": 0, "dtick": 25, "ticksuffix": "%"}
    return layout(
        barmode="stack",
        bargap=0,
        xaxis=time_axis(slots, anchor="y2"),
        yaxis=value_axis(domain=_UPPER, **upper),
        yaxis2=value_axis(domain=_LOWER, rangemode="tozero", nticks=3, anchor="x", ticksuffix="%"),
        yaxis3=hidden_axis("y"),
        yaxis4=hidden_axis("y2"),
        annotations=[title, *gap_labels(gaps, words("no_data"))],
        shapes=band_shapes(bands, slots),
        meta=meta(slots),
    )
