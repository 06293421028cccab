"""What the shell shows of a view: tabs, ranges, filter chips. Pure."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.card import choice_link, icon
from dashapp.time_range import QUICK_RANGES
from dashapp.view import FILTERS, View
from dashapp.words import Words

TABS = {
    "/": "Overview",
    "/patterns": "Pattern Analysis",
    "/endpoints": "Endpoint Analysis",
    "/realtime": "Realtime Logs",
    "/ai": "AI 분석",
    "/collection": "Collection",
}
# Pages that a range has no effect on.
RANGELESS = ("/realtime", "/ai")


def tabs(path: str, view: View) -> list[Component]:
    """Links to the pages, each with the current range and filters."""
    return [choice_link(name, view.link(to, by=None), chosen=to == path) for to, name in TABS.items()]


def ranges(path: str, view: View) -> list[Component]:
    """Links to the quick ranges."""
    return [
        choice_link(name, view.link(path, last=name), chosen=name == view.quick, link_id=f"shell-range-{name}")
        for name in QUICK_RANGES
    ]


def chips(path: str, view: View, words: Words) -> list[Component]:
    """Filters other than the service, each with a link that takes it away."""
    return [
        html.Span(
            [
                html.Span(name, className="k"),
                html.Span(view.parameters[name], className="ell", title=view.parameters[name]),
                dcc.Link(icon("close"), href=view.link(path, **{name: None}), title=words("remove_filter", name=name)),
            ],
            className="chip",
        )
        for name in FILTERS
        if name != "service" and getattr(view.filters, name) is not None
    ]


def range_name(view: View, zone: ZoneInfo) -> list[Component | str]:
    """Name and clock of the range for the button on a phone."""
    whole = view.whole
    short = whole.end - whole.start <= timedelta(hours=24)
    text = fmt.clock if short else fmt.day_clock
    span = html.Span(f"{text(whole.start, zone)} – {text(whole.end, zone)}", className="mut")
    return [f"Last {view.quick} ", span] if view.quick else [span]


def complete_text(view_complete: str, zone_name: str) -> str:
    """Up to when the numbers are final."""
    return f"complete through {view_complete} {zone_name}"
