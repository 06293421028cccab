"""Takes in minute after minute: what is counted of each, and, an hour later, what it adds to what is usual. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from dashapp.insight import limits as limit
from dashapp.insight.baseline import Baseline, above
from dashapp.insight.client_log import ClientLog
from dashapp.insight.history import HOUR, History
from dashapp.insight.minute import ClientMinute, Counts, Endpoint, Minute
from dashapp.insight.recent import Medians, Sketches
from dashapp.insight.table import M, Table
from dashapp.insight.usual_traffic import UsualTraffic

_FADE_HOUR = 0.5 ** (HOUR / limit.HALF_LIFE)
_SETTLE_EVERY = 10
_DAY = timedelta(days=1)
_SERVER, _CLIENT = 500, 400
_LATENCIES = (
    ("mid", M.MID_K, M.MID_X, M.MID_T, M.MID_ALL),
    ("tail", M.TAIL_K, M.TAIL_X, M.TAIL_T, M.TAIL_ALL),
)
# Minutes of the last hours, before the longest window; slow requests that what is seen must outweigh; the least share.
_RECENT_FROM, _RECENT_PRIOR, _LEAST_RECENT = 180, 15.0, 0.5

# Tells of a minute which rows something was found in (then it makes no baseline).
Excluded = Callable[[int], npt.NDArray[np.bool_]]


class Intake:
    """All that is remembered of the traffic.

    Attributes:
        table: sums of the last hours.
        baseline: what is usual of endpoints.
        traffic: what is usual of services.
        sketches, medians: latencies.
        clients: the last hour by client.
        seen: minute in which a new endpoint came, by row; those known before have none.
    """

    def __init__(self, history: History, width: timedelta) -> None:
        """Learn from the hours of a history; its minutes are for the watch."""
        self.width = width
        self.table, self.baseline = Table(), Baseline()
        self.traffic = UsualTraffic(history.traffic, width)
        self.sketches, self.medians, self.clients = Sketches(), Medians(), ClientLog()
        self.seen: dict[int, int] = {}
        for name, *_ in _LATENCIES:
            self.table.arrays.make(f"{name}_recent", (), 1.0)
        self._known = history.endpoints
        self._zero: datetime | None = None
        self._past = 0
        self._fades = 0.0
        self._learn(history)

    def moment(self, number: int) -> datetime:
        """Start of a minute."""
        assert self._zero is not None
        return self._zero + number * self.width

    def members(self, row: int) -> Counts:
        """Rows of the endpoints of a service, or that of the endpoint itself."""
        return self.table.children(row) if self.table.arrays["is_service"][row] else np.array([row])

    @property
    def now(self) -> int:
        """Number of the newest minute."""
        return self.table.now

    def go_to(self, start: datetime) -> bool | None:
        """Go on to a minute.

        Returns:
            True where it follows, False where what was before must not be compared with it, None where it lies in the
            past and is left out.
        """
        if self._zero is None:
            self._zero = start
            self.table.advance()
            return True
        ahead = round((start - self.moment(self.now)) / self.width)
        if ahead <= 0:
            self._past += 1
            if self._past < limit.BACKWARDS:
                return None
            self._zero = start - (self.now + 1) * self.width
            ahead = limit.LONGEST_GAP + 1
            self.table.advance()
        else:
            self.table.advance(ahead)
        self._past = 0
        if ahead <= limit.LONGEST_GAP:
            return True
        self.table.first = self.now
        self.sketches.forget()
        self.clients.forget()
        return False

    def take(self, minute: Minute, clients: ClientMinute | None, held: set[str], excluded: Excluded) -> None:
        """Count a minute.

        Args:
            minute: the one that was gone to.
            clients: the same by client.
            held: services of which something is found in their traffic.
            excluded: which rows make no baseline in a minute.
        """
        rows = self._rows(minute)
        self._count(rows, minute)
        self._expect(minute, held)
        self.sketches.add(self.now, rows, minute.latencies)
        self.medians.add(minute.start, rows, minute.latencies)
        if clients is not None:
            of_clients = self.table.place(clients.endpoints)
            self._fit()
            share = np.where(self.baseline.arrays["judged"], self.baseline.arrays["server_share"], np.nan)
            self.clients.add(self.now, clients, of_clients, share)
        self._mature(self.now - limit.HELD_BACK, excluded)
        self._fades += self.width / HOUR
        if self._fades >= 1.0:
            self.baseline.fade(_FADE_HOUR**self._fades)
            self._fades = 0.0
        if self.now % _SETTLE_EVERY == 0:
            self.baseline.settle(len(self.table))
            self._look_back(excluded)

    def settle(self) -> None:
        """Work out what is usual after it was changed."""
        self.baseline.settle(len(self.table))

    def _learn(self, history: History) -> None:
        before: datetime | None = None
        for hour in history.hours:
            if before is not None and hour.start > before:
                self.baseline.fade(0.5 ** ((hour.start - before) / limit.HALF_LIFE))
            before = hour.start
            rows = self.table.place(hour.endpoints)
            self._fit()
            n, server, client = _classes(hour)
            rows, places = np.unique(rows, return_index=True)
            self.baseline.add(rows, n[places], server[places], client[places])
            at, slots = np.nonzero(hour.latencies[places])
            self.baseline.add_sketch(rows[at], slots, hour.latencies[places][at, slots])
            self.medians.add_hour(hour, self.table.place(hour.endpoints))
        self.settle()

    def _rows(self, minute: Minute) -> Counts:
        size = len(self.table)
        rows = self.table.place(minute.endpoints)
        self._fit()
        for row in range(size, len(self.table)):
            key = self.table.keys[row]
            # Where it is not known what there was before, the first day tells.
            new = self.now * self.width >= _DAY if self._known is None else key not in self._known
            if isinstance(key, Endpoint) and new:
                self.seen[row] = self.now
        return rows

    def _fit(self) -> None:
        for each in (self.baseline, self.medians):
            each.fit(self.table.arrays.size)

    def _count(self, rows: Counts, minute: Minute) -> None:
        n, server, client = _classes(minute)
        get, add = self.baseline.arrays, self.table.add
        add(rows, M.N, n)
        add(rows, M.SERVER, server)
        add(rows, M.CLIENT, client)
        judged = get["judged"][rows]
        mine, n, server, client = rows[judged], n[judged], server[judged], client[judged]
        add(mine, M.JUDGED, n)
        for values, k, x, t, name in (
            (server, M.SERVER_K, M.SERVER_X, M.SERVER_T, "server"),
            (client, M.CLIENT_K, M.CLIENT_X, M.CLIENT_T, "client"),
        ):
            add(mine, k, values)
            add(mine, x, n * get[f"{name}_share"][mine])
            add(mine, t, n * get[f"{name}_most"][mine])
        timed = get["timed"][rows]
        mine, latencies = rows[timed], minute.latencies[timed]
        n = latencies.sum(axis=1)
        add(mine, M.TIMED, n)
        for name, k, x, t, whole in _LATENCIES:
            usual, recent = n * get[f"{name}_share"][mine], self.table.arrays[f"{name}_recent"][mine]
            add(mine, k, above(latencies, get[f"{name}_slot"][mine]))
            add(mine, whole, usual)
            add(mine, x, usual * recent)
            add(mine, t, n * get[f"{name}_most"][mine] * recent)

    def _look_back(self, excluded: Excluded) -> None:
        """How many requests of the last hours were slow compared with the last days; where fewer, that is usual now."""
        table = self.table
        rows = len(table)
        sums = table.between(max(table.first, table.oldest, self.now - _RECENT_FROM), self.now - limit.LONGEST - 1)
        free = ~excluded(self.now)
        for name, k, _, _, whole in _LATENCIES:
            ratio = (sums[:, k] + _RECENT_PRIOR) / (sums[:, whole] + _RECENT_PRIOR)
            known = table.arrays[f"{name}_recent"][:rows]
            table.arrays[f"{name}_recent"][:rows] = np.where(free, np.clip(ratio, _LEAST_RECENT, 1.0), known)

    def _expect(self, minute: Minute, held: set[str]) -> None:
        for name in self.traffic.names:
            self.table.service_row(name)
        for row in self.table.services().tolist():
            name = str(self.table.keys[row])
            calls = None if name in minute.unknown else float(self.table.minute(self.now)[row, M.N])
            usual = self.traffic.expect(name, minute.start)
            if usual is not None and calls is not None:
                self.table.put(row, M.CALLS, calls)
                self.table.put(row, M.CALLS_X, usual.calls)
                self.table.arrays["blind"][row] = usual.blind
            self.traffic.see(name, minute.start, calls, held=name in held)

    def _mature(self, number: int, excluded: Excluded) -> None:
        if number < self.table.first or number < 0:
            return
        sums = self.table.minute(number)
        fine = ~excluded(number) & ~self.table.arrays["is_service"][: len(sums)]
        rows = np.flatnonzero(fine & (sums[:, M.N] > 0))
        self.baseline.add(rows, sums[rows, M.N], sums[rows, M.SERVER], sums[rows, M.CLIENT])
        found = self.sketches.minute(number)
        if found is not None:
            at, slots, counts = found
            wanted = fine[at]
            self.baseline.add_sketch(at[wanted], slots[wanted], counts[wanted])


def _classes(minute: Minute) -> tuple[Counts, Counts, Counts]:
    """Requests, 5xx and 4xx by endpoint."""
    statuses = np.asarray(minute.statuses, np.int64)
    counts = minute.counts.reshape(len(minute.endpoints), len(statuses))
    server = counts[:, statuses >= _SERVER].sum(axis=1)
    client = counts[:, (statuses >= _CLIENT) & (statuses < _SERVER)].sum(axis=1)
    return counts.sum(axis=1), server, client
