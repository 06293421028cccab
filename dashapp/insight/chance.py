"""How likely chance alone does something: tails that respect small counts, and many questions at once. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]
# Probabilities below it are all the same: certain.
LEAST = 1e-300
# A hypergeometric tail is summed term by term; further terms than these add nothing to it.
_TERMS = 400


def binomial_tail(k: npt.ArrayLike, n: npt.ArrayLike, share: npt.ArrayLike) -> Floats:
    """Probability that `k` or more of `n` have what each has with a probability of `share`."""
    few, many = np.asarray(k, float), np.asarray(n, float)
    chance = np.clip(np.asarray(share, float), 0.0, 1.0)
    inside = (few > 0) & (few <= many)
    tail = special.betainc(np.where(inside, few, 1.0), np.where(inside, many - few + 1, 1.0), chance)
    found: Floats = np.where(few <= 0, 1.0, np.where(inside, tail, 0.0))
    return found


def poisson_tail(k: npt.ArrayLike, expected: npt.ArrayLike) -> Floats:
    """Probability that `k` or more happen where `expected` do on average."""
    few = np.asarray(k, float)
    tail = special.gammainc(np.maximum(few, 1.0), np.maximum(np.asarray(expected, float), 0.0))
    found: Floats = np.where(few <= 0, 1.0, tail)
    return found


def fisher(a: npt.ArrayLike, n: npt.ArrayLike, b: npt.ArrayLike, m: npt.ArrayLike) -> Floats:
    """Fisher's exact test, one-sided: how likely `a` or more of `n` have what `a + b` of all `n + m` have.

    Terms beyond the first few hundred are bounded by a geometric series, so what it returns is never too small.
    """
    table = (np.ravel(each).astype(float) for each in np.broadcast_arrays(a, n, b, m))
    inside, of, outside, of_others = table
    having, everything, most = inside + outside, of + of_others, np.minimum(of, inside + outside)
    k = inside[:, None] + np.arange(min(_TERMS, int((most - inside).max(initial=0)) + 1))[None, :]
    valid = k <= most[:, None]
    k = np.minimum(k, most[:, None])
    logs = (
        _log_choose(of[:, None], k)
        + _log_choose(of_others[:, None], having[:, None] - k)
        - _log_choose(everything, having)[:, None]
    )
    terms = np.where(valid, np.exp(logs), 0.0)
    last = k[:, -1]
    ratio = (having - last) * (of - last) / ((last + 1) * np.maximum(of_others - having + last + 1, 1))
    rest = np.where(ratio < 1, terms[:, -1] * ratio / np.maximum(1 - ratio, LEAST), 1.0)
    likely = inside * everything <= of * having
    usual = binomial_tail(inside, having, of / np.maximum(everything, 1))
    tail = np.minimum(terms.sum(axis=1) + rest, np.where(most - inside < _TERMS, 1.0, usual))
    tail = np.where(likely & (most - inside >= _TERMS), np.maximum(usual, 0.5), tail)
    tail = np.where(inside <= np.maximum(0, having - of_others), 1.0, np.minimum(tail, 1.0))
    found: Floats = tail.reshape(np.broadcast_shapes(*(np.shape(each) for each in (a, n, b, m))))
    return found


def _log_choose(n: Floats, k: Floats) -> Floats:
    found: Floats = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return found


def adjusted(p: npt.ArrayLike, *, asked: int | None = None) -> Floats:
    """Probabilities corrected for how many were looked at (Y. Benjamini, Y. Hochberg, 1995).

    Taking all up to x for found, a share of at most x of what is found is false.

    Args:
        p: of each question.
        asked: how many questions there were, where only the promising ones are in `p`.
    """
    chances = np.asarray(p, float)
    count = max(asked or 0, len(chances))
    order = np.argsort(chances)
    ranked = chances[order] * count / np.arange(1, len(chances) + 1)
    found = np.empty_like(chances)
    found[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1.0)
    return found


def score_of(p: float) -> float:
    """How far from chance: -log10 of a probability."""
    return float(-np.log10(max(p, LEAST)))
