"""What each client did in the last minutes and in the last hour: sums that follow the minutes. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dashapp.insight.minute import Counts

# What is summed up of each client and minute.
N, MISSING, MISSING_PATHS, LOGINS, REFUSED, OK, OK_PATHS, MINUTES = range(8)
MEASURES = 8
MISSING_STATUSES = (400, 403, 404, 405, 410)
REFUSED_STATUSES = (401, 403, 423, 429)
_LOGIN = re.compile(
    r"log-?in|log-?on|sign-?in|sign-?on|\bauth(?!or)|session|token|passw|credential|\botp\b|\b2fa\b|\bsso\b|xmlrpc",
    re.IGNORECASE,
)
# Requests of a minute for one route with placeholders: so few may be the same path again and again.
_REPEATED = 3


class Key(NamedTuple):
    """A client of a service: an address, or a network."""

    service: str
    name: str


@lru_cache(maxsize=50_000)
def is_login(route: str) -> bool:
    """Tell whether one logs in there, by its name."""
    return _LOGIN.search(route) is not None


@lru_cache(maxsize=50_000)
def is_many(route: str) -> bool:
    """Tell whether a route stands for many paths."""
    return "{" in route or "*" in route


@dataclass(frozen=True, slots=True)
class Block:
    """One minute of the detail: parallel arrays, an entry for each client, endpoint and status."""

    start: datetime
    service: Counts
    address: Counts
    network: Counts
    endpoint: Counts
    status: Counts
    n: Counts
    failed_paths: Counts
    paths: Counts
    measures: Counts


class Interned(dict[Hashable, int]):
    """Numbers names in the order in which they come."""

    def __missing__(self, name: Hashable) -> int:
        """Give the next number."""
        self[name] = number = len(self)
        return number


class Rolling:
    """Sums by client over the fast and the slow window; a client without requests in either is forgotten."""

    def __init__(self, services: Interned) -> None:
        """Start with nobody; `services` gives each service its number."""
        self._services = services
        self._rows: dict[Key, int] = {}
        self._free: list[int] = []
        self.keys: list[Key | None] = []
        self.service: Counts = np.zeros(0, np.int64)
        self.fast: Counts = np.zeros((0, MEASURES), np.int64)
        self.slow: Counts = np.zeros((0, MEASURES), np.int64)
        self._pushed: deque[tuple[datetime, Counts, Counts]] = deque()
        self._recent: deque[tuple[datetime, Counts, Counts]] = deque()

    def rows(self, keys: Sequence[Key]) -> Counts:
        """Row of each client, a new one for those that have none."""
        return np.fromiter((self._row(key) for key in keys), np.int64, len(keys))

    def row(self, key: Key) -> int | None:
        """Row of a client, None without requests."""
        return self._rows.get(key)

    def push(self, start: datetime, rows: Counts, values: Counts) -> None:
        """Add a minute; each row at most once."""
        self.fast[rows] += values
        self.slow[rows] += values
        self._pushed.append((start, rows, values))
        self._recent.append((start, rows, values))

    def expire(self, fast_from: datetime, slow_from: datetime) -> None:
        """Take away what lies before the windows."""
        while self._recent and self._recent[0][0] < fast_from:
            _, rows, values = self._recent.popleft()
            self.fast[rows] -= values
        while self._pushed and self._pushed[0][0] < slow_from:
            _, rows, values = self._pushed.popleft()
            self.slow[rows] -= values
            for row in rows[self.slow[rows, N] == 0].tolist():
                key = self.keys[row]
                if key is not None:
                    del self._rows[key]
                    self.keys[row] = None
                    self._free.append(row)

    def _row(self, key: Key) -> int:
        row = self._rows.get(key)
        if row is None:
            if not self._free:
                self._grow()
            row = self._free.pop()
            self._rows[key] = row
            self.keys[row] = key
            self.service[row] = self._services[key.service]
        return row

    def _grow(self) -> None:
        size = len(self.keys)
        more = max(256, size)
        self.keys.extend([None] * more)
        self._free.extend(range(size + more - 1, size - 1, -1))
        self.service = np.concatenate([self.service, np.full(more, -1, np.int64)])
        self.fast, self.slow = (
            np.concatenate([each, np.zeros((more, MEASURES), np.int64)]) for each in (self.fast, self.slow)
        )


class PathTally:
    """How many different paths were asked for, at least.

    A route without placeholders is one path. Of a route with some, what is asked for once in each minute may be the
    same path each time; only more of them in one minute are surely several.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._single: set[int] = set()
        self._repeated: dict[int, int] = {}
        self._surely = 0

    def add(self, endpoints: Counts, paths: Counts, many: npt.NDArray[np.bool_]) -> None:
        """Add a minute: endpoint, different paths, and whether its route stands for many, of each entry."""
        self._single.update(endpoints[~many].tolist())
        for endpoint in np.unique(endpoints[many]).tolist():
            of_minute = int(paths[many & (endpoints == endpoint)].sum())
            if of_minute > _REPEATED:
                self._surely += of_minute
            else:
                self._repeated[endpoint] = max(self._repeated.get(endpoint, 0), of_minute)

    def __len__(self) -> int:
        """How many."""
        return len(self._single) + self._surely + sum(self._repeated.values())


def window_start(start: datetime, width: timedelta, span: timedelta) -> datetime:
    """First moment of a window of minutes that ends with one; at least that one is in it."""
    return start + width - max(span, width)
