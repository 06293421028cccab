"""One request per line in plain words: `2025-05-01T10:15:30Z GET /api/user/list 200 123ms`. Pure."""

from __future__ import annotations

import re

from ingest_server.fields import UNIT_MS
from ingest_server.formats.record import Record, is_time

_LINE = re.compile(
    r"(\d{4}[-/]\d\d[-/]\d\d(?:[Tt]|\s++)\d\d:\d\d:\d\d(?:[.,]\d++)?(?:\s*+(?:[Zz]|[+-]\d\d:?\d\d))?)\s++"
    r"([A-Za-z][A-Za-z0-9_-]{0,31})\s++(\S++)\s++(\d{3})\s++(\d++(?:\.\d++)?)\s*+(ms|s|us|µs|μs|ns)?",
    re.ASCII,
)


def parse_plain(line: str) -> Record | None:
    """Return the record of a line, or None where it is none; without a unit the last number is milliseconds."""
    if line[4:5] not in ("-", "/") or (match := _LINE.fullmatch(line)) is None:
        return None
    time, method, path, status, number, unit = match.groups()
    if not is_time(time):
        return None
    return {
        "timestamp": time,
        "method": method.upper(),
        "path": path,
        "status": status,
        "latency_ms": float(number) * (UNIT_MS[unit] if unit else 1),
    }
