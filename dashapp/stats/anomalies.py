"""Deviations that are larger than chance: in traffic, in errors and in latency. Pure: arrays in, deviations out."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dashapp.insight.finding import Kind, Severity

Numbers = npt.NDArray[np.int64]

TRAILING = 36  # buckets of which the baseline is the median
_FEWEST_TRAILING = 24
_SIGMAS = 7.0
_TWICE = 2.0
# The share of false findings among the findings that is put up with (Benjamini-Hochberg).
FALSE_SHARE = 0.01
_FEWEST_ERRORS = 5
_LEAST_RATE_RISE = 0.02
FEWEST_LATENCIES = 200
_LEAST_P95_RATIO = 1.5
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class Deviation:
    """Buckets `first` to `last` of a subject (its index) that hold `observed` where `expected` was usual.

    `score` is the distance in standard deviations (traffic) or -log10 of the probability of chance, `p`. `n` is the
    number of buckets (traffic) or requests that this rests on.
    """

    kind: Kind
    severity: Severity
    subject: int
    first: int
    last: int
    observed: float
    expected: float
    score: float
    n: int
    p: float | None = None


def traffic_deviations(counts: Sequence[int], history: int) -> list[Deviation]:
    """Find runs of buckets with at least twice or at most half the median of the buckets before them.

    Their square roots must also lie seven standard deviations away: of the larger of what the median absolute deviation
    says and what counting alone gives (1 for twice the root of a Poisson count: F. J. Anscombe, 1948). Buckets that
    deviate do not move the baseline, until as many in a row do as it is long: then they are the new normal.

    Args:
        counts: requests of equally long, whole buckets.
        history: how many of them lie before the range in question; they only make the baseline.
    """
    recent: deque[int] = deque(maxlen=TRAILING)
    runs: list[list[tuple[int, float, float]]] = [[]]  # of bucket, median and score
    for bucket, count in enumerate(counts):
        score = _traffic_score(count, recent)
        if score is None:
            runs.append([])
            recent.append(count)
            continue
        if runs[-1] and (score > 0) != (runs[-1][0][2] > 0):
            runs.append([])
        runs[-1].append((bucket, float(np.median(recent)), score))
        if len(runs[-1]) == TRAILING:
            runs.append([])
            recent = deque(counts[bucket + 1 - TRAILING : bucket + 1], maxlen=TRAILING)
    inside = ([entry for entry in run if entry[0] >= history] for run in runs)
    return [_deviation(counts, run) for run in inside if run]


def _traffic_score(count: int, recent: deque[int]) -> float | None:
    """Distance from the baseline in standard deviations; None where it is no deviation."""
    if len(recent) < _FEWEST_TRAILING:
        return None
    median = float(np.median(recent))
    deviations = np.abs(_stable(np.asarray(recent)) - _stable(median))
    score = float(_stable(count) - _stable(median)) / max(_MAD_TO_SIGMA * float(np.median(deviations)), 1.0)
    if abs(score) < _SIGMAS or median / _TWICE < count < median * _TWICE:
        return None
    return score


def _stable(count: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return 2 * np.sqrt(np.asarray(count) + 0.375)


def _deviation(counts: Sequence[int], run: Sequence[tuple[int, float, float]]) -> Deviation:
    observed = sum(counts[bucket] for bucket, _, _ in run)
    expected = sum(median for _, median, _ in run)
    score = max((score for _, _, score in run), key=abs)
    kind: Kind = "traffic_spike" if score > 0 else "traffic_drop"
    far = observed >= 2 * _TWICE * expected if score > 0 else observed <= expected / 10
    return Deviation(
        kind, "high" if far else "medium", 0, run[0][0], run[-1][0], observed, expected, abs(score), len(run)
    )


def error_bursts(errors: Numbers, totals: Numbers, before: Sequence[tuple[int, int]]) -> list[Deviation]:
    """Find windows in which an endpoint fails more often than in all other windows and the time before.

    Args:
        errors: failed requests by endpoint and window.
        totals: all requests likewise.
        before: errors and requests of each endpoint in the comparison time before the range.
    """
    tests: dict[tuple[int, int], float] = {}
    rates: dict[tuple[int, int], tuple[float, float]] = {}
    asked = 0
    for endpoint, (failed_before, all_before) in enumerate(before):
        failed, all_ = int(errors[endpoint].sum()) + failed_before, int(totals[endpoint].sum()) + all_before
        for window in range(errors.shape[1]):
            k, n = int(errors[endpoint, window]), int(totals[endpoint, window])
            others, other_failed = all_ - n, failed - k
            if not n or not others:
                continue
            asked += 1
            rate, usual = k / n, other_failed / others
            if k >= _FEWEST_ERRORS and rate >= _TWICE * usual and rate - usual >= _LEAST_RATE_RISE:
                tests[endpoint, window] = excess_probability(k, n, other_failed, others)
                rates[endpoint, window] = rate, usual
    kept = sorted(_discoveries(tests, asked))
    found: list[Deviation] = []
    for endpoint, window in kept:
        rate, usual = rates[endpoint, window]
        p, n = tests[endpoint, window], int(totals[endpoint, window])
        each = _unlikely("error_burst", endpoint, window, rate, usual, p, n, high=rate >= 0.2)
        last = found[-1] if found else None
        if last is not None and (last.subject, last.last) == (endpoint, window - 1):
            found[-1] = _joined(last, each, errors[endpoint], totals[endpoint])
        else:
            found.append(each)
    return found


def _joined(one: Deviation, next_: Deviation, errors: Numbers, totals: Numbers) -> Deviation:
    windows = slice(one.first, next_.last + 1)
    rate = int(errors[windows].sum()) / int(totals[windows].sum())
    severity: Severity = "high" if "high" in (one.severity, next_.severity) else "medium"
    expected, score = min(one.expected, next_.expected), max(one.score, next_.score)
    p = min(each.p for each in (one, next_) if each.p is not None)
    n = int(totals[windows].sum())
    return Deviation(one.kind, severity, one.subject, one.first, next_.last, rate, expected, score, n, p)


@dataclass(frozen=True, slots=True)
class Tail:
    """Latencies of an endpoint now and before: the p95s, and how many lie above the p95 of before."""

    p95: float
    p95_before: float
    above: int
    n: int
    above_before: int
    n_before: int


def latency_shifts(tails: Sequence[Tail]) -> list[Deviation]:
    """Find endpoints whose p95 has risen by half or more, and of which too many lie above the former p95."""
    tests: dict[tuple[int, int], float] = {}
    asked = 0
    for endpoint, tail in enumerate(tails):
        if min(tail.n, tail.n_before) < FEWEST_LATENCIES:
            continue
        asked += 1
        if tail.p95 >= _LEAST_P95_RATIO * tail.p95_before:
            tests[endpoint, 0] = excess_probability(tail.above, tail.n, tail.above_before, tail.n_before)
    found = []
    for endpoint, window in sorted(_discoveries(tests, asked)):
        tail = tails[endpoint]
        high = tail.p95 >= 2 * _TWICE * tail.p95_before
        p = tests[endpoint, window]
        found.append(_unlikely("latency_shift", endpoint, 0, tail.p95, tail.p95_before, p, tail.n, high=high))
    return found


def excess_probability(k: int, n: int, k_other: int, n_other: int) -> float:
    """Probability that k or more of n fail if they fail like the others (Fisher's exact test, one-sided)."""
    failed, all_ = k + k_other, n + n_other
    most = min(n, failed)
    if k <= max(0, failed - n_other):
        return 1.0
    term = math.exp(_log_choose(failed, k) + _log_choose(all_ - failed, n - k) - _log_choose(all_, n))
    total = 0.0
    for x in range(k, most + 1):
        total += term
        term *= (failed - x) * (n - x) / ((x + 1) * (all_ - failed - n + x + 1))
        if term < total * 1e-17:
            break
    return min(total, 1.0)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _discoveries(tests: dict[tuple[int, int], float], asked: int) -> list[tuple[int, int]]:
    """Tests that chance does not explain, of `asked` ones; those not in `tests` count as explained by chance."""
    ranked = sorted(tests, key=lambda key: tests[key])
    passing = [rank for rank, key in enumerate(ranked, 1) if tests[key] <= FALSE_SHARE * rank / asked]
    return ranked[: max(passing, default=0)]


def _unlikely(
    kind: Kind, subject: int, window: int, observed: float, expected: float, p: float, n: int, *, high: bool
) -> Deviation:
    score = -math.log10(max(p, 1e-300))
    severity: Severity = "high" if high else "medium"
    return Deviation(kind, severity, subject, window, window, observed, expected, score, n, p)
