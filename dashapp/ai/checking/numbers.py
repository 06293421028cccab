"""Whether a number in a text is a figure, as precisely as it is written. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo

from dashapp.ai.evidence import Figure
from dashapp.ai.result import Fault

_SCALES = {"": 1.0, "천": 1e3, "k": 1e3, "K": 1e3, "만": 1e4, "M": 1e6, "억": 1e8}
_PERCENT = {"%", "퍼센트", "percent"}
_POINTS = {"%p", "percentage points", *_PERCENT}
_MILLISECONDS, _SECONDS = {"ms", "밀리초"}, {"초", "s", "sec", "secs", "second", "seconds"}
_MINUTES, _HOURS = {"분", "min", "minute", "minutes"}, {"시간", "hour", "hours"}
_COUNTS = {"", "건", "회", "번", "개", "명", "request", "requests", "call", "calls"}
_TIMES = {"배", "times", "x", "×"}
# Multiples of the figure's own unit in which it may be written, by the unit of the text.
_FACTORS: Mapping[str, tuple[tuple[set[str], float], ...]] = {
    "share": ((_PERCENT, 100.0),),
    "change": ((_PERCENT, 100.0),),
    "points": ((_POINTS, 100.0),),
    "ms": ((_MILLISECONDS, 1.0), (_SECONDS, 1e-3), (_MINUTES, 1 / 60_000)),
    "count": ((_COUNTS, 1.0),),
    "number": ((_COUNTS | _MINUTES, 1.0),),
    "minutes": ((_MINUTES, 1.0), (_HOURS, 1 / 60)),
    "times": ((_TIMES, 1.0),),
}
_SLACK = 1e-9


def fits(groups: Mapping[str, str], figure: Figure) -> Fault | None:
    """What is wrong with a number that cites a figure; None where it is the figure, rounded as it is written.

    Args:
        groups: sign, digits, scale and unit as `dashapp.ai.checking.scanning` finds them.
        figure: what it cites.
    """
    unit = groups["unit"].strip().lower()
    factor = next((factor for units, factor in _FACTORS.get(figure.unit, ()) if unit in units), None)
    if factor is None:
        return "measure"
    digits = groups["digits"].replace(",", "")
    scale = _SCALES[groups["scale"].strip()]
    decimals = len(digits.partition(".")[2])
    written = float(digits) * scale
    value = figure.value * factor
    sign = groups["sign"].strip()
    if figure.unit in ("change", "points"):
        if (sign in ("-", "−") and value > 0) or (sign == "+" and value < 0):
            return "direction"
        value = abs(value)
    elif sign in ("-", "−"):
        return "number"
    half = 0.5 * 10**-decimals * scale
    # Half a unit may be rounded either way, and decimal fractions are not exact.
    return None if abs(written - value) <= half * (1 + 1e-6) + _SLACK * max(1.0, abs(value)) else "number"


def is_time(text: str, figure: Figure, zone: tzinfo) -> bool:
    """Whether a time of day in a text is that of a figure, to the minute, or to the hour where it names none."""
    if figure.unit != "time":
        return False
    hour, minute = clock_of(text)
    at = datetime.fromtimestamp(figure.value, tz=zone)
    halves = {hour} if hour >= 13 or _names_half(text) else {hour, (hour + 12) % 24} if "시" in text else {hour}
    return at.hour in halves and (at.minute == minute if minute is not None else at.minute == 0)


def clock_of(text: str) -> tuple[int, int | None]:
    """Hour and minute of a time such as 14:32, 오후 2시 32분, 2 pm."""
    numbers = [int(each) for each in "".join(c if c.isdigit() else " " for c in text).split()]
    hour, minute = numbers[0], numbers[1] if len(numbers) > 1 else None
    lowered = text.lower()
    if ("오후" in text or "p" in lowered) and hour < 12:
        hour += 12
    if ("오전" in text or "a" in lowered) and hour == 12:
        hour = 0
    return hour, minute


def _names_half(text: str) -> bool:
    return "오" in text or "m" in text.lower()
