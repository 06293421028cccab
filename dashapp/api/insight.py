"""Hours of the week, in numbers and in words."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Literal

from pydantic import Field

from dashapp.api.inputs import FILTERS, LANGUAGE, WHOLE, Context
from dashapp.api.model import Answer, Count, Milliseconds, Model, Share, Span
from dashapp.api.route import Route
from dashapp.insight.segments import Segment
from dashapp.sentences_patterns import pattern_facts
from dashapp.stats.apart import read_apart
from dashapp.stats.novelties import Novel, read_novelties
from dashapp.stats.patterns import WeekHour, extremes, read_hours, week_of
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


class Group(Model):
    """Requests that fail, or are slow, notably more or less often than all others; attributes are `attributes.<name>`.

    `effect` is Cohen's h of the two shares, positive where the group fares worse. `exact` is false where requests
    were drawn.
    """

    measure: Literal["failures", "slow"]
    field: str
    value: str | int
    n: Count
    events: Count
    rate: Share
    rate_others: Share
    effect: float
    p: Share = Field(description="Probability of chance, by Fisher's exact test.")
    q: Share = Field(description="The same, corrected for all groups that were looked at.")
    exact: bool


class New(Model):
    """An endpoint ("GET /a"), a status or a kind of client that appeared in the range, or vanished from it."""

    what: Literal["new", "gone"]
    field: Literal["endpoint", "status", "client_type"]
    value: str | int
    n: Count = Field(description="Requests of the range; of what is gone, of the time before.")
    p: Share = Field(description="Probability where nothing has changed, corrected for all that was looked at.")


class Patterns(Answer):
    """168 hours of the week, Monday 00:00 first, in `zone`, and what they mean."""

    zone: str
    hours: list[HourOfWeek]
    busiest: HourOfWeek | None
    quietest: HourOfWeek | None
    findings: list[str]
    segments: list[Group]
    slow_from_ms: Milliseconds | None = Field(description="Requests as slow as the slowest 5 % of the range.")
    novelties: list[New]
    compared_with: Span | None = Field(description="The time that new and gone are told by.")


def make_patterns(reading: Reading, context: Context, *, whole: Range, filters: Filters, language: str) -> Patterns:
    """Hours of the week."""
    each_hour = read_hours(reading, whole, filters, zone=context.zone, complete=context.complete)
    hours = week_of(each_hour, context.zone)
    apart = read_apart(reading, whole, filters, each_hour, zone=context.zone)
    novel = read_novelties(reading, whole, filters, zone=context.zone, complete=context.complete)
    most_and_least = extremes(hours)
    words = Words(language)
    busiest, quietest = (_week_hour(each) for each in most_and_least) if most_and_least else (None, None)
    return Patterns(
        zone=str(context.zone),
        hours=[_week_hour(each) for each in hours],
        busiest=busiest,
        quietest=quietest,
        findings=[words(fact.key, **fact.values) for fact in pattern_facts(hours, words)],
        segments=[_group(each) for each in apart.segments],
        slow_from_ms=apart.slow_ms,
        novelties=[_new(each) for each in novel.found],
        compared_with=Span(start=novel.history.start, end=novel.history.end) if novel.history else None,
    )


def _group(each: Segment) -> Group:
    return Group(**asdict(each))


def _new(each: Novel) -> New:
    value = " ".join(each.value) if each.field == "endpoint" else each.value[0]
    return New(what=each.found.what, field=each.field, value=value, n=each.found.n, p=each.found.p)


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
