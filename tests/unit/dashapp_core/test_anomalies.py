"""The search for deviations: what is planted is found, and stationary data stays silent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dashapp.stats.anomalies import (
    TRAILING,
    Deviation,
    Tail,
    error_bursts,
    excess_probability,
    latency_shifts,
    traffic_deviations,
)

TRIALS = 200


def poisson(seed: int, mean: float, buckets: int = 300) -> list[int]:
    return [int(n) for n in np.random.default_rng(seed).poisson(mean, buckets)]


# ---- traffic ----


@pytest.mark.parametrize("mean", [0.2, 3, 40, 5_000])
def test_stationary_traffic_has_no_finding(mean: float) -> None:
    alarms = [traffic_deviations(poisson(seed, mean), TRAILING) for seed in range(TRIALS)]
    assert [found for found in alarms if found] == []


def test_bursty_traffic_has_hardly_a_finding() -> None:
    """Counts with a standard deviation of a third of their mean, as of few clients that call in bursts."""
    counts = [np.random.default_rng(seed).negative_binomial(9, 9 / 309, 300).tolist() for seed in range(TRIALS)]
    alarms = sum(bool(traffic_deviations(each, TRAILING)) for each in counts)
    assert alarms <= TRIALS * 0.02  # measured: 7 of 1,000


def test_a_daily_curve_has_no_finding() -> None:
    rng = np.random.default_rng(4)
    day = [1 - 0.7 * math.cos(math.tau * minute / 1440) for minute in range(0, 3 * 1440, 10)]
    for mean in (20, 2_000):
        assert traffic_deviations([int(rng.poisson(mean * each)) for each in day], TRAILING) == []


def test_a_spike_is_one_finding_with_its_buckets() -> None:
    counts = poisson(1, 100)
    counts[200:205] = [900, 950, 1_000, 920, 880]
    (found,) = traffic_deviations(counts, TRAILING)
    assert (found.kind, found.severity, found.first, found.last) == ("traffic_spike", "high", 200, 204)
    assert found.observed == 4_650
    assert found.expected == pytest.approx(500, rel=0.1)
    assert found.score > 30


def test_a_drop_is_found_and_history_is_not() -> None:
    counts = poisson(2, 100)
    counts[30:32] = [0, 0]
    counts[250:260] = [0] * 10
    (found,) = traffic_deviations(counts, TRAILING)
    assert (found.kind, found.severity, found.first, found.last) == ("traffic_drop", "high", 250, 259)
    assert found.observed == 0


def test_a_lasting_change_becomes_the_new_normal() -> None:
    counts = poisson(3, 100, 150) + poisson(4, 400, 150)
    (found,) = traffic_deviations(counts, TRAILING)
    assert (found.first, found.last) == (150, 150 + TRAILING - 1)


def test_a_short_series_says_nothing() -> None:
    assert traffic_deviations([1, 1, 1, 1_000], 0) == []
    assert traffic_deviations([], 0) == []


# ---- errors ----


def brute_force(k: int, n: int, k_other: int, n_other: int) -> float:
    failed, all_ = k + k_other, n + n_other
    ways = sum(math.comb(failed, x) * math.comb(all_ - failed, n - x) for x in range(k, min(n, failed) + 1))
    return ways / math.comb(all_, n)


def test_excess_probability_is_fishers_exact_test() -> None:
    rng = np.random.default_rng(5)
    for _ in range(500):
        n, n_other = (int(x) for x in rng.integers(1, 60, 2))
        k, k_other = int(rng.integers(0, n + 1)), int(rng.integers(0, n_other + 1))
        assert excess_probability(k, n, k_other, n_other) == pytest.approx(
            brute_force(k, n, k_other, n_other), rel=1e-9
        )
    assert 0 < excess_probability(100, 1_000, 10_000, 1_000_000) < 1e-50
    assert excess_probability(900, 1_000, 10_000, 1_000_000) == 0  # below what a float can hold
    assert excess_probability(500, 1_000, 500_000, 1_000_000) == pytest.approx(0.5, abs=0.05)


def test_stationary_errors_have_no_finding() -> None:
    rng = np.random.default_rng(6)
    alarms = 0
    for _ in range(TRIALS):
        totals = rng.poisson(rng.choice([3, 50, 2_000], (30, 1)), (30, 24)).astype(np.int64)
        rates = rng.choice([0.001, 0.02, 0.3], (30, 1))
        before = [(int(rng.binomial(24 * 50, rate)), 24 * 50) for rate in rates[:, 0]]
        alarms += bool(error_bursts(rng.binomial(totals, rates).astype(np.int64), totals, before))
    assert alarms <= TRIALS * 0.01


def test_a_burst_of_errors_is_one_finding() -> None:
    rng = np.random.default_rng(7)
    totals = np.full((3, 24), 500, np.int64)
    errors = rng.binomial(totals, 0.01).astype(np.int64)
    errors[1, 10:13] = [100, 150, 120]
    (found,) = error_bursts(errors, totals, [(120, 12_000)] * 3)
    assert (found.kind, found.severity, found.subject, found.first, found.last) == ("error_burst", "high", 1, 10, 12)
    assert found.observed == 370 / 1_500
    assert found.expected < 0.05


def test_an_endpoint_that_fails_all_the_time_is_found_by_the_time_before() -> None:
    totals = np.full((1, 6), 200, np.int64)
    errors = np.full((1, 6), 100, np.int64)
    (found,) = error_bursts(errors, totals, [(2, 1_200)])
    assert (found.first, found.last, found.observed) == (0, 5, 0.5)
    assert error_bursts(errors, totals, [(600, 1_200)]) == []


def test_few_errors_are_no_burst() -> None:
    assert error_bursts(np.array([[0, 4]]), np.array([[1_000, 4]]), [(0, 1_000)]) == []


# ---- latency ----


def tail_of(now: np.ndarray, before: np.ndarray) -> Tail:
    p95, p95_before = (float(np.quantile(each, 0.95)) for each in (now, before))
    above, above_before = (int((each > p95_before).sum()) for each in (now, before))
    return Tail(p95, p95_before, above, len(now), above_before, len(before))


def test_stationary_latencies_have_hardly_a_finding() -> None:
    rng = np.random.default_rng(8)
    alarms = 0
    for _ in range(TRIALS):
        tails = [tail_of(rng.lognormal(3, 0.8, 200), rng.lognormal(3, 0.8, 200)) for _ in range(20)]
        alarms += bool(latency_shifts(tails))
    assert alarms <= TRIALS * 0.01  # measured: 5 of 1,000 searches over 20 endpoints with as few calls as allowed


def test_a_slower_endpoint_is_found_unless_it_is_hardly_called() -> None:
    rng = np.random.default_rng(9)
    same = tail_of(rng.lognormal(3, 0.8, 5_000), rng.lognormal(3, 0.8, 5_000))
    slow = tail_of(rng.lognormal(4, 0.8, 1_000), rng.lognormal(3, 0.8, 1_000))
    rare = tail_of(rng.lognormal(5, 0.8, 199), rng.lognormal(3, 0.8, 199))
    (found,) = latency_shifts([same, slow, rare])
    assert isinstance(found, Deviation)
    assert (found.kind, found.subject, found.severity) == ("latency_shift", 1, "medium")
    assert found.observed == slow.p95
    assert found.expected == slow.p95_before
