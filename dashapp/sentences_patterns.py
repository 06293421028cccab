"""What the hours of the week mean, in words. Pure: figures in, sentences of the catalogue out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from dashapp import format as fmt
from dashapp.stats.patterns import HOURS, WeekHour, extremes
from dashapp.words import Words
from sql.plan import Range

_DAY = timedelta(hours=HOURS)
WINDOW = 3  # hours
# What is less above the even share is no concentration.
_CLEAR = 1.15
# Fewer errors, or fewer requests with a latency, may be chance.
FEWEST_ERRORS = 20
FEWEST_TIMED = 100
_WEEKEND = 5


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence: its key, its values, and for values that name a time the range that shows it."""

    key: str
    values: dict[str, str]
    times: dict[str, Range] = field(default_factory=dict)


def pattern_facts(hours: Sequence[WeekHour], words: Words) -> list[Fact]:
    """What stands out among the hours of the week, the busiest and the quietest first."""
    if extremes(hours) is None:
        return [Fact("say_too_short", {})]
    facts = (
        say_busiest(hours, words),
        say_window(hours),
        say_weekend(hours, words),
        say_failing_hour(hours, words),
        say_error_hours(hours),
        say_slow_hour(hours, words),
    )
    return [fact for fact in facts if fact is not None]


def say_busiest(hours: Sequence[WeekHour], words: Words) -> Fact | None:
    """Busiest and quietest hour, of those that the range holds."""
    found = extremes(hours)
    if found is None:
        return None
    busiest, quietest = (hour_name(hour, words) for hour in found)
    most, least = (words("n_requests", n=fmt.mean_count(hour.mean or 0)) for hour in found)
    values = {"busiest": busiest, "most": most, "quietest": quietest, "least": least}
    return Fact("say_busiest", values, _times(busiest=found[0], quietest=found[1]))


def say_window(hours: Sequence[WeekHour]) -> Fact | None:
    """How much of the requests the busiest three hours of a day take; None below a whole day."""
    if not _holds_a_day(hours):
        return None
    start, share, even = _window(hours, lambda hour: hour.total or 0)
    values = {"hours": _hours_name(start), "share": fmt.rate(share), "even": fmt.rate(even)}
    return Fact("say_window" if share >= _CLEAR * even else "say_window_even", values)


def say_weekend(hours: Sequence[WeekHour], words: Words) -> Fact | None:
    """Requests of the weekend against those of the other days; None where the range has not a day of both."""
    sides = [[hour for hour in hours if (hour.weekday >= _WEEKEND) == weekend] for weekend in (True, False)]
    covered = [sum((hour.covered for hour in side), timedelta()) for side in sides]
    if min(covered) < _DAY:
        return None
    means = [
        sum(hour.total or 0 for hour in side) / (time / timedelta(hours=1))
        for side, time in zip(sides, covered, strict=True)
    ]
    if not means[1]:
        return None
    weekend, weekdays = (words("n_requests", n=fmt.mean_count(mean)) for mean in means)
    return Fact(
        "say_weekend", {"share": f"{means[0] / means[1] * 100:,.0f}%", "weekend": weekend, "weekdays": weekdays}
    )


def say_failing_hour(hours: Sequence[WeekHour], words: Words) -> Fact | None:
    """The hour of the week with the most errors."""
    failing = max(
        (hour for hour in hours if hour.errors), key=lambda hour: (hour.errors or 0, -hour.weekday), default=None
    )
    if failing is None:
        return None
    name = hour_name(failing, words)
    n = words("n_times", n=fmt.count(failing.errors))
    values = {"when": name, "n": n, "rate": fmt.rate(failing.error_rate)}
    return Fact("say_failing_hour", values, _times(when=failing))


def say_error_hours(hours: Sequence[WeekHour]) -> Fact | None:
    """The hours of the day in which errors concentrate more than the requests do; None where they do not."""
    total, errors = _sum(hours, lambda hour: hour.total or 0), _sum(hours, lambda hour: hour.errors or 0)
    if errors < FEWEST_ERRORS or not _holds_a_day(hours):
        return None
    start, part, _ = _window(hours, lambda hour: hour.errors or 0)
    inside = _within(hours, start)
    requests = _sum(inside, lambda hour: hour.total or 0)
    share = requests / total
    if not requests or part < _CLEAR * share:
        return None
    rate = _sum(inside, lambda hour: hour.errors or 0) / requests
    values = {
        "hours": _hours_name(start),
        "part": fmt.rate(part),
        "share": fmt.rate(share),
        "rate": fmt.rate(rate),
        "usual": fmt.rate(errors / total),
    }
    return Fact("say_error_hours", values)


def say_slow_hour(hours: Sequence[WeekHour], words: Words) -> Fact | None:
    """The hour of the week with the longest latency, where it is clearly above the middle one."""
    timed = sorted(
        (hour for hour in hours if hour.p95_ms is not None and hour.timed >= FEWEST_TIMED and hour.is_held),
        key=lambda hour: hour.p95_ms or 0,
    )
    if len(timed) < 2:
        return None
    slowest, middle = timed[-1], timed[len(timed) // 2].p95_ms or 0
    if (slowest.p95_ms or 0) < _CLEAR * middle:
        return None
    values = {"when": hour_name(slowest, words), "p95": fmt.duration(slowest.p95_ms), "usual": fmt.duration(middle)}
    return Fact("say_slow_hour", values, _times(when=slowest))


def hour_name(hour: WeekHour, words: Words) -> str:
    """An hour of the week: Mon 09:00."""
    return words("week_hour", day=words("weekdays").split()[hour.weekday], hour=f"{hour.hour:02d}:00")


def _times(**hours: WeekHour) -> dict[str, Range]:
    return {name: hour.latest for name, hour in hours.items() if hour.latest is not None}


def _hours_name(start: int) -> str:
    return f"{start:02d}:00 – {(start + WINDOW) % HOURS:02d}:00"


def _holds_a_day(hours: Sequence[WeekHour]) -> bool:
    """Tell whether every hour of the day is held by the range, whatever the weekday."""
    covered = [sum((hour.covered for hour in hours if hour.hour == each), timedelta()) for each in range(HOURS)]
    return min(covered) >= timedelta(hours=1) and _sum(hours, lambda hour: hour.total or 0) > 0


def _window(hours: Sequence[WeekHour], value: Callable[[WeekHour], int]) -> tuple[int, float, float]:
    """Start of the hours of the day with the most, the part that falls into them, and the part of the time."""
    time = sum((hour.covered for hour in hours), timedelta())
    everything = _sum(hours, value)
    found = []
    for start in range(HOURS):
        inside = _within(hours, start)
        covered = sum((hour.covered for hour in inside), timedelta())
        n = _sum(inside, value)
        found.append((n / (covered / time), -start, n / everything, covered / time))
    _, start, part, even = max(found)
    return -start, part, even


def _within(hours: Sequence[WeekHour], start: int) -> list[WeekHour]:
    return [hour for hour in hours if (hour.hour - start) % HOURS < WINDOW]


def _sum(hours: Sequence[WeekHour], value: Callable[[WeekHour], int]) -> int:
    return sum(value(hour) for hour in hours)
