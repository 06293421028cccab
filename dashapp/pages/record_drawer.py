"""Callbacks of what the live console and the log search have in common: search field, row tools, drawer."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from dashapp.components.console_bar import switch
from dashapp.components.record import record_body
from dashapp.site import Site
from dashapp.stats.record_context import RecordContext, record_context
from sql.connection import DatabaseUnavailable, snapshot
from sql.filters import Filters

# Someone waits for it who has the record already; what takes longer is left out.
CONTEXT_S = 8

log = logging.getLogger(__name__)


def register(app: Dash, site: Site) -> None:
    """Add the callbacks."""

    def show_switch(search: str, path: str) -> list[Component]:
        return switch(path, site.view(search), site.words(search))

    def show_record(record: dict[str, Any] | None, search: str, path: str) -> Any:
        if not record:
            return no_update
        context = read_context(site, record)
        return record_body(record, context, site.view(search), path, site.zone, site.words(search))

    app.callback(Output("console-switch", "children"), Input("shell-url", "search"), State("shell-url", "pathname"))(
        show_switch
    )
    app.callback(
        Output("record-body", "children"),
        Input("record-chosen", "data"),
        State("shell-url", "search"),
        State("shell-url", "pathname"),
    )(show_record)
    _register_clientside(app)


def read_context(site: Site, record: dict[str, Any]) -> RecordContext | None:
    """The hour of the record's endpoint; None while the database does not tell."""
    moment = datetime.fromisoformat(record["ts"])
    endpoint = Filters(service=record["service"], method=record["method"], route=record["route"])
    try:
        complete = site.complete()
        with snapshot(site.engine, seconds=CONTEXT_S) as reading:
            return record_context(reading, moment, endpoint, int(record["status"]), complete)
    except DatabaseUnavailable as error:
        log.warning("no context of a record: %s", error)
        return None


def _register_clientside(app: Dash) -> None:
    def clientside(name: str, *arguments: Any, **options: Any) -> None:
        app.clientside_callback(ClientsideFunction("accessboard", name), *arguments, **options)

    clientside(
        "openRecord",
        Output("record-drawer", "hidden"),
        Output("record-layout", "className"),
        Input("record-chosen", "data"),
    )
    clientside("closeRecord", Input("record-close", "n_clicks"), prevent_initial_call=True)
    clientside(
        "filterText",
        Input("console-text", "value"),
        Input("console-regex", "n_clicks"),
        prevent_initial_call=True,
    )
    clientside(
        "showText",
        Output("console-text", "value"),
        Output("console-regex", "aria-pressed"),
        Input("shell-url", "search"),
    )
    clientside("wrapRows", Output("console-wrap", "aria-pressed"), Input("console-wrap", "n_clicks"))
    clientside(
        "copyRows",
        Output("console-copied", "children"),
        Input("console-copy-lines", "n_clicks"),
        Input("console-copy-json", "n_clicks"),
        prevent_initial_call=True,
    )
