"""Read what the search for anomalies needs, and name what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import numpy as np

from dashapp.insight.finding import Cause, Evidence, Finding, Kind, Subject, Unit
from dashapp.stats.anomalies import (
    FEWEST_LATENCIES,
    TRAILING,
    Deviation,
    Tail,
    error_bursts,
    latency_shifts,
    traffic_deviations,
)
from dashapp.stats.tally import Tally, tally_by
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import MINUTE, Range, ceil, floor
from sql.reading import breakdown
from sql.span import data_span

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# The longest range for a width of buckets, and of the windows of errors.
_BUCKETS = ((3 * _HOUR, MINUTE), (26 * _HOUR, 10 * MINUTE), (32 * _DAY, _HOUR), (timedelta.max, _DAY))
_WINDOWS = ((5 * _HOUR, 10 * MINUTE), (8 * _DAY, _HOUR), (timedelta.max, _DAY))
_MOST_FAILING = 30
_FEWEST_ERRORS = 5
_MEAN_RISE = 1.05
_ENDPOINT = ("method", "route")


_UNITS: dict[Kind, Unit] = {
    "traffic_spike": "requests",
    "traffic_drop": "requests",
    "error_burst": "share",
    "latency_shift": "ms",
}
_CAUSES: dict[Kind, Cause] = {"traffic_spike": "demand", "traffic_drop": "upstream"}
# The number that each kind is about: its name in the answer of the read API, and the path of that.
_NUMBERS: dict[Kind, tuple[str, str]] = {
    "traffic_spike": ("requests", "summary"),
    "traffic_drop": ("requests", "summary"),
    "error_burst": ("error_rate", "summary"),
    "latency_shift": ("p95", "summary"),
}
Endpoint = tuple[str, str]


def findings(reading: Reading, whole: Range, filters: Filters, complete: datetime) -> list[Finding]:
    """Compare what is final of a range coarsely with the time before; the worst first.

    The watch (`dashapp.scan`) sees more; this serves where it has not been.
    """
    known = Range(whole.start, min(whole.end, complete))
    if known.start >= known.end:
        return []
    now = tally_by(breakdown(reading, known, filters, _ENDPOINT, sketches=False))
    before = Range(known.start - (known.end - known.start), known.start)
    former = tally_by(breakdown(reading, before, filters, _ENDPOINT, sketches=False))
    found = [
        *_traffic(reading, known, filters, complete),
        *_errors(reading, known, filters, now, former, complete),
        *_latencies(reading, known, before, filters, now, former),
    ]
    return sorted(found, key=lambda each: (each.severity != "high", -each.score, each.start))


def _traffic(reading: Reading, known: Range, filters: Filters, complete: datetime) -> list[Finding]:
    width = _width(known, _BUCKETS)
    span = data_span(reading, filters.service)
    if span is None:
        return []
    first = max(ceil(known.start, width) - TRAILING * width, ceil(span.start, width))
    starts = _steps(Range(first, floor(known.end, width)), width)
    if not starts:
        return []
    counts = [0] * len(starts)
    whole = Range(starts[0], starts[-1] + width)
    for cell in breakdown(reading, whole, filters, edges=starts[1:], sketches=False):
        counts[cell.slot] = cell.n
    history = sum(start < known.start for start in starts)
    return [
        _finding(each, None, Range(starts[each.first], starts[each.last] + width), filters, complete)
        for each in traffic_deviations(counts, history)
    ]


def _errors(
    reading: Reading,
    known: Range,
    filters: Filters,
    now: dict[tuple[str, str], Tally],
    former: dict[tuple[str, str], Tally],
    complete: datetime,
) -> list[Finding]:
    failing = sorted((-tally.errors, key) for key, tally in now.items() if tally.errors >= _FEWEST_ERRORS)
    names = [key for _, key in failing[:_MOST_FAILING]]
    if not names:
        return []
    width = _width(known, _WINDOWS)
    edges = _steps(Range(floor(known.start, width) + width, known.end), width)
    errors = np.zeros((len(names), len(edges) + 1), np.int64)
    totals = np.zeros_like(errors)
    place = {name: i for i, name in enumerate(names)}
    for cell in breakdown(reading, known, filters, _ENDPOINT, edges=edges, only=names, sketches=False):
        errors[place[cell.keys[0], cell.keys[1]], cell.slot] = cell.classes[3] + cell.classes[4]
        totals[place[cell.keys[0], cell.keys[1]], cell.slot] = cell.n
    past = [(tally.errors, tally.n) for tally in (former.get(name, Tally()) for name in names)]
    bounds = [known.start, *edges, known.end]
    return [
        _finding(each, names[each.subject], Range(bounds[each.first], bounds[each.last + 1]), filters, complete)
        for each in error_bursts(errors, totals, past)
    ]


def _latencies(
    reading: Reading,
    known: Range,
    before: Range,
    filters: Filters,
    now: dict[tuple[str, str], Tally],
    former: dict[tuple[str, str], Tally],
) -> list[Finding]:
    # A p95 that rises by half takes the mean along, so few sketches need be read.
    names = [
        name
        for name, tally in now.items()
        if name in former and min(tally.n_lat, former[name].n_lat) >= FEWEST_LATENCIES and _slower(tally, former[name])
    ]
    if not names:
        return []
    current = tally_by(breakdown(reading, known, filters, _ENDPOINT, only=names))
    past = tally_by(breakdown(reading, before, filters, _ENDPOINT, only=names))
    tails = [_tail(current[name], past[name]) for name in names]
    # The two ranges are compared as wholes: that it lasts is not known.
    return [_finding(each, names[each.subject], known, filters, None) for each in latency_shifts(tails)]


def _slower(now: Tally, former: Tally) -> bool:
    return (now.mean_ms or 0) >= _MEAN_RISE * (former.mean_ms or 0)


def _tail(now: Tally, former: Tally) -> Tail:
    (p95,), (p95_before,) = (each.quantiles_ms(0.95) for each in (now, former))
    if now.sketch is None or former.sketch is None:
        return Tail(p95, p95_before, 0, now.n_lat, 0, former.n_lat)
    # The slot in which the former p95 lies.
    limit = int(np.searchsorted(np.cumsum(former.sketch), 0.95 * former.n_lat))
    above, above_before = (int(sketch[limit + 1 :].sum()) for sketch in (now.sketch, former.sketch))
    return Tail(p95, p95_before, above, now.n_lat, above_before, former.n_lat)


def _finding(
    each: Deviation, endpoint: Endpoint | None, span: Range, filters: Filters, complete: datetime | None
) -> Finding:
    method, route = endpoint or (filters.method, filters.route)
    is_network = "/" in (filters.client_ip or "")
    subject = Subject(
        service=filters.service,
        method=method,
        route=route,
        client_ip=None if is_network else filters.client_ip,
        network=filters.client_ip if is_network else None,
    )
    minutes = (span.end - span.start) // MINUTE
    name, path = _NUMBERS[each.kind]
    unit = _UNITS[each.kind]
    query = f"/api/stats/{path}?{query_text(span, subject)}"
    # The other filters are no part of a subject, so that no query of it would give the number.
    is_given = filters.columns() <= {"service", "method", "route", "client_ip"}
    return Finding(
        kind=each.kind,
        severity=each.severity,
        subject=subject,
        start=span.start,
        end=None if complete is not None and span.end >= complete else span.end,
        unit=unit,
        observed=each.observed,
        expected=each.expected,
        effect=each.observed / each.expected if each.expected else None,
        score=each.score,
        p=each.p,
        n=minutes if unit == "requests" else each.n,
        cause=_CAUSES.get(each.kind, "unknown"),
        evidence=(Evidence(name, each.observed, unit, query),) if is_given else (),
        facts={"measure": "p95"} if each.kind == "latency_shift" else {},
    )


def query_text(span: Range, subject: Subject) -> str:
    """Query string of the read API for a time and a subject."""
    moments = {name: moment.astimezone(UTC).isoformat() for name, moment in (("start", span.start), ("end", span.end))}
    return urlencode(
        {name: text.replace("+00:00", "Z") for name, text in moments.items()} | subject.parameters(), safe=":/"
    )


def _width(known: Range, widths: Sequence[tuple[timedelta, timedelta]]) -> timedelta:
    return next(width for longest, width in widths if known.end - known.start <= longest)


def _steps(span: Range, width: timedelta) -> list[datetime]:
    """Moments from the start of a range on, a width apart, before its end."""
    return [span.start + i * width for i in range(max(0, -((span.start - span.end) // width)))]
