"""What is usual: of each larger client, and of the largest clients of each service. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dashapp.insight import client_limits as limit
from dashapp.insight.addresses import network_of_address
from dashapp.insight.client_window import Key
from dashapp.insight.history import BusiestHour

_HOUR = timedelta(hours=1)
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

    def __init__(self, known: Iterable[BusiestHour] = (), *, network: bool = False) -> None:
        """Remember what is known of before: how many paths is not, so that as many are taken as there were requests."""
        self._days: dict[Key, dict[date, tuple[int, int]]] = {}
        for service, client, day, n in known:
            name = network_of_address(client) if network else client
            days = self._days.setdefault(Key(service, name), {})
            had = days.get(day, (0, 0))[0] if network else 0
            days[day] = had + n, had + n

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

    def __init__(self, *, known: bool = False) -> None:
        """Remember nothing. Where clients are `known` of before, there is no need to get to know them first."""
        self._noted: dict[tuple[str, bool], deque[tuple[datetime, int, int]]] = defaultdict(deque)
        self._warm_up = timedelta(0) if known else limit.WARM_UP - _HOUR

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
        if not known or noted[-1][0] - noted[0][0] < self._warm_up:
            return None
        return max(n for n, _ in known), max(paths for _, paths in known)
