"""What comes before failures: of one client, as series of minutes, and from which network they come."""

from __future__ import annotations

import numpy as np
import pytest

from dashapp.insight.correlation import calls_before, lagged, network_of
from dashapp.insight.minute import Endpoint, Requests

SAVE, SHOW, LIST = (Endpoint("shop", *each) for each in (("POST", "/save"), ("GET", "/show"), ("GET", "/list")))


def requests(draw: np.random.Generator, n: int, *, clients: int = 400, bad: float = 0.02) -> Requests:
    return Requests(
        clients=[f"10.{i % 20}.0.{i // 20}" for i in range(clients)],
        endpoints=[SAVE, SHOW, LIST],
        ts=np.sort(draw.uniform(0, 3600, n)),
        client=draw.integers(clients, size=n),
        endpoint=draw.choice(3, n, p=[0.2, 0.4, 0.4]),
        status=np.where(draw.random(n) < bad, 500, 200),
        latency_ms=draw.lognormal(3, 0.5, n),
    )


def after_save(base: Requests, share: float, draw: np.random.Generator) -> Requests:
    """Of each client that saved within five minutes, a share of what it is shown fails."""
    status = base.status.copy()
    for i in np.flatnonzero(base.endpoint == 1):
        before = (base.client == base.client[i]) & (base.ts < base.ts[i]) & (base.ts > base.ts[i] - 300)
        if (base.endpoint[before] == 0).any() and draw.random() < share:
            status[i] = 500
    return Requests(base.clients, base.endpoints, base.ts, base.client, base.endpoint, status, base.latency_ms)


# ---- the same client before ----


@pytest.mark.parametrize("seed", range(5))
def test_what_was_called_before_is_named(seed: int) -> None:
    draw = np.random.default_rng(seed)
    found = calls_before(after_save(requests(draw, 4_000), 0.5, draw))
    assert [(each.before, each.then) for each in found] == [(SAVE, SHOW)]
    assert found[0].rate_after > 0.4
    assert found[0].rate_other < 0.05
    assert 0 < found[0].seconds < 300
    assert found[0].clients >= 8


def test_nothing_is_named_where_failures_come_by_chance() -> None:
    named = sum(bool(calls_before(requests(np.random.default_rng(seed), 3_000, bad=0.05))) for seed in range(60))
    assert named == 0


def test_one_client_that_fails_again_and_again_proves_nothing() -> None:
    draw = np.random.default_rng(1)
    base = requests(draw, 3_000)
    mine = base.client == 7
    base.endpoint[mine & (base.endpoint == 2)] = 0
    extra = 200
    both = Requests(
        base.clients,
        base.endpoints,
        np.concatenate([base.ts, np.linspace(100, 3_000, extra)]),
        np.concatenate([base.client, np.full(extra, 7)]),
        np.concatenate([base.endpoint, np.tile([0, 1], extra // 2)]),
        np.concatenate([base.status, np.tile([200, 500], extra // 2)]),
        np.concatenate([base.latency_ms, np.full(extra, 20.0)]),
    )
    assert calls_before(both) == []


@pytest.mark.parametrize("n", [0, 1, 10])
def test_few_requests_say_nothing(n: int) -> None:
    assert calls_before(requests(np.random.default_rng(0), n)) == []
    assert network_of(requests(np.random.default_rng(0), n)) is None


def test_no_addresses_and_all_failed_say_nothing() -> None:
    base = requests(np.random.default_rng(0), 1_000, bad=1.0)
    assert calls_before(base) == []
    assert network_of(base) is None
    none = Requests([], base.endpoints, base.ts, np.full(1_000, -1), base.endpoint, base.status, base.latency_ms)
    assert calls_before(none) == []
    assert network_of(none) is None


# ---- series of minutes ----


def noise(draw: np.random.Generator, minutes: int, memory: float) -> np.ndarray:
    series = np.zeros(minutes)
    for i in range(1, minutes):
        series[i] = memory * series[i - 1] + draw.normal()
    return series


def test_lag_and_strength_of_what_was_planted() -> None:
    draw = np.random.default_rng(3)
    minutes, lag = 360, 4
    calls = 50 + 20 * np.sin(np.arange(minutes) / 60) + 8 * noise(draw, minutes, 0.3)
    errors = 3 + 0.2 * np.roll(calls, lag) + draw.normal(0, 1, minutes)
    other = 50 + 20 * np.sin(np.arange(minutes) / 60) + 8 * noise(draw, minutes, 0.3)
    found = lagged(np.stack([calls, other]), np.stack([errors]))
    assert [(each.first, each.second, each.lag) for each in found] == [(0, 0, lag)]
    assert found[0].correlation > 0.5


@pytest.mark.parametrize("memory", [0.0, 0.7, 0.95])
def test_a_common_rhythm_and_slow_noise_are_no_connection(memory: float) -> None:
    named = 0
    for seed in range(40):
        draw = np.random.default_rng(seed)
        rhythm = 40 * np.sin(np.arange(480) / 76)
        first = np.stack([rhythm + noise(draw, 480, memory) for _ in range(3)])
        second = np.stack([rhythm + noise(draw, 480, memory) for _ in range(3)])
        named += len(lagged(first, second))
    assert named <= 1


def test_short_empty_and_constant_series_say_nothing() -> None:
    assert lagged(np.zeros((0, 0)), np.zeros((0, 0))) == []
    assert lagged(np.ones((1, 10)), np.ones((1, 10))) == []
    assert lagged(np.ones((1, 200)), np.full((1, 200), np.nan)) == []


# ---- from which network ----


def test_the_network_that_fails_is_named() -> None:
    for seed in range(10):
        draw = np.random.default_rng(seed)
        base = requests(draw, 2_000, bad=0.005)
        there = (base.client % 20 == 3) & (draw.random(2_000) < 0.5)
        found = network_of(base, (base.status >= 400) | there)
        assert found is not None
        assert found.network == "10.3.0.0/24"
        assert found.client is None
        assert found.share_of_traffic < 0.1 < 0.5 < found.share_of_bad


def test_one_client_of_the_network_is_named() -> None:
    draw = np.random.default_rng(0)
    base = requests(draw, 4_000, bad=0.001)
    base.client[draw.random(4_000) < 0.02] = 43
    found = network_of(base, (base.status >= 400) | (base.client == 43))
    assert found is not None
    assert (found.network, found.client) == ("10.3.0.0/24", "10.3.0.2")


def test_no_network_is_named_by_chance() -> None:
    named = 0
    for seed in range(200):
        draw = np.random.default_rng(seed)
        named += network_of(requests(draw, 1_000, bad=0.05)) is not None
    assert named == 0


def test_a_large_network_that_fails_like_the_others_is_not_named() -> None:
    draw = np.random.default_rng(5)
    base = requests(draw, 3_000, bad=0.1)
    base.client[draw.random(3_000) < 0.8] = 40  # 10.0.0.2
    assert network_of(base) is None
