"""What is known of the time before a watch begins, from the hourly levels and the minutes before it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from dashapp.insight.history import (
    CLIENT_REQUESTS,
    CLIENT_SPAN,
    LATENCY_SPAN,
    TRAFFIC_SPAN,
    WARM_UP,
    BusiestHour,
    History,
)
from dashapp.insight.minute import ClientMinute, Endpoint, Minute
from dashapp.scan.reading import BY, minute_of, read_clients, read_minutes
from sql.busy_clients import busy_clients
from sql.connection import Reading, snapshot
from sql.filters import Filters
from sql.plan import Range, ceil, floor
from sql.reading import breakdown
from sql.span import data_span

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_PIECE = timedelta(minutes=10)
# The share of a processor that this takes: viewers are served by the same process.
_RESTS = 0.5
_ENDPOINTS = sa.text("""
select distinct service, method, route from route_1d
where bucket < :before and (cast(:service as text) is null or service = :service)
""")


def history_before(
    engine: sa.Engine, moment: datetime, service: str | None, *, rest: Callable[[float], None] = time.sleep
) -> History:
    """The past of a whole hour, of one service or of all.

    Hours, minutes and clients are read while they are taken, each piece in a short reading of its own.
    """
    with snapshot(engine) as reading:
        span = data_span(reading, service)
        if span is None or span.start >= moment:
            return History()
        traffic = _traffic(reading, Range(max(moment - TRAFFIC_SPAN, ceil(span.start, _HOUR)), moment), service)
        known = reading.execute(_ENDPOINTS, {"before": floor(moment, _DAY), "service": service})
        endpoints = frozenset(Endpoint(*row) for row in known)
    border = moment - WARM_UP
    first = max(floor(span.start, _HOUR), border - LATENCY_SPAN)
    warm_up = Range(max(border, floor(span.start, _HOUR)), moment)
    return History(
        traffic=traffic,
        hours=_hours(engine, Range(first, border), service, rest),
        minutes=_minutes(engine, warm_up, service, rest),
        client_minutes=_client_minutes(engine, warm_up, service, rest),
        # What is stored since less than a day is new as a whole, and so no part of it is.
        endpoints=endpoints if span.start < moment - _DAY else None,
        clients=_clients(engine, Range(max(floor(span.start, _HOUR), moment - CLIENT_SPAN), moment), service, rest),
    )


def _traffic(reading: Reading, span: Range, service: str | None) -> dict[str, dict[datetime, int]]:
    starts = [span.start + i * _HOUR for i in range(max(0, int((span.end - span.start) / _HOUR)))]
    if not starts:
        return {}
    counted: dict[str, dict[datetime, int]] = {}
    collected: set[datetime] = set()
    filters = Filters(service=service)
    for cell in breakdown(reading, span, filters, ("service",), edges=starts[1:], sketches=False):
        counted.setdefault(cell.keys[0], {})[starts[cell.slot]] = cell.n
        collected.add(starts[cell.slot])
    # From its first request on a service without any in an hour had none, if others had.
    return {
        name: {hour: hours.get(hour, 0) for hour in starts if hour in collected and hour >= min(hours)}
        for name, hours in counted.items()
    }


def _hours(engine: sa.Engine, span: Range, service: str | None, rest: Callable[[float], None]) -> Iterator[Minute]:
    at = span.start
    while at < span.end:
        started = time.process_time()
        with snapshot(engine) as reading:
            cells = breakdown(reading, Range(at, at + _HOUR), Filters(service=service), BY)
        if cells:
            yield minute_of(at, cells, width=_HOUR)
        at += _HOUR
        rest((time.process_time() - started) * _RESTS)


def _minutes(engine: sa.Engine, span: Range, service: str | None, rest: Callable[[float], None]) -> Iterator[Minute]:
    at = span.start
    while at < span.end:
        started = time.process_time()
        with snapshot(engine) as reading:
            found = read_minutes(reading, Range(at, min(at + _PIECE, span.end)), service)
        yield from found
        at += _PIECE
        rest((time.process_time() - started) * _RESTS)


def _client_minutes(
    engine: sa.Engine, span: Range, service: str | None, rest: Callable[[float], None]
) -> Iterator[ClientMinute]:
    at = span.start
    while at < span.end:
        started = time.process_time()
        with snapshot(engine) as reading:
            found = read_clients(reading, Range(at, min(at + _PIECE, span.end)), service)
        yield from (found[start] for start in sorted(found))
        at += _PIECE
        rest((time.process_time() - started) * _RESTS)


def _clients(
    engine: sa.Engine, span: Range, service: str | None, rest: Callable[[float], None]
) -> Iterator[BusiestHour]:
    at = span.start
    while at < span.end:
        started = time.process_time()
        # A day of the clock, as what is found is by day.
        end = min(floor(at, _DAY) + _DAY, span.end)
        with snapshot(engine) as reading:
            found = busy_clients(reading, Range(at, end), CLIENT_REQUESTS, service)
        yield from (BusiestHour(*each) for each in found)
        at = end
        rest((time.process_time() - started) * _RESTS)
