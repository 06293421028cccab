"""The mark of a change against the comparison."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.comparison import Change
from dashapp.components.card import icon

_CLASSES = {"worse": "bad", "better": "good", "neutral": "neu", "small": "mut"}


def change_mark(change: Change | None) -> Component:
    """An arrow and the size; a small change is grey and has its sign instead of the arrow."""
    if change is None:
        return html.Span(fmt.UNKNOWN, className="mut")
    if change.tone == "small":
        return html.Span(change.text, className="chg mut")
    sign = html.Span(change.text[0], className="sr")
    arrow = icon("rise" if change.direction > 0 else "fall")
    return html.Span([arrow, sign, change.text[1:]], className=f"chg {_CLASSES[change.tone]}")


def signed_mark(change: Change | None) -> Component:
    """The size with its sign, for columns of points."""
    if change is None:
        return html.Span(fmt.UNKNOWN, className="mut")
    return html.Span(change.text, className=f"chg {_CLASSES[change.tone]}")
