"""What is remembered by endpoint and by service: a row for each, with sums by minute of the last hours. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from dashapp.insight.likelihood import Floats
from dashapp.insight.limits import REMEMBERED, WINDOWS
from dashapp.insight.minute import Counts, Endpoint

Key = Endpoint | str
MOST_ROWS = 2_000  # further endpoints count for their service only
_FIRST_ROWS = 64


class M(IntEnum):
    """What is summed up of each row and minute. "Judged" are requests of endpoints that have a baseline."""

    N = 0  # requests
    SERVER = 1  # 5xx
    CLIENT = 2  # 4xx
    JUDGED = 3
    SERVER_K = 4  # judged: 5xx, as many as usual, and as many as are put up with
    SERVER_X = 5
    SERVER_T = 6
    CLIENT_K = 7
    CLIENT_X = 8
    CLIENT_T = 9
    TIMED = 10  # judged, with a latency
    MID_K = 11  # of these, above the usual median (and a little more)
    MID_X = 12
    MID_T = 13
    TAIL_K = 14  # above the usual p95 (and a little more)
    TAIL_X = 15
    TAIL_T = 16
    CALLS = 17  # of a service, in minutes of which anything is known and something is expected
    CALLS_X = 18
    MID_ALL = 19  # usual numbers above median and p95 before they are brought down to those of the last hours
    TAIL_ALL = 20


MEASURES = len(M)


class Grown:
    """Arrays with one row each for the same things, which grow together."""

    def __init__(self) -> None:
        """Start with none."""
        self.size = _FIRST_ROWS
        self._fills: dict[str, tuple[tuple[int, ...], Any, Any]] = {}
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    def make(self, name: str, tail: tuple[int, ...] = (), fill: float = 0, dtype: Any = np.float64) -> None:
        """Add an array; rows that nobody wrote yet hold `fill`."""
        self._fills[name] = (tail, fill, dtype)
        self._arrays[name] = np.full((self.size, *tail), fill, dtype)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """The array, with rows to spare."""
        return self._arrays[name]

    def fit(self, rows: int) -> None:
        """Make room for so many."""
        if rows <= self.size:
            return
        more = max(rows, 2 * self.size) - self.size
        self.size += more
        for name, (tail, fill, dtype) in self._fills.items():
            self._arrays[name] = np.concatenate([self._arrays[name], np.full((more, *tail), fill, dtype)])


class Table:
    """Rows of endpoints and services, and cumulated sums of the last REMEMBERED minutes."""

    def __init__(self) -> None:
        """Start empty, at minute 0."""
        self.keys: list[Key] = []
        self._rows: dict[Key, int] = {}
        self.arrays = Grown()
        self.arrays.make("sums", (REMEMBERED + 1, MEASURES))
        self.arrays.make("parent", (), 0, np.int64)
        self.arrays.make("is_service", (), False, np.bool_)
        # Minute before which nothing is compared with what comes after; by row, and for the four questions apart.
        self.arrays.make("since", (4,), 0, np.int64)
        self.now = -1  # number of the newest minute
        self.first = 0  # the first one that may be compared with the newest

    def __len__(self) -> int:
        """How many rows."""
        return len(self.keys)

    def row(self, key: Key) -> int | None:
        """Row of an endpoint or a service, None where it was never seen."""
        return self._rows.get(key)

    def place(self, endpoints: Sequence[Endpoint]) -> Counts:
        """Rows of endpoints; new ones are added, and those beyond MOST_ROWS get the row of their service."""
        return np.fromiter((self._place(each) for each in endpoints), np.int64, len(endpoints))

    def service_row(self, name: str) -> int:
        """Row of a service, added where it is new."""
        row = self._rows.get(name)
        return self._add(name, None) if row is None else row

    def children(self, service: int) -> Counts:
        """Rows of the endpoints of a service."""
        parent = self.arrays["parent"][: len(self)]
        found: Counts = np.flatnonzero((parent == service) & ~self.arrays["is_service"][: len(self)])
        return found

    def services(self) -> Counts:
        """Rows of all services."""
        found: Counts = np.flatnonzero(self.arrays["is_service"][: len(self)])
        return found

    def advance(self, minutes: int = 1) -> None:
        """Go on; minutes that are skipped hold nothing."""
        sums = self.arrays["sums"]
        last = sums[:, self.now % (REMEMBERED + 1)].copy()
        at = np.arange(self.now + 1 + max(0, minutes - REMEMBERED - 1), self.now + 1 + minutes) % (REMEMBERED + 1)
        sums[:, at] = last[:, None]
        self.now += minutes
        self.first = max(self.first, self.now - REMEMBERED + 1)

    def forget(self) -> None:
        """Compare nothing of what was with what comes: after a gap, or when the clock was wrong."""
        self.first = self.now + 1

    def add(self, rows: Counts, measure: M, values: npt.NDArray[Any]) -> None:
        """Add to the newest minute of endpoints, and of their services."""
        sums = self.arrays["sums"][:, self.now % (REMEMBERED + 1)]
        np.add.at(sums[:, measure], rows, values)
        parent = self.arrays["parent"][rows]
        apart = parent != rows
        np.add.at(sums[:, measure], parent[apart], values[apart])

    def put(self, row: int, measure: M, value: float) -> None:
        """Add to the newest minute of one row only."""
        self.arrays["sums"][row, self.now % (REMEMBERED + 1), measure] += value

    def windows(self) -> Floats:
        """Sums over the windows that end now, shape (rows, windows, measures)."""
        rows = len(self)
        at = np.array([self._slot(self.now - width) for width in WINDOWS])
        sums = self.arrays["sums"]
        found: Floats = sums[:rows, self._slot(self.now)][:, None] - sums[:rows, at]
        return found

    def minutes(self, row: int | Counts, first: int, last: int | None = None) -> Floats:
        """Minutes from `first` to `last` (the newest) of a row or of rows, shape (..., minutes, measures)."""
        end = self.now if last is None else last
        at = [self._slot(each) for each in range(max(first, self.oldest) - 1, end + 1)]
        cumulated = self.arrays["sums"][row][..., at, :]
        found: Floats = np.diff(cumulated, axis=-2)
        return found

    def between(self, first: int, last: int) -> Floats:
        """Sums from one minute to another of all rows, shape (rows, measures)."""
        sums, rows = self.arrays["sums"], len(self)
        found: Floats = sums[:rows, self._slot(last)] - sums[:rows, self._slot(first - 1)]
        return found

    def minute(self, number: int) -> Floats:
        """One minute of all rows, shape (rows, measures)."""
        return self.between(number, number)

    @property
    def oldest(self) -> int:
        """The oldest minute that is remembered."""
        return max(0, self.now - REMEMBERED + 1)

    def _slot(self, number: int) -> int:
        return max(number, self.now - REMEMBERED, -1) % (REMEMBERED + 1)

    def _place(self, endpoint: Endpoint) -> int:
        row = self._rows.get(endpoint)
        if row is not None:
            return row
        service = self.service_row(endpoint.service)
        return self._add(endpoint, service) if len(self.keys) < MOST_ROWS else service

    def _add(self, key: Key, parent: int | None) -> int:
        row = len(self.keys)
        self.arrays.fit(row + 1)
        self.keys.append(key)
        self._rows[key] = row
        self.arrays["parent"][row] = row if parent is None else parent
        self.arrays["is_service"][row] = parent is None
        return row
