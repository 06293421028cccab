"""From which moment on records are taken: rows that are due to be dropped must not come in behind their figures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ingest_server.event import OLDEST_US
from ingest_server.route_book import FAIL_FOR_S, READ_AGAIN_S
from sql.connection import DatabaseUnavailable


class Horizon:
    """Remembers the oldest moment for a while; may be used by several threads."""

    def __init__(self, announced: Callable[[], int | None], clock: Callable[[], float] = time.monotonic) -> None:
        """Read nothing yet.

        Args:
            announced: reads the moment in microseconds since 1970; None where everything is kept.
            clock: seconds.
        """
        self._announced = announced
        self._clock = clock
        self._read_again = float("-inf")
        self._lock = threading.Lock()
        self.oldest_us = OLDEST_US

    @property
    def fresh(self) -> bool:
        """Whether `refresh` has nothing to read."""
        return self._clock() < self._read_again

    def refresh(self) -> None:
        """Read the moment again, if that was long ago; to be called before a batch.

        While it cannot be read the last one serves: the database itself refuses what can no longer be counted.
        """
        if self.fresh:
            return
        with self._lock:
            if self.fresh:
                return
            try:
                self.oldest_us = max(OLDEST_US, self._announced() or OLDEST_US)
                self._read_again = self._clock() + READ_AGAIN_S
            except DatabaseUnavailable:
                self._read_again = self._clock() + FAIL_FOR_S


def everything() -> Horizon:
    """A horizon that keeps everything."""
    return Horizon(lambda: None)
