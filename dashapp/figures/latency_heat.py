"""The distribution of latencies over time: a heat map on a log scale, and lines of percentiles above it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashapp import format as fmt
from dashapp.figures.base import (
    Band,
    Slot,
    band_labels,
    band_shapes,
    compare_line,
    gap_labels,
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
    wall,
)
from dashapp.figures.heatmap import COLORSCALE
from dashapp.figures.latency import lone_points
from dashapp.stats.latency_heat import LatencyClass, LatencyHeat, latency_heat
from dashapp.stats.traffic import Traffic, TrafficBucket
from dashapp.words import Words

PERCENTILES = ("p50", "p95", "p99")
_WIDTHS = {"p50": 1.5, "p90": 1.5, "p95": 2.0, "p99": 1.25}
_HALO = 3.0
_SEAMS_UP_TO = 90  # columns; above, a gap of a pixel would eat what it parts
_MOST_TICKS = 6
# Pixels from a line within which it is named instead of the cell under the pointer.
_NEAR = 6


def latency_heat_figure(
    traffic: Traffic,
    zone: ZoneInfo,
    words: Words,
    *,
    percentiles: Sequence[str] = PERCENTILES,
    bands: Sequence[Band] = (),
    before: Traffic | None = None,
    before_name: str = "",
) -> go.Figure:
    """Requests by time and class of latency, the colour by the square root of their number.

    A click on a cell filters by its time and its latencies. Unknown buckets are hatched. Without a request with a
    latency the figure has no traces.

    Args:
        traffic: buckets read with their percentiles.
        zone: of the viewer.
        words: the language.
        percentiles: of p50, p90, p95 and p99, the lines above the heat map.
        bands: times in which something stood out.
        before: the same buckets of the comparison; its p95 is a dotted line with the name `before_name`.
    """
    known = [bucket.total is not None for bucket in traffic.buckets]
    slots = slots_of([bucket.start for bucket in traffic.buckets], traffic.interval_minutes, known, zone)
    heat = latency_heat(Traffic(traffic.interval_minutes, traffic.buckets[: len(slots)]))
    if not heat.classes:
        return go.Figure(layout=layout(meta=meta([])))
    gaps = gaps_of(slots)
    ends = [heat.classes[0].low_ms, heat.classes[-1].high_ms]
    figure = go.Figure(
        layout=layout(
            hovermode="closest",
            hoverdistance=_NEAR,
            bargap=0,
            xaxis=time_axis(slots, showspikes=False, showline=False),
            yaxis=value_axis(type="log", range=[math.log10(end) for end in ends], showgrid=False, **_ticks(*ends)),
            yaxis2=hidden_axis("y"),
            annotations=[*gap_labels(gaps, words("no_data")), *band_labels(bands, slots)],
            shapes=band_shapes(bands, slots),
            meta=meta(slots) | _table(heat),
        )
    )
    figure.add_trace(_cells(heat, slots, words))
    for name in percentiles:
        figure.add_traces(_line(name, traffic.buckets[: len(slots)], slots))
    if before is not None:
        values = [bucket.latency.p95 for bucket in before.buckets[: len(slots)]]
        texts = [f"{before_name} {fmt.duration(value)}" for value in values]
        line = compare_line(slots, values, name=before_name, text=texts)
        figure.add_trace(line.update(hovertemplate="%{customdata}<extra></extra>"))
    if gaps:
        figure.add_trace(hatch(gaps, yaxis="y2"))
    return figure


def _cells(heat: LatencyHeat, slots: Sequence[Slot], words: Words) -> go.Heatmap:
    return go.Heatmap(
        x=[*(wall(slot.start) for slot in slots), wall(slots[-1].end)],
        y=[heat.classes[0].low_ms, *(each.high_ms for each in heat.classes)],
        z=_rows(heat, lambda n: round(math.sqrt(n), 3)),
        zmin=0,
        colorscale=COLORSCALE,
        showscale=False,
        xgap=1 if len(slots) <= _SEAMS_UP_TO else 0,
        ygap=1,
        customdata=_hovers(heat, slots, words),
        hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=False,
        name=words("requests"),
        meta={"slots": True, "rows": [_filter(each) for each in heat.classes]},
    )


def _rows(heat: LatencyHeat, value: Any) -> list[list[Any]]:
    """A row for each class, a column for each bucket; unknown buckets have no value."""
    return [
        [None if counts is None else value(counts[row]) for counts in heat.counts] for row in range(len(heat.classes))
    ]


def _filter(each: LatencyClass) -> dict[str, str | None]:
    low, high = (None if bound is None else f"{bound:.9g}" for bound in each.bounds)
    return {"latency_min": low, "latency_max": high}


def _hovers(heat: LatencyHeat, slots: Sequence[Slot], words: Words) -> list[list[str]]:
    names = [class_name(each) for each in heat.classes]
    times = [_time(slot) for slot in slots]
    return [
        [
            "" if counts is None else words("latency_cell", when=time, latencies=name, n=fmt.count(counts[row]))
            for time, counts in zip(times, heat.counts, strict=True)
        ]
        for row, name in enumerate(names)
    ]


def _time(slot: Slot) -> str:
    end = slot.moment + (slot.end - slot.start)  # a day of the calendar
    if slot.end - slot.start < timedelta(days=1):
        end = (slot.moment.astimezone(UTC) + (slot.end - slot.start)).astimezone(slot.moment.tzinfo)
    tail = f"{end:%H:%M}" if end.date() == slot.moment.date() else f"{end:%m-%d %H:%M}"
    return f"{slot.moment:%m-%d %H:%M} – {tail}"


def class_name(each: LatencyClass) -> str:
    """The latencies of a class: 93 – 184 ms."""
    if each.open_below:
        return f"< {fmt.duration(each.high_ms)}"
    if each.open_above:
        return f"≥ {fmt.duration(each.low_ms)}"
    low, high = fmt.duration(each.low_ms), fmt.duration(each.high_ms)
    return f"{low.removesuffix(' ms')} – {high}" if high.endswith(" ms") else f"{low} – {high}"


def _line(name: str, buckets: Sequence[TrafficBucket], slots: Sequence[Slot]) -> list[go.Scatter]:
    """The line and, below it, its halo."""
    values = [getattr(bucket.latency, name) for bucket in buckets]
    color, width = role(f"chart-{name}"), _WIDTHS[name]
    common = {**positions(slots), "y": values, "connectgaps": False, "legendgroup": name}
    alone = lone_points(values)
    halo = go.Scatter(
        **common,
        mode="lines+markers",
        line={"color": role("surface"), "width": width + _HALO},
        marker={"color": role("surface"), "size": [size + _HALO if size else 0 for size in alone]},
        opacity=0.85,
        hoverinfo="skip",
        showlegend=False,
        name=f"{name} halo",
    )
    line = go.Scatter(
        **common,
        mode="lines+markers",
        line={"color": color, "width": width},
        marker={"color": color, "size": alone, "line": {"width": 0}},
        customdata=[
            f"{name} {fmt.duration(value)}<br>{_time(slot)}" for value, slot in zip(values, slots, strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
        name=name,
        meta={"slots": True},
    )
    return [halo, line]


def _ticks(low: float, high: float) -> dict[str, Any]:
    """Few round latencies: 1, 2, 5, 10 ms where that is few, else the powers of ten."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        values = [digit * 10.0**decade for decade in decades for digit in digits]
        values = [value for value in values if low <= value <= high]
        if len(values) <= _MOST_TICKS:
            break
    return {"tickvals": values, "ticktext": [f"{value:,g}" for value in values]}


def _table(heat: LatencyHeat) -> dict[str, Any]:
    """What the table of the chart shows beside the lines (assets/cards.js)."""
    return {"classes": [class_name(each) for each in heat.classes], "values": _rows(heat, lambda n: n)}
