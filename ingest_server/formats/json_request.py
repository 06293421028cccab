"""JSON in which a field `request` is the request line, a path or an object; nginx, Apache, Logstash, Kong. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_server.fields import milliseconds
from ingest_server.formats.dialect import Dialect, put, take_path, take_request, take_response
from ingest_server.formats.record import Record


def reshape_request(record: Mapping[str, Any]) -> Record:
    """Return the record with what `request` and `response` hold under our names; Kong's latencies are in ms."""
    result = dict(record)
    take_request(result)
    take_response(result)
    before = dict(result)
    latency = milliseconds(take_path(result, "latencies.request"))
    if latency is None:
        return before
    put(result, latency_ms=latency)
    return result


def reshape_pino(record: Mapping[str, Any]) -> Record:
    """Return the record of pino-http and its like: `req`, `res`, and `responseTime` in milliseconds."""
    result = dict(record)
    take_request(result, "req")
    take_response(result, "res")
    latency = milliseconds(record.get("responseTime"))
    if latency is not None:
        del result["responseTime"]
        put(result, latency_ms=latency)
    return result


REQUEST = Dialect("request", frozenset({"request"}), reshape_request)
PINO = Dialect("pino", frozenset({"req", "res"}), reshape_pino)
