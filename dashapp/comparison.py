"""The period that a range is compared with, and what has changed since. Pure.

Days and weeks follow the viewer's calendar: "the same time yesterday" is the same time on the clock, also where the
clock was changed in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from dashapp.format import MINUS
from sql.plan import MINUTE, Range

Kind = Literal["prev", "day", "week", "chosen"]
Good = Literal["up", "down"]
Tone = Literal["worse", "better", "neutral", "small"]
OFF = "off"
_DAYS: dict[str, int] = {"day": 1, "week": 7}
KINDS: tuple[Kind, ...] = ("prev", "day", "week")
_EVEN, _SMALL = 0.005, 0.03
_ONE_DECIMAL_BELOW = 0.0995


@dataclass(frozen=True, slots=True)
class Comparison:
    """A period before (or beside) a range; `there` and `back` lead from a moment of the one to that of the other."""

    kind: Kind
    zone: ZoneInfo
    days: int = 0
    earlier: timedelta = timedelta()

    def there(self, moment: datetime) -> datetime:
        """Moment of the comparison that belongs to a moment of the range, in UTC."""
        return self._moved(moment, -self.days, -self.earlier)

    def back(self, moment: datetime) -> datetime:
        """Moment of the range that belongs to a moment of the comparison, in UTC."""
        return self._moved(moment, self.days, self.earlier)

    def range_of(self, whole: Range) -> Range:
        """The period compared with."""
        return Range(self.there(whole.start), self.there(whole.end))

    def edges(self, starts: Sequence[datetime], end: datetime) -> list[datetime]:
        """Where the buckets of a chart begin in the comparison, and where the last one ends; never backwards.

        Where a change of the clock repeats an hour or leaves one out, a bucket may be shorter or longer than the one
        it belongs to.
        """
        edges: list[datetime] = []
        for moment in (*starts, end):
            there = self.there(moment)
            edges.append(max(there, edges[-1]) if edges else there)
        return edges

    def _moved(self, moment: datetime, days: int, by: timedelta) -> datetime:
        if days:
            # Arithmetic on aware datetimes of one zone is that of the clock on the wall.
            return (moment.astimezone(self.zone) + timedelta(days=days)).astimezone(UTC)
        return moment + by


def comparison_of(kind: Kind, whole: Range, zone: ZoneInfo, *, start: datetime | None = None) -> Comparison:
    """Comparison of a kind for a range; a chosen one begins at `start` and is as long as the range."""
    if kind in _DAYS:
        return Comparison(kind, zone, days=_DAYS[kind])
    if start is not None:
        return Comparison("chosen", zone, earlier=whole.start - start)
    return Comparison("prev", zone, earlier=whole.end - whole.start)


@dataclass(frozen=True, slots=True)
class Both:
    """The parts of a range and of its comparison for which both are known, and how many minutes that leaves out."""

    now: Range
    before: Range
    left_out: int


def known_on_both(comparison: Comparison, whole: Range, first: datetime | None, complete: datetime) -> Both | None:
    """Cut a range and its comparison to what is known of both; None where nothing is.

    Args:
        comparison: how the one leads to the other.
        whole: the range.
        first: the first moment with data; None where there is none at all.
        complete: the moment up to which the numbers are final.
    """
    if first is None:
        return None
    there = comparison.range_of(whole)
    start = max(whole.start, first, comparison.back(max(there.start, first)))
    end = min(whole.end, complete, comparison.back(min(there.end, complete)))
    if start >= end:
        return None
    left_out = (whole.end - whole.start) - (end - start)
    return Both(Range(start, end), Range(comparison.there(start), comparison.there(end)), round(left_out / MINUTE))


@dataclass(frozen=True, slots=True)
class Change:
    """A change in words: its text with a sign, its direction (1, 0, -1) and how it is to be taken."""

    text: str
    direction: int
    tone: Tone


def change(now: float | None, before: float | None, *, good: Good | None = None) -> Change | None:
    """Relative change of two numbers; None where there is none to speak of.

    `good` is the direction that is welcome; without one a change is neither good nor bad.
    """
    if now is None or not before:
        return None
    relative = now / before - 1
    if abs(relative) < _EVEN:
        return Change("±0%", 0, "small")
    decimals = 1 if abs(relative) < _ONE_DECIMAL_BELOW else 0
    text = f"{_sign(relative)}{abs(relative) * 100:,.{decimals}f}%"
    return Change(text, _direction(relative), _tone(relative, relative, good))


def points(now: float | None, before: float | None, *, good: Good | None = None) -> Change | None:
    """Change of a share (0 to 1) in percentage points; None where one of them is unknown."""
    if now is None or before is None:
        return None
    difference = now - before
    if abs(difference) < 0.00005:
        return Change("±0%p", 0, "small")
    relative = difference / before if before else difference * float("inf")
    return Change(
        f"{_sign(difference)}{abs(difference) * 100:.2f}%p", _direction(difference), _tone(relative, difference, good)
    )


def _tone(relative: float, difference: float, good: Good | None) -> Tone:
    if abs(relative) < _SMALL:
        return "small"
    if good is None:
        return "neutral"
    return "better" if (difference > 0) == (good == "up") else "worse"


def _direction(value: float) -> int:
    return 1 if value > 0 else -1


def _sign(value: float) -> str:
    return "+" if value > 0 else MINUS
