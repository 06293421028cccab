"""Realtime Logs: requests as they arrive, not delayed by the settling time.

Ids: realtime-rows (a row per request), realtime-pause, realtime-state, realtime-waiting (how many rows wait for the
reader), realtime-2xx to realtime-5xx (which classes are shown), realtime-rate, realtime-last, realtime-problem,
realtime-late, realtime-arrivals (store with the cursor); and those of console_bar and record.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components import console_bar
from dashapp.components.attributes import aria, data
from dashapp.components.card import icon, swatch
from dashapp.components.console import console_row, utc_text
from dashapp.components.record import drawer
from dashapp.pages import record_drawer
from dashapp.pattern_words import say_pattern
from dashapp.patterns import objection
from dashapp.site import Site
from dashapp.view import View
from dashapp.words import Words
from sql.connection import BadPattern, DatabaseUnavailable, snapshot
from sql.live import Arrivals, arrivals

PATH = "/realtime"
TAB = "Realtime Logs"
RANGELESS = True
EXPLAINS_PATTERNS = True
POLL_MS = 1000
FIRST_ROWS = 200
MOST_A_LOOK = 300
KEPT_ROWS = 1000
# Below the script's patience, so that a slow database is told from a server that is gone.
LOOK_S = 8
CLASSES = ("2xx", "3xx", "4xx", "5xx")

log = logging.getLogger(__name__)


def layout(site: Site, words: Words) -> Component:
    """The console, without rows."""
    rows = console_bar.rows_box(
        "realtime-rows",
        words("realtime_list"),
        site.now(),
        site.zone,
        keep=str(KEPT_ROWS),
        empty=words("realtime_none"),
        skipped=words("realtime_skipped", n="{n}"),
        skipped_least=words("realtime_skipped_least", n="{n}"),
        skipped_why=words("realtime_skipped_why", first="{first}", last="{last}", most=MOST_A_LOOK),
        skipped_go=words("realtime_skipped_go"),
    )
    return html.Div(
        [
            dcc.Store(id="realtime-arrivals"),
            dcc.Store(id="realtime-asked"),
            dcc.Store(id="realtime-answered"),
            dcc.Interval(id="realtime-poll", interval=POLL_MS),
            html.Section(
                [_bar(words), _state(words), console_bar.heads(site.now(), site.zone, words), rows],
                className="card console",
                **aria(label=words("realtime_list")),
            ),
            drawer(words),
        ],
        id="record-layout",
        className="log-layout",
    )


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the page, and those that it shares with the log search."""
    record_drawer.register(app, site)

    def load_arrivals(asked: int, search: str, seen: dict[str, Any] | None) -> tuple[Any, Any, int]:
        view, words = site.view(search), site.words(search)
        key = view_key(view)
        after = seen["cursor"] if seen and seen["view"] == key else None
        reason = objection(view.parameters.get("regex", ""))
        if reason is not None:
            return no_update, say_pattern(reason, words), asked
        try:
            with snapshot(site.engine, seconds=LOOK_S) as connection:
                most = FIRST_ROWS if after is None else MOST_A_LOOK
                found = arrivals(connection, view.filters, limit=most, after=after)
        except BadPattern as error:
            return no_update, say_pattern(str(error), words), asked
        except DatabaseUnavailable as error:
            log.warning("no arrivals: %s", error)
            return no_update, words("realtime_away"), asked
        if after and not found.rows and not found.more:
            return no_update, "", asked
        return arrivals_data(found, after, view, site, words), "", asked

    # A slow answer must not be overtaken by the next question, and one that never comes (the server was
    # restarted) must not end the polling, as `running=` would.
    app.clientside_callback(
        ClientsideFunction("accessboard", "ask"),
        Output("realtime-asked", "data"),
        Output("realtime-late", "children"),
        Output("realtime-rate", "children"),
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
        ClientsideFunction("accessboard", "showWaiting"),
        Input("realtime-waiting", "n_clicks"),
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


def arrivals_data(found: Arrivals, after: str | None, view: View, site: Site, words: Words) -> dict[str, Any]:
    """Arrivals as the browser keeps them; `after` tells it whether they continue what it shows."""
    return {
        "view": view_key(view),
        "cursor": found.cursor,
        "after": after,
        "today": f"{site.now().astimezone(site.zone):%Y-%m-%d}",
        "empty": words("realtime_none_filtered" if view.filters else "realtime_none"),
        "rows": [console_row(row, site.zone) for row in found.rows],
        "skipped": skipped(found),
    }


def skipped(found: Arrivals) -> dict[str, Any] | None:
    """How many rows a look left out, from when to when."""
    if not found.more or found.more_from is None:
        return None
    last: datetime = found.rows[-1]["ts"] if found.rows else found.more_from
    return {"count": found.more, "least": found.uncounted, "first": utc_text(found.more_from), "last": utc_text(last)}


def _bar(words: Words) -> Component:
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
            console_bar.switch_place(words),
            html.Button(
                [icon("pause"), html.Span("Pause", id="realtime-pause-text")],
                id="realtime-pause",
                className="button pri",
                type="button",
            ),
            console_bar.text_field(words),
            html.Div(
                toggles,
                id="realtime-classes",
                className="toggles",
                role="group",
                **aria(label=words("status_filter")),
                **data(hidden=""),
            ),
            html.Span(className="grow"),
            *console_bar.row_tools(words),
        ],
        className="console-bar",
    )


def _state(words: Words) -> Component:
    """What the console does now."""
    return html.Div(
        [
            html.Span(
                [html.I(className="dot"), html.H2(words("realtime")), html.H2(words("realtime_paused"))],
                id="realtime-state",
                className="live",
            ),
            html.Button(
                id="realtime-waiting",
                className="waiting",
                type="button",
                hidden=True,
                title=words("realtime_waiting_title"),
                **data(text=words("realtime_waiting", n="{n}")),
            ),
            html.Span(id="realtime-problem", className="bad", role="status"),
            html.Span(id="realtime-late", className="bad", role="status", **data(text=words("realtime_late", n="{n}"))),
            html.Span(className="grow"),
            html.Span(id="realtime-rate", className="sub num", **data(text=words("realtime_rate", n="{n}"))),
            html.Span([words("realtime_last"), " ", html.Span(id="realtime-last", className="num")], className="sub"),
            html.Span(words("realtime_keeps", n=fmt.count(KEPT_ROWS)), className="sub only-w"),
        ],
        className="console-state",
    )
