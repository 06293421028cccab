"""Find the records of a body that is not valid JSON as a whole: what is broken costs itself only. Pure.

Only for bodies that the parser refused: it is ten times slower than the parser. Every byte is looked at a fixed
number of times, whatever the body: each search ends where the next one begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

LONGEST_RECORD = 8 * 1024 * 1024
_LONGEST_REASON = 200
_OPEN, _QUOTE, _NEWLINE, _COLON = b'{"\n:'
_CLOSING_OF = {ord("{"): ord("}"), ord("["): ord("]")}
# What JSON may go on with, inside an object, on a new line; nothing where the text ends there.
_CONTINUATION = frozenset((b'"', b"}", b",", b":", b""))
_MARK = rb"\xef\xbb\xbf"
# NUL bytes are what a log that was truncated under its writer is filled with.
_BEFORE_LINE = re.compile(rb"(?:[\s\0]|" + _MARK + rb")*+")
_AFTER_RECORD = re.compile(rb"(?:[\s\0,]|" + _MARK + rb")*+")
_IN_ARRAY = re.compile(rb"(?:[\s\0,\[\]]|" + _MARK + rb")*+")
_GAP_IN_LINE = re.compile(rb"[^\n{]++")
_GAP_IN_ARRAY = re.compile(rb"[^{]++")
_LINE_ENDS, _ARRAY_SEPARATORS = b" \t\r\n\v\f\0", b" \t\r\n\v\f\0,["
# A string that ends in its line and is followed by what may follow one; else its quote alone, which is an error.
_TOKEN = re.compile(
    rb'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"(?=\s*+(?:[:,}\]]|\Z))' + rb'|[{}\[\]"]|\n\s*+',
)
# Where to go on after an error: at the next record that follows a bracket, or the next line that continues nothing.
_RESUME = re.compile(rb'([}\]])\s*+,?+\s*+(?=\{\s*+")|\n(?=[^\s"}\],:])')
_STARTS_RECORD = re.compile(rb'\{\s*+"')

decode_json = msgspec.json.Decoder().decode
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Part(NamedTuple):
    """One record of a text: where it is, and what it says, or why it says nothing.

    A line of text has neither: it is not for this module to read.
    """

    start: int
    end: int
    value: dict[str, Any] | None
    reason: str


def read_object(raw: bytes) -> tuple[dict[str, Any] | None, str]:
    """Return the JSON object in raw, or None and the reason why there is none."""
    if len(raw) > LONGEST_RECORD:
        return None, f"longer than {LONGEST_RECORD} bytes"
    try:
        value = decode_json(raw)
    except NOT_JSON as error:
        return None, f"not JSON: {error}"[:_LONGEST_REASON]
    return (value, "") if isinstance(value, dict) else (None, "not a JSON object")


def parts(text: bytes, *, array: bool = False) -> Iterator[Part]:
    """Yield all that is between the separators of a text, in its order.

    Args:
        text: JSON objects, one a line or glued or printed over several lines, and lines of text between them.
        array: the text is a JSON array of objects instead, perhaps cut off.
    """
    at, after_record = 0, False
    while True:
        separator = _IN_ARRAY if array else _AFTER_RECORD if after_record else _BEFORE_LINE
        before, at = at, _after(separator, text, at)
        if at == len(text):
            return
        begins_line = not array and (before == 0 or text.find(b"\n", before, at) >= 0)
        part = _record_at(text, at, begins_line) if text[at] == _OPEN else _other_at(text, at, begins_line, array)
        yield part
        at, after_record = part.end, part.value is not None or part.reason != ""


def spans(text: bytes) -> list[tuple[int, int]]:
    """Return where the objects of a text are that is known to be nothing but valid JSON objects."""
    found, at = [], 0
    while (at := text.find(b"{", at)) >= 0:
        end = end_of_record(text, at, valid=True)
        found.append((at, end))
        at = end
    return found


def end_of_record(text: bytes, start: int, *, valid: bool = False) -> int:
    """Return where the object ends that begins at start: at its bracket, or where it cannot go on.

    A bracket or a line break inside a string is none. After an error (a string without an end, a bracket that
    nothing opened, an object where none can be) the record lasts until the next one begins. A line break after
    a colon is such an error as well, unless the text is known to be valid: so much likelier is a line cut there.
    """
    awaited = bytearray()
    end, before = start, 0  # the last token's end; the last byte before a token that is no white space
    for token in _TOKEN.finditer(text, start):
        at = token.start()
        byte = text[at]
        if at > end and (between := text[end:at].strip()):
            before = between[-1]
        end = token.end()
        if byte == _NEWLINE:
            if awaited[-1] == _CLOSING_OF[_OPEN] and text[end : end + 1] not in _CONTINUATION and not valid:
                return at
            continue
        if byte == _QUOTE:
            if end - at == 1:
                return _resumed(text, at)
        elif byte in _CLOSING_OF:
            if awaited and not _may_open(awaited[-1], before):
                return at if _STARTS_RECORD.match(text, at) else _resumed(text, at)
            awaited.append(_CLOSING_OF[byte])
        else:
            if awaited[-1] != byte:
                return _resumed(text, at)
            awaited.pop()
            if not awaited:
                return end
        before = text[end - 1]
    return len(text)


def _may_open(awaited: int, before: int) -> bool:
    """Whether a bracket may open after the byte before it, inside what awaits that bracket."""
    return before == _COLON if awaited == _CLOSING_OF[_OPEN] else before in b"[,"


def _resumed(text: bytes, at: int) -> int:
    found = _RESUME.search(text, at)
    if found is None:
        return len(text)
    return found.start() + 1 if found[1] else found.start()


def _record_at(text: bytes, at: int, begins_line: bool) -> Part:
    if begins_line:
        # One record a line is the rule, and the parser finds its end much faster.
        end = _trimmed(text, at, _end_of_line(text, at))
        value, reason = read_object(text[at:end])
        if value is not None:
            return Part(at, end, value, reason)
    end = _trimmed(text, at, end_of_record(text, at))
    return Part(at, end, *read_object(text[at:end]))


def _other_at(text: bytes, at: int, begins_line: bool, array: bool) -> Part:
    if begins_line:
        return Part(at, _trimmed(text, at, _end_of_line(text, at)), None, "")
    raw = text[at : _after(_GAP_IN_ARRAY if array else _GAP_IN_LINE, text, at)]
    raw = raw.rstrip(_ARRAY_SEPARATORS if array else _LINE_ENDS)
    if array and raw.count(b"]") > raw.count(b"["):
        raw = raw.removesuffix(b"]").rstrip(_ARRAY_SEPARATORS)  # that of the array itself
    return Part(at, at + len(raw), None, read_object(raw)[1] or "not a JSON object")


def _after(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _end_of_line(text: bytes, at: int) -> int:
    end = text.find(b"\n", at)
    return len(text) if end < 0 else end


def _trimmed(text: bytes, start: int, end: int) -> int:
    return start + len(text[start:end].rstrip(_LINE_ENDS))
