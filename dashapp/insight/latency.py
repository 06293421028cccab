"""What kind of slowness it is: all requests, the slowest only, slowly growing, or at the same hours every day. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dashapp.insight import limits as limit
from dashapp.insight.baseline import middle
from dashapp.insight.case import Case, Scope
from dashapp.insight.finding import Cause, Kind, Subject
from dashapp.insight.intake import Intake
from dashapp.insight.likelihood import Floats
from dashapp.insight.loads import goes_with, loaded_by
from dashapp.insight.recent import KEPT
from dashapp.insight.shares import MID, TAIL, Shares
from dashapp.insight.table import M
from sql.sketch import LOWEST_MS, RATIO, SLOTS, quantiles_ms

_FEWEST = 10  # latencies of an endpoint that count for its service
_DRIFT_EVERY = 10
# Minutes after the opening at which a load is sought: as soon as it shows, and when it may have come in waves.
_LOAD_AT, _WAVES_AT = (0, 2, 4, 7, 10), 75


class Latency:
    """Looks closer at endpoints and services of which many requests are slow."""

    def __init__(self, intake: Intake, shares: Shares) -> None:
        """Look at what an intake remembers."""
        self._intake, self._table, self._shares = intake, intake.table, shares

    def kind_of(self, row: int, question: int, start: int) -> tuple[Kind, int, int] | None:
        """Kind, the question by which it is followed, and its first minute; None where it is too little to tell."""
        if all(np.array(self._moved(row, start)) >= (limit.LEAST_SLOTS, limit.LEAST_SLOTS_OF_DAYS)):
            if len(self._days(row, start)) >= limit.BAND_DAYS:
                return "latency_band", MID, start
            since = self._drift_since(row, start)
            if since is not None:
                return "latency_drift", MID, since
            return "latency_shift", MID, start
        sums = self._table.minutes(row, self._shares.onset(row, TAIL)).sum(axis=0)
        n, k, x = (float(sums[each]) for each in (M.TIMED, M.TAIL_K, M.TAIL_X))
        if question == TAIL and n > 0 and k >= limit.FEWEST_SLOWER and (k - x) / n >= limit.LEAST_TAIL:
            return "latency_tail", TAIL, self._shares.onset(row, TAIL)
        return None

    def look_for_drift(self, case: Case, causes: Mapping[tuple[Kind, Scope], Cause]) -> None:
        """What looked like a step may turn out to be a slope."""
        if self._table.now % _DRIFT_EVERY or case.scope != "endpoint" or case.also:
            return
        since = self._drift_since(case.row, case.start)
        if since is not None:
            case.kind, case.cause, case.start = "latency_drift", causes["latency_drift", case.scope], since

    def look_for_load(self, case: Case) -> None:
        """What another endpoint's calls, which rose first, may have done."""
        table, age = self._table, self._table.now - case.opened
        asked = age in _LOAD_AT or age == _WAVES_AT
        if not asked or case.scope != "endpoint" or case.cause not in ("fault", "load", "contention"):
            return
        rows = np.flatnonzero(~table.arrays["is_service"][: len(table)])
        rows = rows[rows != case.row]
        first = max(table.first, table.oldest, case.start - limit.LONGEST)
        calls = table.minutes(rows, first)[..., M.N]
        if age == _WAVES_AT:
            mine = table.minutes(case.row, first)
            n = mine[:, M.TIMED]
            load = goes_with(calls, np.where(n > 0, (mine[:, M.MID_K] - mine[:, M.MID_X]) / np.maximum(n, 1), np.nan))
        else:
            load = loaded_by(calls, case.start - first)
        if load is None:
            return
        key = table.keys[int(rows[load.place])]
        case.cause, case.related = "call", Subject(*key)
        case.facts["lag"] = f"{60 * load.lag} s"

    def measure(self, case: Case) -> None:
        """Note observed and usual latency, of the quantile that tells it best."""
        if case.sketch is None or case.sketch.sum() < 1:
            return
        share = limit.TAIL_SHARE if case.kind == "latency_tail" else 0.5
        case.measure = "p95" if case.kind == "latency_tail" else "p50"
        usual = self._usual(case)
        if usual.sum() <= 0:
            return
        case.latency = _quantile(case.sketch, share), _quantile(usual, share)

    def hours(self, start: int) -> str:
        """The hours of the day at which it began, as HH:MM."""
        return self._intake.moment(start).strftime("%H:%M")

    def _usual(self, case: Case) -> Floats:
        """Usual latencies of the endpoints, mixed as their requests are now."""
        baseline = self._intake.baseline
        rows = self._intake.members(case.row)
        if rows.size == 1:
            return baseline.sketch(int(rows[0]))
        first = max(case.start, self._table.oldest)
        n = self._table.minutes(rows, first).sum(axis=1)[:, M.TIMED]
        known = np.stack([baseline.sketch(row) for row in rows.tolist()])
        total = known.sum(axis=1)
        weight = np.where(total > 0, n / np.maximum(total, 1e-9), 0.0)
        found: Floats = weight @ known
        return found

    def _moved(self, row: int, start: int) -> tuple[float, float]:
        """By how many slots the median is higher since a minute: than in the last hours, and than in the last days."""
        rows = self._intake.members(row)
        first = max(start, self._table.now - KEPT + 1)
        moved, weights = [], []
        for each in rows.tolist():
            sketch = self._intake.sketches.total(np.array([each]), first)
            usual = float(self._intake.baseline.arrays["median"][each])
            if sketch.sum() < (_FEWEST if rows.size > 1 else 1) or np.isnan(usual):
                continue
            now = float(middle(sketch[None])[0])
            moved.append((now - self._intake.medians.least(each, usual), now - usual))
            weights.append(float(sketch.sum()))
        of_hours, of_days = np.average(moved, weights=weights, axis=0) if moved else (0.0, 0.0)
        return float(of_hours), float(of_days)

    def _drift_since(self, row: int, start: int) -> int | None:
        """First minute of a slow rise; None where it is none."""
        if self._table.arrays["is_service"][row]:
            return None
        blocks = self._intake.medians.is_drift(row, float(self._intake.baseline.arrays["median"][row]))
        return None if blocks is None else min(self._table.now - blocks * limit.BLOCK, start)

    def _days(self, row: int, start: int) -> list[int]:
        if self._table.arrays["is_service"][row]:
            return []
        return self._intake.medians.days_slow(row, self._intake.moment(start), limit.BAND_SLOTS)


def _quantile(sketch: Floats, share: float) -> float:
    """In ms, as the read API gives it; its maximum is not known here, so it is at most the end of its last slot."""
    counts = np.rint(sketch).astype(np.int64)
    if counts.sum() == 0:
        return 0.0
    highest = min(int(np.flatnonzero(counts)[-1]), SLOTS)
    return quantiles_ms(counts, [share], maximum_ms=LOWEST_MS * RATIO**highest)[0]
