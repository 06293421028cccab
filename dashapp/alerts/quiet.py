"""Hours in which messages are held back. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class BadHours(ValueError):
    """No hours of a day; the text says how they are written."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of day to another, in a zone; over midnight where the second is earlier."""

    start: time
    end: time
    zone: ZoneInfo

    def hold(self, moment: datetime) -> bool:
        """Whether a moment lies in them."""
        clock = moment.astimezone(self.zone).time()
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


def quiet_hours(text: str, zone: ZoneInfo) -> QuietHours | None:
    """Read `22:00-07:00`; None where nothing is given.

    Raises:
        BadHours: it is written in another way, or begins when it ends.
    """
    if not text.strip():
        return None
    match = _HOURS.fullmatch(text.strip())
    if match is None:
        raise BadHours(f"{text!r} are no hours; write them as 22:00-07:00")
    hour, minute, end_hour, end_minute = map(int, match.groups())
    start, end = time(hour, minute), time(end_hour, end_minute)
    if start == end:
        raise BadHours(f"{text!r} begins when it ends; leave it empty for none")
    return QuietHours(start, end, zone)
