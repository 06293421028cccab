"""Read a moment in any of the forms that log shippers write, as whole microseconds since 1970 in UTC. Pure.

Digits beyond the microsecond are cut in a text and in an integer, as Fluent Bit cuts them; a float, which holds
no exact microsecond, is rounded to the nearest one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A bare number is in seconds, milliseconds, microseconds or nanoseconds by its size: 1e11 s is the year 5138 and
# 1e11 ms is 1973, and so on in steps of a thousand.
MILLISECONDS_FROM, MICROSECONDS_FROM, NANOSECONDS_FROM = 10**11, 10**14, 10**17
# Seconds and texts that were read before: a log has many lines a second. Emptied when full, so never large.
MOST_CACHED = 8192

_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: at for at, name in enumerate(_MONTH_NAMES, 1)}

_CLOCK = r"(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
_ZONE = r"\s*(z|utc|gmt|[+-]\d\d(?::?\d\d)?)?(?: utc)?"
_ISO = re.compile(rf"(\d{{4}})([-/])(\d\d)\2(\d\d)(?:[t ]\s*{_CLOCK}{_ZONE})?", re.ASCII | re.IGNORECASE)
_COMPACT = re.compile(
    rf"((?:19|20)\d\d)()(\d\d)(\d\d)(?:[t ]?(\d\d)(\d\d)(\d\d)(?:[.,](\d+))?{_ZONE})?", re.ASCII | re.IGNORECASE
)
# Apache's and HAProxy's `17/May/2015:10:05:03 +0000`, HTTP's `Sun, 17 May 2015 10:05:03 GMT`.
_DAY_FIRST = re.compile(
    rf"(?:[a-z]{{3}}, )?(\d\d?)([/ -])([a-z]{{3}})\2(\d{{4}})[: ]{_CLOCK}{_ZONE}", re.ASCII | re.IGNORECASE
)
# Apache's error log and C's ctime: `Wed Oct 11 14:32:52.123456 2000`.
_YEAR_LAST = re.compile(rf"[a-z]{{3}} ([a-z]{{3}}) +(\d\d?) {_CLOCK} (\d{{4}})", re.ASCII | re.IGNORECASE)
_AFTER_SECOND = re.compile(rf"(?:[.,](\d+))?{_ZONE}", re.ASCII | re.IGNORECASE)
_DIGITS = re.compile(r"\d+(\.\d*)?", re.ASCII)
_PLACES = ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))
LONGEST = 64

_seconds: dict[str, int] = {}
_texts: dict[str, int] = {}


def parse_time(value: object) -> datetime:
    """Return an aware moment in UTC; takes what `to_micros` takes.

    Raises:
        ValueError: it is no moment.
    """
    return EPOCH + timedelta(microseconds=to_micros(value))


def to_micros(value: object) -> int:
    """Return a moment as whole microseconds since 1970 in UTC.

    Accepts datetimes; seconds, milliseconds, microseconds or nanoseconds since 1970 as a number or as digits,
    told apart by their size; ISO 8601 and RFC 3339 with `T`, `t` or a blank, a decimal point or comma, `Z`, `+0900`
    or `+09:00`; `2025/05/01 10:15:30`; Apache's access and error log; the date of HTTP. No zone means UTC. A leap
    second is the last microsecond of its minute.

    Raises:
        ValueError: it is none of these, or outside the years 1 to 9999.
    """
    if type(value) is float:
        if 0.0 <= value < MILLISECONDS_FROM:
            whole = int(value)
            return whole * 1_000_000 + round((value - whole) * 1e6)
        return _from_number(value)
    if type(value) is str:
        second = _seconds.get(value[:19])
        if second is None:
            known = _texts.get(value)
            return _from_text(value) if known is None else known
        rest = value[19:]
        if rest == "Z":
            return second
        if rest[:1] == ".":
            digits = rest[1:-1] if rest[-1] == "Z" else rest[1:]
            if len(digits) <= 9 and digits.isdecimal() and digits.isascii():
                return second + int(digits if len(digits) == 6 else (digits + "00000")[:6])
        known = _texts.get(value)
        return _after_second(value, second, rest) if known is None else known
    if isinstance(value, datetime):
        return _from_datetime(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    raise ValueError("timestamp is no time")


def _from_number(number: float) -> int:
    """Read an int or a float, by its size."""
    try:
        if 0 <= number < MILLISECONDS_FROM:
            micros = _scaled(number, 1_000_000)
        elif number < MICROSECONDS_FROM:
            micros = _scaled(number, 1000)
        elif number < NANOSECONDS_FROM:
            micros = round(number)
        else:
            micros = number // 1000 if isinstance(number, int) else round(number / 1000)
    except (OverflowError, ValueError):
        micros = -1
    if number >= 0 and 0 <= micros <= _LAST:
        return micros
    raise ValueError("timestamp is no time: a number must be seconds, or a fraction of them, since 1970")


def _scaled(number: float, factor: int) -> int:
    """Multiply the whole part exactly and round the fraction alone: the product as a float would lose digits."""
    whole = int(number)
    return whole * factor + round((number - whole) * factor)


def _from_datetime(moment: datetime) -> int:
    try:
        micros = (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment) - EPOCH
    except OverflowError:
        raise ValueError("timestamp is outside the calendar") from None
    return _within(micros // _MICROSECOND)


def _from_text(text: str) -> int:
    """Read a text, and remember what is worth it."""
    if len(text) > LONGEST:
        text = text.strip()
    micros = _read(text.strip()) if len(text) <= LONGEST else None
    if micros is None:
        raise ValueError(f"timestamp is no time: {text[:40]!r}")
    if len(text) >= 19 and text[4] in "-/" and text[10] in "Tt " and text[16] == ":" and text[17:19] != "60":
        # The cache holds the second as if it were UTC; what follows it is read anew each time.
        _remember(_seconds, text[:19], _moment_of_second(text))
    elif text[2:3] == "/":
        _remember(_texts, text, micros)
    return micros


def _moment_of_second(text: str) -> int:
    """Microseconds of the first 19 characters of a text that was read, such as `2023-11-14T22:13:20`."""
    year, month, day, hour, minute, second = (int(text[at:to]) for at, to in _PLACES)
    return (datetime(year, month, day, hour, minute, second, tzinfo=UTC) - EPOCH) // _MICROSECOND


def _remember(cache: dict[str, int], text: str, micros: int) -> None:
    if len(cache) >= MOST_CACHED:
        cache.clear()
    cache[text] = micros


def _after_second(text: str, second: int, rest: str) -> int:
    match = _AFTER_SECOND.fullmatch(rest.rstrip()) if len(text) <= LONGEST else None
    if match is None:
        return _from_text(text)
    micros = _within(second + _fraction(match[1]) - _offset(match[2]))
    if not match[1]:  # such as nginx's $time_iso8601: many lines have the same text
        _remember(_texts, text, micros)
    return micros


def _read(text: str) -> int | None:
    """Return the microseconds of a text without white space around it; None where it is no moment.

    Raises:
        ValueError: it is one in its form, but not in the calendar.
    """
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        year, _, month, day, *clock, zone = match.groups()
        return _moment(int(year), int(month), int(day), clock, zone)
    if _DIGITS.fullmatch(text):
        return _from_number(float(text) if "." in text else int(text))
    if match := _DAY_FIRST.fullmatch(text):
        day, _, name, year, *clock, zone = match.groups()
        return _moment(int(year), _MONTHS.get(name.lower(), 0), int(day), clock, zone)
    if match := _YEAR_LAST.fullmatch(text):
        name, day, *clock, year = match.groups()
        return _moment(int(year), _MONTHS.get(name.lower(), 0), int(day), clock, None)
    return None


def _moment(year: int, month: int, day: int, clock: list[str | None], zone: str | None) -> int:
    hour, minute, second = (int(part or 0) for part in clock[:3])
    fraction = _fraction(clock[3])
    if second == 60:
        second, fraction = 59, 999_999
    try:
        moment = datetime(year, month, day, hour, minute, second, fraction, UTC)
    except ValueError as error:
        raise ValueError(f"timestamp is no time: {error}") from None
    return _within((moment - EPOCH) // _MICROSECOND - _offset(zone))


def _fraction(digits: str | None) -> int:
    return int((digits + "00000")[:6]) if digits else 0


def _offset(zone: str | None) -> int:
    """Microseconds that a zone is ahead of UTC."""
    if not zone or zone[0] not in "+-":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:]) if len(zone) > 3 else 0
    if hours > 23 or minutes > 59:
        raise ValueError(f"timestamp is no time: the offset {zone} is none")
    return (-1 if zone[0] == "-" else 1) * (hours * 60 + minutes) * 60_000_000


def _within(micros: int) -> int:
    if _FIRST <= micros <= _LAST:
        return micros
    raise ValueError("timestamp is outside the calendar")
