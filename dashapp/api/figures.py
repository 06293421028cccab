"""Totals, series, endpoints and status codes of a range."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dashapp.api.inputs import BY, FILTERS, INTERVAL, WHOLE, Context, number
from dashapp.api.model import Answer, Count, Latencies, Milliseconds, Model, Moment, Share, percentiles
from dashapp.api.route import Route
from dashapp.stats import failing
from dashapp.stats.errors import statuses
from dashapp.stats.summary import summary
from dashapp.stats.tally import Latency
from dashapp.stats.traffic import TrafficBucket, traffic
from dashapp.stats.usage import Endpoint, routes_of, usage
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range

MOST_ENDPOINTS = 10_000


class TotalLatency(Model):
    """Latency of all requests in ms; `error_bound` is the largest relative error of a percentile, null if unbounded."""

    mean: Milliseconds | None
    p50: Milliseconds | None
    p90: Milliseconds | None
    p95: Milliseconds | None
    p99: Milliseconds | None
    max: Milliseconds | None
    error_bound: Share | None


class Summary(Answer):
    """Totals of a range; an error is a status of 400 or above."""

    start: Moment
    end: Moment
    total: Count
    errors: Count
    client_errors: Count
    server_errors: Count
    error_rate: Share | None
    latency_ms: TotalLatency
    bytes: Count


class Bucket(Latencies):
    """Requests of one bucket; null where nothing can be known yet, or was before the first request."""

    start: Moment
    total: Count | None
    errors: Count | None
    classes: dict[str, Count] = Field(description="Requests by status class, `2xx` to `5xx`; empty where unknown.")


class Traffic(Answer):
    """Every bucket that overlaps the range."""

    interval_minutes: Count
    buckets: list[Bucket]


class RouteLimit(Model):
    """How many routes are counted one by one, and whether further ones are summed up as one."""

    kept: Count
    capped: bool


class UsedEndpoint(Latencies):
    """Calls of one endpoint; `path` instead of `route` where they are grouped by path."""

    method: str
    route: str | None
    path: str | None
    count: Count
    share: Share
    errors: Count
    error_rate: Share


class Usage(Answer):
    """Endpoints, most calls first; `total` counts the calls of all of them."""

    total: Count
    truncated: bool
    routes: RouteLimit
    endpoints: list[UsedEndpoint]


class Status(Model):
    """One status code."""

    status: int
    count: Count
    share: Share


class FailingEndpoint(Model):
    """An endpoint with errors."""

    method: str
    route: str
    count: Count
    errors: Count
    client_errors: Count
    server_errors: Count
    error_rate: Share


class ErrorBucket(Model):
    """Errors of one bucket; null where nothing can be known yet."""

    start: Moment
    total: Count | None
    errors: Count | None
    client_errors: Count | None
    server_errors: Count | None


class Errors(Answer):
    """Requests by status class and code, most frequent first; the endpoints with errors, most errors first."""

    total: Count
    classes: dict[str, Count]
    statuses: list[Status]
    truncated: bool
    by_endpoint: list[FailingEndpoint]
    by_bucket: list[ErrorBucket]


def make_summary(reading: Reading, context: Context, *, whole: Range, filters: Filters) -> Summary:
    """Key figures."""
    found = summary(reading, whole, filters, context.complete)
    return Summary(
        start=found.start,
        end=found.end,
        total=found.total,
        errors=found.errors,
        client_errors=found.client_errors,
        server_errors=found.server_errors,
        error_rate=found.error_rate,
        latency_ms=total_latency(found.latency_ms),
        bytes=found.bytes,
    )


def make_traffic(reading: Reading, context: Context, *, whole: Range, filters: Filters, minutes: int) -> Traffic:
    """Series of requests."""
    series = traffic(reading, whole, filters, minutes=minutes, zone=context.zone, complete=context.complete)
    return Traffic(interval_minutes=minutes, buckets=[bucket(each) for each in series.buckets])


def make_usage(
    reading: Reading, _context: Context, *, whole: Range, filters: Filters, by: Literal["route", "path"], limit: int
) -> Usage:
    """Endpoints by calls."""
    used = usage(reading, whole, filters, by=by, most=limit)
    routes = routes_of(reading, used, filters, by=by)
    return Usage(
        total=used.total,
        truncated=used.found > len(used.endpoints),
        routes=RouteLimit(kept=routes.kept, capped=routes.capped),
        endpoints=[_used(endpoint, by) for endpoint in used.endpoints],
    )


def make_errors(reading: Reading, context: Context, *, whole: Range, filters: Filters, minutes: int) -> Errors:
    """Statuses, and where and when errors are."""
    codes = statuses(reading, whole, filters)
    worst = failing.failing_endpoints(reading, whole, filters)
    zone, complete = context.zone, context.complete
    series = traffic(reading, whole, filters, minutes=minutes, zone=zone, complete=complete, percentiles=False)
    return Errors(
        total=codes.total,
        classes=codes.classes,
        statuses=[Status(status=each.status, count=each.count, share=each.share) for each in codes.statuses],
        truncated=len(worst) > MOST_ENDPOINTS,
        by_endpoint=[_failing(endpoint) for endpoint in worst[:MOST_ENDPOINTS]],
        by_bucket=[_error_bucket(each) for each in series.buckets],
    )


def total_latency(latency: Latency) -> TotalLatency:
    """Latency as the summary has it."""
    return TotalLatency(
        mean=latency.mean,
        p50=latency.p50,
        p90=latency.p90,
        p95=latency.p95,
        p99=latency.p99,
        max=latency.max,
        error_bound=latency.error_bound,
    )


def bucket(found: TrafficBucket) -> Bucket:
    """A bucket as it is sent."""
    return Bucket(
        start=found.start,
        total=found.total,
        errors=found.errors,
        classes=found.classes,
        **percentiles(found.latency),
    )


def _used(endpoint: Endpoint, by: str) -> UsedEndpoint:
    return UsedEndpoint(
        method=endpoint.method,
        route=endpoint.route if by == "route" else None,
        path=endpoint.route if by == "path" else None,
        count=endpoint.count,
        share=endpoint.share,
        errors=endpoint.errors,
        error_rate=endpoint.error_rate,
        **percentiles(endpoint.latency),
    )


def _failing(endpoint: failing.FailingEndpoint) -> FailingEndpoint:
    tally = endpoint.tally
    return FailingEndpoint(
        method=endpoint.method,
        route=endpoint.route,
        count=tally.n,
        errors=tally.errors,
        client_errors=tally.client_errors,
        server_errors=tally.server_errors,
        error_rate=tally.errors / tally.n,
    )


def _error_bucket(found: TrafficBucket) -> ErrorBucket:
    known = found.total is not None
    return ErrorBucket(
        start=found.start,
        total=found.total,
        errors=found.errors,
        client_errors=found.classes.get("4xx", 0) if known else None,
        server_errors=found.classes.get("5xx", 0) if known else None,
    )


ROUTES = (
    Route("/stats/summary", "Key figures of a range", make_summary, Summary, (WHOLE, FILTERS)),
    Route(
        "/stats/traffic", "Requests, errors and latency over time", make_traffic, Traffic, (WHOLE, FILTERS, INTERVAL)
    ),
    Route(
        "/stats/usage",
        "Calls and latency by endpoint, most calls first",
        make_usage,
        Usage,
        (WHOLE, FILTERS, BY, number("limit", "Most endpoints.", MOST_ENDPOINTS, MOST_ENDPOINTS)),
    ),
    Route(
        "/stats/errors",
        "Status codes; endpoints and times of errors",
        make_errors,
        Errors,
        (WHOLE, FILTERS, INTERVAL),
    ),
)
