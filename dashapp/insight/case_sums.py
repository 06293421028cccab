"""What is summed up of a deviation while it lasts. Pure."""

from __future__ import annotations

import numpy as np

from dashapp.insight import limits as limit
from dashapp.insight.case import TRAFFIC, Case
from dashapp.insight.intake import Intake
from dashapp.insight.likelihood import Floats
from dashapp.insight.shares import MID, QUESTIONS, TAIL
from dashapp.insight.table import M

BACK = 120  # minutes in which the end is sought


class CaseSums:
    """Reads the minutes of what a case is about."""

    def __init__(self, intake: Intake) -> None:
        """Read what an intake remembers."""
        self._intake, self._table = intake, intake.table

    def series(self, case: Case, first: int) -> tuple[Floats, Floats | None, Floats]:
        """What is in question, all of it (None of traffic) and what is usual, by minute from one on."""
        if case.network is not None:
            series = self._intake.clients.series(case.network, first)
            return series[:, 1], series[:, 0], series[:, 2]
        minutes = self._table.minutes(case.row, first)
        if case.question == TRAFFIC:
            return minutes[:, M.CALLS], None, minutes[:, M.CALLS_X]
        if case.kind == "new_failing_route":
            return minutes[:, M.SERVER], minutes[:, M.N], 0.02 * minutes[:, M.N]
        asked = QUESTIONS[case.question]
        # Of latencies, what was usual over days: what is back at that level is over, however low it was before.
        usual = {MID: M.MID_ALL, TAIL: M.TAIL_ALL}.get(case.question, asked.x)
        return minutes[:, asked.k], minutes[:, asked.n], minutes[:, usual]

    def level(self, case: Case) -> None:
        """Note how much of it there is while it lasts."""
        k, n, x = self.series(case, max(case.start, self._table.now - BACK))
        whole = float((x if n is None else n).sum())
        usual = 1.0 if n is None else float(x.sum()) / max(whole, 1e-9)
        during = float(k.sum()) / max(whole, 1e-9)
        if self._table.now - case.opened <= limit.YOUNG:
            case.at_first = during
        # What is left of it must be worth speaking of: without a floor it would fade and never be over.
        least = usual + limit.STILL * (case.at_first - usual)
        case.during = max(during, least) if case.at_first >= usual else min(during, least)

    def end_at_last(self, case: Case) -> None:
        """Leave out what came after its last minute."""
        if case.last < self._table.now:
            case.after = self._since(case, case.last + 1)
        else:
            case.after = np.zeros_like(case.sums)

    def rest(self, case: Case) -> None:
        """Forget what came after its last minute: it goes on another day."""
        case.sums, case.after = case.counted, np.zeros_like(case.sums)
        if case.sketch is not None:
            case.sketch = case.sketch - self._intake.sketches.total(self._intake.members(case.row), case.last + 1)

    def _since(self, case: Case, first: int) -> Floats:
        if case.network is None:
            found: Floats = self._table.minutes(case.row, first).sum(axis=0)
            return found
        sums = np.zeros_like(case.sums)
        series = self._intake.clients.series(case.network, first).sum(axis=0)
        sums[[M.N, M.JUDGED]], sums[M.SERVER], sums[M.SERVER_X] = series[0], series[1], series[2]
        return sums

    def take(self, case: Case, *, anew: bool = False) -> None:
        """Add the newest minute; while it is young, or `anew`, all of them from its beginning on."""
        table, now = self._table, self._table.now
        fits = case.start > table.oldest
        first = case.start if fits and (anew or now - case.opened <= limit.YOUNG) else now
        sums = self._since(case, first)
        case.sums = sums if first == case.start else case.sums + sums
        if first == case.start and case.start > table.oldest and case.network is None:
            case.before = table.minutes(case.row, case.start - 60, case.start - 1).sum(axis=0)
        rows = self._intake.members(case.row)
        if case.question in (MID, TAIL):
            more = self._intake.sketches.total(rows, first, now)
            case.sketch = more if first == case.start or case.sketch is None else case.sketch + more
