"""A chart on a page: its place, and the step that draws it in the colours of the theme."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashapp.components.attributes import aria
from dashapp.figures.base import GRAPH_CONFIG, blank


def graph(graph_id: str, *, label: str, height: str) -> Component:
    """An empty chart of its final height; the figure comes through the store `<id>-figure`.

    What failed instead stands in `<id>-failed`; assets/cards.js writes the values into the element `chart-table`.
    """
    config: Any = GRAPH_CONFIG
    return html.Div(
        [
            dcc.Store(id=f"{graph_id}-figure"),
            html.Div(className="skeleton", **aria(hidden="true")),
            dcc.Graph(id=graph_id, figure=blank(), config=config, className="chart-graph"),
            html.Div(className="chart-table"),
            html.Div(id=f"{graph_id}-failed", className="failed", role="alert"),
        ],
        className=f"chart {height}",
        role="group",
        **aria(label=label),
    )


def paint(app: Dash, graph_id: str) -> None:
    """Draw the figure of `<id>-figure` in the colours of the current theme, whenever either changes.

    A click on a mark goes where the mark leads, a drag along the time zooms the page: both change the address.
    A trace says where its marks lead by dictionaries in `customdata`, or by `follows` of figures.base.
    """
    app.clientside_callback(
        ClientsideFunction("accessboard", "paint"),
        Output(graph_id, "figure"),
        Input(f"{graph_id}-figure", "data"),
        Input("shell-theme-name", "data"),
        State(graph_id, "id"),
    )
    app.clientside_callback(
        ClientsideFunction("accessboard", "follow"),
        Output(graph_id, "clickData"),
        Input(graph_id, "clickData"),
        State(graph_id, "id"),
        State("shell-url", "search"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("accessboard", "zoom"),
        Output(graph_id, "relayoutData"),
        Input(graph_id, "relayoutData"),
        State(graph_id, "id"),
        State("shell-url", "search"),
        prevent_initial_call=True,
    )
