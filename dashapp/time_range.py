"""Ranges of time and the buckets of a chart. Pure: `now` always comes from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sql.plan import MINUTE, Range, floor

HOUR = timedelta(hours=1)

QUICK_RANGES: dict[str, timedelta] = {
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
DEFAULT_QUICK = "1h"
# Widths that divide a day, so that a bucket starts at a round local time; from five minutes on multiples of those of an
# aggregate. Endpoints have none of five minutes.
BUCKET_MINUTES = (1, 2, 5, 10, 15, 30, 60, 180, 360, 720, 1440)
BUCKET_MINUTES_OF_ENDPOINT = (1, 10, 30, 60, 180, 360, 720, 1440)
MOST_POINTS = 300
MOST_BUCKETS = 10_000
DAY_MINUTES = 1440
YEARS = range(1971, 2200)  # what the database and the calendar of every zone can hold


# An unescaped + of an address arrives as a blank: 2026-05-01T00:00:00 09:00
_PLUS_LOST = re.compile(r"(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?) (\d\d:?\d\d)$")


class BadRange(ValueError):
    """A start, end or interval that cannot be meant; the text says why."""


def complete_through(now: datetime, settle_seconds: int) -> datetime:
    """Moment up to which the numbers are final: `settle_seconds` ago, floored to a whole minute."""
    return floor(now - timedelta(seconds=settle_seconds), MINUTE)


def quick_range(name: str, complete: datetime) -> Range:
    """Range of a button such as `15m`: it ends where the data is complete.

    Raises:
        BadRange: no such button.
    """
    if name not in QUICK_RANGES:
        raise BadRange(f"last must be one of {', '.join(QUICK_RANGES)}")
    return Range(complete - QUICK_RANGES[name], complete)


def parse_moment(text: str, name: str, zone: ZoneInfo | None = None) -> datetime:
    """Read an ISO 8601 moment; without an offset it is taken in `zone`, if one is given.

    Raises:
        BadRange: it is none, or it has no offset and no zone was given.
    """
    try:
        moment = datetime.fromisoformat(_PLUS_LOST.sub(r"\1+\2", text.strip()))
    except ValueError:
        raise BadRange(f"{name} is no ISO 8601 time: {text[:40]!r}") from None
    if moment.tzinfo is None:
        if zone is None:
            raise BadRange(f"{name} needs an offset, for example 2026-05-01T00:00:00+09:00")
        moment = moment.replace(tzinfo=zone)
    if moment.year not in YEARS:
        raise BadRange(f"{name} must lie between {YEARS.start} and {YEARS.stop - 1}")
    return moment.astimezone(UTC)


def range_of(parameters: Mapping[str, str], complete: datetime, zone: ZoneInfo | None = None) -> Range:
    """Range that the parameters of an address name: `start` and `end`, or `last`, or the default.

    Raises:
        BadRange: one of start and end is missing, or they are in the wrong order.
    """
    start, end = parameters.get("start"), parameters.get("end")
    if not start and not end:
        return quick_range(parameters.get("last") or DEFAULT_QUICK, complete)
    if not start or not end:
        raise BadRange("start and end go together")
    whole = Range(parse_moment(start, "start", zone), parse_moment(end, "end", zone))
    if whole.start >= whole.end:
        raise BadRange("start must be before end")
    return whole


def bucket_minutes(whole: Range, *, most: int = MOST_POINTS, by_endpoint: bool = False) -> int:
    """Smallest bucket width with at most `most` points over a range; beyond that whole days.

    `by_endpoint`: method or route are filtered, so that an aggregate of endpoints has to serve the buckets.
    """
    for minutes in BUCKET_MINUTES_OF_ENDPOINT if by_endpoint else BUCKET_MINUTES:
        if (whole.end - whole.start) / timedelta(minutes=minutes) <= most:
            return minutes
    days = (whole.end - whole.start) / timedelta(days=most)
    return DAY_MINUTES * int(-(-days // 1))


def local_hours(whole: Range, zone: ZoneInfo) -> list[datetime]:
    """Moments (UTC) at which an hour of the viewer's clock begins within a range, after the start of the range itself.

    Where the clock changes by half an hour, one of these hours is half an hour long.
    """
    starts: list[datetime] = []
    at = whole.start
    while at < whole.end:
        starts.append(at)
        local = at.astimezone(zone)
        at += HOUR - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return starts


def bucket_starts(whole: Range, minutes: int, zone: ZoneInfo) -> list[datetime]:
    """Starts (UTC) of all buckets that overlap a range; they count from a local midnight.

    A bucket of whole days follows the viewer's calendar, so a day with a clock change has 23 or 25 hours.

    Raises:
        BadRange: there would be more than MOST_BUCKETS.
    """
    if not minutes >= 1 or (whole.end - whole.start) / timedelta(minutes=minutes) > MOST_BUCKETS:
        raise BadRange(f"interval gives more than {MOST_BUCKETS} buckets; use a larger one")
    midnight = whole.start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    starts: list[datetime] = []
    if minutes % DAY_MINUTES == 0:
        at, step = midnight, timedelta(minutes=minutes)  # wall-clock arithmetic: aware datetimes of one zone
        while at.astimezone(UTC) < whole.end:
            starts.append(at.astimezone(UTC))
            at += step
        return starts
    width = timedelta(minutes=minutes)
    origin = midnight.astimezone(UTC)
    at = origin + (whole.start - origin) // width * width
    while at < whole.end:
        starts.append(at)
        at += width
    return starts
