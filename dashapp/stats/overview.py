"""What Overview reads: its parts, each of one snapshot, and all of the same one unless a part fails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from dashapp.comparison import Both, Comparison, known_on_both
from dashapp.parts import Failed, Parts
from dashapp.stats.errors import Statuses, statuses
from dashapp.stats.known_findings import Found, findings_of_range
from dashapp.stats.summary import Summary, summary
from dashapp.stats.traffic import Traffic, traffic, traffic_there
from dashapp.stats.usage import Usage, routes_of, usage
from sql.collection import RouteCount
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import MINUTE, Range, floor
from sql.span import data_span


@dataclass(frozen=True, slots=True)
class Question:
    """What Overview is asked to show."""

    whole: Range
    filters: Filters
    comparison: Comparison | None
    minutes: int
    zone: ZoneInfo
    complete: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """Key figures of the range; of both sides without what only one of them knows, where they are compared."""

    total: Summary
    span: Range | None
    both: Both | None = None
    now: Summary | None = None
    before: Summary | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """The course of the range, and that of the comparison in the same buckets where anything is known of it."""

    now: Traffic
    before: Traffic | None


@dataclass(frozen=True, slots=True)
class Codes:
    """Status codes of the range; and of both sides where they are compared."""

    whole: Statuses
    now: Statuses | None = None
    before: Statuses | None = None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Endpoints of the range; and of both sides where they are compared."""

    whole: Usage
    routes: RouteCount
    now: Usage | None = None
    before: Usage | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """All parts of the page."""

    key_figures: tuple[Totals, Series] | Failed
    series: Series | Failed
    codes: Codes | Failed
    endpoints: Endpoints | Failed
    found: Found | Failed


def read_overview(engine: sa.Engine, question: Question) -> Overview:
    """Read the page."""
    with Parts(engine) as parts:
        return Overview(
            key_figures=parts.read(lambda reading: (totals(reading, question), series(reading, question))),
            series=parts.read(partial(series, question=question)),
            codes=parts.read(partial(codes, question=question)),
            endpoints=parts.read(partial(endpoints, question=question)),
            found=parts.read(partial(found, question=question)),
        )


def totals(reading: Reading, question: Question) -> Totals:
    """Read the key figures."""
    read = partial(summary, reading, filters=question.filters, complete=question.complete)
    total = reading.once(("summary", question.whole), lambda: read(whole=question.whole))
    both = both_sides(reading, question)
    span = data_span(reading, question.filters.service)
    if both is None:
        return Totals(total, span)
    now = total if both.now == question.whole else read(whole=both.now)
    return Totals(total, span, both, now, read(whole=both.before))


def series(reading: Reading, question: Question) -> Series:
    """Read the course of the range and of its comparison."""
    return reading.once("series", lambda: _series(reading, question))


def _series(reading: Reading, question: Question) -> Series:
    whole, filters = question.whole, question.filters
    minutes, zone, complete = question.minutes, question.zone, question.complete
    now = traffic(reading, whole, filters, minutes=minutes, zone=zone, complete=complete)
    if question.comparison is None:
        return Series(now, None)
    before = traffic_there(
        reading, whole, filters, question.comparison, minutes=minutes, zone=zone, complete=complete
    )  # fmt: skip
    known = any(bucket.total is not None for bucket in before.buckets)
    return Series(now, before if known else None)


def codes(reading: Reading, question: Question) -> Codes:
    """Read the status codes."""
    whole = statuses(reading, question.whole, question.filters)
    both = both_sides(reading, question)
    if both is None:
        return Codes(whole)
    now = whole if both.now == question.whole else statuses(reading, both.now, question.filters)
    return Codes(whole, now, statuses(reading, both.before, question.filters))


def endpoints(reading: Reading, question: Question) -> Endpoints:
    """Read the endpoints."""
    whole = usage(reading, question.whole, question.filters)
    routes = routes_of(reading, whole, question.filters)
    both = both_sides(reading, question)
    if both is None:
        return Endpoints(whole, routes)
    now = whole if both.now == question.whole else usage(reading, both.now, question.filters)
    return Endpoints(whole, routes, now, usage(reading, both.before, question.filters))


def found(reading: Reading, question: Question) -> Found:
    """What stands out."""
    return findings_of_range(reading, question.whole, question.filters, question.complete)


def both_sides(reading: Reading, question: Question) -> Both | None:
    """The parts of the range and of its comparison that both are known; None where nothing is compared."""
    if question.comparison is None:
        return None
    span = data_span(reading, question.filters.service)
    first = floor(span.start, MINUTE) if span else None
    return known_on_both(question.comparison, question.whole, first, question.complete)
