"""Envoy's JSON access log as its documentation and Istio configure it; the duration is in milliseconds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_server.addresses import client_address
from ingest_server.formats.dialect import Dialect, put, take
from ingest_server.formats.record import Record

_USER_AGENT = ("user_agent", "user-agent")
_FORWARDERS = ("x_forwarded_for", "x-forwarded-for")


def reshape(record: Mapping[str, Any]) -> Record:
    """Return the record under our names; the client is the first forwarder, else the peer of the connection."""
    result = dict(record)
    forwarders = next((value for name in _FORWARDERS if isinstance(value := record.get(name), str)), "")
    client = client_address(forwarders)
    put(
        result,
        timestamp=take(result, "start_time"),
        path=take(result, "x-envoy-original-path", "x_envoy_original_path"),
        status=take(result, "response_code"),
        latency_ms=take(result, "duration"),
        bytes=take(result, "bytes_sent"),
        client_ip=client or take(result, "downstream_remote_address"),
        user_agent=take(result, *_USER_AGENT),
        referer=take(result, "referer"),
    )
    return result


ENVOY = Dialect("envoy", frozenset({"start_time", "response_code"}), reshape)
