"""What the numbers mean, in words. Pure: figures in, children of a sentence out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dash import html

from dashapp import format as fmt
from dashapp.stats.summary import Summary
from dashapp.stats.tally import is_notable
from dashapp.stats.traffic import Traffic
from dashapp.stats.usage import Endpoint
from dashapp.words import Words
from sql.plan import Range

Sentence = list[Any]
HOURLY_FROM = timedelta(hours=6)
FEWEST_UNITS = 3
EVEN = 0.1
FEWEST_FAILURES = 3
HIGH_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Peak:
    """The unit of time with the most requests, how far it is above the mean of the units, and what of it is known."""

    start: datetime
    width: timedelta
    total: int
    above_mean: float
    covered: timedelta


@dataclass(frozen=True, slots=True)
class Stretch:
    """A unit of time of a range, its requests, and how many a whole unit would have at this pace.

    `covered` is what of it lies in the range and is known. `held` tells whether that is half of it at least: of less
    the pace is only a lower bound.
    """

    start: datetime
    total: int
    pace: float
    covered: timedelta
    held: bool


@dataclass(frozen=True, slots=True)
class Course:
    """A range in units of time, and what a unit has on average."""

    width: timedelta
    stretches: list[Stretch]
    mean: float


def course_of(traffic: Traffic, whole: Range, zone: ZoneInfo) -> Course | None:
    """Hours of a long range or buckets of a short one; None where few are known or nothing came."""
    bucket = timedelta(minutes=traffic.interval_minutes)
    hour = timedelta(hours=1)
    unit = hour if whole.end - whole.start >= HOURLY_FROM and bucket < hour else bucket
    sums: dict[datetime, tuple[int, timedelta]] = {}
    for entry in traffic.buckets:
        if entry.total is None or entry.start < whole.start or entry.start + bucket > whole.end:
            continue
        # Buckets count from local midnight, so they nest in local hours.
        local = entry.start.astimezone(zone)
        start = entry.start - timedelta(minutes=local.minute) if unit == hour else entry.start
        total, covered = sums.get(start, (0, timedelta()))
        sums[start] = (total + entry.total, covered + bucket)
    everything = sum(total for total, _ in sums.values())
    if len(sums) < FEWEST_UNITS or not everything:
        return None
    # A range cuts its first and last hour: these count by their rate, but as half an hour at least.
    stretches = [
        Stretch(start, total, total * (unit / max(covered, unit / 2)), covered, covered >= unit / 2)
        for start, (total, covered) in sums.items()
    ]
    mean = everything * (unit / sum((covered for _, covered in sums.values()), timedelta()))
    return Course(unit, stretches, mean)


def peak_of(traffic: Traffic, whole: Range, zone: ZoneInfo) -> Peak | None:
    """Busiest hour of a long range or bucket of a short one; None where few are known."""
    course = course_of(traffic, whole, zone)
    if course is None:
        return None
    busiest = max(course.stretches, key=lambda each: (each.pace, each.start))
    return Peak(busiest.start, course.width, busiest.total, busiest.pace / course.mean - 1, busiest.covered)


def say_peak(traffic: Traffic, whole: Range, zone: ZoneInfo, words: Words) -> Sentence:
    """When most requests came and by how much they exceed the average; empty where that is unknown."""
    peak = peak_of(traffic, whole, zone)
    if peak is None:
        return []
    long = whole.end - whole.start > timedelta(hours=24)
    when = fmt.day_clock(peak.start, zone) if long else fmt.clock(peak.start, zone)
    if peak.above_mean < EVEN:
        return words.rich("say_even", when=html.B(when), more=f"{max(peak.above_mean, 0) * 100:.0f}%")
    more = f"{peak.above_mean * 100:,.0f}%"
    return words.rich(
        "say_peak", when=html.B(when), more=html.B(more), n=say_count(peak.total, peak.covered, peak.width, words)
    )


def say_count(n: int, covered: timedelta, width: timedelta, words: Words) -> str:
    """Requests of a unit of time; where only a part of it is known, in how many minutes they came."""
    if covered >= width:
        return words("n_requests", n=fmt.count(n))
    return words("n_requests_in", n=fmt.count(n), minutes=fmt.count(covered // timedelta(minutes=1)))


def most_failing(endpoints: Sequence[Endpoint]) -> Endpoint | None:
    """Endpoint with the highest 5xx rate, of those where it is notable and not a single accident."""
    notable = [e for e in endpoints if is_notable(e.server_errors, e.count) and e.server_errors >= FEWEST_FAILURES]
    return max(notable, key=lambda e: (e.server_errors / e.count, e.server_errors), default=None)


def failing_level(endpoint: Endpoint | None) -> str:
    """Severity of the worst endpoint: high, medium or low."""
    if endpoint is None:
        return "low"
    return "high" if endpoint.server_errors >= HIGH_SHARE * endpoint.count else "medium"


def say_failing(endpoint: Endpoint | None, total: Summary, name: Any, words: Words) -> Sentence:
    """The endpoint with the highest 5xx rate with its counts, or that there is none."""
    if endpoint is None:
        return [words("say_no_failing")]
    return words.rich(
        "say_failing",
        endpoint=name,
        rate=html.B(fmt.rate(endpoint.server_errors / endpoint.count)),
        n=words("n_times", n=fmt.count(endpoint.count)),
        failed=html.B(words("n_times", n=fmt.count(endpoint.server_errors))),
        part=fmt.rate(endpoint.server_errors / total.server_errors),
    )
