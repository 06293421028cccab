"""Collection: is data arriving, what became of it, how to send more, and how long it stays.

Ids: collection-insight, collection-received, -stored, -duplicate, -quarantined (the key figures as text),
collection-equation, collection-equation-mark, collection-graph, collection-sources, collection-quarantine,
collection-reasons, collection-upload (or collection-upload-why), collection-receipt, collection-ship (the way of
sending), collection-ship-text, collection-life, collection-disk, collection-jobs, collection-storage. What failed
stands in `<id>-failed`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import flask
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp import sentences_collection as sentences
from dashapp.access.identity import current
from dashapp.access.uploading import why_no_upload
from dashapp.components.arrival_figures import arrival_figures, equation
from dashapp.components.attributes import aria
from dashapp.components.card import card, note, severity
from dashapp.components.graph import graph, paint
from dashapp.components.part import part, shown, skeleton
from dashapp.components.quarantine_list import quarantine_list, quarantine_reasons
from dashapp.components.shipping_texts import shipping_body, shipping_notes, shipping_text
from dashapp.components.source_table import source_rows, source_table
from dashapp.components.storage_tables import disk_table, job_table, life_table, storage_state
from dashapp.components.upload_form import no_upload, receipt, upload_form
from dashapp.figures.arrivals import arrivals_figure
from dashapp.figures.base import blank
from dashapp.ingest_address import target_of
from dashapp.pages import alerts_card
from dashapp.pages.overview import bucket_name
from dashapp.parts import Failed, Parts
from dashapp.quantities import byte_size
from dashapp.shipping import DEFAULT_SERVICE
from dashapp.site import Site, most_points
from dashapp.stats.arriving import Arriving, arriving
from dashapp.stats.collection import QuarantinePage, quarantine
from dashapp.time_range import QUICK_RANGES, bucket_minutes
from dashapp.view import View
from dashapp.words import Words
from sql.collection import quarantined_kinds
from sql.life import Storage, storage
from sql.plan import MINUTE, Range, floor

PATH = "/collection"
TAB = "Collection"
COMPARES = False
MOST_HELD = 50
_FIGURES = ("received", "stored", "duplicate", "quarantined")
# What a part is called where it could not be read.
_TITLES = {
    "figures": "key_figures",
    "figure": "arrivals",
    "insight": "arriving",
    "equation": "counted",
    "list": "quarantine",
} | {
    "reasons": "quarantine_reasons",
    "state": "storage_state",
}
Value = TypeVar("Value")


def layout(site: Site, words: Words) -> Component:
    """The page before its numbers, every part in its final place."""
    return html.Div(
        [
            *(dcc.Store(id=f"collection-{each}-read-at") for each in ("arrivals", "quarantine", "storage")),
            html.Section(part("collection-insight", words), className="card insight", **aria(label=words("arriving"))),
            html.Div(
                [
                    html.Div(_blank_figures(words), id="collection-figures", className="g"),
                    html.Div(id="collection-figures-failed", className="failed card", role="alert"),
                ],
                className="part",
            ),
            html.Div(
                [
                    card(
                        words("arrivals"),
                        graph("collection-graph", label=words("arrivals_chart"), height="chart-l"),
                        subtitle_id="collection-unit",
                        width="c8",
                    ),
                    card(words("equation"), part("collection-equation-body", words), width="c4"),
                    card(
                        words("sources"),
                        part("collection-sources", words, size="sources"),
                        subtitle=words("sources_unit"),
                        aside=html.Span(id="collection-source-count", className="cnt"),
                        flush=True,
                    ),
                    card(
                        words("quarantine"),
                        part("collection-quarantine", words),
                        subtitle=words("quarantine_unit", n=MOST_HELD),
                        width="c8",
                        flush=True,
                    ),
                    card(
                        words("quarantine_reasons"),
                        part("collection-reasons", words),
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
                        part("collection-life", words),
                        subtitle=words("life_unit"),
                        width="c6",
                        flush=True,
                    ),
                    card(
                        words("disk"),
                        part("collection-disk", words),
                        subtitle_id="collection-disk-unit",
                        width="c6",
                        flush=True,
                    ),
                    card(
                        words("alerts"),
                        alerts_card.body(words),
                        subtitle=words("alerts_unit"),
                        aside=alerts_card.button(words),
                    ),
                    card(words("jobs"), part("collection-jobs", words), width="c8", flush=True),
                    card(words("storage_state"), part("collection-storage", words), width="c4"),
                ],
                className="g",
            ),
        ],
        className="collection",
    )


def _blank_figures(words: Words) -> list[Component]:
    return [
        html.Section([html.Div(html.H2(words(name)), className="t"), skeleton(words)], className="card kpi c3")
        for name in _FIGURES
    ]


def register(app: Dash, site: Site) -> None:
    """Add the callbacks of the page; each part fails by itself."""

    def update_arrivals(search: str, _tick: int, read_at: str | None) -> dict[str, Any]:
        view = site.view(search)
        # Values of another view must not stay beside the name of this one.
        kept_since = read_at if ctx.triggered_id == "shell-tick" else None
        return show_arrivals(read_arrivals(site, view), site, site.words(search), kept_since)

    def update_quarantine(search: str, _tick: int, read_at: str | None, known: str | None) -> dict[str, Any]:
        return show_quarantine(read_quarantine(site), site, site.words(search), read_at, known)

    def update_storage(search: str, _tick: int, read_at: str | None) -> dict[str, Any]:
        return show_storage(read_storage(site), site, site.words(search), read_at)

    def update_shipping(way: str, service: str | None, search: str) -> tuple[Any, Any]:
        target = target_of(site.settings, flask.request.headers.get("Host"))
        return shipping_text(way, target, service), shipping_notes(target, site.words(search))

    def show_receipt(answer: dict[str, Any] | None, search: str) -> Any:
        if not isinstance(answer, dict):
            return no_update
        return receipt(answer, site.settings.upload_max_mb, site.zone, site.words(search))

    inputs = [Input("shell-url", "search"), Input("shell-tick", "data")]
    app.callback(output=_ARRIVALS, inputs=[*inputs, State("collection-arrivals-read-at", "data")])(update_arrivals)
    app.callback(
        output=_QUARANTINE,
        inputs=[*inputs, State("collection-quarantine-read-at", "data"), State("collection-held-shown", "data")],
    )(update_quarantine)
    app.callback(output=_STORAGE, inputs=[*inputs, State("collection-storage-read-at", "data")])(update_storage)
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
    alerts_card.register(app, site)


def _parts_of(read_at: str, **ids: str) -> dict[str, Output]:
    """Outputs of some parts, of what is said where they failed, and of when they were read."""
    contents = {name: Output(f"collection-{part_id}", "children") for name, part_id in ids.items()}
    failures = {f"{name}_failed": Output(f"collection-{part_id}-failed", "children") for name, part_id in ids.items()}
    return {**contents, **failures, "read_at": Output(f"collection-{read_at}-read-at", "data")}


_ARRIVALS = _parts_of("arrivals", insight="insight", figures="figures", equation="equation-body", sources="sources") | {
    "figure": Output("collection-graph-figure", "data"),
    "figure_failed": Output("collection-graph-failed", "children"),
    "unit": Output("collection-unit", "children"),
    "count": Output("collection-source-count", "children"),
}
_QUARANTINE = _parts_of("quarantine", list="quarantine", reasons="reasons") | {
    "known": Output("collection-held-shown", "data")
}
_STORAGE = _parts_of("storage", life="life", disk="disk", jobs="jobs", state="storage") | {
    "disk_unit": Output("collection-disk-unit", "children")
}


def arrival_range(view: View, site: Site) -> Range:
    """The range of arrival that a view means: a quick one ends now, since a record counts once it has arrived."""
    if view.quick is None:
        return view.whole
    end = site.now()
    return Range(end - QUICK_RANGES[view.quick], end)


def read_arrivals(site: Site, view: View) -> Arriving | Failed:
    """Read the ledger in one snapshot; viewers of the same view at the same moment share it."""
    span, service = arrival_range(view, site), view.filters.service
    minutes = bucket_minutes(span, most=most_points())

    def read() -> Arriving | Failed:
        with Parts(site.engine) as parts:
            return parts.read(
                lambda reading: arriving(
                    reading, span, minutes=minutes, zone=site.zone, now=site.now(), service=service
                )
            )

    which = view.quick or (span.start, span.end)
    return site.shared.get(("collection", which, service, minutes), read)


def show_arrivals(found: Arriving | Failed, site: Site, words: Words, kept_since: str | None) -> dict[str, Any]:
    """Sentence, figures, chart, equation and sources, all of one reading."""
    parts = _placed(
        found,
        {
            "insight": lambda each: [
                severity(sentences.level_of(each), words),
                html.P(sentences.say_arriving(each, site.zone, words)),
            ],
            "figures": lambda each: arrival_figures(each.whole.totals, each.buckets, words),
            "figure": lambda each: arrivals_figure(each.buckets, each.interval_minutes, site.zone, words),
            "equation": lambda each: equation(each.whole, words),
            "sources": lambda each: source_table(each, words),
        },
        site,
        words,
        kept_since,
        figures=_blank_figures(words),
        figure=blank(),
    )
    if isinstance(found, Failed):
        return parts | {"unit": no_update, "count": no_update}
    span, bucket = found.whole.span, bucket_name(found.interval_minutes, words)
    between = words("arrived_between", start=_moment(span.start, site), end=_moment(min(span.end, found.now), site))
    return parts | {"unit": f"{between} · {bucket}", "count": fmt.count(len(source_rows(found)))}


Quarantined = tuple[QuarantinePage, dict[str, int]]


def read_quarantine(site: Site) -> Quarantined | Failed:
    """Read the newest records in quarantine and the counts by reason in one snapshot."""

    def read() -> Quarantined | Failed:
        with Parts(site.engine) as parts:
            return parts.read(lambda reading: (quarantine(reading, most=MOST_HELD), quarantined_kinds(reading)))

    return site.shared.get(("collection-quarantine",), read)


def show_quarantine(
    found: Quarantined | Failed, site: Site, words: Words, kept_since: str | None, known: str | None
) -> dict[str, Any]:
    """Records and reasons; where nothing has changed the page keeps what it shows, opened records too."""
    now, shows = site.now(), current().may("administrator")
    refused = note(words("may_not", role=words("role_administrator")))
    parts = _placed(
        found,
        {
            "list": lambda each: quarantine_list(each[0].records, now, site.zone, words) if shows else refused,
            "reasons": lambda each: quarantine_reasons(each[1], words),
        },
        site,
        words,
        kept_since,
    )
    if isinstance(found, Failed):
        return parts | {"known": no_update}
    page, kinds = found
    key = f"{words.language} {[held.record.id for held in page.records]} {kinds}"
    unchanged = {"list": no_update, "reasons": no_update} if key == known else {}
    return parts | unchanged | {"known": key}


def read_storage(site: Site) -> Storage | Failed:
    """Read what is stored; viewers of one moment share it."""

    def read() -> Storage | Failed:
        with Parts(site.engine) as parts:
            return parts.read(storage)

    return site.shared.get(("collection-storage",), read)


def show_storage(found: Storage | Failed, site: Site, words: Words, kept_since: str | None) -> dict[str, Any]:
    """Settings, sizes, jobs and state, of the reading that /api/storage makes."""
    parts = _placed(
        found,
        {
            "life": lambda each: life_table(each, site.settings, words),
            "disk": lambda each: disk_table(each, site.zone, words),
            "jobs": lambda each: job_table(each.jobs, each.read_at, words),
            "state": lambda each: storage_state(each, site.zone, words),
        },
        site,
        words,
        kept_since,
    )
    size = None if isinstance(found, Failed) else words("disk_unit", size=byte_size(found.database_bytes))
    return parts | {"disk_unit": no_update if size is None else size}


def _placed(
    found: Value | Failed,
    makers: dict[str, Callable[[Value], Any]],
    site: Site,
    words: Words,
    kept_since: str | None,
    **blanks: Any,
) -> dict[str, Any]:
    """Parts made of one reading; where it failed, each says so in its own frame."""
    placed: dict[str, Any] = {}
    for name, make in makers.items():
        title = words(_TITLES.get(name, name))
        content, failed = shown(
            found, make, title=title, words=words, kept_since=kept_since, blank=blanks.get(name)
        )  # fmt: skip
        placed |= {name: content, f"{name}_failed": failed}
    read_at = no_update if isinstance(found, Failed) else fmt.clock_seconds(site.now(), site.zone)
    return {**placed, "read_at": read_at}


def _upload(site: Site, words: Words) -> Component:
    settings = site.settings
    # An app is also put together outside of any request.
    why = why_no_upload(settings.allow_upload, flask.request) if flask.has_request_context() else None
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
