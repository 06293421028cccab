"""The form that uploads a log file, why there is none, and the receipt at its end.

assets/collection.js sends the file, shows how far it is, and hands the answer back to the page's callback.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from dashapp import format as fmt
from dashapp.api_upload import MEGABYTE
from dashapp.api_upload import PATH as UPLOAD_PATH
from dashapp.components.attributes import aria, data
from dashapp.quantities import byte_size
from dashapp.sentences_collection import kind_name
from dashapp.shipping import MOST_SERVICE
from dashapp.upload_access import MARK, Why
from dashapp.upload_receipt import UploadReceipt, receipt_of
from dashapp.view import address, around
from dashapp.words import CATALOGUE, Words
from sql.plan import Range

COUNTS = ("received", "stored", "duplicate", "quarantined")


def upload_form(service: str, most_mb: int, words: Words) -> Component:
    """The form; its texts for the browser's script are attributes."""
    most = byte_size(most_mb * MEGABYTE)
    texts = {
        "none": words("upload_none"),
        "large": words("upload_too_large", most=most),
        "progress": words("upload_progress", sent="{sent}", size="{size}", share="{share}"),
        "finishing": words("upload_finishing", n="{n}"),
        "cancelled": words("upload_cancelled"),
    }
    return html.Div(
        [
            html.Label(words("upload_service"), htmlFor="collection-upload-service", className="lab"),
            dcc.Input(
                id="collection-upload-service",
                type="text",
                className="inp",
                value=service,
                maxLength=MOST_SERVICE,
                autoComplete="off",
                debounce=False,
            ),
            html.Div(
                [
                    # The field for the file is put in by the script: Dash has none that leaves the file alone.
                    html.Div(id="collection-upload-picker", **data(label=words("upload_pick"))),
                    html.P(words("upload_drop", most=most), className="mut"),
                ],
                id="collection-upload-drop",
                className="drop",
            ),
            html.Div(
                [
                    html.Button(
                        words("upload_start"), id="collection-upload-start", className="button pri", type="button"
                    ),
                    html.Button(
                        words("upload_cancel"),
                        id="collection-upload-cancel",
                        className="button",
                        type="button",
                        hidden=True,
                    ),
                ],
                className="acts",
            ),
            html.Progress(
                id="collection-upload-progress", max="100", value="0", hidden=True, **aria(label=words("upload"))
            ),
            html.P(id="collection-upload-state", className="mut num", role="status"),
        ],
        id="collection-upload",
        className="upload",
        **data(url=f"/api{UPLOAD_PATH}", mark=MARK, most=str(most_mb * MEGABYTE), **texts),
    )


def no_upload(why: Why, words: Words) -> Component:
    """Why this viewer is offered no form, and what to do instead."""
    return html.P(words(f"upload_why_{why}"), id="collection-upload-why", className="note left")


def receipt(data: Mapping[str, Any], most_mb: int, zone: ZoneInfo, words: Words) -> list[Component]:
    """What became of the file; or why it was not taken, and what was before that."""
    error = data.get("error")
    if isinstance(error, dict):
        return _failed(error, receipt_of(data.get("taken")), most_mb, words)
    taken = receipt_of(data)
    if taken is None:
        return [html.P(words("upload_failed", why=words("fail_connection")), className="bad")]
    return _taken(taken, zone, words)


def _failed(error: Mapping[str, Any], taken: UploadReceipt | None, most_mb: int, words: Words) -> list[Component]:
    code = str(error.get("code", ""))[:40]
    if code.removeprefix("upload_") != code and f"upload_why_{code.removeprefix('upload_')}" in CATALOGUE:
        return [html.P(words(f"upload_why_{code.removeprefix('upload_')}"), className="bad")]
    most = byte_size(most_mb * MEGABYTE)
    known = f"fail_{code}" in CATALOGUE
    why = words(f"fail_{code}", **({"most": most} if code == "too_large" else {})) if known else ""
    parts: list[Component] = [
        html.P(words("upload_failed", why=why or words("fail_other", code=code or "?")), className="bad")
    ]
    if taken is not None and taken.received:
        parts.append(html.P(words("upload_taken", n=fmt.count(taken.received))))
    return parts


def _taken(taken: UploadReceipt, zone: ZoneInfo, words: Words) -> list[Component]:
    name = html.Code(taken.name)
    parts: list[Component] = [
        html.P(words.rich("upload_done", name=name, n=html.B(fmt.count(taken.received)))),
        html.Dl(
            [
                part
                for count in COUNTS
                for part in (
                    html.Dt(words(count)),
                    html.Dd(fmt.count(getattr(taken, count)), id=f"collection-receipt-{count}", className="num"),
                )
            ],
            className="counts",
        ),
    ]
    if taken.received and taken.duplicate == taken.received:
        parts.append(html.P(words("upload_all_known")))
    if taken.quarantined_by_kind:
        kinds = [
            html.Li([html.Span(kind_name(kind, words)), html.Span(fmt.count(number), className="num")])
            for kind, number in sorted(taken.quarantined_by_kind.items(), key=lambda item: -item[1])
        ]
        parts.append(html.Ul(kinds, className="rows kinds"))
    if taken.first is not None and taken.last is not None:
        href = address("/", {}, service=taken.service, **whole_range(Range(taken.first, taken.last), zone))
        parts.append(dcc.Link(words("upload_show"), href=href, className="button sm", id="collection-receipt-link"))
    return parts


def whole_range(span: Range, zone: ZoneInfo) -> dict[str, str]:
    """Start and end of an address that shows all of a range, on whole minutes."""
    return {"start": around(Range(span.start, span.start), zone)["start"], "end": around(span, zone)["end"]}
