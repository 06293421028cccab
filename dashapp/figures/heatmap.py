"""Requests by weekday and hour of day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import plotly.graph_objects as go

from dashapp import format as fmt
from dashapp.figures.base import FONT_PX, HATCH, layout, role
from dashapp.stats.patterns import WeekHour
from dashapp.words import Words

HOURS = 24
WEEKDAYS = 7
HEAT_STEPS = 8
COLORSCALE = [[i / (HEAT_STEPS - 1), role(f"heat-{i}")] for i in range(HEAT_STEPS)]


def week_figure(hours: Sequence[WeekHour], words: Words) -> go.Figure:
    """Seven rows, Monday on top; the colour is the mean per hour, an unknown cell is hatched."""
    rates = {(hour.weekday, hour.hour): hour for hour in hours if hour.mean is not None}
    cells = [[rates.get((day, hour)) for hour in range(HOURS)] for day in range(WEEKDAYS)]
    days = words("weekdays").split()
    figure = go.Figure(layout=_layout(days))
    figure.add_trace(_hatched(cells))
    figure.add_trace(
        go.Heatmap(
            z=[[None if cell is None else math.sqrt(cell.mean or 0) for cell in row] for row in cells],
            x=list(range(HOURS)),
            y=list(range(WEEKDAYS)),
            zmin=0,
            colorscale=COLORSCALE,
            showscale=False,
            xgap=1,
            ygap=1,
            customdata=[[_hover(cell, days, words) for cell in row] for row in cells],
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=False,
        )
    )
    return figure


def _hover(cell: WeekHour | None, days: Sequence[str], words: Words) -> str:
    if cell is None:
        return ""
    when = words("week_hour", day=days[cell.weekday], hour=f"{cell.hour:02d}:00")
    return f"<b>{when}</b><br>" + words("heat_hover", mean=fmt.mean_count(cell.mean or 0), total=fmt.count(cell.total))


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


def _layout(days: Sequence[str]) -> dict[str, object]:
    font = {"size": FONT_PX, "color": role("chart-text")}
    plain = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True, "tickfont": font}
    return layout(
        hovermode="closest",
        margin={"l": 36, "r": 8, "t": 8, "b": 28},
        dragmode=False,
        xaxis={
            **plain,
            "range": [-0.5, HOURS - 0.5],
            "tickvals": list(range(0, HOURS, 3)),
            "ticktext": [f"{hour:02d}:00" for hour in range(0, HOURS, 3)],
        },
        yaxis={
            **plain,
            "range": [WEEKDAYS - 0.5, -0.5],
            "tickvals": list(range(WEEKDAYS)),
            "ticktext": list(days),
        },
    )
