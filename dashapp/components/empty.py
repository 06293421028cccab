"""What a page says where there is nothing to show."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.view import FILTERS, View, around
from dashapp.words import Words
from sql.plan import Range


def empty_state(view: View, span: Range | None, zone: ZoneInfo, words: Words, *, path: str) -> Component:
    """Why there is nothing, where data exists, and a link that goes there."""
    filtered = bool(view.filters)
    parts: list[Component] = [html.P(words("empty_filtered" if filtered else "empty_title"), className="b")]
    if span is None:
        parts = [html.P(words("empty_none"), className="b")]
    else:
        first, last = fmt.local_minute(span.start, zone), fmt.local_minute(span.end, zone)
        there = {**dict.fromkeys(FILTERS), **around(span, zone)}
        parts += [
            html.P(words("empty_where", first=first[:16], last=last[:16])),
            dcc.Link(
                words("empty_go"), href=view.link(path, **there), className="button", id=f"{page_of(path)}-empty-go"
            ),
        ]
    return html.Section(parts, className="card c12 empty", role="status")


def page_of(path: str) -> str:
    """Prefix of the ids of a page: `/` is overview."""
    return path.strip("/") or "overview"
