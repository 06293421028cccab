"""What all figures share: colours by role, axes, gaps and the configuration of every graph.

A figure names its colours by role, `var(--ab-5xx)`; assets/clientside.js puts in the value that the
current theme gives to the role. So tokens.css stays the only place with colours, and a change of theme
repaints a chart without asking the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

# "Share chart" would upload a private log to a public site.
GRAPH_CONFIG: dict[str, Any] = {
    "displaylogo": False,
    # Dragging zooms, and the browser's Back undoes it; nothing of the mode bar is needed.
    "displayModeBar": False,
    "modeBarButtonsToRemove": ["sendChartToCloud", "lasso2d", "select2d"],
    "doubleClick": False,
    "responsive": True,
}
MARGIN_LEFT, MARGIN_RIGHT = 52, 8
FONT_PX = 11
MINUTES_PER_DAY = 1440


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
    """One bucket of a time axis, in local wall-clock time; `known` is False where there is a gap."""

    start: datetime
    end: datetime
    known: bool

    @property
    def width_ms(self) -> float:
        """Width of its bar."""
        return (self.end - self.start) / timedelta(milliseconds=1)


def wall(moment: datetime) -> str:
    """A local time as Plotly reads it: without offset, so that the axis shows the viewer's clock."""
    return moment.replace(tzinfo=None).isoformat()


def slots_of(starts: Sequence[datetime], minutes: int, known: Sequence[bool], zone: ZoneInfo) -> list[Slot]:
    """Buckets of a chart up to the last known one: what is newer is not a gap, only not final yet."""
    last = max((i for i, is_known in enumerate(known) if is_known), default=-1)
    width = timedelta(minutes=minutes)
    local = [start.astimezone(zone).replace(tzinfo=None) for start in starts]
    return [Slot(start, start + width, known[i]) for i, start in enumerate(local[: last + 1])]


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


def time_axis(slots: Sequence[Slot], **more: Any) -> dict[str, Any]:
    """Axis of local time; the first tick of a day shows its date."""
    days = (slots[-1].end - slots[0].start) / timedelta(days=1) if slots else 0
    span = [wall(slots[0].start), wall(slots[-1].end)] if slots else None
    formats = {"tickformat": "%H:%M\n%m-%d", "hoverformat": "%m-%d %H:%M"}
    if days > 7:
        formats["tickformat"] = "%m-%d\n%Y"
    elif days > 1:
        formats["tickformat"] = "%m-%d %H:%M"
    return {
        "type": "date",
        "range": span,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "nticks": 7,
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
        },
        "dragmode": "zoom",
        **more,
    }


def blank() -> dict[str, Any]:
    """A figure with nothing in it, not even axes."""
    axis = {"visible": False, "fixedrange": True}
    return {"data": [], "layout": layout(xaxis=axis, yaxis=axis)}
