"""The alerts on the Collection page: channels, rules, newest messages, and a test.

Ids: collection-alert-channels, collection-alert-rules, collection-alert-told, collection-alert-test (the button),
collection-alert-result, collection-alert-tested (the server's answer to a test). What failed stands in
`collection-alert-channels-failed`.
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.alerts.channels import channels_of
from dashapp.alerts.desk import Alerting, Desk
from dashapp.alerts.saying import style_of
from dashapp.api_alerts import TEST_PATH
from dashapp.components.alerting import channel_table, result_of_test, rules, told_table
from dashapp.components.attributes import data
from dashapp.components.part import part, shown
from dashapp.parts import Failed, Parts
from dashapp.site import Site
from dashapp.upload_access import MARK
from dashapp.words import Words


def button(words: Words) -> Component:
    """Sends a test; assets/alerts.js asks the server."""
    return html.Button(
        words("alerts_test"),
        id="collection-alert-test",
        type="button",
        className="button sm",
        **data(path=f"/api{TEST_PATH}", mark=MARK, sending=words("alerts_testing")),
    )


def body(words: Words) -> Component:
    """The section before its contents."""
    return html.Div(
        [
            dcc.Store(id="collection-alert-tested"),
            dcc.Store(id="collection-alert-read-at"),
            html.Div(
                [
                    part("collection-alert-channels", words),
                    html.Div(id="collection-alert-rules"),
                    html.Div(id="collection-alert-result", role="status", className="alert-result"),
                ]
            ),
            html.Div([html.H3(words("alerts_told"), className="sub-h"), html.Div(id="collection-alert-told")]),
        ],
        className="alerting",
    )


def register(app: Dash, site: Site) -> None:
    """Add the callbacks."""
    desk = Desk(site.settings, channels_of(site.settings), style_of(site.settings), site.alerts)

    def update(search: str, _tick: int, _tested: Any, read_at: str | None) -> dict[str, Any]:
        return show(read(site, desk), site, site.words(search), read_at)

    def show_result(answer: dict[str, Any] | None, search: str) -> Any:
        return result_of_test(answer, site.words(search)) if isinstance(answer, dict) else no_update

    app.callback(
        output=_OUTPUTS,
        inputs=[
            Input("shell-url", "search"),
            Input("shell-tick", "data"),
            Input("collection-alert-tested", "data"),
            State("collection-alert-read-at", "data"),
        ],
    )(update)
    app.callback(
        Output("collection-alert-result", "children"),
        Input("collection-alert-tested", "data"),
        State("shell-url", "search"),
        prevent_initial_call=True,
    )(show_result)


_OUTPUTS = {
    "channels": Output("collection-alert-channels", "children"),
    "channels_failed": Output("collection-alert-channels-failed", "children"),
    "rules": Output("collection-alert-rules", "children"),
    "told": Output("collection-alert-told", "children"),
    "off": Output("collection-alert-test", "disabled"),
    "read_at": Output("collection-alert-read-at", "data"),
}


def read(site: Site, desk: Desk) -> Alerting | Failed:
    """State of the channels; viewers of one moment share it."""

    def ask() -> Alerting | Failed:
        names = desk.names()
        with Parts(site.engine) as parts:
            return parts.read(lambda reading: desk.state(reading, names))

    return site.shared.get(("alerting",), ask)


def show(found: Alerting | Failed, site: Site, words: Words, kept_since: str | None = None) -> dict[str, Any]:
    """Channels, rules and messages; without a channel there is nothing to test."""
    content, failed = shown(
        found,
        lambda each: channel_table(each, site.zone, words),
        title=words("alerts"),
        words=words,
        kept_since=kept_since,
        blank=None,
    )
    placed = {"channels": content, "channels_failed": failed}
    if isinstance(found, Failed):
        return placed | dict.fromkeys(("rules", "told", "off", "read_at"), no_update)
    return placed | {
        "rules": rules(found, words),
        "told": told_table(found.told, site.zone, words),
        "off": not found.channels,
        "read_at": fmt.clock_seconds(site.now(), site.zone),
    }
