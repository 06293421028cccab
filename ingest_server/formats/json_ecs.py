"""The Elastic Common Schema, with dotted names or with objects in objects; durations in nanoseconds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_server.fields import milliseconds
from ingest_server.formats.dialect import Dialect, put, take_path
from ingest_server.formats.record import Record

# Column -> names, the first that is there counts.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "timestamp": ("@timestamp",),
    "method": ("http.request.method",),
    "status": ("http.response.status_code",),
    "bytes": ("http.response.bytes", "http.response.body.bytes"),
    "client_ip": ("client.ip", "source.ip", "client.address", "source.address"),
    "user_agent": ("user_agent.original",),
    "referer": ("http.request.referrer",),
    "service": ("service.name",),
}
_ALSO_OBJECTS = ("user_agent", "service")


def reshape(record: Mapping[str, Any]) -> Record:
    """Return the record under our names; `url.original` is preferred, since it holds the query too."""
    result = dict(record)
    found = {column: _first(result, names) for column, names in _NAMES.items()}
    path = take_path(result, "url.original")
    if path is None and (path := take_path(result, "url.path")) is not None:
        query = take_path(result, "url.query")
        path = f"{path}?{query}" if isinstance(path, str) and isinstance(query, str) else path
    before = dict(result)
    duration = milliseconds(take_path(result, "event.duration"), 1e-6)
    if duration is None:
        result = before
    for name in _ALSO_OBJECTS:  # what is left of an object must not give way to the text of the same name
        if found[name] is not None and isinstance(left := result.get(name), dict):
            del result[name]
            result |= {f"{name}.{inner}": value for inner, value in left.items()}
    put(result, path=path, latency_ms=duration, **found)
    return result


def _first(record: Record, names: tuple[str, ...]) -> Any:
    for name in names:
        value = take_path(record, name)
        if value is not None:
            return value
    return None


ECS_DOTTED = Dialect("ecs", frozenset({"http.request.method"}), reshape)
ECS_NESTED = Dialect("ecs_nested", frozenset({"http", "url"}), reshape)
