"""Read one line of a text log into a record. Pure; one pattern per format.

A line never raises: what no pattern fits is None, and the caller quarantines it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

# Request line in quotes with backslash escapes, as Apache and nginx write it; one backslash pair at a time,
# so that no input makes the pattern backtrack.
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_COMMON = rf"(\S+) (\S+) ([^\[\]]+) \[([^\[\]]+)\] {_QUOTED} (\d{{3}}|-) (\d+|-)"
_COMMON_LINE = re.compile(rf"{_COMMON}(?:\s(.*))?", re.DOTALL)
# What follows the common part, quoted or not; a line cut off by its writer may lack the last quote.
_FIELD = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|$)|(\S+)')
_PLAIN_LINE = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)\s+([A-Za-z]+)\s+(\S+)\s+(\d{3})\s+"
    r"(\d+(?:\.\d+)?)\s*(ms|s|us)?"
)
_REQUEST = re.compile(r"(\S+)\s+(.*?)(?:\s+(HTTP/\S+))?")
# White space that looks like a blank but is none; log lines copied through documents have it.
_ODD_SPACE = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2007": " ", "\ufeff": ""})
_MS = {"ms": 1.0, "s": 1000.0, "us": 0.001, None: 1.0}

Record = dict[str, Any]


def parse_combined(line: str) -> Record | None:
    """Apache and nginx "combined": common plus referrer and user agent; what follows stays as `rest`."""
    match = _COMMON_LINE.fullmatch(line)
    if match is None or not (match[8] or "").lstrip().startswith('"'):
        return None
    record = _common(match)
    if record is None:
        return None
    fields = [_unescaped(quoted or bare) for quoted, bare in _FIELD.findall(match[8])]
    record.update(zip(("referer", "user_agent"), fields, strict=False))
    return record | ({"rest": " ".join(fields[2:])} if fields[2:] else {})


def parse_common(line: str) -> Record | None:
    """The "common log format"; what follows it stays as `rest`."""
    match = _COMMON_LINE.fullmatch(line)
    record = None if match is None else _common(match)
    return record | {"rest": match[8].strip()} if record and match and match[8] else record


def parse_plain(line: str) -> Record | None:
    """`2025-05-01T10:15:30Z GET /api/user/list 200 123ms`; without a unit the last number is in ms."""
    match = _PLAIN_LINE.fullmatch(line)
    if match is None:
        return None
    return {
        "timestamp": match[1].replace(",", "."),
        "method": match[2].upper(),
        "path": match[3],
        "status": match[4],
        "latency_ms": float(match[5]) * _MS[match[6]],
    }


FORMATS = {"combined": parse_combined, "common": parse_common, "plain": parse_plain}


def parse_line(line: str, format_name: str = "auto") -> Record | None:
    """Read a line in one format, or in the first that fits for "auto"."""
    tidy = line.translate(_ODD_SPACE).strip()
    parsers = FORMATS.values() if format_name == "auto" else [FORMATS[format_name]]
    return next((record for record in (parse(tidy) for parse in parsers) if record is not None), None)


def _common(match: re.Match[str]) -> Record | None:
    request = _REQUEST.fullmatch(_unescaped(match[5]))
    try:
        moment = datetime.strptime(match[4], "%d/%b/%Y:%H:%M:%S %z")
    except ValueError:
        return None
    if request is None:
        return None
    record: Record = {
        "timestamp": moment,
        "client_ip": match[1],
        "method": request[1],
        "path": request[2],
        "status": match[6],
        "bytes": match[7],
    }
    extra: Mapping[str, str | None] = {"ident": match[2], "user": match[3], "protocol": request[3]}
    record.update({name: value for name, value in extra.items() if value not in (None, "-")})
    return record


def _unescaped(text: str) -> str:
    return text.replace('\\"', '"').replace("\\\\", "\\")
