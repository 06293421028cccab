"""Endpoint Analysis: all endpoints in one sortable table, and one of them in depth where the view names it.

Ids: endpoints-grid, endpoints-grid-failed, endpoints-search, endpoints-by-route, endpoints-by-path, endpoints-count,
endpoints-note (where not all are shown), endpoints-total (the sums), endpoints-routes (the note where routes were
summed), endpoints-empty, endpoints-body, endpoints-depth, endpoints-read-at; those of pages/endpoint_depth.py.
"""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import MissingCallbackContextException

from dashapp import format as fmt
from dashapp.components.attributes import aria
from dashapp.components.capped_routes import capped_routes
from dashapp.components.card import card, choice_link
from dashapp.components.empty import empty_state
from dashapp.components.endpoint_grid import column_defs, grid_rows, total_row
from dashapp.components.graph import paint
from dashapp.components.part import failure, skeleton
from dashapp.pages import changed_card, endpoint_depth
from dashapp.parts import Failed
from dashapp.site import Site, is_phone
from dashapp.stats.endpoint_page import By, Listed, Table, read_table
from dashapp.stats.overview import Question
from dashapp.stats.tally import Latency
from dashapp.time_range import bucket_minutes
from dashapp.view import View, parameters_of
from dashapp.words import Words

PATH = "/endpoints"
TAB = "Endpoint Analysis"
# Points of the course beside a row.
_COURSE_POINTS = 72

_OUTPUTS = {
    "rows": Output("endpoints-grid", "rowData"),
    "columns": Output("endpoints-grid", "columnDefs"),
    "total": Output("endpoints-total", "data"),
    "failed": Output("endpoints-grid-failed", "children"),
    "ready": Output("endpoints-frame", "className"),
    "count": Output("endpoints-count", "children"),
    "note": Output("endpoints-note", "children"),
    "routes": Output("endpoints-routes", "children"),
    "by": Output("endpoints-by", "children"),
    "empty": Output("endpoints-empty", "children"),
    "hidden": Output("endpoints-body", "hidden"),
    "depth_hidden": Output("endpoints-depth", "hidden"),
    "read_at": Output("endpoints-read-at", "data"),
}
_UNCHANGED = dict.fromkeys(_OUTPUTS, no_update) | endpoint_depth.UNCHANGED


def layout(_site: Site, words: Words) -> Component:
    """The page before its numbers: the table or the endpoint, whichever the address asks for."""
    one = {"method", "route"} <= parameters_of(_asked()).keys()
    return html.Div(
        [
            dcc.Store(id="endpoints-read-at"),
            dcc.Store(id="endpoints-total"),
            html.Div(id="endpoints-empty"),
            html.Div(id="endpoints-routes"),
            html.Div(_table_card(words), id="endpoints-body", className="g tall", hidden=one),
            html.Div(endpoint_depth.depth_layout(words), id="endpoints-depth", hidden=not one),
        ]
    )


def _asked() -> str:
    """The query string with which the page is opened; nothing outside of a callback."""
    try:
        return str(ctx.states.get("shell-url.search") or "")
    except MissingCallbackContextException:
        return ""


def _table_card(words: Words) -> Component:
    search = dcc.Input(
        id="endpoints-search",
        type="text",
        className="inp search",
        maxLength=200,
        placeholder=words("find_endpoint"),
        autoComplete="off",
    )
    unit = words("endpoints_unit", bound=fmt.error_bound(Latency().error_bound))
    return card(
        words("endpoints"),
        html.Div(
            [_grid(words), skeleton(words), html.Div(id="endpoints-grid-failed", className="failed", role="alert")],
            id="endpoints-frame",
            className="grid-frame",
        ),
        subtitle=[html.Span(id="endpoints-count", className="cnt"), html.Span(id="endpoints-note", className="sub")],
        aside=[
            html.Div(id="endpoints-by", className="seg", role="group", **aria(label=words("count_by"))),
            html.Label(words("find_endpoint"), htmlFor="endpoints-search", className="sr"),
            search,
            html.Span(unit, className="sub only-w"),
        ],
        menu=words,
        chart=False,
        flush=True,
    )


def _grid(words: Words) -> Component:
    grid: Component = dag.AgGrid(
        id="endpoints-grid",
        className="ag-theme-ab",
        columnDefs=column_defs(words, phone=is_phone()),
        rowData=[],
        getRowId="params.data.id",
        defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True, "cellDataType": False},
        dashGridOptions={
            "animateRows": False,
            "suppressDragLeaveHidesColumns": True,
            "enableCellTextSelection": True,
            "suppressNoRowsOverlay": True,
        },
        eventListeners={"firstDataRendered": ["showSized(params)"]},
        style={"height": "100%", "width": "100%"},
    )
    return grid


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the page."""

    def update_page(search: str, _tick: int, read_at: str | None) -> dict[str, Any]:
        view, words = site.view(search), site.words(search)
        # Values of another view must not stay beside the name of this one.
        ticked = ctx.triggered_id == "shell-tick"
        kept_since = read_at if ticked else None
        # The columns of a new grid stand already; set again they would move for all to see.
        columns_stand = ticked or (not ctx.triggered_id and not view.comparison and not view.by_path)
        # Building the figures takes as long as reading them: viewers of the same view share that, too.
        same = ("endpoints page", view.link(), view.whole, words.language, kept_since, columns_stand, is_phone())
        return site.shared.get(same, lambda: page_of(view, words, kept_since, columns_stand=columns_stand))

    def page_of(view: View, words: Words, kept_since: str | None, *, columns_stand: bool) -> dict[str, Any]:
        if endpoint_depth.is_one(view):
            return _UNCHANGED | update_depth(site, view, words, kept_since)
        return _UNCHANGED | update_table(site, view, words, kept_since, columns_stand=columns_stand)

    app.callback(
        output=_OUTPUTS | endpoint_depth.OUTPUTS,
        inputs=[Input("shell-url", "search"), Input("shell-tick", "data"), State("endpoints-read-at", "data")],
    )(update_page)
    app.clientside_callback(
        ClientsideFunction("accessboard", "gridOptions"),
        Output("endpoints-grid", "dashGridOptions"),
        Input("endpoints-search", "value"),
        Input("endpoints-total", "data"),
        State("endpoints-grid", "dashGridOptions"),
        prevent_initial_call=True,
    )
    changed_card.register(app, site, "endpoints")
    for graph_id in endpoint_depth.GRAPHS:
        paint(app, graph_id)


def update_depth(site: Site, view: View, words: Words, kept_since: str | None) -> dict[str, Any]:
    """One endpoint in depth; where it has no requests, why."""
    read = endpoint_depth.read_page(site, view)
    if not isinstance(read.totals, Failed) and not read.totals.total.total:
        return _nothing(empty_state(view, read.totals.span, site.zone, words, path=PATH))
    parts = (read.totals, read.series, read.codes, read.slow, read.clients)
    whole = not any(isinstance(each, Failed) for each in parts)
    return {
        **endpoint_depth.show(read, view, site, words, kept_since),
        "routes": None,
        "empty": None,
        "hidden": True,
        "depth_hidden": False,
        "read_at": fmt.clock_seconds(site.now(), site.zone) if whole else no_update,
    }


def update_table(
    site: Site, view: View, words: Words, kept_since: str | None, *, columns_stand: bool
) -> dict[str, Any]:
    """The table of all endpoints; where there are none, why."""
    read = read_page(site, view)
    by = by_links(view)
    shell: dict[str, Any] = {"empty": None, "hidden": False, "depth_hidden": True, "by": by}
    if isinstance(read.listed, Failed):
        failed = failure(read.listed, words("endpoints"), words, kept_since)
        return shell | {"failed": failed, "rows": no_update if kept_since else [], "ready": "grid-frame ready"}
    listed = read.listed
    if not listed.whole.endpoints:
        return _nothing(empty_state(view, listed.span, site.zone, words, path=PATH)) | {"by": by}
    return shell | {
        **_table(read, listed, view, words, columns_stand=columns_stand),
        "failed": None,
        "ready": "grid-frame ready",
        "routes": capped_routes(listed.routes, words),
        "read_at": fmt.clock_seconds(site.now(), site.zone),
    }


def _nothing(empty: Component) -> dict[str, Any]:
    return {"empty": empty, "hidden": True, "depth_hidden": True, "routes": None}


def _table(read: Table, listed: Listed, view: View, words: Words, *, columns_stand: bool) -> dict[str, Any]:
    against = words(f"vs_name_{view.comparison.kind}") if view.comparison and listed.before else ""
    courses = None if isinstance(read.courses, Failed) else read.courses
    columns = column_defs(words, phone=is_phone(), against=against, trend=not view.by_path)
    shown, found = len(listed.whole.endpoints), listed.whole.found
    notes = []
    if shown < found:
        notes.append(words("endpoints_more", shown=fmt.count(shown)))
    if view.comparison and not against and not view.by_path:
        notes.append(f"{words(f'vs_name_{view.comparison.kind}')}: {words('nothing_there')}")
    return {
        "rows": grid_rows(listed, view, by_path=view.by_path, courses=courses),
        # A refresh keeps the order that the viewer chose.
        "columns": no_update if columns_stand else columns,
        "total": total_row(listed.total, words),
        "count": fmt.count(shown) if shown == found else f"{fmt.count(shown)} / {fmt.count(found)}",
        "note": " ".join(notes),
    }


def read_page(site: Site, view: View) -> Table:
    """The table; viewers who look at the same view at the same moment share it."""
    by: By = "path" if view.by_path else "route"
    minutes = bucket_minutes(view.whole, most=_COURSE_POINTS, by_endpoint=True)
    question = Question(view.whole, view.filters, view.comparison, minutes, site.zone, site.complete())
    return site.shared.get(("endpoints", by, question), lambda: read_table(site.engine, question, by=by))


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
