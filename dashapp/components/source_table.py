"""Who sends: a row for each source and service, the silent ones first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dash import html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.components.attributes import data
from dashapp.components.card import note
from dashapp.quantities import age_of, lag
from dashapp.stats.arriving import Arriving, is_silent
from dashapp.stats.collection import MOST_SOURCES, Arrived
from dashapp.words import Words


@dataclass(frozen=True, slots=True)
class SourceRow:
    """What a source sent in the range, when it sent last, and whether it fell silent."""

    source: str
    service: str
    last_arrival: datetime | None
    silent: bool
    arrived: Arrived


def source_rows(found: Arriving) -> list[SourceRow]:
    """Sources of the range, and those of the last day that fell silent; these first, then by the last arrival."""
    sent = {(each.source, each.service): each for each in found.sources}
    rows = []
    for source in found.whole.sources:
        key = (source.source, source.service)
        activity = sent.pop(key, None)
        last = activity.last_arrival if activity else source.arrived.last_arrival
        silent = activity is not None and is_silent(activity, found.now)
        rows.append(SourceRow(*key, last, silent, source.arrived))
    rows += [
        SourceRow(each.source, each.service, each.last_arrival, True, Arrived())
        for each in sent.values()
        if is_silent(each, found.now)
    ]
    return sorted(rows, key=_order)


def source_table(found: Arriving, words: Words) -> Component:
    """The table, or a line that says there is nothing."""
    rows = source_rows(found)
    if not rows:
        return note(words("no_sources"))
    heads = [
        html.Th(words("source")),
        html.Th(words("service"), className="hide-n"),
        html.Th(words("last_arrival"), className="n"),
        html.Th(words("per_minute"), className="n hide-n"),
        html.Th(words("lag"), className="n hide-n", title=words("lag_means")),
        html.Th(words("received"), className="n"),
        html.Th(words("stored"), className="n hide-n"),
        html.Th(words("duplicate"), className="n hide-n"),
        html.Th(words("quarantined"), className="n"),
    ]
    table = html.Table([html.Thead(html.Tr(heads)), html.Tbody([_row(row, found.now, words) for row in rows])])
    parts: list[Component] = [html.Div(table, className="tw scroll-y")]
    if "sources" in found.whole.cut:
        parts.append(note(words("list_cut", n=fmt.count(MOST_SOURCES))))
    return html.Div(parts)


def _row(row: SourceRow, now: datetime, words: Words) -> Component:
    arrived = row.arrived
    silent = html.Span(words("silent"), className="tag silent", title=words("silent_means"))
    name = [html.Span(row.source, className="rt ell", title=row.source), *([silent] if row.silent else [])]
    return html.Tr(
        [
            html.Td(html.Div(name, className="source-name"), className="name"),
            html.Td(row.service, className="hide-n"),
            html.Td(age_of(row.last_arrival, now, words), className="n late" if row.silent else "n"),
            html.Td(fmt.mean_count(arrived.rate_per_minute), className="n hide-n"),
            html.Td(lag(arrived.lag_s.mean, words), className="n hide-n"),
            html.Td(fmt.count(arrived.received), className="n"),
            html.Td(fmt.count(arrived.stored), className="n hide-n"),
            html.Td(fmt.count(arrived.duplicate), className="n hide-n"),
            html.Td(_quarantined(arrived), className="n"),
        ],
        **data(source=row.source, service=row.service),
    )


def _quarantined(arrived: Arrived) -> Component:
    return html.Span(fmt.count(arrived.quarantined), className="warn" if arrived.quarantined else "")


def _order(row: SourceRow) -> tuple[bool, float, str, str]:
    last = row.last_arrival.timestamp() if row.last_arrival else 0.0
    return (not row.silent, -last, row.source, row.service)
