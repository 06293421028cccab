"""What changed: a card of Overview and of one endpoint in depth, for a range that was chosen or is compared.

Ids, after the name of the page: -changed-card (hidden where nothing was chosen), -changed, -changed-unit. What failed
stands in `<id>-failed`.
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.comparison import Comparison, comparison_of
from dashapp.components.card import card
from dashapp.components.part import part, shown
from dashapp.components.what_changed import what_changed
from dashapp.parts import Failed, Parts
from dashapp.site import Site
from dashapp.stats.changes import Changed, read_changes
from dashapp.view import View
from dashapp.words import Words
from sql.plan import Range


def changed_card(page: str, words: Words) -> Component:
    """The card before its content."""
    body = card(words("changed"), part(f"{page}-changed", words), subtitle_id=f"{page}-changed-unit")
    return html.Div(body, id=f"{page}-changed-card", className="c12", hidden=True)


def is_asked(view: View) -> bool:
    """Tell whether a part of the time was chosen (as by a drag along a chart), or a comparison."""
    return view.quick is None or view.comparison is not None


def compared_with(site: Site, view: View) -> Comparison:
    """The comparison that was chosen, else the time just before."""
    return view.comparison or comparison_of("prev", view.whole, site.zone)


def register(app: Dash, site: Site, page: str) -> None:
    """Add the callback of the card on a page; the rest of the page does not wait for it."""

    def update(search: str, _tick: int) -> dict[str, Any]:
        view, words = site.view(search), site.words(search)
        if not is_asked(view) or (page == "endpoints" and not (view.filters.method and view.filters.route)):
            return {"hidden": True, "content": None, "failed": None, "unit": ""}
        return show(read(site, view), site, view, words)

    app.callback(
        output={
            "hidden": Output(f"{page}-changed-card", "hidden"),
            "content": Output(f"{page}-changed", "children"),
            "failed": Output(f"{page}-changed-failed", "children"),
            "unit": Output(f"{page}-changed-unit", "children"),
        },
        inputs=[Input("shell-url", "search"), Input("shell-tick", "data")],
    )(update)


def read(site: Site, view: View) -> Changed | Failed:
    """What changed in a view; viewers of the same one at the same moment share it."""
    comparison, complete = compared_with(site, view), site.complete()

    def ask() -> Changed | Failed:
        with Parts(site.engine) as parts:
            return parts.read(
                lambda reading: read_changes(
                    reading, view.whole, view.filters, comparison, zone=site.zone, complete=complete
                )
            )

    return site.shared.get(("changed", view.whole, view.filters, comparison, complete), ask)


def show(found: Changed | Failed, site: Site, view: View, words: Words) -> dict[str, Any]:
    """The card of what was read."""
    title = words("changed")
    content, failed = shown(
        found, lambda each: what_changed(each, view, words), title=title, words=words, kept_since=None, blank=None
    )
    comparison = compared_with(site, view)
    now, before = (_span(each, site) for each in (view.whole, comparison.range_of(view.whole)))
    unit = words("changed_unit", now=now, before=before, name=words(f"vs_name_{comparison.kind}"))
    return {"hidden": False, "content": content, "failed": failed, "unit": unit}


def _span(whole: Range, site: Site) -> str:
    return fmt.span(whole.start, whole.end, site.zone)
