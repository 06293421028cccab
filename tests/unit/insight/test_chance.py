"""Tails equal those of scipy, also far out and of large counts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, false_discovery_control, hypergeom, poisson

from dashapp.insight.chance import adjusted, binomial_tail, fisher, poisson_tail


@pytest.mark.parametrize("scale", [10, 100, 10_000, 1_000_000])
def test_fishers_exact_test(scale: int) -> None:
    draw = np.random.default_rng(scale)
    n, m = draw.integers(1, scale + 1, 300), draw.integers(1, scale + 1, 300)
    share = draw.beta(0.5, 2, 300)
    a, b = draw.binomial(n, share), draw.binomial(m, share * draw.uniform(0.3, 1, 300))
    exact = hypergeom.sf(a - 1, n + m, a + b, n)
    more = (a * (n + m) > n * (a + b)) & (exact > 1e-290)
    mine = fisher(a, n, b, m)
    assert np.abs(np.log10(mine[more]) - np.log10(exact[more])).max() < 0.002
    assert mine.min() >= 0
    assert mine.max() <= 1
    assert (mine[~more & (exact > 0.4)] > 0.3).all()


def test_tails_of_counts() -> None:
    k, n = np.arange(0, 12), np.full(12, 10)
    assert binomial_tail(k, n, 0.2) == pytest.approx(binom.sf(k - 1, n, 0.2))
    assert poisson_tail(k, 3.5) == pytest.approx(poisson.sf(k - 1, 3.5))
    assert float(poisson_tail(3, 0)) == 0


def test_corrected_for_many() -> None:
    p = np.random.default_rng(1).random(50) ** 3
    assert adjusted(p) == pytest.approx(false_discovery_control(p))
    assert adjusted([0.001], asked=100)[0] == pytest.approx(0.1)
    assert adjusted([]).tolist() == []
