"""How a deviation goes on: where it began, whom it strikes, when it is over or has become usual. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dashapp.insight import limits as limit
from dashapp.insight.case import TRAFFIC, Case
from dashapp.insight.case_sums import BACK, CaseSums
from dashapp.insight.finding import Subject
from dashapp.insight.intake import Intake
from dashapp.insight.latency import Latency
from dashapp.insight.lifecycle import Change
from dashapp.insight.likelihood import over
from dashapp.insight.open_cases import CAUSES, OpenCases
from dashapp.insight.shares import MID, Shares
from dashapp.insight.table import M
from dashapp.insight.traffic import TrafficSearch

_SILENT = 180  # minutes without a request after which nothing goes on
_CLUSTERED = 1.5


class Following:
    """Follows what is open."""

    def __init__(
        self, intake: Intake, cases: OpenCases, sums: CaseSums, shares: Shares, calls: TrafficSearch, latency: Latency
    ) -> None:
        """Follow cases in what an intake remembers."""
        self._intake, self._table, self._cases, self._sums = intake, intake.table, cases, sums
        self._shares, self._calls, self._latency = shares, calls, latency

    def follow(self, case: Case) -> Change | None:
        """Take in the newest minute; a change where it is over."""
        now = self._table.now
        if case.resting:
            rest = limit.BAND_REST / self._intake.width
            return self._cases.close(case, case.last + 1) if now - case.last > rest else None
        self._sums.take(case)
        if now - case.start >= limit.ADOPTED / self._intake.width and case.kind != "latency_band":
            self._adopt(case)
            return self._cases.close(case, now + 1)
        k, n, x = self._sums.series(case, max(case.start, now - BACK))
        quiet, sure = over(k, n, x, case.during)
        clusters = 1.0 if case.kind == "outage" else _CLUSTERED if n is not None else self._scatter(case.row)
        if sure / clusters < limit.SURE_OVER:
            case.last = now
            self._sums.end_at_last(case)
            self._sums.level(case)
            self._latency.measure(case)
            if n is not None and n[-_SILENT:].sum() == 0 and len(n) >= BACK:
                return self._cases.close(case, case.last + 1)
            return None
        case.last = max(now - quiet, case.start)
        self._sums.end_at_last(case)
        enough = limit.QUIET_OUTAGE if case.kind == "outage" else limit.QUIET
        if quiet < enough:
            return None
        if case.kind == "latency_band":
            self._cases.note(case, case.last + 1)
            self._sums.rest(case)
            case.resting = True
            return None
        return self._cases.close(case, case.last + 1)

    def look_again(self, case: Case) -> Iterable[Change]:
        """While it is young: when it began, and whether it is the whole service."""
        now = self._table.now
        if case.resting or now - case.opened > limit.YOUNG or case.last < now:
            if case.question == MID and case.kind == "latency_shift" and now - case.opened <= 12 * limit.YOUNG:
                self._latency.look_for_drift(case, CAUSES)
            return []
        if case.kind in ("new_failing_route", "outage", "latency_drift", "latency_band"):
            return []
        closed: list[Change] = []
        if case.question == TRAFFIC:
            start = self._calls.onset(case.row)
            out = self._calls.outage(case.row) if case.kind == "traffic_drop" else None
            if out is not None:
                case.kind, case.cause, start = "outage", "down", out.start
        elif case.network is not None:
            return []
        else:
            service = int(self._table.arrays["parent"][case.row])
            if case.scope == "endpoint" and self._shares.shared(service, case.question, case.start)[0]:
                closed = self._widen(case, service)
            start = self._shares.onset(case.row, case.question)
        if abs(start - case.start) <= limit.YOUNG:
            case.start = start
        self._sums.take(case, anew=True)
        self._sums.level(case)
        self._latency.measure(case)
        return closed

    def _widen(self, case: Case, service: int) -> list[Change]:
        name = str(self._table.keys[service])
        closed = []
        for other in self._cases:
            same = other.question == case.question and other.subject.service == name
            near = min(abs(other.start - case.start), abs(other.opened - case.opened)) <= limit.YOUNG
            if other is not case and same and near and other.network is None:
                closed.append(self._cases.merge(other))
        case.row, case.scope, case.subject = service, "service", Subject(service=name)
        case.cause = CAUSES[case.kind, "service"]
        return closed

    def _scatter(self, row: int) -> float:
        return float(self._calls.clusters(np.array([row]))[0, 4])

    def _adopt(self, case: Case) -> None:
        if case.question == TRAFFIC:
            self._intake.traffic.adopt(str(self._table.keys[case.row]))
            return
        baseline, table = self._intake.baseline, self._table
        for row in self._intake.members(case.row).tolist():
            sums = table.minutes(row, table.now - BACK).sum(axis=0)
            if sums[M.N] < limit.FEWEST_BASELINE:
                continue
            sketch = self._intake.sketches.total(np.array([row]), table.now - BACK)
            few = sketch.sum() < limit.FEWEST_LATENCIES
            baseline.replace(row, sums[M.N], sums[M.SERVER], sums[M.CLIENT], None if few else sketch)
        self._intake.settle()
