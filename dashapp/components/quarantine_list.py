"""The newest records in quarantine, each to be opened, and the reasons with what can be done.

Records come from strangers: they are text in a <pre>, and their download is never shown by a browser.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.api_quarantine import PATH
from dashapp.components.attributes import data
from dashapp.components.card import note
from dashapp.components.copying import copy_button, copyable
from dashapp.quantities import byte_size
from dashapp.sentences_collection import kind_name
from dashapp.stats.collection import MOST_TEXT_BYTES, Held
from dashapp.words import Words

REPLAY = "accessboard quarantine replay"


def quarantine_list(records: Sequence[Held], now: datetime, zone: ZoneInfo, words: Words) -> Component:
    """The records, newest first."""
    if not records:
        return note(words("quarantine_empty"))
    return html.Div([_record(held, now, zone, words) for held in records], className="held scroll-y")


def quarantine_reasons(kinds: Mapping[str, int], words: Words) -> list[Component]:
    """What is held now by reason, and how to read it again."""
    rows = [
        html.Li(
            [
                html.Span([kind_name(kind, words), html.Code(kind, className="mut")], className="kind-name"),
                html.Span(fmt.count(number), className="num"),
            ],
            className="kind-row",
            **data(kind=kind),
        )
        for kind, number in kinds.items()
    ]
    if not rows:
        return [html.P(words("quarantine_empty"), className="note")]
    return [
        html.Ul(rows, className="rows"),
        html.P(words("replay_how"), className="note left"),
        copyable("collection-replay-dry", f"{REPLAY} --dry-run", words),
        copyable("collection-replay", REPLAY, words),
    ]


def _record(held: Held, now: datetime, zone: ZoneInfo, words: Words) -> Component:
    record = held.record
    same_day = held.received_at.astimezone(zone).date() == now.astimezone(zone).date()
    when = fmt.clock_seconds(held.received_at, zone) if same_day else fmt.day_clock(held.received_at, zone)
    text_id = f"collection-record-{record.id}"
    summary = html.Summary(
        [
            html.Span(when, className="num when"),
            html.Span(kind_name(record.kind, words), className="tag kind"),
            html.Span(record.source, className="rt ell from", title=record.source),
            html.Span(held.text[:200], className="rt ell raw-line"),
        ]
    )
    tail = [html.A(words("download_record"), href=f"/api{PATH}?id={record.id}", className="button sm", download="")]
    return html.Details(
        [
            summary,
            html.P([record.reason, html.Span(f" · {record.service} · {byte_size(record.size)}", className="mut")]),
            html.Pre(held.text, id=text_id, className="raw", tabIndex="0"),
            html.Div([copy_button(text_id, words), *tail, *_cut(held, words)], className="acts"),
        ],
        id=f"collection-held-{record.id}",
        className="record",
    )


def _cut(held: Held, words: Words) -> list[Component]:
    size = byte_size(held.record.size)
    if held.truncated:
        return [html.Span(words("quarantine_truncated", size=size), className="mut")]
    if held.record.kept > MOST_TEXT_BYTES:
        shown = f"{MOST_TEXT_BYTES:,} B"
        return [html.Span(words("quarantine_cut", shown=shown, size=size), className="mut")]
    return []
