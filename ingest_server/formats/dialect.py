"""What a dialect of JSON is, and the steps that dialects share. Pure; no record that comes in is changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ingest_server.fields import ABSENT, pick
from ingest_server.formats.record import Record, split_request

_NOTHING = (None, *ABSENT)
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_TARGET = re.compile(r"[/*]|[A-Za-z][A-Za-z0-9+.-]*://")
# Column -> names inside of an object that is the request.
_IN_REQUEST = {
    "method": ("method",),
    "path": ("uri", "url", "path"),
    "client_ip": ("client_ip", "remote_ip", "remoteAddress", "remote_addr", "ip"),
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """A way to name and to nest the fields of a request.

    Attributes:
        name: how the documentation calls it.
        needs: top-level names that tell it from the others; all of them.
        reshape: returns a new record under our names and in our units; what has no column keeps its own name.
            Where a value is not of the expected kind the field stays as it is.
    """

    name: str
    needs: frozenset[str]
    reshape: Callable[[Mapping[str, Any]], Record]


def take(record: Record, *names: str) -> Any:
    """Remove and return the first field that is there and says something; None where none does."""
    for name in names:
        value = record.get(name)
        if value is not None and value not in ABSENT:
            return record.pop(name)
    return None


def take_path(record: Record, path: str) -> Any:
    """Remove and return a field by its dotted path, be it one dotted name or objects in objects."""
    if path in record:
        return take(record, path)
    name, dot, rest = path.partition(".")
    inner = record.get(name)
    if not dot or not isinstance(inner, dict):
        return None
    inner = dict(inner)
    value = take_path(inner, rest)
    if value is not None:
        record[name] = inner
        if not inner:
            del record[name]
    return value


def put(record: Record, **fields: Any) -> None:
    """Set those fields that have a value."""
    record.update({name: value for name, value in fields.items() if value is not None})


def take_header(holder: Record, name: str) -> str | None:
    """Remove and return a header of `holder["headers"]`, whatever its case; of several values the first."""
    headers = holder.get("headers")
    if not isinstance(headers, dict):
        return None
    for key, value in headers.items():
        if str(key).lower() == name:
            first = value[0] if isinstance(value, list) and value else value
            if not isinstance(first, str):
                return None
            holder["headers"] = {k: v for k, v in headers.items() if k != key}
            return first
    return None


def take_request(record: Record, name: str = "request") -> None:
    """Read the field that holds the request: an object, a request line `GET /a HTTP/1.1`, or a path.

    It may as well be a sentence or an id beside complete fields, so it replaces nothing that the record says.
    """
    request = record.get(name)
    if isinstance(request, str):
        method, path, protocol = split_request(request) or ("", "", None)
        if pick(record, "path") is not None:
            return
        if _METHOD.fullmatch(method) and (protocol or _TARGET.match(path)):
            del record[name]
            put(record, method=method, path=path, protocol=protocol)
        elif request.startswith("/"):
            put(record, path=record.pop(name))
    elif isinstance(request, dict):
        inner = dict(request)
        for column, names in _IN_REQUEST.items():
            # Where `host` is all that may be a client, it is more likely a virtual host.
            if record.get(column) in _NOTHING if column == "client_ip" else pick(record, column) is None:
                put(record, **{column: take(inner, *names)})
        for column, header in (("user_agent", "user-agent"), ("referer", "referer")):
            if pick(record, column) is None:
                put(record, **{column: take_header(inner, header)})
        _put_back(record, name, inner)


def take_response(record: Record, name: str = "response") -> None:
    """Read the field that holds the response: an object with a status and a size, or the status alone."""
    response = record.get(name)
    if isinstance(response, dict):
        inner = dict(response)
        if pick(record, "status") is None:
            put(record, status=take(inner, "status", "statusCode", "status_code"))
        if pick(record, "bytes") is None:
            put(record, bytes=take(inner, "size", "bytes"))
        _put_back(record, name, inner)
    elif isinstance(response, int | str) and len(str(response)) == 3 and pick(record, "status") is None:
        put(record, status=record.pop(name))


def _put_back(record: Record, name: str, rest: Record) -> None:
    if rest.get("headers") == {}:
        del rest["headers"]
    if rest:
        record[name] = rest
    else:
        del record[name]
