"""What all figures share: colours by role, axes, gaps and the configuration of every graph.

A figure names its colours by role, `var(--ab-5xx)`; assets/clientside.js puts in the value that the
current theme gives to the role. So tokens.css stays the only place with colours, and a change of theme
repaints a chart without asking the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashapp.view import moment_text

# "Share chart" would upload a private log to a public site.
GRAPH_CONFIG: dict[str, Any] = {
    "displaylogo": False,
    # Dragging zooms, and the browser's Back undoes it; nothing of the mode bar is needed.
    "displayModeBar": False,
    "modeBarButtonsToRemove": ["sendChartToCloud", "lasso2d", "select2d"],
    "doubleClick": False,
    # Hints in English that lie over the tool bar.
    "showTips": False,
    "responsive": True,
}
MARGIN_LEFT, MARGIN_RIGHT = 52, 8
FONT_PX = 11
MINUTES_PER_DAY = 1440
# About what the name of a band takes of the width of a chart, and of its height.
LABEL_SHARE, LABEL_SHARE_PHONE, _LABEL_LINE_PX = 0.2, 0.48, 15
MOST_TICKS = 7


def role(name: str) -> str:
    """Colour of a role of tokens.css."""
    return f"var(--ab-{name})"


HATCH: dict[str, Any] = {
    "color": "rgba(0,0,0,0)",
    "line": {"width": 0},
    "pattern": {"shape": "/", "size": 6, "solidity": 0.3, "fgcolor": role("chart-nodata")},
}


@dataclass(frozen=True, slots=True)
class Slot:
    """One bucket of a time axis; `known` is False where there is a gap.

    `start` and `end` are its place on the axis. Within a day they are the time that has passed since the first
    bucket, added to its time on the clock: the clock itself, but where it is changed the hour that comes twice has
    two places, and the hour that is left out none. `moment` is when the bucket begins, on the viewer's clock.
    """

    start: datetime
    end: datetime
    known: bool
    moment: datetime

    @property
    def width_ms(self) -> float:
        """Width of its bar."""
        return (self.end - self.start) / timedelta(milliseconds=1)


def wall(moment: datetime) -> str:
    """A local time as Plotly reads it: without offset, so that the axis shows the viewer's clock."""
    return moment.replace(tzinfo=None).isoformat()


def slots_of(starts: Sequence[datetime], minutes: int, known: Sequence[bool], zone: ZoneInfo) -> list[Slot]:
    """Buckets of a chart up to the last known one: what is newer is not a gap, only not final yet.

    Where none is known all of them are a gap: an axis without buckets would show a year that nobody asked for.
    """
    last = max((i for i, is_known in enumerate(known) if is_known), default=len(known) - 1)
    width = timedelta(minutes=minutes)
    slots = []
    for i, start in enumerate(starts[: last + 1]):
        moment = start.astimezone(zone)
        place = moment.replace(tzinfo=None)
        if minutes % MINUTES_PER_DAY:
            place = starts[0].astimezone(zone).replace(tzinfo=None) + (start - starts[0])
        slots.append(Slot(place, place + width, known[i], moment))
    return slots


def is_shifted(slots: Sequence[Slot]) -> bool:
    """Tell whether the clock is changed within the buckets, so that places are not times on the clock."""
    return any(slot.start != slot.moment.replace(tzinfo=None) for slot in slots)


def place_of(moment: datetime, slots: Sequence[Slot]) -> datetime:
    """Place of a moment on the axis of some buckets; beyond them their nearest end."""
    if moment <= slots[0].moment:
        return slots[0].start
    slot = next(slot for slot in reversed(slots) if slot.moment <= moment)
    return min(slot.start + (moment - slot.moment), slots[-1].end)


def meta(slots: Sequence[Slot]) -> dict[str, Any]:
    """What assets/charts.js must know: when each bucket begins and the last one ends, as addresses write it."""
    if not slots:
        return {"edges": [], "places": []}
    last = slots[-1]
    end = last.moment.astimezone(UTC) + (last.end - last.start)
    if last.width_ms >= MINUTES_PER_DAY * 60_000:
        end = last.moment + (last.end - last.start)  # a day of the calendar
    zone = last.moment.tzinfo
    assert isinstance(zone, ZoneInfo)
    edges = [moment_text(moment, zone) for moment in (*(slot.moment for slot in slots), end)]
    return {"edges": edges, "places": [wall(slots[0].start), wall(last.end)]}


def follows(**changes: str | None) -> dict[str, Any]:
    """`meta` of a trace whose marks filter: a click changes these parameters and goes to the bucket."""
    return {"follow": changes, "slots": True}


def gaps_of(slots: Sequence[Slot]) -> list[tuple[datetime, datetime]]:
    """Neighbouring unknown buckets, joined."""
    gaps: list[tuple[datetime, datetime]] = []
    for slot in slots:
        if slot.known:
            continue
        if gaps and gaps[-1][1] == slot.start:
            gaps[-1] = (gaps[-1][0], slot.end)
        else:
            gaps.append((slot.start, slot.end))
    return gaps


def positions(slots: Sequence[Slot]) -> dict[str, Any]:
    """Places marks in the middle of their buckets, while hovering names a bucket by its start."""
    if not slots:
        return {"x": []}
    return {
        "x": [wall(slot.start) for slot in slots],
        "xperiod": slots[0].width_ms,
        "xperiod0": wall(slots[0].start),
        "xperiodalignment": "middle",
    }


def hatch(gaps: Sequence[tuple[datetime, datetime]], *, yaxis: str) -> go.Bar:
    """Hatched bands over gaps, on an axis of their own that always reaches from 0 to 1."""
    return go.Bar(
        x=[wall(start + (end - start) / 2) for start, end in gaps],
        y=[1] * len(gaps),
        width=[(end - start) / timedelta(milliseconds=1) for start, end in gaps],
        yaxis=yaxis,
        marker=HATCH,
        hoverinfo="skip",
        showlegend=False,
        name="gap",
    )


def gap_labels(gaps: Sequence[tuple[datetime, datetime]], text: str) -> list[dict[str, Any]]:
    """One label above each gap."""
    return [
        {
            "x": wall(start + (end - start) / 2),
            "xref": "x",
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "text": text,
            "showarrow": False,
            "font": {"size": FONT_PX, "color": role("chart-text")},
        }
        for start, end in gaps
    ]


def hidden_axis(overlaying: str) -> dict[str, Any]:
    """Axis from 0 to 1 for the hatched bands."""
    return {"overlaying": overlaying, "range": [0, 1], "visible": False, "fixedrange": True}


def compare_line(
    slots: Sequence[Slot], values: Sequence[float | None], *, name: str, text: Sequence[str]
) -> go.Scatter:
    """The comparison: a dotted line, never filled; `text` is what hovering shows."""
    return go.Scatter(
        **positions(slots),
        y=list(values),
        mode="lines",
        connectgaps=False,
        name=name,
        line={"color": role("chart-compare"), "width": 1.5, "dash": "1.5px,3px"},
        customdata=list(text),
        hovertemplate="%{customdata}",
        meta={"slots": True},
    )


@dataclass(frozen=True, slots=True)
class Band:
    """A time in which something stood out; an open one reaches to the right edge. Without a label it is not named."""

    start: datetime
    end: datetime
    label: str = ""
    label_share: float = LABEL_SHARE  # of the width of the chart, at most


def band_shapes(bands: Sequence[Band], slots: Sequence[Slot]) -> list[dict[str, Any]]:
    """A line at the start of each band and a tint to its end."""
    shapes: list[dict[str, Any]] = []
    for band in _within(bands, slots):
        start, end = (wall(place_of(moment, slots)) for moment in (band.start, band.end))
        common = {"xref": "x", "yref": "paper", "y0": 0, "y1": 1}
        # Behind the bars, which keep their colours.
        tint = {"fillcolor": role("chart-incident-band"), "line": {"width": 0}, "layer": "below"}
        shapes.append({"type": "rect", "x0": start, "x1": end, **common, **tint})
        line = {"color": role("chart-incident"), "width": 1}
        shapes.append({"type": "line", "x0": start, "x1": start, **common, "line": line, "layer": "above"})
    return shapes


def band_labels(bands: Sequence[Band], slots: Sequence[Slot]) -> list[dict[str, Any]]:
    """The name of each band, at its top; on its left where it begins near the right edge.

    A name that would run into the one before it stands a line lower.
    """
    labels: list[dict[str, Any]] = []
    lines: dict[int, float] = {}  # where the last name of a line ends, as a share of the axis
    for band in sorted(_within(bands, slots), key=lambda band: band.start):
        if not band.label:
            continue
        place = place_of(band.start, slots)
        share = (place - slots[0].start) / (slots[-1].end - slots[0].start)
        late = share > 1 - band.label_share
        left, right = (share - band.label_share, share) if late else (share, share + band.label_share)
        line = next(i for i in range(len(bands) + 1) if lines.get(i, 0.0) <= max(left, 0.0))
        lines[line] = right
        labels.append(
            {
                "x": wall(place),
                "xref": "x",
                "xanchor": "right" if late else "left",
                "y": 1,
                "yref": "paper",
                "yanchor": "top",
                "yshift": -line * _LABEL_LINE_PX,
                "text": band.label,
                "showarrow": False,
                "bgcolor": role("surface"),
                "borderpad": 0,
                "font": {"size": FONT_PX, "color": role("5xx-text"), "weight": 600},
            }
        )
    return labels


def lane_title(text: str, y: float) -> dict[str, Any]:
    """What a lane below a chart shows, above its top; in front of the lines that go through both."""
    return {
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": y,
        "yref": "paper",
        "yanchor": "bottom",
        "text": text,
        "showarrow": False,
        "bgcolor": role("surface"),
        "borderpad": 0,
        "font": {"size": FONT_PX, "color": role("text-3")},
    }


def _within(bands: Sequence[Band], slots: Sequence[Slot]) -> list[Band]:
    if not slots:
        return []
    return [band for band in bands if band.end > slots[0].moment and place_of(band.start, slots) < slots[-1].end]


def hover_times(slots: Sequence[Slot]) -> list[str] | None:
    """The time of each bucket for hovering, where the axis cannot tell it because the clock is changed."""
    return [f"{slot.moment:%m-%d %H:%M %Z}" for slot in slots] if is_shifted(slots) else None


def time_axis(slots: Sequence[Slot], **more: Any) -> dict[str, Any]:
    """Axis of local time; the first tick of a day shows its date."""
    # From start to start: a range that begins within a bucket has one more of them.
    days = (slots[-1].start - slots[0].start) / timedelta(days=1) if slots else 0
    span = [wall(slots[0].start), wall(slots[-1].end)] if slots else None
    formats: dict[str, Any] = {"tickformat": "%H:%M\n%m-%d", "hoverformat": "%m-%d %H:%M"}
    if days > 7:
        formats["tickformat"] = "%m-%d\n%Y"
    elif days > 1:
        formats["tickformat"] = "%m-%d %H:%M"
    if is_shifted(slots):
        formats |= _clock_ticks(slots)
    return {
        "type": "date",
        "range": span,
        "uirevision": str(span),
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "nticks": MOST_TICKS,
        "showline": True,
        "linecolor": role("chart-axis"),
        "showspikes": True,
        "spikemode": "across",
        "spikesnap": "hovered data",
        "spikethickness": -1,
        "spikecolor": role("text-3"),
        "tickfont": {"size": FONT_PX, "color": role("chart-text")},
        **formats,
        **more,
    }


def _clock_ticks(slots: Sequence[Slot]) -> dict[str, Any]:
    """Ticks on whole hours of the clock, where it is changed within the buckets."""
    hours = [slot for slot in slots if not slot.moment.minute] or list(slots)
    chosen = hours[:: -(-len(hours) // MOST_TICKS)]
    days = [None, *(slot.moment.date() for slot in chosen)]
    texts = [
        f"{slot.moment:%H:%M}" + (f"<br>{slot.moment:%m-%d}" if slot.moment.date() != day else "")
        for slot, day in zip(chosen, days, strict=False)
    ]
    return {
        "tickvals": [wall(slot.start) for slot in chosen],
        "ticktext": texts,
        # What hovering says of the time comes from `hover_times`.
        "unifiedhovertitle": {"text": " "},
    }


def value_axis(**more: Any) -> dict[str, Any]:
    """Axis of values: hairlines, no frame, no title."""
    return {
        "gridcolor": role("chart-grid"),
        "gridwidth": 1,
        "zeroline": False,
        "ticks": "",
        "nticks": 5,
        "fixedrange": True,
        "tickfont": {"size": FONT_PX, "color": role("chart-text")},
        "separatethousands": True,
        "tickformat": ",~f",
        **more,
    }


def layout(**more: Any) -> dict[str, Any]:
    """Layout shared by all figures."""
    return {
        "template": "none",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": MARGIN_LEFT, "r": MARGIN_RIGHT, "t": 40, "b": 34},
        "font": {"family": role("font"), "size": FONT_PX, "color": role("chart-text")},
        "hovermode": "x unified",
        # One line and one box for all charts over the same time, wherever the pointer is.
        "hoversubplots": "axis",
        "hoverlabel": {
            "bgcolor": role("surface"),
            "bordercolor": role("border-strong"),
            "font": {"size": FONT_PX, "color": role("text"), "family": role("font")},
        },
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "x": 1,
            "xanchor": "right",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "bgcolor": "rgba(0,0,0,0)",
            "font": {"size": FONT_PX, "color": role("text-2")},
            "itemwidth": 30,
            "itemclick": "toggle",
            "itemdoubleclick": "toggleothers",
        },
        "dragmode": "zoom",
        # What a click on the legend has hidden stays hidden when numbers are read again.
        "uirevision": "kept",
        **more,
    }


def blank() -> dict[str, Any]:
    """A figure with nothing in it, not even axes."""
    axis = {"visible": False, "fixedrange": True}
    return {"data": [], "layout": layout(xaxis=axis, yaxis=axis)}
