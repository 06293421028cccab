"""Callbacks of the shell: which page, what the tool bar shows, and where its controls lead."""

from __future__ import annotations

import logging
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, html, no_update

from dashapp import format as fmt
from dashapp import pages
from dashapp.shell import navigation
from dashapp.shell.layout import ALL_SERVICES, service_select
from dashapp.site import Site
from dashapp.view import address, parameters_of
from sql.connection import DatabaseUnavailable, snapshot
from sql.reading import services

log = logging.getLogger(__name__)


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the shell."""

    def show_page(path: str, search: str) -> Any:
        words = site.words(search)
        for page in pages.PAGES:
            if path == page.PATH:
                return page.layout(site, words)
        link = html.A(words("to_overview"), href="/", className="button")
        return html.Section([html.P(words("not_found"), className="b"), link], className="card empty")

    def show_shell(path: str, search: str, _tick: int, shown: list[str] | None, start: str, end: str) -> dict[str, Any]:
        view, words, complete = site.view(search), site.words(search), site.complete()
        moments = [fmt.local_minute(moment, site.zone) for moment in (view.whole.start, view.whole.end)]
        # A refresh must not overwrite what someone is typing.
        typing = ctx.triggered_id == "shell-tick" and shown is not None and [start, end] != shown
        return {
            "tabs": navigation.tabs(path, view),
            "ranges": navigation.ranges(path, view),
            "range_name": navigation.range_name(view, site.zone),
            "rangeless": path in navigation.RANGELESS,
            "chips": navigation.chips(path, view, words),
            "complete": navigation.complete_text(
                fmt.clock_seconds(complete, site.zone), fmt.zone_name(complete, site.zone)
            ),
            "languages": [view.link(path, lang="ko"), view.link(path, lang="en")],
            "start": no_update if typing else moments[0],
            "end": no_update if typing else moments[1],
            "shown": no_update if typing else moments,
            "problem": words(view.problem.key, **view.problem.values) if view.problem else None,
        }

    def show_services(search: str, _tick: int) -> tuple[Any, str | None]:
        view, words = site.view(search), site.words(search)
        try:
            with snapshot(site.engine) as connection:
                return service_select(services(connection), view.filters.service, words), None
        except DatabaseUnavailable as error:
            log.warning("no list of services: %s", error)
            return no_update, words("database_away")

    def go(_clicks: int, _start: int, _end: int, service: str, search: str, start: str, end: str) -> Any:
        parameters = parameters_of(search)
        if ctx.triggered_id == "shell-service":
            if service == parameters.get("service", ALL_SERVICES):
                return no_update
            return address("", parameters, service=None if service == ALL_SERVICES else service)
        moments = {"start": _typed(start), "end": _typed(end)}
        return address("", parameters, last=None, **moments) if any(moments.values()) else no_update

    app.callback(Output("shell-page", "children"), Input("shell-url", "pathname"), State("shell-url", "search"))(
        show_page
    )
    app.callback(
        output={
            "tabs": Output("shell-tabs", "children"),
            "ranges": Output("shell-ranges", "children"),
            "range_name": Output("shell-range-name", "children"),
            "rangeless": Output("shell-range-row", "hidden"),
            "chips": Output("shell-chips", "children"),
            "complete": Output("shell-complete", "children"),
            "languages": [Output("shell-lang-ko", "href"), Output("shell-lang-en", "href")],
            "start": Output("shell-start", "value"),
            "end": Output("shell-end", "value"),
            "shown": Output("shell-shown", "data"),
            "problem": Output("shell-problem", "children"),
        },
        inputs=[
            Input("shell-url", "pathname"),
            Input("shell-url", "search"),
            Input("shell-tick", "data"),
            State("shell-shown", "data"),
            State("shell-start", "value"),
            State("shell-end", "value"),
        ],
    )(show_shell)
    # Apart from the rest, which must work while the database is away.
    app.callback(
        Output("shell-service-box", "children"),
        Output("shell-database", "children"),
        Input("shell-url", "search"),
        Input("shell-tick", "data"),
    )(show_services)
    app.callback(
        Output("shell-url", "search"),
        Input("shell-apply", "n_clicks"),
        Input("shell-start", "n_submit"),
        Input("shell-end", "n_submit"),
        Input("shell-service", "value"),
        State("shell-url", "search"),
        State("shell-start", "value"),
        State("shell-end", "value"),
        prevent_initial_call=True,
    )(go)
    _register_clientside(app)


def _register_clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("accessboard", "showTab"),
        Output("shell-tabs", "data-shown"),
        Input("shell-tabs", "children"),
    )
    app.clientside_callback(
        ClientsideFunction("accessboard", "tick"),
        Output("shell-tick", "data"),
        Input("shell-interval", "n_intervals"),
        Input("shell-refresh", "n_clicks"),
        State("shell-url", "search"),
        State("shell-tick", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("accessboard", "forgetFailure"),
        Output("shell-failure", "children"),
        Input("shell-url", "href"),
        Input("shell-tick", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("accessboard", "switchTheme"),
        Output("shell-theme-name", "data"),
        Input("shell-theme", "n_clicks"),
    )
    app.clientside_callback(
        ClientsideFunction("accessboard", "toggleRanges"),
        Output("shell-range-row", "className"),
        Input("shell-range-toggle", "n_clicks"),
        Input("shell-url", "search"),
        State("shell-range-row", "className"),
        prevent_initial_call=True,
    )


def _typed(text: str | None) -> str | None:
    return (text or "").strip().replace(" ", "T", 1) or None
