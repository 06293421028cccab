"""A figure by weekday and hour of day: requests, error rate or latency."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from dashapp import format as fmt
from dashapp.figures.base import FONT_PX, HATCH, layout, role
from dashapp.quantities import age
from dashapp.stats.patterns import HOURS, WEEKDAYS, WeekHour
from dashapp.time_range import HOUR
from dashapp.view import moment_text
from dashapp.words import Words

HEAT_STEPS = 8
COLORSCALE = [[i / (HEAT_STEPS - 1), role(f"heat-{i}")] for i in range(HEAT_STEPS)]
# A latency is dark only where it is clearly above the others, not where all are nearly the same.
_LEAST_LATENCY_SPAN = math.log10(2)
What = Literal["requests", "error_rate", "p95"]


@dataclass(frozen=True, slots=True)
class _Measure:
    """A figure of an hour: its value, its place on the scale of colours, and how it is written."""

    value: Callable[[WeekHour], float | None]
    shade: Callable[[float], float]
    text: Callable[[float], str]


_MEASURES: dict[What, _Measure] = {
    "requests": _Measure(lambda hour: hour.mean, math.sqrt, fmt.mean_count),
    "error_rate": _Measure(lambda hour: hour.error_rate, math.sqrt, fmt.rate),
    "p95": _Measure(lambda hour: hour.p95_ms, lambda ms: math.log10(max(ms, 0.01)), fmt.duration),
}


def week_figure(
    hours: Sequence[WeekHour], words: Words, *, what: What = "requests", zone: ZoneInfo | None = None, every: int = 3
) -> go.Figure:
    """Seven rows, Monday on top; an hour of which too little is known is hatched, never 0.

    With a zone, a click on a cell goes to the latest of its hours. An hour without requests has no error rate and no
    latency, so it is empty there. `every` so many hours have their name below.
    """
    measure = _MEASURES[what]
    held = {(hour.weekday, hour.hour): hour for hour in hours if hour.is_held}
    cells = [[held.get((day, hour)) for hour in range(HOURS)] for day in range(WEEKDAYS)]
    values = [[None if cell is None else measure.value(cell) for cell in row] for row in cells]
    shades = [[None if value is None else measure.shade(value) for value in row] for row in values]
    days = words("weekdays").split()
    figure = go.Figure(layout=_layout(days, values, every))
    figure.add_trace(_hatched(cells))
    figure.add_trace(
        go.Heatmap(
            z=shades,
            x=list(range(HOURS)),
            y=list(range(WEEKDAYS)),
            **_ends(what, [shade for row in shades for shade in row if shade is not None]),
            colorscale=COLORSCALE,
            showscale=False,
            xgap=1,
            ygap=1,
            name=what,
            customdata=[[_there(cell, zone) for cell in row] for row in cells],
            text=[[_hover(cell, measure, what, days, words) for cell in row] for row in cells],
            hovertemplate="%{text}<extra></extra>",
            hoverongaps=False,
        )
    )
    return figure


def _ends(what: What, shades: Sequence[float]) -> dict[str, float]:
    """Where the scale of colours begins and ends; a count and a share begin at 0, a latency near the shortest."""
    if what != "p95" or not shades:
        return {"zmin": 0, "zmax": max(shades, default=0) or 1}
    # Latencies that hardly differ lie in the middle of the scale: at its end they would look like nothing.
    spare = max(0.0, _LEAST_LATENCY_SPAN - (max(shades) - min(shades))) / 2
    return {"zmin": min(shades) - spare, "zmax": max(shades) + spare}


def _there(cell: WeekHour | None, zone: ZoneInfo | None) -> dict[str, str]:
    """Parameters of an address that shows the latest of the hours."""
    if cell is None or cell.latest is None or zone is None:
        return {}
    return {"start": moment_text(cell.latest.start, zone), "end": moment_text(cell.latest.end, zone)}


def _hover(cell: WeekHour | None, measure: _Measure, what: What, days: Sequence[str], words: Words) -> str:
    value = None if cell is None else measure.value(cell)
    if cell is None or value is None:
        return ""
    when = words("week_hour", day=days[cell.weekday], hour=f"{cell.hour:02d}:00")
    said = words(f"heat_hover_{what}", value=measure.text(value), total=fmt.count(cell.total), n=fmt.count(cell.errors))
    # A part of an hour is only the basis of an estimate.
    part = "" if cell.covered >= HOUR else f"<br>{words('heat_part', time=age(cell.covered, words))}"
    return f"<b>{when}</b><br>{said}{part}"


def _hatched(cells: Sequence[Sequence[WeekHour | None]]) -> go.Bar:
    """Hatch over every run of unknown cells; bars lie above a heat map, so not below the known ones."""
    runs = [
        (day, [hour for hour, _ in group])
        for day, row in enumerate(cells)
        for unknown, group in groupby(enumerate(row), key=lambda entry: entry[1] is None)
        if unknown
    ]
    return go.Bar(
        x=[(hours[0] + hours[-1]) / 2 for _, hours in runs],
        y=[1] * len(runs),
        base=[day - 0.5 for day, _ in runs],
        width=[len(hours) for _, hours in runs],
        marker=HATCH,
        hoverinfo="skip",
        showlegend=False,
        name="gap",
    )


def _layout(days: Sequence[str], values: Any, every: int) -> dict[str, object]:
    font = {"size": FONT_PX, "color": role("chart-text")}
    plain = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True, "tickfont": font}
    return layout(
        hovermode="closest",
        margin={"l": 40, "r": 8, "t": 8, "b": 28},
        dragmode=False,
        xaxis={
            **plain,
            "range": [-0.5, HOURS - 0.5],
            "tickvals": list(range(0, HOURS, every)),
            "ticktext": [f"{hour:02d}:00" for hour in range(0, HOURS, every)],
        },
        yaxis={
            **plain,
            "ticklabelstandoff": 4,
            "range": [WEEKDAYS - 0.5, -0.5],
            "tickvals": list(range(WEEKDAYS)),
            "ticktext": list(days),
        },
        # The colours follow a root or a logarithm; the table of the chart has the values themselves.
        meta={"values": values},
    )
