"""Caddy's JSON access log: the request is an object, the duration is in seconds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_server.fields import milliseconds
from ingest_server.formats.dialect import Dialect, put, take, take_request
from ingest_server.formats.record import Record


def reshape(record: Mapping[str, Any]) -> Record:
    """Return the record under our names; a duration that Caddy was told to write as text (`1.5ms`) is read too."""
    result = dict(record)
    if isinstance(record.get("request"), dict):
        duration = milliseconds(record.get("duration"), 1e3)
        if duration is not None:
            del result["duration"]
        put(result, timestamp=take(result, "ts"), latency_ms=duration, bytes=take(result, "size"))
    take_request(result)
    return result


CADDY = Dialect("caddy", frozenset({"request", "status", "duration"}), reshape)
