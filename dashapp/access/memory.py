"""What was looked up a moment ago: a page asks many times a second who is there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sql.connection import DatabaseUnavailable

Value = TypeVar("Value")
MOMENT_S, AWAY_S, _MOST = 5.0, 900.0, 5_000


class Remembered(Generic[Value]):
    """Answers by key; an old one serves where the database is away, so that pages can say so."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing."""
        self._clock = clock
        self._known: dict[Hashable, tuple[Value, float]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, look_up: Callable[[], Value]) -> Value:
        """What was found within the last moment, or is found now.

        Raises:
            DatabaseUnavailable: it cannot be looked up, and was not within the last quarter of an hour.
        """
        with self._lock:
            known = self._known.get(key)
        age = self._clock() - known[1] if known else AWAY_S
        if known is not None and age < MOMENT_S:
            return known[0]
        try:
            found = look_up()
        except DatabaseUnavailable:
            if known is None or age >= AWAY_S:
                raise
            return known[0]
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = (found, self._clock())
        return found

    def forget(self) -> None:
        """Look everything up anew: something was changed."""
        with self._lock:
            self._known.clear()
