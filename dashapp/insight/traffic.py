"""Spikes, drops and outages of services. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from dashapp.insight import limits as limit
from dashapp.insight.chance import adjusted
from dashapp.insight.likelihood import Floats, chance, onset, other_rate
from dashapp.insight.limits import WINDOWS
from dashapp.insight.minute import Counts
from dashapp.insight.table import M, Table

TrafficKind = Literal["traffic_spike", "traffic_drop", "outage"]
_WIDTHS = np.array(WINDOWS)
_KEEP = 0.5 ** (1 / 4320)  # what is learned of clusters is half forgotten in three days
_WEIGHT = 300.0  # requests that what is learned must outweigh
_MOST_SURPRISE = 9.0
_STILL_QUIET = 6.0
_INDEPENDENT = 4.0
_FEWEST_MORE = 30
_SURE_OUTAGE = 15.0  # natural logarithm: once in three million minutes
_HOURS, _OFTEN = 24, 3  # so often in a day is usual
_SELDOM = 0.05
_SESSION = 5  # windows up to 8 minutes
_LEVELS = (0.3, 3.0)
_BACK = limit.LONGEST + 10


@dataclass(frozen=True, slots=True)
class TrafficSuspect:
    """A service with far more or fewer requests than usual since a minute; `times` as many."""

    row: int
    kind: TrafficKind
    start: int
    times: float
    ratio: float
    p: float


class TrafficSearch:
    """The search, and what it learns of how much the requests of a service scatter, by window."""

    def __init__(self, table: Table) -> None:
        """Search the services of a table."""
        self._table = table
        table.arrays.make("calls_seen", (len(WINDOWS),))
        table.arrays.make("calls_usual", (len(WINDOWS),))
        table.arrays.make("calls_since", (), 0, np.int64)
        table.arrays.make("blind", (), True, np.bool_)
        # How many times as many as usual the busiest windows of each of the last hours had.
        table.arrays.make("peaks", (_HOURS, len(WINDOWS)))

    def search(self, windows: Floats, held: set[int]) -> list[TrafficSuspect]:
        """Services that deviate and are not held already."""
        rows = self._table.services()
        if not rows.size:
            return []
        k, x = windows[rows, :, M.CALLS], windows[rows, :, M.CALLS_X]
        blind = self._table.arrays["blind"][rows]
        more, less = self._tolerated(blind)
        clusters = self.clusters(rows)
        up = np.where((k > more * x) & (k >= _FEWEST_MORE), other_rate(k, more * x), 0.0) / clusters
        enough = x >= limit.FEWEST_EXPECTED * _WIDTHS
        down = np.where((k < less * x) & enough, other_rate(k, less * x), 0.0) / clusters
        since = np.maximum(self._table.arrays["calls_since"][rows], self._table.first)
        fresh = self._table.now - _WIDTHS[None] + 1 >= since[:, None]
        up, down = np.where(fresh, up, 0.0), np.where(fresh, down, 0.0)
        free = np.array([row not in held for row in rows.tolist()])
        self._learn(rows, k, x, clusters, free)
        up = np.where(self._is_news(rows, k, x), up, 0.0)
        found = [each for row in rows[free].tolist() if (each := self.outage(row)) is not None]
        out = {each.row for each in found}
        for kind, ratio in (("traffic_spike", up), ("traffic_drop", down)):
            best = ratio.max(axis=1)
            p = adjusted(np.minimum(chance(best) * _INDEPENDENT, 1.0))
            for place in np.flatnonzero((p <= limit.LIKELY_BY_CHANCE) & free).tolist():
                row = int(rows[place])
                each = self._suspect(row, kind, float(best[place]), float(p[place]))  # type: ignore[arg-type]
                if each is not None and row not in out:
                    found.append(each)
        return found

    def clusters(self, rows: Counts) -> Floats:
        """How many times as much counts scatter as independent requests do, at least 1."""
        seen, usual = (self._table.arrays[name][rows] for name in ("calls_seen", "calls_usual"))
        found: Floats = np.maximum((seen + limit.CLUSTERED_TRAFFIC * _WEIGHT) / (usual + _WEIGHT), 1.0)
        # Longer windows scatter no less; beyond that of a session it is the level that wanders, which is put up with.
        found[:, _SESSION:] = found[:, _SESSION - 1 : _SESSION]
        return np.maximum.accumulate(found, axis=1)

    def onset(self, row: int) -> int:
        """Minute in which a deviation that lasts now began."""
        first = self._first(row)
        minutes = self._table.minutes(row, first)
        return first + onset(minutes[:, M.CALLS], None, minutes[:, M.CALLS_X])

    def _first(self, row: int) -> int:
        table = self._table
        return min(max(table.now - _BACK, int(table.arrays["calls_since"][row]), table.first, table.oldest), table.now)

    def _tolerated(self, blind: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
        more = np.where(blind, limit.TOLERATED_MORE_BLIND, limit.TOLERATED_MORE)[:, None]
        less = np.where(blind, limit.TOLERATED_LESS_BLIND, limit.TOLERATED_LESS)[:, None]
        return more, less

    def _suspect(self, row: int, kind: TrafficKind, ratio: float, p: float) -> TrafficSuspect | None:
        start = self.onset(row)
        sums = self._table.minutes(row, start).sum(axis=0)
        times = float(sums[M.CALLS] / max(sums[M.CALLS_X], 1e-9))
        blind = bool(self._table.arrays["blind"][row])
        if blind and self._was_so(row, kind, start):
            return None
        least_more = limit.LEAST_MORE_BLIND if blind else limit.LEAST_MORE
        least_less = limit.LEAST_LESS_BLIND if blind else limit.LEAST_LESS
        if kind == "traffic_spike" and times < least_more:
            return None
        if kind == "traffic_drop" and times > least_less:
            return None
        # The run that began then must be as sure as the window in which it was seen: often only its end is that low.
        tolerated = self._tolerated(np.array([blind]))[kind == "traffic_drop"].item()
        place = int(np.searchsorted(_WIDTHS, self._table.now - start + 1, side="right")) - 1
        clusters = float(self.clusters(np.array([row]))[0, max(place, 0)])
        alone = other_rate(sums[M.CALLS], tolerated * sums[M.CALLS_X]) / clusters
        if chance(alone) * _INDEPENDENT > limit.LIKELY_BY_CHANCE:
            return None
        return TrafficSuspect(row, kind, start, times, ratio, p)

    def outage(self, row: int) -> TrafficSuspect | None:
        """No request at all for so long that there should have been many."""
        first = self._first(row)
        minutes = self._table.minutes(row, first)
        calls, usual = minutes[:, M.N], minutes[:, M.CALLS_X]
        busy = np.flatnonzero(calls > 0)
        run = len(calls) - (int(busy[-1]) + 1 if busy.size else len(calls))
        if run < limit.OUTAGE_MINUTES or (usual[-run:] <= 0).any():
            return None
        place = int(np.searchsorted(_WIDTHS, run, side="right")) - 1
        clusters = float(self.clusters(np.array([row]))[0, place])
        ratio = float(usual[-run:].sum()) / clusters
        least = 1 if self._table.arrays["blind"][row] else 2
        if ratio < _SURE_OUTAGE or self._silences(row, run) >= least:
            return None
        return TrafficSuspect(row, "outage", first + len(calls) - run, 0.0, ratio, float(np.exp(-ratio)))

    def _is_news(self, rows: Counts, k: Floats, x: Floats) -> npt.NDArray[np.bool_]:
        """Whether windows have far more than those of the last hours: what comes every hour is no spike."""
        peaks = self._table.arrays["peaks"]
        times = np.where(x > 0, k / np.maximum(x, 1e-9), 0.0)
        hour = self._table.now // 60 % _HOURS
        if self._table.now % 60 == 0:
            peaks[:, hour] = 0.0
        before = np.sort(np.delete(peaks[rows], [hour, (hour - 1) % _HOURS], axis=1), axis=1)[:, -_OFTEN]
        peaks[rows, hour] = np.maximum(peaks[rows, hour], times)
        return times > limit.BEYOND_PEAKS * before

    def _was_so(self, row: int, kind: str, start: int) -> bool:
        """Whether as long a time in the last hours was like it; asked where only they tell what is usual."""
        calls = self._table.minutes(row, max(self._table.first, self._table.oldest))[:, M.N]
        width = self._table.now - start + 1
        before = calls[:-width]
        if before.size < 2 * width:
            return False
        sums = np.convolve(before, np.ones(width), "valid")
        now = float(calls[-width:].sum())
        if kind == "traffic_spike":
            return bool(now < limit.LEAST_MORE * sums.max())
        return bool((sums <= now / limit.LEAST_LESS).mean() > _SELDOM)

    def _silences(self, row: int, run: int) -> int:
        """How often in the last hours there was nothing for about as long."""
        calls = self._table.minutes(row, max(self._table.first, self._table.oldest))[:-run, M.N]
        busy = np.flatnonzero(calls > 0)
        return int((np.diff(busy) - 1 >= limit.LEAST_LESS * run).sum())

    def _learn(self, rows: Counts, k: Floats, x: Floats, clusters: Floats, free: npt.NDArray[np.bool_]) -> None:
        # Against the level of the last hour: what is learned is how they scatter, not how far off the expectation is.
        x = x * np.clip(k[:, -1:] / np.maximum(x[:, -1:], 1.0), *_LEVELS)
        quiet = (other_rate(k, x) / clusters < _STILL_QUIET) & free[:, None]
        seen = np.minimum((k - x) ** 2, _MOST_SURPRISE * clusters * np.maximum(x, 1.0))
        for name, values in (("calls_seen", seen), ("calls_usual", x)):
            array = self._table.arrays[name]
            array[rows] = np.where(quiet, array[rows] * _KEEP + values / _WIDTHS, array[rows])
