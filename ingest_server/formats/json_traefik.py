"""Traefik's JSON access log: its own names, the duration in nanoseconds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_server.fields import milliseconds
from ingest_server.formats.dialect import Dialect, put, take
from ingest_server.formats.record import Record


def reshape(record: Mapping[str, Any]) -> Record:
    """Return the record under our names; OriginDuration and Overhead stay in nanoseconds under their own."""
    result = dict(record)
    duration = milliseconds(record.get("Duration"), 1e-6)
    if duration is not None:
        del result["Duration"]
    put(
        result,
        timestamp=take(result, "StartUTC", "StartLocal"),
        method=take(result, "RequestMethod"),
        path=take(result, "RequestPath"),
        status=take(result, "DownstreamStatus"),
        latency_ms=duration,
        bytes=take(result, "DownstreamContentSize"),
        client_ip=take(result, "ClientHost", "ClientAddr"),
        user_agent=take(result, "request_User-Agent", "request_user-agent"),
        referer=take(result, "request_Referer", "request_referer"),
        service=take(result, "ServiceName"),
        protocol=take(result, "RequestProtocol"),
    )
    return result


TRAEFIK = Dialect("traefik", frozenset({"RequestMethod", "RequestPath", "DownstreamStatus"}), reshape)
