"""How often an address may try to get in."""

from __future__ import annotations

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
