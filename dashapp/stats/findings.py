"""Read what the search for anomalies needs, and name what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from dashapp.stats.anomalies import (
    FEWEST_LATENCIES,
    TRAILING,
    Deviation,
    Kind,
    Severity,
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


@dataclass(frozen=True, slots=True)
class Finding:
    """A deviation with its subject, (method, route) or None for all traffic, and its time."""

    kind: Kind
    severity: Severity
    subject: tuple[str, str] | None
    start: datetime
    end: datetime
    observed: float
    expected: float
    score: float


def findings(reading: Reading, whole: Range, filters: Filters, complete: datetime) -> list[Finding]:
    """Search what is final of a range; the worst first, an empty list where nothing stands out."""
    known = Range(whole.start, min(whole.end, complete))
    if known.start >= known.end:
        return []
    now = tally_by(breakdown(reading, known, filters, _ENDPOINT, sketches=False))
    before = Range(known.start - (known.end - known.start), known.start)
    former = tally_by(breakdown(reading, before, filters, _ENDPOINT, sketches=False))
    found = [
        *_traffic(reading, known, filters),
        *_errors(reading, known, filters, now, former),
        *_latencies(reading, known, before, filters, now, former),
    ]
    return sorted(found, key=lambda each: (each.severity != "high", -each.score, each.start))


def _traffic(reading: Reading, known: Range, filters: Filters) -> list[Finding]:
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
        _finding(each, None, starts[each.first], starts[each.last] + width)
        for each in traffic_deviations(counts, history)
    ]


def _errors(
    reading: Reading,
    known: Range,
    filters: Filters,
    now: dict[tuple[str, str], Tally],
    former: dict[tuple[str, str], Tally],
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
        _finding(each, names[each.subject], bounds[each.first], bounds[each.last + 1])
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
    return [_finding(each, names[each.subject], known.start, known.end) for each in latency_shifts(tails)]


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


def _finding(each: Deviation, subject: tuple[str, str] | None, start: datetime, end: datetime) -> Finding:
    return Finding(each.kind, each.severity, subject, start, end, each.observed, each.expected, each.score)


def _width(known: Range, widths: Sequence[tuple[timedelta, timedelta]]) -> timedelta:
    return next(width for longest, width in widths if known.end - known.start <= longest)


def _steps(span: Range, width: timedelta) -> list[datetime]:
    """Moments from the start of a range on, a width apart, before its end."""
    return [span.start + i * width for i in range(max(0, -((span.start - span.end) // width)))]
