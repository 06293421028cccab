"""The rows of the log over the read API: search page by page, and download of all that match."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, request

from dashapp.api_params import BadParameter, choice, filters_of, whole_number
from dashapp.completeness import Completeness
from dashapp.log_files import ENCODERS, compressed
from dashapp.time_range import range_of
from sql.connection import DatabaseUnavailable
from sql.export import Export, export
from sql.plan import Range
from sql.position import Position, position_of
from sql.search import Found, search

MOST_ROWS = 1_000
# Each keeps a thread of the server for as long as its client takes.
MOST_EXPORTS = 4


def register(api: Blueprint, engine: sa.Engine, completeness: Completeness) -> None:
    """Add the routes /logs and /logs/export."""
    exports = threading.BoundedSemaphore(MOST_EXPORTS)

    @api.get("/logs")
    def get_logs() -> Response:
        complete = completeness.through()
        filters, span = filters_of(request.args), range_of(request.args, complete)
        limit = whole_number(request.args, "limit", 100, most=MOST_ROWS)
        found = search(engine, span, filters, limit=limit, before=_position(request.args.get("before")))
        answer = {"start": span.start, "end": span.end, "complete_through": complete, **_page(found, span)}
        return Response(json.dumps(answer, default=_plain, ensure_ascii=False), mimetype="application/json")

    @api.get("/logs/export")
    def get_export() -> Response:
        complete = completeness.through()
        filters, span = filters_of(request.args), range_of(request.args, complete)
        kind = choice(request.args, "format", tuple(ENCODERS))
        packed = choice(request.args, "gzip", ("0", "1")) == "1"
        marked = choice(request.args, "bom", ("0", "1")) == "1"
        if not exports.acquire(blocking=False):
            raise DatabaseUnavailable(f"{MOST_EXPORTS} exports are running already")
        try:
            exported = export(engine, span, filters)
            encoder = ENCODERS[kind]
            pages = exported.pages()
            # What is wrong at once gets a status; later only a cut connection can tell.
            body = encoder.encode(_chain(next(pages), pages), marked=marked)
            if packed:
                body = compressed(body)
            response = Response(body, mimetype="application/gzip" if packed else encoder.mimetype)
        except BaseException:
            exports.release()
            raise
        response.call_on_close(exports.release)
        name = _file_name(exported) + f".{kind}" + (".gz" if packed else "")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers["Cache-Control"] = "no-store"
        return response


def _position(cursor: str | None) -> Position | None:
    try:
        return position_of(cursor) if cursor else None
    except ValueError as error:
        raise BadParameter(str(error)) from None


def _page(found: Found, span: Range) -> dict[str, Any]:
    kept_from = found.kept_from or span.start
    return {
        "logs": found.rows,
        "next_before": None if found.next is None else str(found.next),
        "truncated": found.truncated,
        "query": {
            "ms": round(found.seconds * 1000, 1),
            "rows_read": found.rows_read,
            "statements": found.statements,
            "not_kept": [{"start": span.start, "end": min(kept_from, span.end)}] if kept_from > span.start else [],
        },
    }


def _chain(first: list[dict[str, Any]], rest: Iterator[list[dict[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    yield first
    yield from rest


def _file_name(exported: Export) -> str:
    start, end = exported.whole.start, exported.whole.end
    start = max(start, exported.kept_from or start)
    return f"accessboard_{start.astimezone(UTC):%Y%m%dT%H%M%SZ}_{end.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    raise TypeError(type(value).__name__)
