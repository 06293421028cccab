"""Checked sentences as text: each figure a link to the page that shows it, each name as it is in the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashapp.ai.evidence import Pack
from dashapp.ai.result import Piece, Sentence
from dashapp.components.attributes import data
from dashapp.words import Words
from sql.ai_history import Entry


class References:
    """Numbers the figures of a text in the order in which they come."""

    def __init__(self, pack: Pack | None, words: Words) -> None:
        """Start at 1."""
        self._pack = pack
        self._words = words
        self._numbers: dict[str, int] = {}

    def text(self, sentences: Sequence[Sentence]) -> list[Any]:
        """Sentences as children."""
        children: list[Any] = []
        for sentence in sentences:
            children += [" "] if children else []
            children += [self.piece(piece) for piece in sentence]
        return children

    def piece(self, piece: Piece) -> Any:
        """One piece; what is not in the evidence is plain text."""
        if piece.kind == "figure" and piece.id is not None:
            return self.figure(piece.text, piece.id)
        if piece.kind == "endpoint" and piece.id is not None:
            return html.Code(self.endpoint(piece.id))
        if piece.kind == "name":
            named = self._pack.names.get(piece.text) if self._pack else None
            return html.Code(named.value if named else piece.text, title=piece.text)
        return piece.text

    def figure(self, text: str, key: str) -> Any:
        """A figure with the number of its reference; it leads to the page with the same filters."""
        figure = self._pack.figures.get(key) if self._pack else None
        if figure is None:
            return text
        number = self._numbers.setdefault(key, len(self._numbers) + 1)
        title = self._words("ai_figure", measure=" ".join(filter(None, (figure.about, figure.measure))), value=text)
        # dcc.Link takes no data attributes: the query is on the element around it.
        link = dcc.Link([text, html.Sup(str(number))], href=figure.link, className="ev", title=title)
        return html.Span(link, **data(query=figure.query, id=key))

    def endpoint(self, shown: str) -> str:
        """Method and route of an endpoint as they are in the log."""
        found = self._pack.endpoints.get(shown) if self._pack else None
        return shown if found is None else f"{found.method} {found.route}"


def source_badge(entry: Entry, words: Words) -> Component:
    """Who gave a result; of a failure that there was one."""
    name, look = _badge(entry)
    return html.Span(words(f"ai_source_{name}"), className=f"tag {look}")


def badges() -> tuple[tuple[str, str], ...]:
    """Every badge with its look, as the legend lists them."""
    return (
        ("model", "acc"), ("unchanged", "outlined"), ("rules", "dashed"), ("budget", "warn"), ("failed", "bad"),
    )  # fmt: skip


def _badge(entry: Entry) -> tuple[str, str]:
    looks = dict(badges())
    if entry.state in ("running", "cancelled"):
        return entry.state, "outlined"
    if entry.reason == "budget":
        return "budget", looks["budget"]
    if entry.state in ("failed", "refused"):
        return "failed", looks["failed"]
    source = entry.source or "failed"
    return source, looks[source]
