"""The ways of sending logs to this server, each to be copied."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashapp.components.attributes import aria
from dashapp.components.copying import copy_button
from dashapp.ingest_address import Target
from dashapp.shipping import MOST_SERVICE, SOURCES, curl, fluent_bit
from dashapp.words import Words

CURL = "curl"


def shipping_body(service: str, words: Words) -> Component:
    """Choice of the way, name of the service, and the place of the text."""
    ways = [*SOURCES, CURL]
    return html.Div(
        [
            html.Div(
                [
                    dbc.RadioItems(
                        id="collection-ship",
                        value=ways[0],
                        options=[{"label": words(f"ship_{way}"), "value": way} for way in ways],
                        className="seg ways",
                        inputClassName="sr",
                        labelCheckedClassName="on",
                        inline=True,
                    ),
                    html.Label(words("upload_service"), htmlFor="collection-ship-service", className="lab"),
                    dcc.Input(
                        id="collection-ship-service",
                        type="text",
                        className="inp",
                        value=service,
                        maxLength=MOST_SERVICE,
                        autoComplete="off",
                    ),
                    html.Span(className="grow"),
                    copy_button("collection-ship-text", words),
                ],
                className="ship-bar",
                role="group",
                **aria(label=words("shipping_source")),
            ),
            html.Pre(id="collection-ship-text", className="raw ship", tabIndex="0"),
            html.Ul(id="collection-ship-notes", className="ship-notes"),
        ]
    )


def shipping_text(way: str, target: Target, service: str | None) -> str:
    """The text of a way; of one that there is none of, the first."""
    if way == CURL:
        return curl(target, service or "")
    return fluent_bit(way if way in SOURCES else next(iter(SOURCES)), target, service or "")


def shipping_notes(target: Target, words: Words) -> list[Any]:
    """What must be set besides."""
    notes = [words("ship_local")] if target.local else []
    if target.token:
        notes.append(words("ship_token"))
    elif not target.local:
        notes.append(words("ship_no_token"))
    return [html.Li(text) for text in notes]
