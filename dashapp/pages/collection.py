"""Collection: is data arriving, what became of it, how to send more, and how long it stays.

Ids: collection-insight, collection-received, -stored, -duplicate, -quarantined (the key figures as text),
collection-equation, collection-equation-mark, collection-graph, collection-sources, collection-quarantine,
collection-reasons, collection-upload (or collection-upload-why), collection-receipt, collection-ship (the way of
sending), collection-ship-text, collection-life, collection-disk, collection-jobs, collection-storage.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import flask
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from werkzeug.datastructures import Headers

from dashapp import format as fmt
from dashapp import sentences_collection as sentences
from dashapp.components.arrival_figures import arrival_figures, equation
from dashapp.components.attributes import aria
from dashapp.components.card import card, severity
from dashapp.components.graph import graph, paint
from dashapp.components.part_failed import part_failed
from dashapp.components.quarantine_list import quarantine_list, quarantine_reasons
from dashapp.components.shipping_texts import shipping_body, shipping_notes, shipping_text
from dashapp.components.source_table import source_rows, source_table
from dashapp.components.storage_tables import disk_table, job_table, life_table, storage_state
from dashapp.components.upload_form import no_upload, receipt, upload_form
from dashapp.figures.arrivals import arrivals_figure
from dashapp.ingest_address import target_of
from dashapp.pages.overview import bucket_name
from dashapp.quantities import byte_size
from dashapp.shipping import DEFAULT_SERVICE
from dashapp.site import Site, most_points
from dashapp.stats.arriving import Arriving, arriving
from dashapp.stats.collection import QuarantinePage, quarantine
from dashapp.time_range import QUICK_RANGES, bucket_minutes
from dashapp.upload_access import why_not
from dashapp.view import View
from dashapp.words import Words
from sql.collection import quarantined_kinds
from sql.connection import snapshot
from sql.life import Storage, storage
from sql.plan import MINUTE, Range, floor

PATH = "/collection"
TAB = "Collection"
MOST_HELD = 50


def layout(site: Site, words: Words) -> Component:
    """The page before its numbers, every part in its final place."""
    blank_figures = [html.Section(className="card kpi c3") for _ in range(4)]
    return html.Div(
        [
            html.Section(id="collection-insight", className="card insight", **aria(label=words("arriving"))),
            html.Div(blank_figures, id="collection-figures", className="g"),
            html.Div(
                [
                    card(
                        words("arrivals"),
                        graph("collection-graph", label=words("arrivals_chart"), height="chart-l"),
                        subtitle_id="collection-unit",
                        width="c8",
                    ),
                    card(words("equation"), html.Div(id="collection-equation-body"), width="c4"),
                    card(
                        words("sources"),
                        html.Div(id="collection-sources", className="sources"),
                        subtitle=words("sources_unit"),
                        aside=html.Span(id="collection-source-count", className="cnt"),
                        flush=True,
                    ),
                    card(
                        words("quarantine"),
                        html.Div(id="collection-quarantine"),
                        subtitle=words("quarantine_unit", n=MOST_HELD),
                        width="c8",
                        flush=True,
                    ),
                    card(
                        words("quarantine_reasons"),
                        html.Div(id="collection-reasons"),
                        subtitle=words("quarantine_held"),
                        width="c4",
                    ),
                    card(
                        words("shipping"),
                        shipping_body(DEFAULT_SERVICE, words),
                        subtitle=words("shipping_unit"),
                        width="c8",
                    ),
                    card(words("upload"), _upload(site, words), subtitle=words("upload_unit"), width="c4"),
                    card(
                        words("life"),
                        html.Div(id="collection-life"),
                        subtitle=words("life_unit"),
                        width="c6",
                        flush=True,
                    ),
                    card(
                        words("disk"),
                        html.Div(id="collection-disk"),
                        subtitle_id="collection-disk-unit",
                        width="c6",
                        flush=True,
                    ),
                    card(words("jobs"), html.Div(id="collection-jobs"), width="c8", flush=True),
                    card(words("storage_state"), html.Div(id="collection-storage"), width="c4"),
                ],
                className="g",
            ),
        ],
        className="collection",
    )


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the page; each part fails by itself."""

    def update_arrivals(search: str, _tick: int) -> dict[str, Any]:
        view, words = site.view(search), site.words(search)
        return _guarded(_ARRIVALS, "insight", words, lambda: show_arrivals(read_arrivals(site, view), site, words))

    def update_quarantine(search: str, _tick: int, shown: str | None) -> dict[str, Any]:
        words = site.words(search)
        return _guarded(_QUARANTINE, "list", words, lambda: show_quarantine(site, words, shown))

    def update_storage(search: str, _tick: int) -> dict[str, Any]:
        words = site.words(search)
        return _guarded(_STORAGE, "state", words, lambda: show_storage(read_storage(site), site, words))

    def update_shipping(way: str, service: str | None, search: str) -> tuple[Any, Any]:
        target = target_of(site.settings, flask.request.headers.get("Host"))
        return shipping_text(way, target, service), shipping_notes(target, site.words(search))

    def show_receipt(answer: dict[str, Any] | None, search: str) -> Any:
        if not isinstance(answer, dict):
            return no_update
        return receipt(answer, site.settings.upload_max_mb, site.zone, site.words(search))

    inputs = [Input("shell-url", "search"), Input("shell-tick", "data")]
    app.callback(output=_ARRIVALS, inputs=inputs)(update_arrivals)
    app.callback(output=_QUARANTINE, inputs=[*inputs, State("collection-held-shown", "data")])(update_quarantine)
    app.callback(output=_STORAGE, inputs=inputs)(update_storage)
    app.callback(
        Output("collection-ship-text", "children"),
        Output("collection-ship-notes", "children"),
        Input("collection-ship", "value"),
        Input("collection-ship-service", "value"),
        State("shell-url", "search"),
    )(update_shipping)
    app.callback(
        Output("collection-receipt", "children"),
        Input("collection-uploaded", "data"),
        State("shell-url", "search"),
        prevent_initial_call=True,
    )(show_receipt)
    app.clientside_callback(
        ClientsideFunction("collection", "prepareUpload"),
        Output("collection-upload-ready", "data"),
        Input("collection-uploaded", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("collection", "nameService"),
        Output("collection-ship-service", "value"),
        Input("shell-url", "search"),
    )
    paint(app, "collection-graph")


_ARRIVALS = {
    "insight": Output("collection-insight", "children"),
    "figures": Output("collection-figures", "children"),
    "figure": Output("collection-graph-figure", "data"),
    "unit": Output("collection-unit", "children"),
    "equation": Output("collection-equation-body", "children"),
    "sources": Output("collection-sources", "children"),
    "count": Output("collection-source-count", "children"),
}
_QUARANTINE = {
    "list": Output("collection-quarantine", "children"),
    "reasons": Output("collection-reasons", "children"),
    "shown": Output("collection-held-shown", "data"),
}
_STORAGE = {
    "life": Output("collection-life", "children"),
    "disk": Output("collection-disk", "children"),
    "disk_unit": Output("collection-disk-unit", "children"),
    "jobs": Output("collection-jobs", "children"),
    "state": Output("collection-storage", "children"),
}


def arrival_range(view: View, site: Site) -> Range:
    """The range of arrival that a view means: a quick one ends now, since a record counts once it has arrived."""
    if view.quick is None:
        return view.whole
    end = site.now()
    return Range(end - QUICK_RANGES[view.quick], end)


def read_arrivals(site: Site, view: View) -> Arriving:
    """Read the ledger in one snapshot; viewers of the same view at the same moment share it."""
    span, service = arrival_range(view, site), view.filters.service
    minutes = bucket_minutes(span, most=most_points())

    def read() -> Arriving:
        with snapshot(site.engine) as reading:
            return arriving(reading, span, minutes=minutes, zone=site.zone, now=site.now(), service=service)

    which = view.quick or (span.start, span.end)
    return site.shared.get(("collection", which, service, minutes), read)


def show_arrivals(found: Arriving, site: Site, words: Words) -> dict[str, Any]:
    """Sentence, figures, chart, equation and sources, all of one reading."""
    said = sentences.say_arriving(found, site.zone, words)
    span, totals = found.whole.span, found.whole.totals
    bucket = bucket_name(found.interval_minutes, words)
    between = words("arrived_between", start=_moment(span.start, site), end=_moment(min(span.end, found.now), site))
    return {
        "insight": [severity(sentences.level_of(found), words), html.P(said)],
        "figures": arrival_figures(totals, found.buckets, words),
        "figure": arrivals_figure(found.buckets, found.interval_minutes, site.zone, words),
        "unit": f"{between} · {bucket}",
        "equation": equation(found.whole, words),
        "sources": source_table(found, words),
        "count": fmt.count(len(source_rows(found))),
    }


def read_quarantine(site: Site) -> tuple[QuarantinePage, dict[str, int]]:
    """Read the newest records in quarantine and the counts by reason in one snapshot."""

    def read() -> tuple[QuarantinePage, dict[str, int]]:
        with snapshot(site.engine) as reading:
            return quarantine(reading, most=MOST_HELD), quarantined_kinds(reading)

    return site.shared.get(("collection-quarantine",), read)


def show_quarantine(site: Site, words: Words, shown: str | None) -> dict[str, Any]:
    """Records and reasons; where nothing has changed the page keeps what it shows, opened records too."""
    page, kinds = read_quarantine(site)
    now = site.now()
    key = f"{words.language} {[held.record.id for held in page.records]} {kinds}"
    if key == shown:
        return dict.fromkeys(_QUARANTINE, no_update)
    return {
        "list": quarantine_list(page.records, now, site.zone, words),
        "reasons": quarantine_reasons(kinds, words),
        "shown": key,
    }


def read_storage(site: Site) -> Storage:
    """Read what is stored; viewers of one moment share it."""

    def read() -> Storage:
        with snapshot(site.engine) as reading:
            return storage(reading)

    return site.shared.get(("collection-storage",), read)


def show_storage(found: Storage, site: Site, words: Words) -> dict[str, Any]:
    """Settings, sizes, jobs and state, of the reading that /api/storage makes."""
    return {
        "life": life_table(found, site.settings, words),
        "disk": disk_table(found, site.zone, words),
        "disk_unit": words("disk_unit", size=byte_size(found.database_bytes)),
        "jobs": job_table(found.jobs, found.read_at, words),
        "state": storage_state(found, site.zone, words),
    }


def _guarded(
    outputs: dict[str, Output], failing: str, words: Words, show: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """What a part shows; where it fails, why, in one of its places, while the others keep what they show."""
    try:
        return show()
    except Exception as error:
        shown = {failing: part_failed(error, words)}
        return dict.fromkeys(outputs, no_update) | shown | ({"shown": None} if "shown" in outputs else {})


def _upload(site: Site, words: Words) -> Component:
    settings = site.settings
    inside = flask.has_request_context()
    headers = flask.request.headers if inside else Headers({"Host": "localhost"})
    why = why_not(settings.allow_upload, flask.request.remote_addr if inside else "127.0.0.1", headers)
    form = upload_form(DEFAULT_SERVICE, settings.upload_max_mb, words) if why is None else no_upload(why, words)
    return html.Div(
        [
            dcc.Store(id="collection-uploaded"),
            dcc.Store(id="collection-upload-ready"),
            dcc.Store(id="collection-held-shown"),
            form,
            html.Div(id="collection-receipt", className="receipt", role="status"),
        ]
    )


def _moment(moment: datetime, site: Site) -> str:
    return fmt.day_clock(floor(moment, MINUTE), site.zone)
