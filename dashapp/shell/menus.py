"""Menus of the tool bar: refresh, comparison, export. Pure; assets/menus.js closes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.access.identity import current
from dashapp.access.rights import ADMIN, SHAREABLE
from dashapp.access.roles import Level
from dashapp.comparison import KINDS, OFF
from dashapp.components.card import choice_link, icon
from dashapp.view import REFRESH_SECONDS, View
from dashapp.words import Words


@dataclass(frozen=True, slots=True)
class Export:
    """One entry of the export menu: a key of the catalogue, and the address of what it gives for a page's view.

    `needs` is who may have it; `page` tells a page of the dashboard from a file.
    """

    key: str
    address: Callable[[str, View], str]
    needs: Level
    page: bool = False


def api_address(path: str, view: View, **more: str) -> str:
    """Address of the read API with the range and the filters of a view."""
    moments = {"start": view.whole.start, "end": view.whole.end}
    query = {name: moment.astimezone(UTC).isoformat().replace("+00:00", "Z") for name, moment in moments.items()}
    return f"{path}?{urlencode(query | view.counted | more, safe=':/')}"


def share_address(path: str, view: View) -> str:
    """Where a link to a view is made; of a page that cannot be shared, to Overview."""
    return f"{ADMIN}?{urlencode({'share': view.link(path if path in SHAREABLE else '/')})}#views"


EXPORTS: tuple[Export, ...] = (
    Export("export_report", lambda _path, view: view.link("/report"), "guest", page=True),
    Export("export_rows", lambda _path, view: api_address("/api/logs/export", view, format="csv", bom="1"), "analyst"),
    Export("export_summary", lambda _path, view: api_address("/api/stats/summary", view), "viewer"),
    Export("export_share", lambda path, view: share_address(path, view), "administrator"),
)


def menu(menu_id: str, label: Any, body: Any, *, name: str, kind: str = "") -> Component:
    """A button that unfolds a panel; on a phone the panel is a sheet at the lower edge.

    It is called what it shows, so that who speaks to it can say what is seen; `name` says more.
    """
    return html.Details(
        [
            html.Summary(label, className="button", id=f"{menu_id}-open", title=name),
            html.Div(body, className="panel"),
        ],
        id=menu_id,
        className=f"menu {kind}".rstrip(),
    )


def refresh_choices(path: str, view: View) -> list[Component]:
    """How often the page is read again."""
    return [
        choice_link(name, view.link(path, refresh=name), chosen=name == view.refresh, link_id=f"shell-refresh-{name}")
        for name in REFRESH_SECONDS
    ]


def compare_choices(path: str, view: View, words: Words) -> list[Component]:
    """What the range is compared with; a chosen start has a field of its own."""
    chosen = view.comparison.kind if view.comparison else OFF
    return [
        choice_link(
            words(f"vs_choice_{kind}"),
            view.link(path, vs=None if kind == OFF else kind, vs_start=None),
            chosen=kind == chosen,
            link_id=f"shell-vs-{kind}",
        )
        for kind in (OFF, *KINDS)
    ]


def compare_label(view: View, zone: ZoneInfo, words: Words) -> list[Any]:
    """What is compared, on the button."""
    if view.comparison is None:
        return [html.Span(words("vs_choice_off"), className="only-w mut")]
    text = words(f"vs_choice_{view.comparison.kind}") if view.comparison.kind != "chosen" else ""
    if view.compared and not text:
        text = words("vs_from", start=fmt.day_clock(view.compared.start, zone))
    return [html.Span(text, className="only-w"), html.Span("1", className="cnt only-n")]


def export_choices(path: str, view: View, words: Words) -> list[Component]:
    """Links to everything that can be taken away from a view."""
    return [
        dcc.Link(words(each.key), href=each.address(path, view))
        if each.page
        else html.A(words(each.key), href=each.address(path, view), target="_blank", rel="noopener")
        for each in EXPORTS
        if current().may(each.needs) and (each.needs != "administrator" or current().administers)
    ]


def chevron() -> Component:
    """The mark of a button that unfolds something."""
    return icon("down")
