"""After calls of one endpoint, another fails or is slow. Pure; and what comes before is not what causes.

Two ways to look: at single requests, whether those of a client that called A shortly before fare worse than the others
of B; and at minutes, whether B's go with A's of some minutes before, beyond what both do by the time of day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt
from scipy import special

from dashapp.insight.chance import adjusted, fisher
from dashapp.insight.concentration import Concentration, network_of
from dashapp.insight.minute import Endpoint, Requests

__all__ = [
    "Concentration",
    "Follows",
    "Lagged",
    "calls_before",
    "lagged",
    "network_of",
]

Mask = npt.NDArray[np.bool_]
Series = npt.NDArray[np.float64]

LIKELY_BY_CHANCE = 0.001
WITHIN = timedelta(minutes=5)
FEWEST_BAD = 8  # bad requests of B after A
LEAST_RATIO = 3.0  # of the share of bad requests after A to that without
LEAST_PART = 0.5  # of B's bad requests that come after A
# A client's own requests depend on each other: so many of each count, in each group.
MOST_OF_CLIENT = 5
MOST_LAG = 15
FEWEST_MINUTES = 60
LEAST_CORRELATION = 0.3
_AROUND = 31  # minutes of the median that is taken away before two series are compared


@dataclass(frozen=True, slots=True)
class Follows:
    """B is bad more often where the same client called A shortly before.

    Attributes:
        after_bad, after: bad and all requests of B after A; `other_bad`, `other` the same without A.
        seconds: middle of the times from the call of A to the bad one of B.
        clients: with a bad request of B after A.
        p: corrected for the pairs looked at.
    """

    before: Endpoint
    then: Endpoint
    after_bad: int
    after: int
    other_bad: int
    other: int
    seconds: float
    clients: int
    p: float

    @property
    def rate_after(self) -> float:
        """Share of bad requests after A."""
        return self.after_bad / self.after

    @property
    def rate_other(self) -> float:
        """Share of bad requests without A."""
        return self.other_bad / self.other if self.other else 0.0


@dataclass(frozen=True, slots=True)
class Lagged:
    """Two series of minutes that go together, the second so many minutes later; `p` corrected for lags and pairs."""

    first: int
    second: int
    lag: int
    correlation: float
    p: float


def calls_before(
    requests: Requests,
    bad: Mask | None = None,
    *,
    then: Sequence[Endpoint] | None = None,
    within: timedelta = WITHIN,
) -> list[Follows]:
    """Endpoints after whose calls another one is bad more often, for the same client; the surest first.

    A is not the same endpoint as B; requests without an address say nothing. Of a client no more than a few requests
    count, so that one client that fails again and again proves nothing.

    Args:
        requests: of the span and of `within` before it.
        bad: which of them are; without it those with a status of 400 and above.
        then: endpoints that are bad and for which an A is sought; without it all.
        within: how long before at most.
    """
    wrong = requests.status >= 400 if bad is None else bad
    wanted = None if then is None else set(then)
    known = np.flatnonzero(requests.client >= 0)
    order = known[np.lexsort((requests.ts[known], requests.client[known]))]
    client, ts, endpoint = requests.client[order], requests.ts[order], requests.endpoint[order]
    sick = wrong[order]
    last = _last_calls(client, ts, endpoint, len(requests.endpoints))
    found: list[Follows] = []
    asked = 0
    for number, name in enumerate(requests.endpoints):
        mine = np.flatnonzero(endpoint == number)
        if (wanted is not None and name not in wanted) or int(sick[mine].sum()) < FEWEST_BAD:
            continue
        ages = ts[mine, None] - last[mine]
        for other, before in enumerate(requests.endpoints):
            if other == number:
                continue
            after = ages[:, other] <= within.total_seconds()
            if not after.any() or after.all():
                continue
            asked += 1
            pair = _pair(before, name, client[mine], sick[mine], after, ages[:, other])
            if pair is not None:
                found.append(pair)
    corrected = adjusted([each.p for each in found], asked=asked)
    found = [replace(each, p=float(p)) for each, p in zip(found, corrected, strict=True)]
    return sorted((each for each in found if each.p <= LIKELY_BY_CHANCE), key=lambda each: (each.p, -each.after_bad))


def _last_calls(
    client: npt.NDArray[np.int64], ts: Series, endpoint: npt.NDArray[np.int64], endpoints: int
) -> npt.NDArray[np.float64]:
    """For each request, when its client called each endpoint before; -inf where it did not. Sorted by client, time."""
    last = np.full((len(ts), endpoints), -np.inf)
    begins = np.flatnonzero(np.diff(client, prepend=-1))
    of_client = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(ts))))
    for number in range(endpoints):
        called = np.where(endpoint == number, np.arange(len(ts)), -1)
        # The newest call so far, not counting the request itself, nor those of the client before in the list.
        newest = np.maximum.accumulate(np.concatenate([[-1], called[:-1]])) if len(ts) else called
        own = newest >= begins[of_client] if len(ts) else np.zeros(0, np.bool_)
        last[own, number] = ts[newest[own]]
    return last


def _pair(
    before: Endpoint, then: Endpoint, client: npt.NDArray[np.int64], sick: Mask, after: Mask, age: Series
) -> Follows | None:
    a, n = int((sick & after).sum()), int(after.sum())
    b, m = int((sick & ~after).sum()), int((~after).sum())
    if a < FEWEST_BAD or a < LEAST_PART * (a + b) or a * m < LEAST_RATIO * b * n:
        return None
    fair = [_fair(client, group) for group in (sick & after, after & ~sick, sick & ~after, ~sick & ~after)]
    p = fisher(fair[0], fair[0] + fair[1], fair[2], fair[2] + fair[3])
    ill = sick & after
    return Follows(before, then, a, n, b, m, float(np.median(age[ill])), len(np.unique(client[ill])), float(p))


def _fair(client: npt.NDArray[np.int64], group: Mask) -> int:
    """Requests of a group, of each client a few at most."""
    return int(np.minimum(np.bincount(client[group]), MOST_OF_CLIENT).sum()) if group.any() else 0


def lagged(
    first: npt.NDArray[np.float64], second: npt.NDArray[np.float64], *, most_lag: int = MOST_LAG
) -> list[Lagged]:
    """Pairs of series of minutes where the second goes with the first of 0 to `most_lag` minutes before.

    From each minute the median of the half hour around it is taken away, so that a common rhythm is no connection. How
    many minutes count depends on how much each series resembles itself (M. S. Bartlett, 1946).

    Args:
        first: calls, or load; shape (series, minutes).
        second: failures or latency; nan where there is nothing.
        most_lag: in minutes.
    """
    if first.size == 0 or second.size == 0 or first.shape[1] < FEWEST_MINUTES:
        return []
    ranks_first, ranks_second = (np.stack([_ranks(_detrended(row)) for row in each]) for each in (first, second))
    found: list[Lagged] = []
    for i, one in enumerate(ranks_first):
        for k, other in enumerate(ranks_second):
            best = _best_lag(one, other, most_lag)
            if best is not None:
                found.append(Lagged(i, k, best[0], best[1], min(1.0, best[2] * (most_lag + 1))))
    corrected = adjusted([each.p for each in found], asked=len(first) * len(second))
    found = [replace(each, p=float(p)) for each, p in zip(found, corrected, strict=True)]
    return [each for each in found if each.p <= LIKELY_BY_CHANCE and each.correlation >= LEAST_CORRELATION]


def _detrended(series: Series) -> Series:
    known = ~np.isnan(series)
    if known.sum() < FEWEST_MINUTES:
        return np.full_like(series, np.nan)
    filled = np.where(known, series, np.nanmedian(series))
    half = _AROUND // 2
    padded = np.pad(filled, half, mode="reflect")
    around = np.median(np.lib.stride_tricks.sliding_window_view(padded, _AROUND), axis=1)
    found: Series = np.where(known, filled - around, np.nan)
    return found


def _ranks(series: Series) -> Series:
    """Ranks around 0, equal ones for equal values: a single outlier decides nothing."""
    known = ~np.isnan(series)
    if not known.any():
        return series
    _, inverse, counts = np.unique(series[known], return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = np.full(len(series), np.nan)
    ranks[known] = ((2 * ends - counts - 1) / 2)[inverse]
    found: Series = ranks - float(np.nanmean(ranks))
    return found


def _best_lag(one: Series, other: Series, most_lag: int) -> tuple[int, float, float] | None:
    best: tuple[int, float, float] | None = None
    for lag in range(most_lag + 1):
        x, y = one[: len(one) - lag], other[lag:]
        both = ~np.isnan(x) & ~np.isnan(y)
        if int(both.sum()) < FEWEST_MINUTES:
            continue
        a, b = np.where(both, x, 0.0), np.where(both, y, 0.0)
        size = float(np.sqrt((a @ a) * (b @ b)))
        if size == 0:
            continue
        correlation = float(a @ b) / size
        if best is None or correlation > best[1]:
            best = lag, correlation, _correlation_chance(correlation, _independent(a, b, int(both.sum())))
    return best


def _independent(a: Series, b: Series, minutes: int) -> float:
    """How many minutes count as independent of each other."""
    most = min(60, minutes // 4)
    own = [_autocorrelation(each, most) for each in (a, b)]
    return float(np.clip(minutes / max(1.0, 1 + 2 * float((own[0] * own[1]).sum())), 4, minutes))


def _autocorrelation(series: Series, most: int) -> Series:
    whole = float(series @ series) or 1.0
    return np.array([float(series[:-lag] @ series[lag:]) / whole for lag in range(1, most + 1)])


def _correlation_chance(correlation: float, minutes: float) -> float:
    """One-sided, by Student's t."""
    freedom = max(minutes - 2, 1.0)
    t = correlation * np.sqrt(freedom / max(1 - correlation * correlation, 1e-12))
    return float(special.stdtr(freedom, -t))
