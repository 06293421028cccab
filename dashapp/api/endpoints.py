"""Endpoints: which there are, which are slow, and one in depth."""

from __future__ import annotations

from pydantic import Field

from dashapp.api.figures import Bucket, Status, TotalLatency, bucket, total_latency
from dashapp.api.inputs import ENDPOINT, FILTERS, INTERVAL, OTHER_FILTERS, WHOLE, Context, number, text
from dashapp.api.model import (
    Answer,
    Count,
    Latencies,
    Milliseconds,
    Model,
    Moment,
    Share,
    SlowRow,
    percentiles,
    slow_requests,
)
from dashapp.api.route import Route
from dashapp.stats.bottlenecks import SlowEndpoint, bottlenecks
from dashapp.stats.endpoint_detail import endpoint_detail
from dashapp.stats.endpoint_list import endpoint_list
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range

MOST_LISTED = 10_000
MOST_SLOW = 100
MOST_DETAILS = 10


class SlowEndpointFigures(Latencies):
    """An endpoint; `time_ms` is spent in all its requests, `time_share` of the time spent in all requests."""

    method: str
    route: str
    count: Count
    errors: Count
    error_rate: Share
    time_ms: Milliseconds
    time_share: Share
    enough_calls: bool = Field(description="Whether the percentiles rest on 20 requests or more.")


class CommonValue(Model):
    """A value that several of the slowest requests share; `hour` is the hour of day in the zone of the dashboard."""

    field: str
    value: str | int
    count: Count
    share_in_slowest: Share
    share_overall: Share | None = Field(description="Null where no aggregate knows it.")


class Bottlenecks(Answer):
    """What is slow: endpoints by p95 (those with enough calls first), the slowest requests, what they share."""

    slowest_endpoints: list[SlowEndpointFigures]
    slowest_requests: list[SlowRow]
    common: list[CommonValue]
    examined: Count = Field(description="How many of the slowest requests `common` looks at.")
    truncated: bool = Field(description="Whether there are more endpoints.")


class ListedEndpoint(Model):
    """An endpoint of a service in the range."""

    service: str
    method: str
    route: str
    count: Count
    share: Share
    errors: Count
    error_rate: Share
    mean_ms: Milliseconds | None


class Endpoints(Answer):
    """Endpoints by calls; `found` counts all that match, `total` the requests of all endpoints of the range."""

    total: Count
    found: Count
    truncated: bool
    endpoints: list[ListedEndpoint]


class LatencyBin(Model):
    """Requests with a latency of `from_ms` or more and less than `to_ms` (null: without an end)."""

    from_ms: Milliseconds
    to_ms: Milliseconds | None
    count: Count


class EndpointClient(Model):
    """Requests of one client to the endpoint; null: without an address."""

    client_ip: str | None
    count: Count
    errors: Count


class EndpointClients(Model):
    """Clients of the endpoint, most requests first; `truncated`: only of its requests after `since`."""

    since: Moment
    truncated: bool
    clients: list[EndpointClient]


class EndpointDetail(Answer):
    """One endpoint: totals, series, status codes, latencies, slowest requests and clients."""

    start: Moment
    end: Moment
    method: str
    route: str
    total: Count
    errors: Count
    client_errors: Count
    server_errors: Count
    error_rate: Share | None
    latency_ms: TotalLatency
    bytes: Count
    interval_minutes: Count
    buckets: list[Bucket]
    statuses: list[Status]
    distribution: list[LatencyBin]
    slowest_requests: list[SlowRow]
    top_clients: EndpointClients


def make_bottlenecks(reading: Reading, context: Context, *, whole: Range, filters: Filters, top_n: int) -> Bottlenecks:
    """What is slow."""
    found = bottlenecks(reading, whole, filters, most=top_n, zone=context.zone)
    return Bottlenecks(
        slowest_endpoints=[_slow_endpoint(each) for each in found.endpoints],
        slowest_requests=slow_requests(found.requests),
        common=[
            CommonValue(
                field=each.field,
                value=each.value,
                count=each.count,
                share_in_slowest=each.share_in_slowest,
                share_overall=each.share_overall,
            )
            for each in found.common
        ],
        examined=found.examined,
        truncated=found.found > len(found.endpoints),
    )


def make_endpoints(
    reading: Reading, _context: Context, *, whole: Range, filters: Filters, q: str | None, limit: int
) -> Endpoints:
    """Names of endpoints."""
    found = endpoint_list(reading, whole, filters, search=q)
    return Endpoints(
        total=found.total,
        found=len(found.endpoints),
        truncated=len(found.endpoints) > limit,
        endpoints=[
            ListedEndpoint(
                service=each.service,
                method=each.method,
                route=each.route,
                count=each.tally.n,
                share=each.tally.n / found.total,
                errors=each.tally.errors,
                error_rate=each.tally.errors / each.tally.n,
                mean_ms=each.tally.mean_ms,
            )
            for each in found.endpoints[:limit]
        ],
    )


def make_endpoint_detail(
    reading: Reading, context: Context, *, whole: Range, endpoint: tuple[str, str], filters: Filters, minutes: int
) -> EndpointDetail:
    """One endpoint in depth; the filters hold its method and route."""
    found = endpoint_detail(
        reading,
        whole,
        filters,
        minutes=minutes,
        zone=context.zone,
        complete=context.complete,
        most=MOST_DETAILS,
    )
    tally, newest = found.tally, found.newest
    return EndpointDetail(
        start=whole.start,
        end=whole.end,
        method=endpoint[0],
        route=endpoint[1],
        total=tally.n,
        errors=tally.errors,
        client_errors=tally.client_errors,
        server_errors=tally.server_errors,
        error_rate=tally.error_rate,
        latency_ms=total_latency(tally.latency()),
        bytes=tally.bytes,
        interval_minutes=minutes,
        buckets=[bucket(each) for each in found.series.buckets],
        statuses=[Status(status=each.status, count=each.count, share=each.share) for each in found.statuses],
        distribution=[LatencyBin(from_ms=b.from_ms, to_ms=b.to_ms, count=b.count) for b in found.distribution],
        slowest_requests=slow_requests(found.slowest),
        top_clients=EndpointClients(
            since=newest.since or whole.start,
            truncated=newest.since is not None,
            clients=[EndpointClient(client_ip=c.client_ip, count=c.count, errors=c.errors) for c in newest.clients],
        ),
    )


def _slow_endpoint(each: SlowEndpoint) -> SlowEndpointFigures:
    return SlowEndpointFigures(
        method=each.method,
        route=each.route,
        count=each.count,
        errors=each.errors,
        error_rate=each.error_rate,
        time_ms=each.time_ms,
        time_share=each.time_share,
        enough_calls=each.enough_calls,
        **percentiles(each.latency),
    )


ROUTES = (
    Route(
        "/stats/bottlenecks",
        "The slowest endpoints and requests, and what the slowest requests have in common",
        make_bottlenecks,
        Bottlenecks,
        (WHOLE, FILTERS, number("top_n", "Most endpoints and requests.", 5, MOST_SLOW)),
    ),
    Route(
        "/stats/endpoints",
        "The endpoints of each service, most calls first",
        make_endpoints,
        Endpoints,
        (
            WHOLE,
            FILTERS,
            text("q", "A part of `METHOD route`, in any case."),
            number("limit", "Most endpoints.", 500, MOST_LISTED),
        ),
    ),
    Route(
        "/stats/endpoint-detail",
        "One endpoint in depth",
        make_endpoint_detail,
        EndpointDetail,
        (WHOLE, ENDPOINT, OTHER_FILTERS, INTERVAL),
    ),
)
