"""A table with a head: texts and numbers, nothing to sort."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashapp.components.card import Children


def table(first: str, heads: Sequence[tuple[str, str]], rows: Sequence[Sequence[Children]]) -> Component:
    """Rows of cells below the name of the first column and the names and classes of the others."""
    head = [html.Th(first, scope="col"), *(html.Th(text, scope="col", className=kind) for text, kind in heads)]
    return html.Div(
        html.Table([html.Thead(html.Tr(head)), html.Tbody([html.Tr(list(cells)) for cells in rows])]), className="tw"
    )
