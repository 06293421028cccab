"""What every format shares: the record it returns, and the parts of lines that formats have in common. Pure.

All patterns are linear in the length of a line: each repeat is possessive, or what follows it cannot begin with
what it repeats. A log line is written by whoever calls the server, and may be a megabyte of quotes.
"""

from __future__ import annotations

import re
from typing import Any

from ingest_server.times import to_micros

Record = dict[str, Any]

# Text in quotes with backslash escapes, as Apache and nginx write it. The group leaves the quotes out.
QUOTED = r'"((?:[^"\\]++|\\.)*+)"'
# A field of a line: in quotes or not; a line cut off by its writer may lack the last quote.
FIELD = re.compile(r'"((?:[^"\\]++|\\.)*+)(?:"|\\?$)|(\S+)', re.DOTALL)
_REQUEST = re.compile(r"(\S++)\s++(.*)", re.DOTALL)
_PROTOCOL = re.compile(r"HTTP/\S*")
_ESCAPED = re.compile(r'\\(["\\])|((?:\\x[0-9A-Fa-f]{2})+)')


def is_time(text: str) -> bool:
    """Tell whether a text is a moment; to_micros remembers it, so that the reader of the record pays nothing."""
    try:
        to_micros(text)
    except ValueError:
        return False
    return True


def split_request(line: str) -> tuple[str, str, str | None] | None:
    """Return method, target and protocol of `GET /a HTTP/1.1`; a target may hold blanks. None where it is none."""
    match = _REQUEST.fullmatch(line.strip())
    if match is None:
        return None
    method, target = match.groups()
    before, _, last = target.rpartition(" ")
    if before and _PROTOCOL.fullmatch(last):
        return method, before.rstrip(), last
    return method, target, None


def unescaped(text: str) -> str:
    r"""Undo what Apache and nginx escape in quotes: `\"`, `\\`, and `\x22` where the bytes are printable UTF-8."""
    return _ESCAPED.sub(_original, text) if "\\" in text else text


def present(**fields: str | None) -> Record:
    """Return the fields that are there: neither None, nor empty, nor the `-` of web servers."""
    return {name: value for name, value in fields.items() if value not in (None, "", "-")}


def _original(match: re.Match[str]) -> str:
    if match[1]:
        return match[1]
    try:
        text = bytes.fromhex(match[2].replace("\\x", "")).decode("utf-8")
    except UnicodeDecodeError:
        return match[2]
    return text if text.isprintable() else match[2]
