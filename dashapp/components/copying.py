"""A text to copy, and the button that does it; assets/collection.js copies."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashapp.components.attributes import data
from dashapp.words import Words


def copy_button(text_id: str, words: Words) -> Component:
    """A button that copies the text of an element."""
    return html.Button(
        words("copy"),
        className="button sm copy",
        type="button",
        **data(copy=text_id, label=words("copy"), done=words("copied"), failed=words("copy_failed")),
    )


def copyable(text_id: str, text: str, words: Words) -> Component:
    """One line of text with its button."""
    return html.Div([html.Code(text, id=text_id), copy_button(text_id, words)], className="copyable")
