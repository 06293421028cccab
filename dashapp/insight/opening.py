"""Which deviations are worth saying, and as what: of an endpoint, a service, a network, or a new route. Pure."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from dashapp.insight import limits as limit
from dashapp.insight.case import TRAFFIC, Scope
from dashapp.insight.intake import Intake
from dashapp.insight.latency import Latency
from dashapp.insight.open_cases import LATENCY, OpenCases
from dashapp.insight.shares import CLIENT, MID, QUESTIONS, SERVER, TAIL, Shares, Suspect
from dashapp.insight.table import M
from dashapp.insight.traffic import TrafficSuspect

_LOADED = 1.5  # times the usual requests of the service: then slower means loaded


class Opening:
    """Opens what is worth it."""

    def __init__(self, intake: Intake, cases: OpenCases, shares: Shares, latency: Latency) -> None:
        """Open cases of what an intake remembers."""
        self._intake, self._table = intake, intake.table
        self._cases, self._shares, self._latency = cases, shares, latency

    def open(self, suspects: list[Suspect], calls: list[TrafficSuspect]) -> None:
        """Open what is new of what was found in a minute."""
        for each in calls:
            self._open_traffic(each)
        self._open_networks()
        self._open_new_routes()
        for question in (SERVER, CLIENT, MID, TAIL):
            self._open_shares(question, [each for each in suspects if each.question == question])

    def _open_shares(self, question: int, suspects: list[Suspect]) -> None:
        by_service: dict[int, list[Suspect]] = defaultdict(list)
        for each in suspects:
            by_service[int(self._table.arrays["parent"][each.row])].append(each)
        for service, group in by_service.items():
            group.sort(key=lambda each: -each.ratio)
            start = group[0].start
            shared, worst = self._shares.shared(service, question, start)
            if shared:
                self._open_share(group[0], service, "service")
                continue
            endpoints = [each for each in group if each.row != service]
            for each in endpoints:
                self._open_share(each, each.row, "endpoint")
            if not endpoints:
                self._open_share(group[0], worst, "endpoint")

    def _open_share(self, suspect: Suspect, row: int, scope: Scope) -> None:
        question = suspect.question
        if self._cases.held()[row, question]:
            return
        start = self._shares.onset(row, question)
        if question in LATENCY:
            self._open_latency(suspect, row, scope, start)
            return
        if not self._is_burst(question, row, start):
            return
        if self._is_crowd(question, row, start) or self._is_explained(question, row, start):
            return
        together = self._cases.together(row, LATENCY, start)
        if question == SERVER and together is not None:
            together.also |= {SERVER}
            if together.scope == "endpoint" and together.kind == "latency_shift":
                together.cause = "deploy"
            return
        self._cases.add("error_burst", question, scope, row, start, suspect)

    def _open_latency(self, suspect: Suspect, row: int, scope: Scope, start: int) -> None:
        found = self._latency.kind_of(row, suspect.question, start)
        if found is None:
            return
        kind, question, since = found
        together = self._cases.together(row, frozenset({SERVER}), start)
        if together is not None and kind != "latency_drift":
            together.also |= LATENCY
            if together.scope == "endpoint" and kind == "latency_shift" and together.cause == "fault":
                together.cause = "deploy"
            return
        resting = next((case for case in self._cases if case.resting and case.row == row), None)
        if kind == "latency_band" and resting is not None:
            resting.resting, resting.opened, resting.last = False, self._table.now, self._table.now
            return
        case = self._cases.add(kind, question, scope, row, since, suspect)
        if kind == "latency_band":
            case.facts["hours"] = self._latency.hours(start)
        elif kind in ("latency_shift", "latency_tail") and self._is_loaded(row, start):
            case.cause = "load"
        self._latency.measure(case)

    def _open_traffic(self, each: TrafficSuspect) -> None:
        if each.kind == "traffic_spike" and self._is_one_client(each):
            return
        name = str(self._table.keys[each.row])
        self._cases.add(each.kind, TRAFFIC, "service", each.row, each.start, each)
        self._intake.traffic.forget_since(name, self._table.now - each.start + 1)

    def _open_networks(self) -> None:
        known = {case.network for case in self._cases}
        for each in self._intake.clients.struck(self._table.now, self._table.first, self._cases.networks):
            if each.network in known:
                continue
            case = self._cases.add_network(each)
            # What was said of endpoints and services is said better now.
            for other in self._cases:
                near = abs(other.start - case.start) <= limit.YOUNG
                if other.question != SERVER or other.network is not None or not near:
                    continue
                if self._is_of(each.network, other.row, other.start):
                    self._cases.drop(other, case)

    def _open_new_routes(self) -> None:
        table, now = self._table, self._table.now
        failing = np.flatnonzero(table.minute(now)[:, M.SERVER] > 0)
        for row in failing.tolist():
            seen = self._intake.seen.get(row)
            if seen is None or now - seen > limit.NEW_FOR / self._intake.width or self._cases.held()[row, SERVER]:
                continue
            sums = table.minutes(row, seen).sum(axis=0)
            n, failed = sums[M.N], sums[M.SERVER]
            if n < limit.NEW_REQUESTS or failed < limit.NEW_FAILURES or failed < limit.NEW_SHARE * n:
                continue
            self._cases.add("new_failing_route", SERVER, "endpoint", row, max(seen, table.oldest), None)

    def _is_burst(self, question: int, row: int, start: int) -> bool:
        sums = self._table.minutes(row, start).sum(axis=0)
        asked = QUESTIONS[question]
        n, k, x = (float(sums[each]) for each in asked[:3])
        more, ratio = (
            (limit.LEAST_MORE_5XX, limit.LEAST_RATIO_5XX)
            if question == SERVER
            else (limit.LEAST_MORE_4XX, limit.LEAST_RATIO_4XX)
        )
        return n > 0 and k >= limit.FEWEST_ERRORS and (k - x) / n >= more and k >= ratio * x

    def _is_crowd(self, question: int, row: int, start: int) -> bool:
        """Whether 4xx are of one client or network: then that one is the story, and told as one."""
        if question != CLIENT:
            return False
        rows = self._intake.members(row)
        sums = self._table.minutes(row, start).sum(axis=0)
        client, network, _ = self._intake.clients.crowd(rows, start, 400, 500)
        return max(client, network) >= limit.CROWDED * float(sums[M.CLIENT_K] - sums[M.CLIENT_X])

    def _is_explained(self, question: int, row: int, start: int) -> bool:
        """Whether the failures are those of a network that is open already."""
        if question != SERVER:
            return False
        networks = [case.network for case in self._cases if case.network is not None]
        return any(self._is_of(network, row, start) for network in networks)

    def _is_of(self, network: str, row: int, start: int) -> bool:
        mine, everybody = self._intake.clients.of_network(network, self._intake.members(row), start, 500, 600)
        return mine >= limit.CROWDED * max(everybody, 1)

    def _is_one_client(self, each: TrafficSuspect) -> bool:
        sums = self._table.minutes(each.row, each.start).sum(axis=0)
        client, network, _ = self._intake.clients.crowd(self._intake.members(each.row), each.start, 0, 1000)
        return max(client, network) >= limit.CROWDED * float(sums[M.CALLS] - sums[M.CALLS_X])

    def _is_loaded(self, row: int, start: int) -> bool:
        service = int(self._table.arrays["parent"][row])
        sums = self._table.minutes(service, start).sum(axis=0)
        return bool(sums[M.CALLS_X] > 0 and sums[M.CALLS] >= _LOADED * sums[M.CALLS_X])
