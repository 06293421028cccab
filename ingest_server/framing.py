"""Take a decoded body apart into records: what is broken costs itself, never its neighbours. Pure.

The first byte decides, not the Content-Type: Fluent Bit labels three framings `application/json`. What is valid goes
through one call of the parser; only a body that it refuses is searched for its records.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from ingest_server import gelf, msgpack_events
from ingest_server.formats import parse_line
from ingest_server.json_scan import NOT_JSON, parts, read_object, spans

# What a body may make of memory: a record is some hundred bytes, and a broken one costs as much as a good one.
MOST_RECORDS = 1_000_000
MOST_REFUSED = 10_000
LONGEST_LINE = 1024 * 1024
NO_FORMAT = "the line fits no known log format"
_START = re.compile(rb"(?:[\s\0]|\xef\xbb\xbf)*+")
# A text line may begin with a bracket too: `[error] ...`.
_ARRAY = re.compile(rb"\[\s*+[\]{]")
_DECODER = msgspec.json.Decoder()
_RAW_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_ONLY_RECORDS = {dict}

Record = dict[str, Any]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Broken:
    """One record that is no JSON object or fits no log format: its bytes, and why in at most 200 characters."""

    raw: bytes
    reason: str


class Decoded:
    """The records of a body in its order, each with its bytes for the case that it is refused later."""

    __slots__ = ("_cut", "_raws", "values")

    def __init__(self, values: list[Record | Broken], cut: Callable[[], list[bytes]]) -> None:
        """Keep values, and how to find the bytes of each of them."""
        self.values = values
        self._cut = cut
        self._raws: list[bytes] | None = None

    def raw_of(self, i: int) -> bytes:
        """Return the bytes of record i as they came; the first call looks for all of them."""
        value = self.values[i]
        if isinstance(value, Broken):
            return value.raw
        if self._raws is None:
            self._raws = self._cut()
        return self._raws[i]


def decode(body: bytes) -> Decoded:
    """Return the records of a body, decompressed, of any framing; nothing raises and nothing is lost."""
    if msgpack_events.BEGINNING.match(body):
        return _collected(body, _from_msgpack(body))
    start = _START.match(body)
    text = body[start.end() :] if start and start.end() else body
    crowded = len(text) > 2 * MOST_RECORDS and text.count(b"{") + text.count(b"[") > MOST_RECORDS
    fast = None
    if not crowded:
        fast = _objects(text) if text[:1] == b"{" else _array(text) if text[:1] == b"[" else None
    return fast or _collected(text, _from_text(text))


def line_value(line: bytes, format_name: str = "auto") -> Record | Broken:
    """Read one line: a JSON object, or a line of a text log in the format of this name."""
    if format_name == "json" or (format_name == "auto" and line[:1] == b"{"):
        value, reason = read_object(line)
        return Broken(line, reason) if value is None else gelf.unwrapped(value)
    value, reason = _read_line(line, format_name)
    return Broken(line, reason) if value is None else value


def _objects(text: bytes) -> Decoded | None:
    """Valid objects, one after the other, with anything from nothing to line breaks in between."""
    try:
        values = _DECODER.decode_lines(text)
    except NOT_JSON:
        return None
    if set(map(type, values)) != _ONLY_RECORDS:
        return None
    return Decoded(_unwrapped(text, values), lambda: _object_raws(text, len(values)))


def _object_raws(text: bytes, count: int) -> list[bytes]:
    lines = [line for line in map(bytes.strip, text.split(b"\n")) if line]
    # Inside JSON no brace may open right after one has closed: then every line break is between two records.
    if len(lines) == count and all(line[:1] == b"{" and line[-1:] == b"}" for line in lines):
        return lines
    return [text[start:end] for start, end in spans(text)]


def _array(text: bytes) -> Decoded | None:
    """One valid array; what is no object in it is broken, but not where there is too much of that."""
    try:
        values = _DECODER.decode(text)
    except NOT_JSON:
        return None

    def cut() -> list[bytes]:
        return [bytes(raw) for raw in _RAW_ARRAY.decode(text)]

    if set(map(type, values)) - _ONLY_RECORDS:
        if sum(type(value) is not dict for value in values) > MOST_REFUSED:
            return None
        raws = cut()
        values = [
            value if type(value) is dict else Broken(raw, "not a JSON object")
            for value, raw in zip(values, raws, strict=True)
        ]
    return Decoded(_unwrapped(text, values), cut)


def _unwrapped(text: bytes, values: list[Record | Broken]) -> list[Record | Broken]:
    if gelf.MARK not in text:
        return values
    return [value if isinstance(value, Broken) else gelf.unwrapped(value) for value in values]


def _from_text(text: bytes) -> Iterator[tuple[int, int, Record | None, str]]:
    for start, end, value, reason in parts(text, array=_ARRAY.match(text) is not None):
        if value is not None:
            yield start, end, gelf.unwrapped(value), ""
        elif reason:
            yield start, end, None, reason
        else:
            yield start, end, *_read_line(text[start:end], "auto")


def _from_msgpack(body: bytes) -> Iterator[tuple[int, int, Record | None, str]]:
    return (event for event in msgpack_events.events(body) if event.record is not None or event.reason)


def _read_line(line: bytes, format_name: str) -> tuple[Record | None, str]:
    if len(line) > LONGEST_LINE:
        return None, f"longer than {LONGEST_LINE} bytes"
    record = parse_line(line.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace"), format_name)
    return record, "" if record else NO_FORMAT


def _collected(text: bytes, found: Iterable[tuple[int, int, Record | None, str]]) -> Decoded:
    """Put together what was found; where there is too much of it, neighbours become one broken record."""
    values: list[Record | str] = []
    places: list[Span] = []
    refused = 0
    for seen, (start, end, record, reason) in enumerate(found):
        if seen >= MOST_RECORDS:
            values.append(f"more than {MOST_RECORDS} records in one body: this is the rest of it")
            places.append((start, len(text)))
            break
        if record is not None:
            values.append(record)
        elif refused >= MOST_REFUSED and isinstance(values[-1], str):
            places[-1] = (places[-1][0], end)
            continue
        else:
            refused += 1
            values.append(reason)
        places.append((start, end))
    return Decoded(
        [
            Broken(text[start:end], value) if isinstance(value, str) else value
            for value, (start, end) in zip(values, places, strict=True)
        ],
        lambda: [text[start:end] for start, end in places],
    )
