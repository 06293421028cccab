"""What stands out in a range: a list, the bands of the charts, and the sentence above them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.card import endpoint_name, icon, note
from dashapp.figures.base import Band
from dashapp.stats.findings import Finding
from dashapp.view import View, moment_text
from dashapp.words import Words
from sql.plan import MINUTE

MOST_FINDINGS = 5
MOST_BANDS = 2
_SHORT = timedelta(hours=24)


def finding_rows(found: Sequence[Finding], view: View, complete: datetime, zone: ZoneInfo, words: Words) -> Component:
    """The worst first; each leads to its time and its endpoint."""
    if not found:
        return note(words("no_findings"))
    rows = [html.Li(_row(each, view, complete, zone, words)) for each in found[:MOST_FINDINGS]]
    more = len(found) - MOST_FINDINGS
    rest = [html.P(words("more_findings", n=fmt.count(more)), className="note left")] if more > 0 else []
    return html.Div([html.Ul(rows, className="finds"), *rest])


def bands_of(found: Sequence[Finding], zone: ZoneInfo, words: Words, *, short: bool) -> list[Band]:
    """The worst findings that have a time of their own, as bands of a chart; same times share one."""
    bands: dict[tuple[datetime, datetime], Band] = {}
    for each in found:
        if each.kind == "latency_shift":
            continue
        when = fmt.clock(each.start, zone) if short else fmt.day_clock(each.start, zone)
        band = Band(each.start, each.end, f"{when} {words(f'band_{each.kind}')}")
        bands.setdefault((each.start, each.end), band)
    return list(bands.values())[:MOST_BANDS]


def say_finding(each: Finding, view: View, complete: datetime, zone: ZoneInfo, words: Words) -> list[Any]:
    """What matters most, since when and where.

    The name of an endpoint leads to all of its range, which shows the time before and what its failures share.
    """
    link = _in_depth(each, view) if each.subject else _link(each, view, "", zone)
    name = dcc.Link(_subject(each, words), href=link)
    when = _when(each, view, complete, zone, words)
    observed = html.Span(html.B(_value(each, each.observed)), className="text-nowrap")
    usual = _value(each, each.expected)
    return words.rich(f"say_{each.kind}", subject=name, when=when, observed=observed, usual=usual)


def finding_action(each: Finding, view: View, complete: datetime, zone: ZoneInfo, words: Words) -> Component:
    """A button that goes to the time of a finding, and to its endpoint."""
    clock = fmt.clock if _is_short(view) else fmt.day_clock
    start, end = clock(each.start, zone), clock(each.end, zone)
    key = "show_since" if _is_open(each, complete) else "show_span"
    return dcc.Link(words(key, start=start, end=end), href=_link(each, view, "", zone), className="button sm")


def finding_requests(each: Finding, view: View, zone: ZoneInfo, words: Words) -> Component:
    """A button that lists the requests of a finding."""
    return dcc.Link(words("see_requests"), href=_link(each, view, "/logs", zone), className="button sm")


def _row(each: Finding, view: View, complete: datetime, zone: ZoneInfo, words: Words) -> Component:
    is_open = _is_open(each, complete)
    state = html.Span(words("open" if is_open else "closed"), className="tag open" if is_open else "tag closed")
    level = html.Span(
        [icon(f"sev-{each.severity}"), html.Span(words(f"sev_{each.severity}"), className="sr")],
        className=f"sev {each.severity}",
    )
    text = words.rich(
        f"finding_{each.kind}", observed=html.B(_value(each, each.observed)), usual=_value(each, each.expected)
    )
    return dcc.Link(
        [
            level,
            html.Span([_subject(each, words), html.Span(text, className="what")], className="find-text"),
            state,
            html.Span(_when(each, view, complete, zone, words), className="w"),
        ],
        href=_link(each, view, "", zone),
        className="find",
    )


def _subject(each: Finding, words: Words) -> Component:
    return endpoint_name(*each.subject) if each.subject else html.Span(words("all_requests"))


def _value(each: Finding, value: float) -> str:
    if each.kind == "error_burst":
        return fmt.rate(value)
    return fmt.duration(value) if each.kind == "latency_shift" else fmt.count(round(value))


def _when(each: Finding, view: View, complete: datetime, zone: ZoneInfo, words: Words) -> str:
    clock = fmt.clock if _is_short(view) else fmt.day_clock
    if each.kind == "latency_shift":
        return words("when_whole")
    if _is_open(each, complete):
        lasting = (min(each.end, complete) - each.start) // MINUTE
        return words("when_open", start=clock(each.start, zone), n=fmt.count(lasting))
    return f"{clock(each.start, zone)} – {clock(each.end, zone)}"


def _is_open(each: Finding, complete: datetime) -> bool:
    return each.end >= complete


def _is_short(view: View) -> bool:
    return view.whole.end - view.whole.start <= _SHORT


def _in_depth(each: Finding, view: View) -> str:
    among = {"among": "failed"} if each.kind == "error_burst" else {}
    method, route = each.subject or ("", "")
    return view.link("/endpoints", method=method, route=route, **among)


def _link(each: Finding, view: View, path: str, zone: ZoneInfo) -> str:
    subject = {"method": each.subject[0], "route": each.subject[1]} if each.subject else {}
    return view.link(path, start=moment_text(each.start, zone), end=moment_text(each.end, zone), **subject)
