"""Read one field of a record: what it must be, in the unit of its column. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from ingest_server.fields import milliseconds

OLDEST_US = 631_152_000_000_000  # 1990
MOST_AHEAD_US = 86_400_000_000  # a day: clocks and zones that are set wrong
MOST_PATH = 8192
MOST_TEXT = 4096
MOST_NAME = 200  # of a service or a source: names are keys of indexes
MOST_LATENCY_MS = 1e12
MOST_FIELDS = 500
DEEPEST = 64  # the embedded engine dies of JSON some 900 levels deep
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# A NUL in JSON text: its escape, not the same six characters after an escaped backslash.
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")


class Refused(ValueError):
    """A record that cannot become a row: `kind` names the reason in a word, the text is one sentence."""

    def __init__(self, kind: str, sentence: str) -> None:
        """Refuse for a reason of this kind."""
        super().__init__(sentence)
        self.kind = kind


def check_time(ts: int, now_us: int, oldest_us: int = OLDEST_US) -> int:
    """Return a moment (microseconds since 1970) that a log may have.

    Raises:
        Refused: it is before 1990, before what is kept, or more than a day after now.
    """
    if ts < OLDEST_US:
        raise Refused("too_old", "timestamp is before 1990")
    if ts < oldest_us:
        raise Refused("older_than_kept", f"rows before {_utc(oldest_us)} are not kept (KEEP_LOG_DAYS, KEEP_LOG_GB)")
    if ts > now_us + MOST_AHEAD_US:
        raise Refused("in_the_future", "timestamp is more than a day in the future")
    return ts


def _utc(us: int) -> str:
    return f"{datetime.fromtimestamp(us / 1e6, UTC):%Y-%m-%d %H:%M} UTC"


def method(value: Any) -> str:
    """Return an HTTP method in capitals.

    Raises:
        Refused: it is none.
    """
    if not isinstance(value, str) or not _METHOD.fullmatch(value.strip()):
        raise Refused("bad_method", f"method is no HTTP method: {shown(value)}")
    return value.strip().upper()


def path_and_query(value: Any) -> tuple[str, str | None]:
    """Split a request target into its path and its query string.

    Raises:
        Refused: it is no text, or too long.
    """
    if not isinstance(value, str):
        raise Refused("bad_path", f"path is no text: {shown(value)}")
    target = clean(value.strip())
    if _ABSOLUTE.match(target):  # as a proxy logs it
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    path, mark, query = target.partition("?")
    if len(path) > MOST_PATH:
        raise Refused("bad_path", f"path is longer than {MOST_PATH} characters")
    return path or "/", query[:MOST_PATH] if mark else None


def status(value: Any) -> int:
    """Return an HTTP status.

    Raises:
        Refused: it is none.
    """
    try:
        number = int(value) if not isinstance(value, float) or value.is_integer() else -1
    except (TypeError, ValueError, OverflowError):
        number = -1
    if isinstance(value, bool) or not 100 <= number <= 999:
        raise Refused("bad_status", f"status is no HTTP status: {shown(value)}")
    return number


def latency(value: Any, factor: float) -> float | None:
    """Return milliseconds; None for what is no duration."""
    number = milliseconds(value, factor)
    return number if number is not None and number < MOST_LATENCY_MS else None


def size(value: Any) -> int | None:
    """Return a number of bytes; None for what is none."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if isinstance(value, bool) or not math.isfinite(number) or not 0 <= number < 2**62:
        return None
    return value if isinstance(value, int) else round(number)


def text(value: Any) -> str | None:
    """Return a text that a column can hold; None for an empty one."""
    return clean(value if isinstance(value, str) else str(value)).strip()[:MOST_TEXT] or None


def clean(value: str) -> str:
    """Return text that PostgreSQL can hold: it refuses NUL, UTF-8 refuses lone surrogates."""
    if "\x00" in value:
        value = value.replace("\x00", "\ufffd")
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def json_text(value: Mapping[str, Any]) -> str:
    """Return fields as JSON that a jsonb column can hold.

    Raises:
        Refused: too many fields, too deep, or something that JSON has no word for.
    """
    if len(value) > MOST_FIELDS:
        raise Refused("too_many_fields", f"the record has more than {MOST_FIELDS} fields")
    if not _shallow(value, DEEPEST):
        raise Refused("too_deep", f"a field is nested deeper than {DEEPEST} levels")
    try:
        encoded = msgspec.json.encode(value).decode("utf-8")
    except (TypeError, ValueError, UnicodeError, RecursionError):
        raise Refused("no_json", "a field holds something that is no JSON value") from None
    return _ESCAPED_NUL.sub(r"\1\\ufffd", encoded) if "\\u0000" in encoded else encoded


def _shallow(value: Any, levels: int) -> bool:
    if levels < 0:
        return False
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return True
    return all(_shallow(each, levels - 1) for each in value)


def shown(value: Any) -> str:
    """A value in an error message, cut short."""
    return repr(value)[:60]
