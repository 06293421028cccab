"""Deviations that last, and where something was found: what they are called, hold and leave out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np
import numpy.typing as npt

from dashapp.insight import limits as limit
from dashapp.insight.case import TRAFFIC, Case, Scope
from dashapp.insight.case_sums import CaseSums
from dashapp.insight.client_log import Struck
from dashapp.insight.finding import Cause, Kind, Subject
from dashapp.insight.intake import Intake
from dashapp.insight.lifecycle import Change
from dashapp.insight.minute import Counts, Endpoint
from dashapp.insight.shares import MID, QUESTIONS, SERVER, TAIL, Suspect
from dashapp.insight.traffic import TrafficSuspect

Bools = npt.NDArray[np.bool_]
LATENCY = frozenset({MID, TAIL})
CAUSES: dict[tuple[Kind, Scope], Cause] = {
    ("error_burst", "endpoint"): "fault",
    ("error_burst", "service"): "shared_fault",
    ("error_burst", "network"): "network",
    ("latency_shift", "endpoint"): "fault",
    ("latency_shift", "service"): "shared_fault",
    ("latency_tail", "endpoint"): "contention",
    ("latency_tail", "service"): "contention",
    ("latency_drift", "endpoint"): "growth",
    ("latency_drift", "service"): "growth",
    ("latency_band", "endpoint"): "schedule",
    ("latency_band", "service"): "schedule",
    ("traffic_spike", "service"): "demand",
    ("traffic_drop", "service"): "upstream",
    ("outage", "service"): "down",
    ("new_failing_route", "endpoint"): "new_route",
}


class OpenCases:
    """Opens, holds and closes them."""

    def __init__(self, intake: Intake, sums: CaseSums) -> None:
        """Start with none."""
        self._intake, self._table, self._sums = intake, intake.table, sums
        self._open: dict[str, Case] = {}
        # Rows in which something was found, from and to which minute: they make no baseline.
        self._found: list[tuple[Counts, int, int]] = []
        self._numbers = count()
        self.networks: dict[str, int] = {}  # the minute after the last one of a network that was found

    def __iter__(self) -> Iterator[Case]:
        """All that are open now; some may be closed meanwhile."""
        return iter(list(self._open.values()))

    def get(self, key: str) -> Case | None:
        """One of them."""
        return self._open.get(key)

    def held_services(self) -> set[str]:
        """Services of which something is found in their traffic."""
        return {str(self._table.keys[row]) for row in self.rows_of_traffic()}

    def rows_of_traffic(self) -> set[int]:
        """Rows of these services."""
        return {case.row for case in self._open.values() if case.question == TRAFFIC}

    def excluded(self, number: int) -> Bools:
        """Rows in which something was found in a minute."""
        found = np.zeros(len(self._table), np.bool_)
        for case in self._open.values():
            if case.question != TRAFFIC and case.network is None and case.start <= number and not case.resting:
                found[self.rows(case)] = True
        for rows, start, end in self._found:
            if start <= number < end:
                found[rows] = True
        return found

    def held(self) -> Bools:
        """Which rows something is found of, by question."""
        found = np.zeros((len(self._table), len(QUESTIONS)), np.bool_)
        for case in self._open.values():
            if case.question == TRAFFIC or case.network is not None or case.resting:
                continue
            asked = {case.question, *case.also, *(LATENCY if case.question in LATENCY else ())}
            rows = self.rows(case)
            for question in asked:
                found[rows, question] = True
        return found

    def together(self, row: int, questions: frozenset[int], start: int) -> Case | None:
        """A case of the same row that began at about the same time."""
        return next(
            (
                case
                for case in self._open.values()
                if case.row == row
                and case.question in questions
                and not case.resting
                and case.kind != "latency_drift"
                and abs(case.start - start) <= limit.TOGETHER
            ),
            None,
        )

    def close(self, case: Case, end: int) -> Change:
        """Say that it ended before a minute."""
        case.end = max(end, case.start + 1)
        self._open.pop(case.key, None)
        self.note(case, case.end)
        return Change("closed", case.key, case.finding(self._intake.moment))

    def merge(self, case: Case) -> Change:
        """Say that it is over, because it is part of another one that lasts."""
        case.end = max(self._table.now + 1, case.start + 1)
        self._open.pop(case.key, None)
        return Change("closed", case.key, case.finding(self._intake.moment))

    def drop(self, case: Case, better: Case) -> None:
        """Say the same better: what was opened for it goes on under its key."""
        self._open.pop(better.key)
        self._open.pop(case.key)
        better.key, better.told, better.told_at = case.key, case.told, case.told_at
        self._open[better.key] = better

    def note(self, case: Case, end: int) -> None:
        """Remember where it was, up to a minute: that is no baseline, and is not found again."""
        if case.question == TRAFFIC:
            self._table.arrays["calls_since"][case.row] = end
            return
        if case.network is not None:
            self.networks[case.network] = end
            return
        rows = self.rows(case)
        for question in {case.question, *case.also, *(LATENCY if case.question in LATENCY else ())}:
            self._table.arrays["since"][rows, question] = end
        self._found = [each for each in self._found if each[2] > self._table.oldest]
        self._found.append((rows, case.start, end))

    def rows(self, case: Case) -> Counts:
        """Rows that a case speaks of."""
        if case.network is not None:
            return np.arange(len(self._table))
        return np.append(self._intake.members(case.row), case.row)

    def _subject(self, row: int) -> Subject:
        key = self._table.keys[row]
        return Subject(*key) if isinstance(key, Endpoint) else Subject(service=key)

    def add(
        self, kind: Kind, question: int, scope: Scope, row: int, start: int, why: Suspect | TrafficSuspect | None
    ) -> Case:
        """Open one that began in a minute."""
        now = self._table.now
        key = f"{kind}-{row}-{start}-{next(self._numbers)}"
        ratio, p = (why.ratio, why.p) if why is not None else (20.0, limit.LIKELY_BY_CHANCE)
        cause = CAUSES[kind, scope]
        case = Case(key, kind, question, scope, row, self._subject(row), start, now, cause, ratio, p, last=now)
        self._open[key] = case
        self._sums.take(case, anew=True)
        self._sums.level(case)
        return case

    def add_network(self, each: Struck) -> Case:
        """Open one of a network."""
        now = self._table.now
        key = f"error_burst-{each.network}-{each.start}-{next(self._numbers)}"
        subject = Subject(client_ip=each.client) if each.client else Subject(network=each.network)
        case = Case(
            key, "error_burst", SERVER, "network", 0, subject, each.start, now,
            "client" if each.client else "network", each.ratio, each.p, last=now, network=each.network,
        )  # fmt: skip
        self._open[key] = case
        self._sums.take(case, anew=True)
        self._sums.level(case)
        return case
