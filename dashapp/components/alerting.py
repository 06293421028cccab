"""The channels of alerts: what became of the last message to each, the rules, the newest messages, and a test.

assets/alerts.js asks for the test and hands the answer back to the page's callback.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.alerts.desk import Alerting, Channel
from dashapp.components.card import note, severity
from dashapp.words import Words
from sql.alerts import Told

MOST_TOLD = 8
# Why a message did not arrive, as `dashapp.alerts.outgoing` says it, and the key of the catalogue.
_REASONS = (
    (re.compile(r"internal address"), "alerts_why_internal"),
    (re.compile(r"no connection"), "alerts_why_connection"),
    (re.compile(r"answered (?P<status>\d{3})"), "alerts_why_answered"),
    (re.compile(r"no address that Apprise knows"), "alerts_why_unknown_address"),
    (re.compile(r"no answer within"), "alerts_why_time"),
)


def channel_table(found: Alerting, zone: ZoneInfo, words: Words) -> Component:
    """The channels; none has a key in its name."""
    if not found.channels:
        return note(words("alerts_none"))
    heads = [words("alerts_channel"), words("alerts_last"), words("alerts_result")]
    rows = [html.Tr(_channel(each, zone, words)) for each in found.channels]
    head = html.Thead(html.Tr([html.Th(text, scope="col") for text in heads]))
    return html.Div(html.Table([head, html.Tbody(rows)]), className="tw")


def rules(found: Alerting, words: Words) -> Component:
    """What is told, and what waits."""
    said = [words("alerts_least", severity=words(f"sev_{found.severity}"))]
    if found.quiet_hours:
        said.append(words("alerts_quiet", hours=found.quiet_hours))
    said.append(words("alerts_waiting", due=fmt.count(found.due), held=fmt.count(found.held)))
    off = [] if found.on or not found.channels else [html.P(words("alerts_off"), className="warn")]
    return html.Div([*off, html.P(" · ".join(said), className="t2")])


def told_table(told: Sequence[Told], zone: ZoneInfo, words: Words) -> Component:
    """The newest messages."""
    if not told:
        return note(words("alerts_told_none"))
    rows = [
        html.Tr(
            [
                html.Td(fmt.day_clock(each.finished_at or each.created_at, zone)),
                html.Td(words(f"alerts_what_{each.what}")),
                html.Td(severity(each.severity, words)),
                html.Td(words(f"alerts_{each.state}"), className="bad" if each.state == "failed" else ""),
            ]
        )
        for each in told[:MOST_TOLD]
    ]
    return html.Div(html.Table(html.Tbody(rows)), className="tw")


def result_of_test(answer: Mapping[str, Any], words: Words) -> list[Component]:
    """What became of a test, by channel; or why none was sent."""
    error = answer.get("error")
    if isinstance(error, Mapping):
        code = str(error.get("code", ""))
        key = "not_here" if code.startswith("test_") else code
        named = f"alerts_refused_{key}"
        return [html.P(words(named if words.has(named) else "alerts_refused_other"), className="bad")]
    lines: list[Component] = []
    for each in answer.get("channels", []):
        name, why = str(each.get("name", "")), each.get("error")
        text = (
            words("alerts_tested", channel=name)
            if why is None
            else words("alerts_test_failed", channel=name, why=reason(str(why), words))
        )
        lines.append(html.P(text, className="bad" if why else ""))
    return lines


def reason(text: str, words: Words) -> str:
    """Why a message did not arrive, in the language of the page."""
    for pattern, key in _REASONS:
        if found := pattern.search(text):
            return words(key, **found.groupdict())
    return words("alerts_why_other")


def _channel(each: Channel, zone: ZoneInfo, words: Words) -> list[Component]:
    last = each.last
    if last is None:
        return [html.Td(each.name), html.Td(words("alerts_never"), className="mut"), html.Td(fmt.UNKNOWN)]
    result = words(f"alerts_{last.state}")
    if last.error:
        result = f"{result}: {reason(last.error, words)}"
    return [
        html.Td(each.name),
        html.Td(fmt.day_clock(last.at, zone)),
        html.Td(result, className="wrap bad" if last.state == "failed" else "wrap"),
    ]
