"""Cards and small marks that every page uses."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashapp.components.attributes import aria, data
from dashapp.words import Words

Children = Any


def card(
    title: str,
    body: Children,
    *,
    subtitle: Children = None,
    subtitle_id: str | None = None,
    aside: Children = None,
    menu: Words | None = None,
    chart: bool = True,
    width: str = "c12",
    flush: bool = False,
) -> Component:
    """A card with its head. `flush` lets the body reach the edges, as a table does.

    With the words of a `menu` it offers its values to take away: of a chart a picture, CSV and a table, of a table CSV.
    """
    named: dict[str, Any] = {"id": subtitle_id} if subtitle_id else {}
    head = [html.H2(title), html.Span(subtitle, className="sub", **named)]
    if aside is not None:
        head.append(html.Div(aside, className="aside"))
    if menu is not None:
        head.append(_menu(title, menu, chart=chart))
    return html.Section(
        [html.Div(head, className="hd"), html.Div(body, className="bd flush" if flush else "bd")],
        className=f"card {width}",
        **aria(label=title),
    )


def _menu(title: str, words: Words, *, chart: bool) -> Component:
    acts = {"png": "card_png", "csv": "card_csv", "table": "card_table"} if chart else {"csv": "card_csv"}
    buttons = [html.Button(words(key), type="button", **data(act=act)) for act, key in acts.items()]
    return html.Details(
        [
            html.Summary(icon("dots"), className="dots", **aria(label=words("card_menu", title=title))),
            html.Div(html.Div(buttons, className="choices"), className="panel"),
        ],
        className="menu right card-menu",
    )


def icon(name: str) -> Component:
    """A line icon in the colour of the text; its shape is in 30-cards.css."""
    return html.Span(className=f"ic ic-{name}", **aria(hidden="true"))


def severity(level: str, words: Words) -> Component:
    """Bars and word of a severity: high, medium or low."""
    return html.Span([icon(f"sev-{level}"), words(f"sev_{level}")], className=f"sev {level}")


def swatch(status_class: str) -> Component:
    """Small square in the colour of a status class."""
    return html.Span(className=f"sw s{status_class[0]}", **aria(hidden="true"))


def endpoint_name(method: str, route: str) -> Component:
    """Method and route as text: routes come from clients and are never markup."""
    return html.Span([html.Span(method, className="m"), html.Span(route, className="rt")], className="ep", title=route)


def note(text: Children) -> Component:
    """A line of quiet text in the place of a chart or a table."""
    return html.P(text, className="note")


def choice_link(label: Children, href: str, *, chosen: bool, link_id: str | None = None) -> Component:
    """One of several links; the chosen one is marked for the eye and, by aria-current, for the ear."""
    named: dict[str, Any] = {"id": link_id} if link_id else {}
    link = dcc.Link(label, href=href, className="on" if chosen else "", **named)
    # dcc.Link has no aria attributes, so an element around it has.
    return html.Span(link, **aria(current="true" if chosen else None))
