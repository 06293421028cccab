"""What one client's requests of a window look like: probing, guessing, reading everything, or just very many. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np

from dashapp.insight import client_limits as limit
from dashapp.insight.chance import binomial_tail, poisson_tail, score_of
from dashapp.insight.client_window import LOGINS, MINUTES, MISSING, MISSING_PATHS, OK, OK_PATHS, REFUSED, N
from dashapp.insight.minute import Counts

ClientKind = Literal["credential_guessing", "scanner", "scraper", "client_volume"]
# What a client did is named by the first of them that fits.
KINDS: tuple[ClientKind, ...] = ("credential_guessing", "scanner", "scraper", "client_volume")
# What is counted of each kind: the column of the sums by client.
OFFENDING: dict[ClientKind, int] = {
    "credential_guessing": REFUSED,
    "scanner": MISSING,
    "scraper": OK,
    "client_volume": N,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """That a client does it: how much was seen in a window, how much would be usual, how likely it is by chance."""

    observed: float
    expected: float
    p: float
    minutes: float

    @property
    def score(self) -> float:
        """How far from chance."""
        return score_of(self.p)


@dataclass(frozen=True, slots=True)
class Conduct:
    """One client (or network) in a window, and what it is compared with.

    Attributes:
        own: its sums, by measure.
        others: the sums of all other clients of the service.
        missing_paths, ok_paths: different paths that it surely asked for.
        by_minute: its requests in each minute of the window; None before it is looked at closely.
        fast: whether it is the fast window.
        scale: how many times as long as usual the window is, where the minutes are longer than that.
        bot: whether it says that it is a robot.
        usual: requests and paths that it called in such a time before.
        largest: requests and paths of the largest other client, now or before; None before there is enough to know.
        asked: how many clients were looked at.
    """

    own: Counts
    others: Counts
    missing_paths: int
    ok_paths: int
    by_minute: Counts | None
    fast: bool
    scale: float
    bot: bool
    usual: tuple[float, float]
    largest: tuple[float, float] | None
    asked: int

    @property
    def leniency(self) -> float:
        """How many times as much is put up with."""
        return limit.BOTS if self.bot else 1.0

    @property
    def beyond(self) -> float:
        """How many times as much as the largest other client is far more."""
        return limit.BEYOND_OTHERS_FAST if self.fast else limit.BEYOND_OTHERS_SLOW

    def verdict(self, observed: float, expected: float, p: float | np.ndarray) -> Verdict | None:
        """What is found, unless chance may have done it; the more clients are looked at, the easier it does."""
        corrected = min(1.0, float(p) * max(1, self.asked))
        span = limit.FAST if self.fast else limit.SLOW
        found = Verdict(observed, expected, corrected, self.scale * span / timedelta(minutes=1))
        return found if corrected <= limit.LIKELY_BY_CHANCE else None


def is_scanner(seen: Conduct) -> Verdict | None:
    """Many different paths that do not exist, which are most of what it asks for."""
    least = (limit.SCANNED_PATHS_FAST if seen.fast else limit.SCANNED_PATHS_SLOW) * seen.leniency
    n, missing = int(seen.own[N]), int(seen.own[MISSING])
    share = missing / n
    many = seen.missing_paths >= limit.SCANNED_MANY * least and share >= limit.SCANNED_SHARE_OF_MANY
    if seen.missing_paths < least or not (share >= limit.SCANNED_SHARE or many):
        return None
    usual = (seen.others[MISSING] + 1) / (seen.others[N] + 20)
    if share < limit.SCANNED_RATIO * usual:
        return None
    return seen.verdict(seen.missing_paths, usual * n, binomial_tail(missing, n, usual))


def is_guessing(seen: Conduct) -> Verdict | None:
    """Refused again and again where one logs in, where others are not."""
    least = limit.REFUSED_FAST if seen.fast else limit.REFUSED_SLOW
    logins, refused = int(seen.own[LOGINS]), int(seen.own[REFUSED])
    if refused < least or refused < limit.REFUSED_SHARE * logins:
        return None
    usual = (seen.others[REFUSED] + 3) / (seen.others[LOGINS] + 10)
    if refused < limit.REFUSED_RATIO * usual * logins:
        return None
    return seen.verdict(refused, usual * logins, binomial_tail(refused, logins, usual))


def is_scraper(seen: Conduct) -> Verdict | None:
    """Very many different paths, one after the other, far more than any other client reads."""
    least = (limit.READ_PATHS_FAST if seen.fast else limit.READ_PATHS_SLOW) * seen.leniency * seen.scale
    n, paths = int(seen.own[N]), seen.ok_paths
    if seen.largest is None or paths < least or seen.own[OK] < limit.READ_OK * n or paths < limit.READ_DISTINCT * n:
        return None
    expected = max(seen.largest[1] * seen.beyond, seen.usual[1] * limit.BEYOND_ITSELF)
    if paths < expected or not _is_steady(seen):
        return None
    usual = max(seen.largest[1], seen.usual[1], 1.0)
    return seen.verdict(paths, usual, poisson_tail(paths, usual))


def is_volume(seen: Conduct) -> Verdict | None:
    """Far more requests than any other client, and than it had itself."""
    n = int(seen.own[N])
    least = (limit.CALLED_FAST if seen.fast else limit.CALLED_SLOW) * seen.scale
    if seen.own[MINUTES] < limit.CALLED_MINUTES / seen.scale:
        # In its first minutes it cannot be told from one who reads everything.
        return None
    if seen.largest is None or n < least or n < limit.LEAST_SHARE_OF_TRAFFIC * (n + seen.others[N]):
        return None
    usual = max(seen.largest[0], seen.usual[0], 1.0)
    if n < max(seen.largest[0] * seen.beyond, seen.usual[0] * limit.BEYOND_ITSELF):
        return None
    return seen.verdict(n, usual, poisson_tail(n, usual))


JUDGES: dict[ClientKind, Callable[[Conduct], Verdict | None]] = {
    "credential_guessing": is_guessing,
    "scanner": is_scanner,
    "scraper": is_scraper,
    "client_volume": is_volume,
}


def least_of(kind: ClientKind, *, fast: bool) -> tuple[int, int]:
    """The measure and how much of it there must be before a client is looked at closely."""
    both = {
        "credential_guessing": (REFUSED, limit.REFUSED_FAST, limit.REFUSED_SLOW),
        "scanner": (MISSING_PATHS, limit.SCANNED_PATHS_FAST, limit.SCANNED_PATHS_SLOW),
        "scraper": (OK_PATHS, limit.READ_PATHS_FAST, limit.READ_PATHS_SLOW),
        "client_volume": (N, limit.CALLED_FAST, limit.CALLED_SLOW),
    }
    measure, in_fast, in_slow = both[kind]
    return measure, in_fast if fast else in_slow


def _is_steady(seen: Conduct) -> bool:
    if seen.by_minute is None:
        return True
    used = np.flatnonzero(seen.by_minute)
    between = seen.by_minute[used[0] : used[-1] + 1]
    least = limit.READ_MINUTES_FAST if seen.fast else limit.READ_MINUTES_SLOW
    if len(used) < least * len(seen.by_minute):
        return False
    mean = float(between.mean())
    # The first and the last minute are cut off somewhere.
    inner = between[1:-1] if len(between) > 4 else between
    return float(inner.var()) - mean <= (limit.READ_UNEVEN * mean) ** 2
