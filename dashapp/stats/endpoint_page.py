"""What Endpoint Analysis reads: the table of all endpoints, or one endpoint in depth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import sqlalchemy as sa

from dashapp.parts import Failed, Parts
from dashapp.stats.endpoint_common import Among, Common, endpoint_common, slow_count
from dashapp.stats.endpoint_detail import SCANNED_ROWS
from dashapp.stats.known_findings import Found
from dashapp.stats.overview import Codes, Question, Series, Totals, both_sides, codes, found, series, totals
from dashapp.stats.summary import Summary, summary
from dashapp.stats.traffic import known_buckets
from dashapp.stats.usage import Usage, routes_of, usage
from dashapp.time_range import bucket_starts
from sql.clients import NewestClients, newest_clients
from sql.collection import RouteCount
from sql.connection import Reading
from sql.courses import courses
from sql.plan import Range
from sql.slowest import SlowRequest, slowest_requests
from sql.span import data_span

By = Literal["route", "path"]
Course = list[int | None]
# Beyond it nobody scrolls; what is searched for among more of them is found by a filter.
MOST_ROWS = 1_000
MOST_COURSES = 100
MOST_REQUESTS = 10
MOST_CLIENTS = 8


@dataclass(frozen=True, slots=True)
class Listed:
    """Endpoints of the range and of both sides of a comparison; the span is that of the stored data."""

    whole: Usage
    total: Summary
    routes: RouteCount
    span: Range | None
    now: Usage | None = None
    before: Usage | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The parts of the table; courses only of the endpoints with the most calls, by (method, route)."""

    listed: Listed | Failed
    courses: Mapping[tuple[str, str], Course] | Failed


@dataclass(frozen=True, slots=True)
class Slow:
    """The slowest requests, and what they or the failed ones have in common."""

    requests: list[SlowRequest]
    common: Common


@dataclass(frozen=True, slots=True)
class Depth:
    """The parts of one endpoint."""

    totals: Totals | Failed
    series: Series | Failed
    codes: Codes | Failed
    slow: Slow | Failed
    clients: NewestClients | Failed
    found: Found | Failed


def read_table(engine: sa.Engine, question: Question, *, by: By) -> Table:
    """Read the table."""
    with Parts(engine) as parts:
        listed = parts.read(lambda reading: list_endpoints(reading, question, by=by))
        if isinstance(listed, Failed):
            return Table(listed, listed)
        if by == "path":
            # No aggregate holds paths: their courses would read every row of the range once more.
            return Table(listed, {})
        return Table(listed, parts.read(lambda reading: read_courses(reading, question, listed.whole)))


def list_endpoints(reading: Reading, question: Question, *, by: By) -> Listed:
    """Read the endpoints, with the sums of all of them as the summary has them."""
    read = partial(usage, reading, filters=question.filters, by=by, most=MOST_ROWS)
    whole = read(whole=question.whole)
    total = summary(reading, question.whole, question.filters, question.complete)
    routes = routes_of(reading, whole, question.filters, by=by)
    span = data_span(reading, question.filters.service)
    both = both_sides(reading, question) if by == "route" else None
    if both is None:
        return Listed(whole, total, routes, span)
    now = whole if both.now == question.whole else read(whole=both.now)
    return Listed(whole, total, routes, span, now, read(whole=both.before))


def read_courses(reading: Reading, question: Question, used: Usage) -> dict[tuple[str, str], Course]:
    """Requests over time of the endpoints with the most calls; None where nothing can be known."""
    starts = bucket_starts(question.whole, question.minutes, question.zone)
    only = [(each.method, each.route) for each in used.endpoints[:MOST_COURSES]]
    counts = courses(reading, question.whole, question.filters, ["method", "route"], edges=starts[1:], only=only)
    known = known_buckets(reading, question.filters, starts, question.whole.end, question.complete)
    return {
        (key[0], key[1]): [by_slot.get(slot, 0) if is_known else None for slot, is_known in enumerate(known)]
        for key, by_slot in counts.items()
    }


def read_depth(engine: sa.Engine, question: Question, *, among: Among) -> Depth:
    """Read one endpoint, which the filters name."""
    with Parts(engine) as parts:
        return Depth(
            totals=parts.read(partial(totals, question=question)),
            series=parts.read(partial(series, question=question)),
            codes=parts.read(partial(codes, question=question)),
            slow=parts.read(partial(read_slow, question=question, among=among)),
            clients=parts.read(partial(read_clients, question=question)),
            found=parts.read(partial(found, question=question)),
        )


def read_slow(reading: Reading, question: Question, among: Among) -> Slow:
    """Read the slowest requests, and compare these or the failed ones with the others."""
    whole, filters = question.whole, question.filters
    total = reading.once(("summary", whole), lambda: summary(reading, whole, filters, question.complete))
    most = max(MOST_REQUESTS, slow_count(total.total) if among == "slow" else 0)
    slowest = slowest_requests(reading, whole, filters, most)
    common = endpoint_common(
        reading,
        whole,
        filters,
        among=among,
        total=total,
        slowest=slowest,
        minutes=question.minutes,
        zone=question.zone,
    )
    return Slow(slowest[:MOST_REQUESTS], common)


def read_clients(reading: Reading, question: Question) -> NewestClients:
    """Count the clients of the newest requests."""
    return newest_clients(reading, question.whole, question.filters, most=MOST_CLIENTS, scanned=SCANNED_ROWS)
