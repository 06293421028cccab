"""Read a moment in any of the forms that log shippers write. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A bare number below this is in seconds, above in milliseconds (1e11 s is the year 5138, 1e11 ms is 1973).
MILLISECONDS_FROM = 1e11
_APACHE = re.compile(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_FRACTION = re.compile(r"([.,]\d{1,6})\d*")


def parse_time(value: object) -> datetime:
    """Return an aware moment in UTC.

    Accepts datetimes, seconds or milliseconds since 1970, ISO 8601 with `T` or a blank (no zone means
    UTC, digits beyond microseconds are cut) and Apache's `17/May/2015:10:05:03 +0000`.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    if not isinstance(value, str):
        raise ValueError("timestamp is no time")
    text = value.strip()
    if _NUMBER.fullmatch(text) and not (len(text) == 8 and text.startswith(("19", "20"))):
        return _from_number(float(text))
    try:
        if _APACHE.fullmatch(text):
            return _in_utc(datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z"))
        moment = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
        return _in_utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError:
        raise ValueError(f"timestamp is no time: {text[:40]!r}") from None


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("timestamp is outside the calendar") from None


def _from_number(number: float) -> datetime:
    """Seconds or milliseconds; JSON puts no bound on an integer, so the arithmetic may overflow."""
    try:
        if number >= 0:
            return EPOCH + timedelta(seconds=number / 1000 if number >= MILLISECONDS_FROM else number)
    except (OverflowError, ValueError):
        pass
    raise ValueError("timestamp is no time: a number must be seconds or milliseconds since 1970")
