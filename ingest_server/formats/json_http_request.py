"""The `httpRequest` object of Google Cloud's logs and of AWS WAF's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_server.fields import milliseconds
from ingest_server.formats.dialect import Dialect, put, take, take_path
from ingest_server.formats.record import Record


def reshape(record: Mapping[str, Any]) -> Record:
    """Return the record under our names; a latency without a unit is in seconds, as Google's `0.123s` is."""
    result = dict(record)
    request = record.get("httpRequest")
    if not isinstance(request, dict):
        return result
    inner = dict(request)
    latency = milliseconds(request.get("latency"), 1e3)
    if latency is not None:
        del inner["latency"]
    path, query = take(inner, "requestUrl", "uri"), take(inner, "args")
    put(
        result,
        method=take(inner, "requestMethod", "httpMethod"),
        path=f"{path}?{query}" if isinstance(path, str) and isinstance(query, str) else path,
        status=take(inner, "status") or take(result, "responseCodeSent"),
        latency_ms=latency,
        bytes=take(inner, "responseSize"),
        client_ip=take(inner, "remoteIp", "clientIp"),
        user_agent=take(inner, "userAgent"),
        referer=take(inner, "referer"),
        protocol=take(inner, "protocol", "httpVersion"),
        service=take_path(result, "resource.labels.service_name"),
    )
    if inner:
        result["httpRequest"] = inner
    else:
        del result["httpRequest"]
    return result


HTTP_REQUEST = Dialect("http_request", frozenset({"httpRequest"}), reshape)
