"""Which endpoints and services have more failed or slow requests than is put up with, in windows ending now. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dashapp.insight.chance import adjusted
from dashapp.insight.likelihood import Floats, chance, more_share, onset
from dashapp.insight.limits import (
    CLUSTERED,
    CLUSTERED_WEIGHT,
    FEWEST_ERRORS,
    FEWEST_SLOWER,
    FEWEST_TO_TELL,
    LIKELY_BY_CHANCE,
    LONGEST,
    SHARED_BREADTH,
    SHARED_RATE,
    SURE_SHARED,
    WINDOWS,
)
from dashapp.insight.table import M, Table

Bools = npt.NDArray[np.bool_]
SERVER, CLIENT, MID, TAIL = range(4)


class Question(NamedTuple):
    """Which measures hold all requests, those in question, the usual number of them, and the one put up with."""

    n: M
    k: M
    x: M
    t: M
    fewest: int


QUESTIONS = (
    Question(M.JUDGED, M.SERVER_K, M.SERVER_X, M.SERVER_T, FEWEST_ERRORS),
    Question(M.JUDGED, M.CLIENT_K, M.CLIENT_X, M.CLIENT_T, FEWEST_ERRORS),
    Question(M.TIMED, M.MID_K, M.MID_X, M.MID_T, FEWEST_SLOWER),
    Question(M.TIMED, M.TAIL_K, M.TAIL_X, M.TAIL_T, FEWEST_SLOWER),
)
_N, _K, _X, _T = (np.array([each[i] for each in QUESTIONS]) for i in range(4))
_FEWEST = np.array([each.fewest for each in QUESTIONS])
_WIDTHS = np.array(WINDOWS)
# How long what is learned of clusters is kept, and how far a single window may move it.
_KEEP = 0.5 ** (1 / 1440)
_MOST_SURPRISE = 9.0
_STILL_QUIET = 6.0
# Windows overlap: so many of them are independent questions.
_INDEPENDENT = 4.0
_LONGEST_BACK = LONGEST + 15


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row that deviates in one of the questions: since which minute, and how sure that is."""

    row: int
    question: int
    start: int
    ratio: float
    p: float


class Shares:
    """The search, and what it learns of how much requests cluster, by row, window and question."""

    def __init__(self, table: Table) -> None:
        """Search the rows of a table."""
        self._table = table
        for name in ("cluster_seen", "cluster_usual"):
            table.arrays.make(name, (len(WINDOWS), len(QUESTIONS)))

    def search(self, windows: Floats, held: Bools) -> list[Suspect]:
        """Rows that deviate and are not held already, shape of `held`: (rows, questions)."""
        k, n, x, t = (windows[:, :, each] for each in (_K, _N, _X, _T))
        clusters = self.clusters(len(windows))
        ratio = more_share(k, n, t) / clusters
        fresh = self._table.now - _WIDTHS[None, :, None] + 1 >= np.maximum(
            self._table.arrays["since"][: len(windows), None, :], self._table.first
        )
        ratio = np.where(fresh & (k >= _FEWEST), ratio, 0.0)
        self._learn(k, n, x, more_share(k, n, x) / clusters, held)
        best = ratio.max(axis=1)
        found = []
        for question in range(len(QUESTIONS)):
            p = np.minimum(chance(best[:, question]) * _INDEPENDENT, 1.0)
            asked = n[:, -1, question] > 0
            if not asked.any():
                continue
            corrected = np.ones_like(p)
            corrected[asked] = adjusted(p[asked])
            for row in np.flatnonzero((corrected <= LIKELY_BY_CHANCE) & ~held[:, question]).tolist():
                start = self.onset(row, question)
                found.append(Suspect(row, question, start, float(best[row, question]), float(corrected[row])))
        return found

    def clusters(self, rows: int) -> Floats:
        """How many times as much counts scatter as those of independent requests, at least 1."""
        seen, usual = (self._table.arrays[name][:rows] for name in ("cluster_seen", "cluster_usual"))
        found: Floats = np.maximum((seen + CLUSTERED * CLUSTERED_WEIGHT) / (usual + CLUSTERED_WEIGHT), 1.0)
        # Latencies of a whole hour never are quite as usual, which is put up with anyway: only what changes from
        # minute to minute is noise.
        found[:, :, MID:] = found[:, :1, MID:]
        return found

    def onset(self, row: int, question: int) -> int:
        """Minute in which a deviation of a row that lasts now began."""
        table = self._table
        since = max(int(table.arrays["since"][row, question]), table.first, table.oldest)
        first = min(max(table.now - _LONGEST_BACK, since), table.now)
        minutes = table.minutes(row, first)
        asked = QUESTIONS[question]
        usual = minutes[:, asked.x]
        if question in (MID, TAIL):
            # Between what is usual and what is put up with: latencies wander a little, and that is no beginning.
            usual = np.sqrt(usual * minutes[:, asked.t])
        return first + onset(minutes[:, asked.k], minutes[:, asked.n], usual)

    def shared(self, service: int, question: int, start: int) -> tuple[bool, int]:
        """Tell whether all endpoints of a service deviate since a minute, or else which one does most."""
        rows = self._table.children(service)
        asked = QUESTIONS[question]
        sums = self._table.minutes(rows, start).sum(axis=1)
        k, n, x, t = (sums[:, each] for each in (asked.k, asked.n, asked.x, asked.t))
        ratio = more_share(k, n, t)
        worst = int(np.argmax(ratio))
        others = np.arange(rows.size) != worst
        k_o, n_o, x_o, t_o = (float(each[others].sum()) for each in (k, n, x, t))
        if n_o <= 0 or n[worst] <= 0:
            return False, int(rows[worst])
        rate, rate_others = (k[worst] - x[worst]) / n[worst], (k_o - x_o) / n_o
        sure = float(more_share(k_o, n_o, t_o)) / CLUSTERED >= SURE_SHARED
        common = float((k - x).sum() / n.sum())
        telling = others & (n * common >= FEWEST_TO_TELL)
        struck = (k - x) >= SHARED_RATE * common * n
        broad = struck[telling].mean() >= SHARED_BREADTH if telling.any() else (others & (k > x)).sum() >= 2
        return bool(sure and rate_others >= SHARED_RATE * rate and broad), int(rows[worst])

    def _learn(self, k: Floats, n: Floats, x: Floats, surprise: Floats, held: Bools) -> None:
        rows = len(k)
        usual = x * (1.0 - x / np.maximum(n, 1e-9))
        quiet = (surprise < _STILL_QUIET) & ~held[:, None, :]
        off = k - x
        # One minute against the one before.
        pair = (k[:, 1] - k[:, 0], n[:, 1] - n[:, 0])
        both = (pair[1] > 0)[:, MID:]
        last = np.where(both, pair[0][:, MID:] * n[:, 0, MID:] / np.maximum(pair[1][:, MID:], 1.0), k[:, 0, MID:])
        spread = 1.0 + np.where(both, n[:, 0, MID:] / np.maximum(pair[1][:, MID:], 1.0), 0.0)
        off[:, 0, MID:] = (k[:, 0, MID:] - last) / np.sqrt(spread)
        seen = np.minimum(off**2, _MOST_SURPRISE * self.clusters(rows) * np.maximum(usual, 0.25))
        for name, values in (("cluster_seen", seen), ("cluster_usual", usual)):
            array = self._table.arrays[name]
            # Windows that overlap say the same again: each counts by its own part.
            array[:rows] = np.where(quiet, array[:rows] * _KEEP + values / _WIDTHS[None, :, None], array[:rows])
