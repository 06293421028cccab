"""Realtime Logs: requests as they arrive, not delayed by the settling time.

Ids: realtime-rows (a row per request, its text holds the path), realtime-pause, realtime-state,
realtime-waiting, realtime-2xx to realtime-5xx (filters), realtime-arrivals (store with the cursor).
"""

from __future__ import annotations

import logging
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import aria, data
from dashapp.components.card import icon, swatch
from dashapp.components.console import console_row
from dashapp.site import Site
from dashapp.view import View
from dashapp.words import Words
from sql.connection import DatabaseUnavailable, snapshot
from sql.live import Arrivals, arrivals

PATH = "/realtime"
TAB = "Realtime Logs"
RANGELESS = True
POLL_MS = 1000
FIRST_ROWS = 200
KEPT_ROWS = 500
CLASSES = ("2xx", "3xx", "4xx", "5xx")

log = logging.getLogger(__name__)


def layout(site: Site, words: Words) -> Component:
    """The console, without rows."""
    heads = [
        (words("time_in", zone=fmt.zone_name(site.now(), site.zone)), "c-time"),
        (words("status"), "c-status"),
        (words("method"), "c-method"),
        (words("path"), "c-path"),
        (words("latency"), "c-latency"),
        (words("client"), "c-client"),
        ("User-Agent", "c-agent"),
        (words("service"), "c-service"),
    ]
    return html.Div(
        [
            dcc.Store(id="realtime-arrivals"),
            dcc.Store(id="realtime-asked"),
            dcc.Store(id="realtime-answered"),
            dcc.Interval(id="realtime-poll", interval=POLL_MS),
            html.Section(
                [
                    _controls(words),
                    html.Div([html.Span(text, className=kind) for text, kind in heads], className="log-row log-head"),
                    html.Div(
                        id="realtime-rows",
                        className="log",
                        tabIndex="0",
                        role="log",
                        **aria(label=words("realtime_list"), live="off"),
                        **data(
                            keep=str(KEPT_ROWS),
                            skipped=words("realtime_skipped", n="{n}"),
                            empty=words("realtime_none"),
                        ),
                    ),
                ],
                className="card console",
                **aria(label=words("realtime_list")),
            ),
        ]
    )


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the page."""

    def load_arrivals(asked: int, search: str, seen: dict[str, Any] | None) -> tuple[Any, Any, int]:
        view, words = site.view(search), site.words(search)
        key = view_key(view)
        after = seen["cursor"] if seen and seen["view"] == key else None
        try:
            with snapshot(site.engine) as connection:
                found = arrivals(connection, view.filters, limit=KEPT_ROWS if after else FIRST_ROWS, after=after)
        except DatabaseUnavailable as error:
            log.warning("no arrivals: %s", error)
            return no_update, words("realtime_away"), asked
        if after and not found.rows and not found.more:
            return no_update, "", asked
        return arrivals_data(found, after, key, site), "", asked

    # A slow answer must not be overtaken by the next question, and one that never comes (the server was
    # restarted) must not end the polling, as `running=` would.
    app.clientside_callback(
        ClientsideFunction("accessboard", "ask"),
        Output("realtime-asked", "data"),
        Input("realtime-poll", "n_intervals"),
        State("realtime-answered", "data"),
    )
    app.callback(
        Output("realtime-arrivals", "data"),
        Output("realtime-problem", "children"),
        Output("realtime-answered", "data"),
        Input("realtime-asked", "data"),
        State("shell-url", "search"),
        State("realtime-arrivals", "data"),
    )(load_arrivals)
    app.clientside_callback(
        ClientsideFunction("accessboard", "showArrivals"),
        Output("realtime-last", "children"),
        Input("realtime-arrivals", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("accessboard", "pause"),
        Output("realtime-pause-text", "children"),
        Output("realtime-state", "className"),
        Input("realtime-pause", "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("accessboard", "filterClasses"),
        Output("realtime-classes", "data-hidden"),
        *(Input(f"realtime-{name}", "n_clicks") for name in CLASSES),
        prevent_initial_call=True,
    )


def view_key(view: View) -> str:
    """What makes the rows of two looks comparable: their filters."""
    return repr(view.filters)


def arrivals_data(found: Arrivals, after: str | None, key: str, site: Site) -> dict[str, Any]:
    """Arrivals as the browser keeps them; `after` tells it whether they continue what it shows."""
    return {
        "view": key,
        "cursor": found.cursor,
        "after": after,
        "more": found.more,
        "today": f"{site.now().astimezone(site.zone):%Y-%m-%d}",
        "rows": [console_row(row, site.zone) for row in found.rows],
    }


def _controls(words: Words) -> Component:
    toggles = [
        html.Button(
            [swatch(name), name],
            id=f"realtime-{name}",
            className="button toggle",
            type="button",
            **aria(pressed="true"),
        )
        for name in CLASSES
    ]
    return html.Div(
        [
            html.Span(
                [html.I(className="dot"), html.H2(words("realtime")), html.H2(words("realtime_paused"))],
                id="realtime-state",
                className="live",
            ),
            html.Button(
                [icon("pause"), html.Span("Pause", id="realtime-pause-text")],
                id="realtime-pause",
                className="button pri",
                type="button",
            ),
            html.Span(
                id="realtime-waiting",
                className="waiting",
                role="status",
                **data(text=words("realtime_waiting", n="{n}")),
            ),
            html.Div(
                toggles,
                id="realtime-classes",
                className="toggles",
                role="group",
                **aria(label=words("status_filter")),
                **data(hidden=""),
            ),
            html.Span(id="realtime-problem", className="bad", role="status"),
            html.Span(className="grow"),
            html.Span([words("realtime_last"), " ", html.Span(id="realtime-last", className="num")], className="sub"),
            html.Span(words("realtime_keeps", n=fmt.count(KEPT_ROWS)), className="sub only-w"),
        ],
        className="console-bar",
    )
