"""What is usual: of each larger client, and of the largest clients of each service. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dashapp.insight import client_limits as limit
from dashapp.insight.client_window import Key

_HOUR = timedelta(hours=1)
# Requests in an hour from which on it is worth remembering that a client made them.
WORTH = 60
_MOST_CLIENTS = 20_000


@dataclass(frozen=True, slots=True)
class Tops:
    """How many clients a service has now, and rows and numbers of those with the most requests and the most paths."""

    clients: int
    callers: list[tuple[int, int]]
    readers: list[tuple[int, int]]

    def requests(self, without: int = -1) -> int:
        """The most requests of a client, one row apart."""
        return next((n for row, n in self.callers if row != without), 0)

    def paths(self, without: int = -1) -> int:
        """The most paths of a client, one row apart."""
        return next((n for row, n in self.readers if row != without), 0)


class UsualOfClients:
    """The most requests and paths that each client had in an hour, by day."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._days: dict[Key, dict[date, tuple[int, int]]] = {}

    def note(self, key: Key, start: datetime, n: int, paths: int) -> None:
        """Take down an hour."""
        days = self._days.setdefault(key, {})
        had = days.get(start.date(), (0, 0))
        days[start.date()] = max(had[0], n), max(had[1], paths)

    def of(self, key: Key | None) -> tuple[int, int]:
        """The most requests and paths in an hour."""
        days = self._days.get(key) if key is not None else None
        return (max(n for n, _ in days.values()), max(paths for _, paths in days.values())) if days else (0, 0)

    def forget(self, now: datetime) -> None:
        """Drop what is too old, and the smallest where there are too many."""
        first = (now - limit.REMEMBERED_CLIENT).date()
        for key in list(self._days):
            kept = {day: most for day, most in self._days[key].items() if day >= first}
            if kept:
                self._days[key] = kept
            else:
                del self._days[key]
        for key in sorted(self._days, key=self.of)[: max(0, len(self._days) - _MOST_CLIENTS)]:
            del self._days[key]


class UsualOfServices:
    """The most that any client of a service had in a window, over the last day: (requests, paths), fast and slow."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._noted: dict[tuple[str, bool], deque[tuple[datetime, int, int]]] = defaultdict(deque)

    def note(self, service: str, at: datetime, *, fast: bool, n: int, paths: int) -> None:
        """Take down what the largest client of a window that ends now had."""
        noted = self._noted[service, fast]
        noted.append((at, n, paths))
        while noted[0][0] < at - limit.REMEMBERED_SERVICE:
            noted.popleft()

    def of(self, service: str, before: datetime, *, fast: bool) -> tuple[int, int] | None:
        """The most before a moment; None where too little time was looked at to know."""
        noted = self._noted[service, fast]
        known = [(n, paths) for at, n, paths in noted if at <= before]
        if not known or noted[-1][0] - noted[0][0] < limit.WARM_UP - _HOUR:
            return None
        return max(n for n, _ in known), max(paths for _, paths in known)
