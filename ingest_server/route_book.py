"""How many routes a service may have: the rest share one name.

A scanner that asks for a million different paths would otherwise make a million rows of every aggregate.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from ingest_server.route import RouteRules
from sql.batch import OTHER_ROUTES
from sql.connection import DatabaseUnavailable

READ_AGAIN_S = 60.0
FAIL_FOR_S = 2.0


class RouteBook:
    """Gives a path its route. Knows the routes of each service; may be used by several threads."""

    def __init__(
        self,
        rules: RouteRules,
        most: int,
        stored: Callable[[], Iterable[tuple[str, str]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open nothing yet.

        Args:
            rules: what becomes a placeholder.
            most: routes per service, before the rest become OTHER_ROUTES.
            stored: reads every (service, route) in use; other processes add to them too.
            clock: seconds.
        """
        self._rules = rules
        self._most = most
        self._stored = stored
        self._clock = clock
        self._known: dict[str, set[str]] = {}
        self._read_at = float("-inf")
        self._fail_until = float("-inf")
        self._lock = threading.Lock()

    @property
    def fresh(self) -> bool:
        """Whether `refresh` has nothing to read."""
        return self._clock() - self._read_at < READ_AGAIN_S

    def refresh(self) -> None:
        """Read the routes in use again, if that was long ago; to be called before a batch.

        Raises:
            DatabaseUnavailable: they cannot be read, and the count would start from nothing.
        """
        if self.fresh:
            return
        with self._lock:
            if self.fresh:
                return
            if self._clock() < self._fail_until:
                raise DatabaseUnavailable("the database cannot be reached")
            for service, name in self._read():
                if name != OTHER_ROUTES:
                    self._known.setdefault(service, set()).add(name)
            self._read_at = self._clock()

    def _read(self) -> list[tuple[str, str]]:
        """The routes in use. While they cannot be read, those known so far do; without any a body cannot be taken."""
        try:
            return list(self._stored())
        except DatabaseUnavailable:
            # Bodies must not wait for one time-out each, one after the other.
            self._fail_until = self._clock() + FAIL_FOR_S
            if self._read_at == float("-inf"):
                raise
            return []

    def route(self, service: str, path: str) -> str:
        """Return the route of a path without query string."""
        route = self._rules.route(path)
        known = self._known.get(service)
        if known is None:
            known = self._known.setdefault(service, set())
        if route not in known:
            if len(known) >= self._most:
                return OTHER_ROUTES
            known.add(route)
        return route
