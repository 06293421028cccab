"""Ingest tokens that were made in the dashboard: read again and again, since they come and go while we serve."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sql.connection import DatabaseUnavailable
from sql.store import Store
from sql.tokens import ingest_digests, tokens_used

FRESH_S, OLD_S = 1.0, 10.0


class TokenBook:
    """Digests of the tokens that serve now.

    A client throws its data away on a 401: a token that is not in the book is looked for before it is refused, and
    where the book cannot be read nobody is refused, only asked to come again.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        """Read nothing yet."""
        self._store, self._clock = store, clock
        self._digests: frozenset[bytes] = frozenset()
        self._read_at: float | None = None
        self._used: set[bytes] = set()
        self._lock = threading.Lock()

    def remembers(self, digest: bytes) -> bool:
        """Whether a token is in the book, and the book was read lately; asks nobody."""
        if digest not in self._digests or self._age() > OLD_S:
            return False
        self._used.add(digest)
        return True

    def knows(self, digest: bytes) -> bool:
        """Whether a token serves, by the book as it is now.

        Raises:
            DatabaseUnavailable: it cannot be said.
        """
        with self._lock:
            if self._age() > FRESH_S:
                try:
                    self._read()
                except DatabaseUnavailable:
                    if digest not in self._digests:
                        raise
        if digest in self._digests:
            self._used.add(digest)
            return True
        return False

    def _age(self) -> float:
        return float("inf") if self._read_at is None else self._clock() - self._read_at

    def _read(self) -> None:
        used, self._used = self._used, set()
        with self._store.connection() as connection:
            self._digests = ingest_digests(connection)
            if used:
                tokens_used(connection, sorted(used))
        self._read_at = self._clock()
