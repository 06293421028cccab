"""Download of one quarantined record, byte for byte as it is kept."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, Response, request

from dashapp.api_params import BadParameter, whole_number
from dashapp.stats.collection import MOST_RECORD_BYTES
from sql.collection import quarantined
from sql.connection import snapshot

PATH = "/collection/quarantine/record"
_LARGEST_ID = 2**62


def register(api: Blueprint, engine: sa.Engine) -> None:
    """Add the route of the download."""

    @api.get(PATH)
    def get_record() -> Response:
        if not request.args.get("id"):
            raise BadParameter("id must be given: it names the record, as /api/collection/quarantine does")
        number = whole_number(request.args, "id", 1, most=_LARGEST_ID)
        with snapshot(engine) as reading:
            found = quarantined(reading, before=number + 1, most=1, most_bytes=MOST_RECORD_BYTES)
        if not found or found[0].id != number:
            raise BadParameter(f"there is no record {number} in quarantine: it was dropped, or could be read since")
        # Bytes of a stranger: never shown by a browser, only saved.
        response = Response(found[0].record, mimetype="application/octet-stream")
        response.headers["Content-Disposition"] = f'attachment; filename="quarantine-{number}.txt"'
        response.headers["Cache-Control"] = "no-store"
        return response
