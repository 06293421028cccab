"""Hours of the week, in numbers and in words."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from dashapp.api.inputs import FILTERS, LANGUAGE, WHOLE, Context
from dashapp.api.model import Answer, Count, Milliseconds, Model, Share
from dashapp.api.route import Route
from dashapp.sentences_patterns import pattern_facts
from dashapp.stats.patterns import WeekHour, extremes, week_hours
from dashapp.words import Words
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range

_MINUTE = timedelta(minutes=1)


class HourOfWeek(Model):
    """One hour of the week (weekday 0 is Monday), all its occurrences together; null where the range has none known."""

    weekday: Count
    hour: Count
    total: Count | None
    errors: Count | None
    error_rate: Share | None
    mean_ms: Milliseconds | None
    p95_ms: Milliseconds | None
    per_hour: float | None = Field(description="Requests in an hour on average.")
    covered_minutes: float = Field(description="How much of the range lies in it.")


class Patterns(Answer):
    """168 hours of the week, Monday 00:00 first, in `zone`, and what they mean."""

    zone: str
    hours: list[HourOfWeek]
    busiest: HourOfWeek | None
    quietest: HourOfWeek | None
    findings: list[str]


def make_patterns(reading: Reading, context: Context, *, whole: Range, filters: Filters, language: str) -> Patterns:
    """Hours of the week."""
    hours = week_hours(reading, whole, filters, zone=context.zone, complete=context.complete)
    most_and_least = extremes(hours)
    words = Words(language)
    busiest, quietest = (_week_hour(each) for each in most_and_least) if most_and_least else (None, None)
    return Patterns(
        zone=str(context.zone),
        hours=[_week_hour(each) for each in hours],
        busiest=busiest,
        quietest=quietest,
        findings=[words(fact.key, **fact.values) for fact in pattern_facts(hours, words)],
    )


def _week_hour(hour: WeekHour) -> HourOfWeek:
    return HourOfWeek(
        weekday=hour.weekday,
        hour=hour.hour,
        total=hour.total,
        errors=hour.errors,
        error_rate=hour.error_rate,
        mean_ms=hour.mean_ms,
        p95_ms=hour.p95_ms,
        per_hour=hour.mean,
        covered_minutes=hour.covered / _MINUTE,
    )


ROUTES = (
    Route(
        "/stats/patterns",
        "Requests and errors by weekday and hour of day",
        make_patterns,
        Patterns,
        (WHOLE, FILTERS, LANGUAGE),
    ),
)
