"""Read the events of a msgpack body, as Fluent Bit and Fluentd write them, into records of plain JSON values. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import lru_cache
from time import gmtime, strftime
from typing import Any, NamedTuple

import msgpack  # type: ignore[import-untyped]

# An array or a map. No text begins so: a byte from 80 to 9f begins no character of UTF-8, and after the others
# a byte of zeros does not go on with one.
BEGINNING = re.compile(rb"[\x80-\x9f]|[\xdc\xde]\x00|[\xdd\xdf]\x00\x00")
MOST_ELEMENTS = 65_536  # of one array in a record: room for a list is taken before its elements are there
_EVENT_TIME = 0
# Fluent Bit's marks of the beginning and the end of a group of records have these times, and no record.
_GROUP_MARKS = [msgpack.ExtType(_EVENT_TIME, mark + bytes(4)) for mark in (b"\xff\xff\xff\xff", b"\xff\xff\xff\xfe")]
_TEXT = frozenset({str})
_PLAIN = frozenset({str, int, bool, type(None)})
_BAD_VALUE = (ValueError, TypeError, OverflowError, RecursionError)


class Event(NamedTuple):
    """One value of the body, its place, and its record; without a record, a reason, or neither for a group mark."""

    start: int
    end: int
    record: dict[str, Any] | None
    reason: str


def events(body: bytes) -> Iterator[Event]:
    """Yield what is in a body of concatenated values; what cannot be read any further is the last one."""
    unpacker = _unpacker(len(body))
    unpacker.feed(body)
    end = 0
    try:
        while end < len(body):
            record, reason = _record(unpacker.unpack())
            start, end = end, unpacker.tell()
            yield Event(start, end, record, reason)
    except msgpack.OutOfData:
        yield Event(end, len(body), None, "the msgpack value is cut off")
    except _BAD_VALUE:
        # One value that cannot be built; the others are found without building any.
        yield from _one_by_one(body, end)


def _one_by_one(body: bytes, start: int) -> Iterator[Event]:
    walker = _unpacker(len(body))
    walker.feed(memoryview(body)[start:])
    end = start
    try:
        while end < len(body):
            walker.skip()
            at, end = end, start + walker.tell()
            yield Event(at, end, *_alone(body[at:end]))
    except msgpack.OutOfData:
        yield Event(end, len(body), None, "the msgpack value is cut off")
    except _BAD_VALUE as error:
        yield Event(end, len(body), None, f"not msgpack: {error}"[:200])


def _alone(raw: bytes) -> tuple[dict[str, Any] | None, str]:
    unpacker = _unpacker(len(raw), object_pairs_hook=_from_pairs)
    unpacker.feed(raw)
    try:
        return _record(unpacker.unpack())
    except (*_BAD_VALUE, msgpack.UnpackException) as error:
        return None, f"not msgpack: {error}"[:200]


def _unpacker(size: int, **options: Any) -> Any:
    return msgpack.Unpacker(
        strict_map_key=False,
        unicode_errors="replace",
        max_buffer_size=size,
        max_array_len=min(size, MOST_ELEMENTS),
        **options,
    )


def _from_pairs(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    return {key if isinstance(key, str) else _as_text(key): value for key, value in pairs}


def _record(value: Any) -> tuple[dict[str, Any] | None, str]:
    """Return the record of `[[time, metadata], record]`, of the older `[time, record]`, or of a bare record."""
    time: Any = None
    metadata: Any = None
    if type(value) is list and len(value) == 2:
        time, value = value
        if type(time) is list and len(time) == 2:
            time, metadata = time
    if time in _GROUP_MARKS:
        return None, ""
    if type(value) is not dict:
        return None, "not a msgpack event"
    as_is = _PLAIN.issuperset(map(type, value.values())) and _TEXT.issuperset(map(type, value))
    record = value if as_is else _plain_map(value)
    date = None if time is None or "date" in record else _date(time)
    front = {} if date is None else {"date": date}
    if metadata and type(metadata) is dict:
        front["__internal__"] = {"log_metadata": _plain_map(metadata)}  # as the JSON formats show it
    return (front | record if front else record), ""


def _event_time(value: Any) -> str | None:
    """Fluent's own time, seconds and nanoseconds, as `2023-11-14T22:13:20.123456Z`; None where it is none."""
    if value.code != _EVENT_TIME or len(value.data) != 8:
        return None
    return _iso(int.from_bytes(value.data[:4], "big"), int.from_bytes(value.data[4:], "big"))


def _iso(seconds: int, nanoseconds: int) -> str:
    # Cut, not rounded, as Fluent Bit's own texts are.
    return f"{_whole_second(seconds)}.{min(nanoseconds // 1000, 999_999):06d}Z"


@lru_cache(maxsize=1024)
def _whole_second(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))


def _date(time: Any) -> Any:
    """An event's time as text; a number that is no time in seconds stays, None is for what is no time at all."""
    if type(time) is msgpack.ExtType:
        return _event_time(time)
    if type(time) is msgpack.Timestamp:
        return _seconds_as_text(time.seconds, time.nanoseconds)
    if type(time) is float and math.isfinite(time):
        whole, _, fraction = f"{time:.6f}".partition(".")
        text = _seconds_as_text(int(whole), int(fraction) * 1000)
        return text if isinstance(text, str) else time
    return _seconds_as_text(time, 0) if type(time) is int else None


def _seconds_as_text(seconds: int, nanoseconds: int) -> Any:
    # Beyond the year 9999 it is no time in seconds; whoever reads the record may know better.
    return _iso(seconds, nanoseconds) if 0 <= seconds < 253_402_300_800 else seconds


def _plain_map(value: dict[Any, Any]) -> dict[str, Any]:
    return {key if type(key) is str else _as_text(key): _plain(inner) for key, inner in value.items()}


def _plain(value: Any) -> Any:
    """The value with nothing in it that JSON cannot say; None for what is no number."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is dict:
        return _plain_map(value)
    if kind is list:
        return [_plain(inner) for inner in value]
    return _as_text(value)


def _as_text(value: Any) -> str:
    if type(value) is bytes:
        return value.decode("utf-8", "replace")
    if type(value) is msgpack.Timestamp:
        return str(_seconds_as_text(value.seconds, value.nanoseconds))
    if type(value) is msgpack.ExtType:
        return _event_time(value) or str(value.data.hex())
    return str(value)
