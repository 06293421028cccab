"""A value of a field as a link: a click filters by it where an address can."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashapp.values import filter_of, value_name
from dashapp.view import View
from dashapp.words import Words


def linked_value(field: str, value: str | int, view: View, words: Words) -> Component:
    """A value; a click filters by it where an address can."""
    return linked(value_name(field, value, words), filter_of(field, value), view)


def linked(text: str, filters: dict[str, str], view: View, path: str = "") -> Component:
    """A text that leads to the requests that some parameters show, or to nowhere without any."""
    name = html.Span(text, className="rt ell", title=text)
    return dcc.Link(name, href=view.link(path, **filters), className="ell") if filters else name
