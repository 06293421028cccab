"""Which field of a record means what: one declared table of names and units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Column -> names in order of preference, each with the factor that brings its value to the column's unit.
# nginx counts request_time in seconds; Fluent Bit's apache2 and nginx parsers say code, size, agent.
ALIASES: Mapping[str, Mapping[str, float]] = {
    "timestamp": dict.fromkeys(("timestamp", "@timestamp", "ts", "time_iso8601", "time", "datetime", "date"), 1),
    "method": dict.fromkeys(("method", "request_method", "http_method", "verb"), 1),
    "path": dict.fromkeys(("path", "uri", "url", "request_uri", "request_path"), 1),
    "status": dict.fromkeys(("status", "status_code", "code", "http_status", "response_code"), 1),
    "latency_ms": {
        "latency_ms": 1,
        "duration_ms": 1,
        "response_time_ms": 1,
        "elapsed_ms": 1,
        "request_time": 1000,
    },
    "bytes": dict.fromkeys(("bytes", "bytes_sent", "body_bytes_sent", "size", "response_size"), 1),
    "client_ip": dict.fromkeys(("client_ip", "remote_addr", "remote", "ip", "remote_ip", "host"), 1),
    "user_agent": dict.fromkeys(("user_agent", "http_user_agent", "agent", "ua"), 1),
    "referer": dict.fromkeys(("referer", "referrer", "http_referer"), 1),
    "service": {"service": 1},
}
ID_FIELDS = ("_id",)
RAW_LINE_FIELDS = ("log", "message")
ABSENT = ("", "-")


def pick(record: Mapping[str, Any], column: str) -> tuple[str, Any, float] | None:
    """Return (name, value, factor) of the field that holds a column, or None where the record has none.

    A field that is null, empty or `-` counts as absent: that is how web servers write "nothing".
    """
    for name, factor in ALIASES[column].items():
        value = record.get(name)
        if value is not None and value not in ABSENT:
            return name, value, factor
    return None
