"""How often an address may try to get in, and how much somebody who is in may ask for."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

_MOST_ADDRESSES = 10_000


class Throttle:
    """Counts failures of the last while by address; forgets the longest unseen ones when there are too many."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow so many failures within so many seconds."""
        self._most, self._seconds, self._clock = most, seconds, clock
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, address: str) -> int:
        """Seconds until the address may try again; 0 where it may now."""
        with self._lock:
            failures = self._recent(address)
            if len(failures) < self._most:
                return 0
            return max(1, int(failures[0] + self._seconds - self._clock()) + 1)

    def failed(self, address: str) -> None:
        """Take down a failure."""
        with self._lock:
            failures = self._recent(address)
            failures.append(self._clock())
            self._failures.pop(address, None)
            self._failures[address] = failures
            if len(self._failures) > _MOST_ADDRESSES:
                del self._failures[next(iter(self._failures))]

    def _recent(self, address: str) -> deque[float]:
        failures = self._failures.get(address, deque(maxlen=self._most))
        while failures and failures[0] <= self._clock() - self._seconds:
            failures.popleft()
        return failures


class Rate:
    """So many requests a minute for each, saved up for a minute at most (a token bucket); 0 is no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Everybody begins with a full minute."""
        self._most, self._clock = per_minute, clock
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, who: str) -> int:
        """Take a request; 0 where it may go on, else the seconds until one may."""
        if not self._most:
            return 0
        with self._lock:
            now = self._clock()
            left, at = self._left.pop(who, (float(self._most), now))
            left = min(self._most, left + (now - at) * self._most / 60)
            allowed = left >= 1
            self._left[who] = (left - 1 if allowed else left, now)
            if len(self._left) > _MOST_ADDRESSES:
                del self._left[next(iter(self._left))]
        return 0 if allowed else max(1, math.ceil((1 - left) * 60 / self._most))
