"""Endpoint Analysis: calls, errors and latency of every endpoint in one sortable table.

Ids: endpoints-grid, endpoints-search, endpoints-by-route, endpoints-by-path, endpoints-count, endpoints-routes
(the note where routes were summed), endpoints-empty, endpoints-body.
"""

from __future__ import annotations

from typing import Any, Literal

import dash_ag_grid as dag
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import aria
from dashapp.components.capped_routes import capped_routes
from dashapp.components.card import card, choice_link
from dashapp.components.empty import empty_state
from dashapp.components.endpoint_grid import column_defs, grid_rows
from dashapp.site import Site, is_phone
from dashapp.stats.tally import Latency
from dashapp.stats.usage import Usage, routes_of, usage
from dashapp.view import View
from dashapp.words import Words
from sql.collection import RouteCount
from sql.connection import snapshot
from sql.plan import Range
from sql.span import data_span

PATH = "/endpoints"
TAB = "Endpoint Analysis"


def layout(_site: Site, words: Words) -> Component:
    """The page before its numbers."""
    return html.Div(
        [
            html.Div(id="endpoints-empty"),
            html.Div(id="endpoints-routes"),
            html.Div(
                card(
                    words("endpoints"),
                    _grid(words),
                    subtitle=html.Span(id="endpoints-count", className="cnt"),
                    aside=[
                        html.Div(id="endpoints-by", className="seg", role="group", **aria(label=words("count_by"))),
                        html.Label(words("find_endpoint"), htmlFor="endpoints-search", className="sr"),
                        dcc.Input(
                            id="endpoints-search",
                            type="text",
                            className="inp search",
                            maxLength=200,
                            placeholder=words("find_endpoint"),
                            autoComplete="off",
                        ),
                        html.Span(
                            words("endpoints_unit", bound=fmt.error_bound(Latency().error_bound)),
                            className="sub only-w",
                        ),
                    ],
                    flush=True,
                ),
                id="endpoints-body",
                className="g tall",
            ),
        ]
    )


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the page."""

    def update_page(search: str, _tick: int) -> dict[str, Any]:
        view, words = site.view(search), site.words(search)
        used, routes, span = read_usage(site, view)
        links = by_links(view)
        if not used.endpoints:
            empty = empty_state(view, span, site.zone, words, path=PATH)
            return {
                "rows": no_update, "count": no_update, "routes": None, "by": links, "empty": empty, "hidden": True
            }  # fmt: skip
        return {
            "rows": grid_rows(used.endpoints),
            "count": _shown_of(used),
            "routes": capped_routes(routes, words),
            "by": links,
            "empty": None,
            "hidden": False,
        }

    app.callback(
        output={
            "rows": Output("endpoints-grid", "rowData"),
            "count": Output("endpoints-count", "children"),
            "routes": Output("endpoints-routes", "children"),
            "by": Output("endpoints-by", "children"),
            "empty": Output("endpoints-empty", "children"),
            "hidden": Output("endpoints-body", "hidden"),
        },
        inputs=[Input("shell-url", "search"), Input("shell-tick", "data")],
    )(update_page)
    app.clientside_callback(
        ClientsideFunction("accessboard", "quickFilter"),
        Output("endpoints-grid", "dashGridOptions"),
        Input("endpoints-search", "value"),
        State("endpoints-grid", "dashGridOptions"),
        prevent_initial_call=True,
    )


def read_usage(site: Site, view: View) -> tuple[Usage, RouteCount, Range | None]:
    """Read the endpoints, the routes kept and the span of the data in one snapshot."""
    by: Literal["route", "path"] = "path" if view.by_path else "route"
    with snapshot(site.engine) as connection:
        used = usage(connection, view.whole, view.filters, by=by)
        routes = routes_of(connection, used, view.filters, by=by)
        return used, routes, data_span(connection, view.filters.service)


def _shown_of(used: Usage) -> str:
    """How many endpoints there are, and how many of them are shown where that is not all."""
    shown = len(used.endpoints)
    return fmt.count(shown) if shown == used.found else f"{fmt.count(shown)} / {fmt.count(used.found)}"


def by_links(view: View) -> list[Component]:
    """Switch between counting by route, ids folded, and by path as it came."""
    choices = (("route", "Route", None), ("path", "Path", "path"))
    return [
        choice_link(
            label,
            view.link(PATH, by=value),
            chosen=view.by_path == (name == "path"),
            link_id=f"endpoints-by-{name}",
        )
        for name, label, value in choices
    ]


def _grid(words: Words) -> Component:
    grid: Component = dag.AgGrid(
        id="endpoints-grid",
        className="ag-theme-ab",
        columnDefs=column_defs(words, phone=is_phone()),
        rowData=[],
        getRowId="params.data.id",
        defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True},
        dashGridOptions={
            "animateRows": False,
            "suppressDragLeaveHidesColumns": True,
            "enableCellTextSelection": True,
            "suppressNoRowsOverlay": True,
        },
        style={"height": "100%", "width": "100%"},
    )
    return grid
