"""A chart on a page: its place, and the step that draws it in the colours of the theme."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from dashapp.components.attributes import aria
from dashapp.figures.base import GRAPH_CONFIG, blank


def graph(graph_id: str, *, label: str, height: str) -> Component:
    """An empty chart of its final height; the figure comes through the store `<id>-figure`."""
    config: Any = GRAPH_CONFIG
    return html.Div(
        [
            dcc.Store(id=f"{graph_id}-figure"),
            dcc.Graph(id=graph_id, figure=blank(), config=config, className="chart-graph"),
        ],
        className=f"chart {height}",
        role="group",
        **aria(label=label),
    )


def paint(app: Dash, graph_id: str) -> None:
    """Draw the figure of `<id>-figure` in the colours of the current theme, whenever either changes."""
    app.clientside_callback(
        ClientsideFunction("accessboard", "paint"),
        Output(graph_id, "figure"),
        Input(f"{graph_id}-figure", "data"),
        Input("shell-theme-name", "data"),
    )
