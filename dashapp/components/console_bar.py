"""Parts that the live console and the log search have in common. Their ids are the same on both pages.

Ids: console-switch, console-text, console-regex (whether the text is a pattern), console-wrap, console-copy-lines,
console-copy-json, console-copied.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import aria, data
from dashapp.components.card import choice_link, icon
from dashapp.view import View
from dashapp.words import Words

LIVE, SEARCH = "/realtime", "/logs"
MOST_TEXT = 200


def switch(path: str, view: View, words: Words) -> list[Component]:
    """Links to the live console and to the search, with the same filters."""
    return [
        choice_link(words("realtime"), view.link(LIVE), chosen=path == LIVE),
        choice_link(words("logs_search"), view.link(SEARCH), chosen=path == SEARCH),
    ]


def switch_place(words: Words) -> Component:
    """Where the links between the two stand."""
    return html.Div(id="console-switch", className="seg", role="group", **aria(label=words("logs_mode")))


def text_field(words: Words) -> Component:
    """A part of the path to look for, or a pattern."""
    return html.Div(
        [
            icon("search"),
            html.Label(words("logs_text"), htmlFor="console-text", className="sr"),
            dcc.Input(
                id="console-text",
                type="text",
                debounce=0.4,  # seconds
                maxLength=MOST_TEXT,
                placeholder=words("logs_text"),
                autoComplete="off",
            ),
            html.Button(
                ".*",
                id="console-regex",
                className="field-toggle",
                type="button",
                title=words("logs_regex"),
                **aria(label=words("logs_regex"), pressed="false"),
            ),
        ],
        className="inp console-text",
    )


def row_tools(words: Words) -> list[Component]:
    """Buttons that wrap long rows and copy those on the page."""
    return [
        html.Button(
            [icon("wrap"), html.Span(words("logs_wrap"), className="only-w")],
            id="console-wrap",
            className="button",
            type="button",
            **aria(pressed="false", label=words("logs_wrap")),
        ),
        html.Div(
            [
                html.Button(
                    [icon("copy"), html.Span(words("logs_copy"), className="only-w")],
                    id="console-copy-lines",
                    className="button",
                    type="button",
                    title=words("logs_copy_lines"),  # its name where the text is hidden
                ),
                html.Button(
                    "JSON",
                    id="console-copy-json",
                    className="button",
                    type="button",
                    title=words("logs_copy_json"),
                    **aria(label=words("logs_copy_json")),
                ),
            ],
            className="joined",
            role="group",
            **aria(label=words("logs_copy")),
        ),
        html.Span(
            id="console-copied",
            className="sub",
            role="status",
            **data(done=words("logs_copied", n="{n}"), failed=words("logs_copy_failed")),
        ),
    ]


def heads(now: datetime, zone: ZoneInfo, words: Words) -> Component:
    """Names of the columns."""
    names = [
        (words("time_in", zone=fmt.zone_name(now, zone)), "c-time"),
        (words("status"), "c-status"),
        (words("method"), "c-method"),
        (words("path"), "c-path"),
        (words("latency"), "c-latency"),
        (words("client"), "c-client"),
        ("User-Agent", "c-agent"),
        (words("service"), "c-service"),
    ]
    return html.Div([html.Span(text, className=kind) for text, kind in names], className="log-row log-head")


def rows_box(box_id: str, label: str, now: datetime, zone: ZoneInfo, **texts: str) -> Component:
    """Where the rows stand; `texts` are sentences that the script fills in."""
    offset = now.astimezone(zone).strftime("%z")
    return html.Div(
        id=box_id,
        className="log",
        tabIndex="0",
        role="log",
        **aria(label=label, live="off"),
        **data(offset=offset, today=f"{now.astimezone(zone):%Y-%m-%d}", **texts),
    )
