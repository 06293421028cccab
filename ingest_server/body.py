"""Take a request body apart into records: what is broken costs itself, never its neighbours. Pure.

The first byte decides, not the Content-Type: Fluent Bit labels three framings `application/json`.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from ingest_server.lines import parse_line

MOST_DECODED_BYTES = 64 * 1024 * 1024
# A text line may begin with a bracket too: `[error] ...`.
_ARRAY = re.compile(rb"\[\s*[\]{]")
_OPENING, _CLOSING, _QUOTE, _BACKSLASH = b"{[", b"}]", ord('"'), ord("\\")


class TooLarge(Exception):
    """The body is larger than MOST_DECODED_BYTES once decompressed."""


class UnknownEncoding(Exception):
    """A Content-Encoding that we cannot undo."""


class BrokenEncoding(Exception):
    """The body is not what its Content-Encoding says."""


@dataclass(frozen=True, slots=True)
class Item:
    """One record as it came; `value` is None where it is no JSON object, and `reason` says so."""

    raw: bytes
    value: dict[str, Any] | None
    reason: str = ""


def decompress(body: bytes, encoding: str) -> bytes:
    """Undo a Content-Encoding, with a bound on the result.

    Raises:
        UnknownEncoding, BrokenEncoding, TooLarge: see there.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        if len(body) > MOST_DECODED_BYTES:
            raise TooLarge
        return body
    if name not in ("gzip", "x-gzip", "deflate"):
        raise UnknownEncoding(name)
    decoded = bytearray()
    try:
        rest = body
        while rest:
            member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip or zlib, whichever header is there
            decoded += member.decompress(rest, MOST_DECODED_BYTES + 1 - len(decoded))
            if len(decoded) > MOST_DECODED_BYTES:
                raise TooLarge
            if not member.eof:
                raise BrokenEncoding(f"the body ends in the middle of its {name} stream")
            rest = member.unused_data
    except zlib.error:
        raise BrokenEncoding(f"the body is no {name} stream") from None
    return bytes(decoded)


def items(body: bytes) -> Iterator[Item]:
    """Yield the records of a decoded body: an object, an array, or objects with or without line ends."""
    text = body.removeprefix(codecs.BOM_UTF8).strip()
    if not text:
        return
    if text[:1] == b"[" and (array := _array(text)) is not None:
        yield from array
    elif text[:1] == b"{" and (single := _object(text)).value is not None:
        yield single
    else:
        for line in text.split(b"\n"):
            if line.strip():
                yield from _line(line.strip())


def _array(text: bytes) -> Iterator[Item] | None:
    """The elements of an array; None where the text is none."""
    try:
        return (_object(bytes(raw)) for raw in msgspec.json.decode(text, type=list[msgspec.Raw]))
    except (msgspec.DecodeError, RecursionError):
        # One invalid value (nan, \\x..) spoils the array for the parser; its records are found by their brackets.
        return _scanned(text[1:]) if _ARRAY.match(text) else None


def line_item(line: bytes, format_name: str = "auto") -> Item:
    """Read one line: a JSON object, or a line of a text log in one of `lines.FORMATS`."""
    if format_name == "json" or (format_name == "auto" and line[:1] == b"{"):
        return _object(line)
    record = parse_line(line.decode("utf-8", "replace"), format_name)
    return Item(line, record, "" if record else "the line fits no known log format")


def _line(line: bytes) -> Iterator[Item]:
    whole = line_item(line)
    if whole.value is None and line[:1] == b"{" and b"}{" in line.replace(b" ", b""):
        yield from _scanned(line)
    else:
        yield whole


def _object(raw: bytes) -> Item:
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Item(raw, None, f"not JSON: {error}")
    if not isinstance(value, dict):
        return Item(raw, None, "not a JSON object")
    return Item(raw, value)


def _scanned(text: bytes) -> Iterator[Item]:
    """Cut text into its outermost bracketed parts, and what lies between them if it is not just a comma."""
    start = at = depth = 0
    quoted = False
    while at < len(text):
        byte = text[at]
        if quoted:
            if byte == _BACKSLASH:
                at += 1
            elif byte == _QUOTE:
                quoted = False
        elif byte == _QUOTE:
            quoted = True
        elif byte in _OPENING:
            if depth == 0:
                yield from _between(text[start:at])
                start = at
            depth += 1
        elif byte in _CLOSING and depth:
            depth -= 1
            if depth == 0:
                yield _object(text[start : at + 1])
                start = at + 1
        at += 1
    yield from _between(text[start:])


def _between(text: bytes) -> Iterator[Item]:
    rest = text.strip(b" \t\r\n,]")
    if rest:
        yield _object(rest)
