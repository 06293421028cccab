"""Which endpoint was called far more when another one became slow. Pure; and what goes together need not be a cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dashapp.insight.chance import adjusted
from dashapp.insight.correlation import lagged
from dashapp.insight.likelihood import Floats, chance, onset, other_rate

LIKELY_BY_CHANCE = 1e-4
LEAST_TIMES = 2.0  # as many calls as before
FEWEST_MORE = 12.0  # calls
# Calls come in sessions: they scatter so many times as much as independent ones.
_CLUSTERED = 3.0
_PRIOR = 3.0
# The load comes before the slowness, or in the minutes in which it shows.
EARLIEST, LATEST = 4, 2


@dataclass(frozen=True, slots=True)
class Load:
    """The place of the endpoint, how many minutes before, and how sure that is."""

    place: int
    lag: int
    p: float


def loaded_by(calls: npt.NDArray[Any], began: int) -> Load | None:
    """The endpoint whose calls rose most when another one became slow.

    Args:
        calls: of each candidate by minute up to now, shape (endpoints, minutes).
        began: place of the minute in which the other one became slow.
    """
    start = began - EARLIEST
    if not calls.size or start < 2 * EARLIEST:
        return None
    before, since = calls[:, :start].astype(float), calls[:, start:].astype(float)
    usual = (before.sum(axis=1) + _PRIOR) / (start + 1)
    # What all of them do is no sign: everybody came back from lunch.
    busy = usual >= 1
    common = float(np.median(since[busy].mean(axis=1) / usual[busy])) if busy.any() else 1.0
    expected = usual * max(common, 1.0)
    at = np.array([onset(row, None, np.full(len(row), rate)) for row, rate in zip(since, expected, strict=True)])
    k = np.array([row[first:].sum() for row, first in zip(since, at, strict=True)])
    x = expected * (since.shape[1] - at)
    p = adjusted(chance(np.where(k > x, other_rate(k, x), 0.0) / _CLUSTERED))
    near = at <= EARLIEST + LATEST
    fits = np.flatnonzero(near & (k >= LEAST_TIMES * x) & (k - x >= FEWEST_MORE) & (p <= LIKELY_BY_CHANCE))
    if not fits.size:
        return None
    best = int(fits[np.argmin(p[fits])])
    return Load(best, max(0, int(EARLIEST - at[best])), float(p[best]))


def goes_with(calls: npt.NDArray[Any], excess: Floats) -> Load | None:
    """The endpoint whose calls go up and down with another one's slowness, a few minutes before it.

    Args:
        calls: of each candidate by minute, shape (endpoints, minutes).
        excess: how slow the other one was, by minute; nan where it had no request.
    """
    found = lagged(calls.astype(float), excess[None], most_lag=EARLIEST)
    best = max(found, key=lambda each: each.correlation, default=None)
    return None if best is None or best.p > LIKELY_BY_CHANCE else Load(best.first, best.lag, best.p)
