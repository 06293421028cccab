"""Which field of a record means what: one declared table of names and units."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any


def _names(text: str, factor: float = 1) -> dict[str, float]:
    return dict.fromkeys(text.split(), factor)


# Column -> names in order of preference, each with the factor that brings its value to the column's unit.
# Names are as nginx, Apache, Fluent Bit's parsers (code, size, agent), Logstash's grok (clientip, verb, response)
# and web frameworks write them. `date` comes last: it is when Fluent Bit read the line where nothing else was known.
ALIASES: Mapping[str, Mapping[str, float]] = {
    "timestamp": _names(
        "timestamp @timestamp ts time_iso8601 time_local time datetime start_time started_at event_time msec date"
    ),
    "method": _names("method request_method http_method verb cs_method"),
    "path": _names(
        "path uri url request_uri request_path request_url request_target http_path http_target url_path uri_path "
        "original_url cs_uri_stem"
    ),
    "status": _names(
        "status status_code code http_status http_status_code response_code response_status sc_status http_code"
    ),
    # A name that states its unit comes before one that does not. Without a unit it is milliseconds, but for nginx's
    # request_time, which counts seconds. A text may state its unit itself: see `milliseconds`.
    "latency_ms": {
        **_names("latency_ms duration_ms response_time_ms elapsed_ms request_time_ms took_ms time_ms"),
        **_names("latency_us duration_us response_time_us elapsed_us request_time_us time_us", 1e-3),
        **_names("latency_ns duration_ns response_time_ns elapsed_ns", 1e-6),
        **_names("latency_s duration_s response_time_s elapsed_s duration_seconds latency_seconds", 1e3),
        **_names("request_time", 1e3),
        **_names("latency response_time responsetime duration elapsed took time_taken request_duration"),
    },
    "bytes": _names(
        "bytes bytes_sent body_bytes_sent size response_size bytes_out sent_bytes response_bytes content_length "
        "bytes_written response_length sc_bytes"
    ),
    # What the server saw comes before what a header claims; `host` may be a client or a virtual host, and is the
    # client only where it is an address.
    "client_ip": _names(
        "client_ip remote_addr remote ip remote_ip clientip client client_addr client_address remote_address "
        "remote_host source_ip src_ip ip_address c_ip x_real_ip x_forwarded_for http_x_forwarded_for host"
    ),
    "user_agent": _names("user_agent http_user_agent agent ua useragent cs_user_agent"),
    "referer": _names("referer referrer http_referer http_referrer cs_referer"),
    "service": _names("service service_name"),
}
ID_FIELDS = ("_id",)
RAW_LINE_FIELDS = ("log", "message")
ABSENT = ("", "-")

# Milliseconds per unit; the sign for micro is two characters of Unicode that look alike.
UNIT_MS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}
_WITH_UNIT = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s?(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_SPACE = re.compile(r"\s*")
LONGEST_DURATION = 64


def pick(record: Mapping[str, Any], column: str) -> tuple[str, Any, float] | None:
    """Return (name, value, factor) of the field that holds a column, or None where the record has none.

    A field that is null, empty or `-` counts as absent: that is how web servers write "nothing".
    """
    for name, factor in ALIASES[column].items():
        value = record.get(name)
        if value is not None and value not in ABSENT:
            return name, value, factor
    return None


def milliseconds(value: object, factor: float = 1) -> float | None:
    """Return a duration in milliseconds, or None where it is none or negative.

    Args:
        value: a number, a number as text, or a text with units as Go writes it (`1.5ms`, `2m3.5s`, `350µs`).
        factor: milliseconds per unit of a bare number; a unit in the text wins over it.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value) * factor
    except ValueError:
        number = _with_units(str(value))
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _with_units(text: str) -> float:
    """The sum of the parts of a text such as `1m2.5s`; not a number where it is anything else."""
    total, parts = 0.0, 0
    text = text.strip()
    if len(text) > LONGEST_DURATION or _SPACE.sub("", _WITH_UNIT.sub("", text)):
        return math.nan
    for number, unit in _WITH_UNIT.findall(text):
        total += float(number) * UNIT_MS[unit]
        parts += 1
    return total if parts else math.nan
