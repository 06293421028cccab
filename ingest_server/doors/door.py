"""What a door is. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from sql.batch import Receipt

_encode = msgspec.json.Encoder(decimal_format="number").encode
_FINE_NS = 1_000_000  # a time that is not on a millisecond was read from a clock, not from a line of text


class NotForeign(ValueError):
    """A body that is not what this door takes; the text says why."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """What a body holds.

    Attributes:
        lines: its records, a JSON object a line.
        key: what makes the body unique; None where two equal bodies may both be honest.
        names: what the answer has to name of each record.
    """

    lines: bytes
    key: str | None = None
    names: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Door:
    """One kind of client.

    Attributes:
        name: for logs.
        at: its paths.
        encoding: the Content-Encoding that a Content-Type implies, where clients do not say it.
        read: turns a decompressed body, with its Content-Type and path, into records; raises NotForeign.
        answer: status, body and Content-Type after the commit.
    """

    name: str
    at: re.Pattern[str]
    read: Callable[[bytes, str, str], Foreign]
    answer: Callable[[Foreign, Receipt, str], tuple[int, bytes, bytes]]
    encoding: Callable[[str], str] = lambda _content_type: ""


def lines_of(records: Sequence[Any]) -> bytes:
    """Records as JSON lines.

    Raises:
        NotForeign: one holds what JSON has no word for.
    """
    try:
        return b"\n".join(map(_encode, records))
    except (TypeError, ValueError, UnicodeError, RecursionError) as error:
        raise NotForeign(f"a record is no JSON: {error}"[:200]) from None


def key_of(body: bytes, times_ns: Sequence[int]) -> str | None:
    """What makes a body unique that brings no ids: all of it, where some time in it is finer than a millisecond.

    A client that did not hear our answer sends the same bytes again. Times of whole milliseconds or seconds come from
    the lines themselves, and two requests in one second can make two equal bodies.
    """
    if any(time % _FINE_NS for time in times_ns):
        return hashlib.sha256(body).hexdigest()
    return None
