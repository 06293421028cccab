"""What the shell shows of a view: tabs, ranges, filter chips. Pure."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp import pages
from dashapp.access.identity import current
from dashapp.access.rights import needed
from dashapp.components.card import choice_link, icon
from dashapp.time_range import QUICK_RANGES
from dashapp.view import View
from dashapp.words import Words

_CHIP_NAMES = {"latency_min": "latency ≥", "latency_max": "latency <", "client_ip": "client"}


def tabs(path: str, view: View) -> list[Component]:
    """Links to the pages that have a tab, each with the current range and filters."""
    here = page_at(path)
    shown = getattr(here, "PARENT", path) if here else path
    return [
        choice_link(page.TAB, view.link(page.PATH, by=None, kind=None, state=None), chosen=shown == page.PATH)
        for page in pages.PAGES
        if page.TAB and current().may(needed("GET", page.PATH))
    ]


def page_at(path: str) -> ModuleType | None:
    """The page of a path."""
    return next((page for page in pages.PAGES if path == page.PATH), None)


def is_rangeless(path: str) -> bool:
    """Tell whether a range has no effect on a page."""
    return bool(getattr(page_at(path), "RANGELESS", False))


def compares(path: str) -> bool:
    """Tell whether a page shows its figures beside those of another time."""
    return bool(getattr(page_at(path), "COMPARES", True))


def problem(path: str, view: View, words: Words) -> str | None:
    """What of the address the page does not follow; of a pattern nothing where the page says more."""
    found = view.problem
    if found is None or (found.key == "bad_regex" and getattr(page_at(path), "EXPLAINS_PATTERNS", False)):
        return None
    return words(found.key, **found.values)


def ranges(path: str, view: View) -> list[Component]:
    """Links to the quick ranges."""
    return [
        choice_link(name, view.link(path, last=name), chosen=name == view.quick, link_id=f"shell-range-{name}")
        for name in QUICK_RANGES
    ]


def chips(path: str, view: View, words: Words) -> list[Component]:
    """The filters that count, each with a link that takes it away."""
    return [
        html.Span(
            [
                html.Span(_CHIP_NAMES.get(name, name), className="k"),
                html.Span(value, className="ell", title=value),
                dcc.Link(
                    [icon("close"), html.Span(words("remove_filter", name=name), className="sr")],
                    href=view.link(path, **{name: None}),
                    title=words("remove_filter", name=name),
                ),
            ],
            className="chip",
        )
        for name, value in view.counted.items()
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
