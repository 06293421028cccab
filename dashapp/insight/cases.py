"""Opens, follows and closes deviations, so that one incident is one finding. Pure.

Of several ways to say the same the one is chosen that explains the others: a network before the endpoints it calls, a
service before its endpoints, a new version before the errors and the latency it brings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import count

import numpy as np
import numpy.typing as npt

from dashapp.insight import limits as limit
from dashapp.insight.case import TELL_EVERY, TRAFFIC, Case, Scope
from dashapp.insight.client_log import Struck
from dashapp.insight.finding import Cause, Finding, Kind, Subject
from dashapp.insight.intake import Intake
from dashapp.insight.latency import Latency
from dashapp.insight.lifecycle import Change
from dashapp.insight.likelihood import Floats, over
from dashapp.insight.minute import Counts, Endpoint
from dashapp.insight.questions import Named, Question
from dashapp.insight.shares import CLIENT, MID, QUESTIONS, SERVER, TAIL, Shares, Suspect
from dashapp.insight.table import M
from dashapp.insight.traffic import TrafficSearch, TrafficSuspect

Bools = npt.NDArray[np.bool_]
_LATENCY = frozenset({MID, TAIL})
_CAUSES: dict[tuple[Kind, Scope], Cause] = {
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
_LOADED = 1.5  # times the usual requests of the service: then slower means loaded
_BACK = 120  # minutes in which the end is sought
_SILENT = 180  # minutes without a request after which nothing goes on
_CLUSTERED = 1.5
_ASKED_AT = (0, 6, 20)  # minutes after the opening
_ASKED_SPAN = 25
_PER_DAY = 1440


class Cases:
    """What deviates now."""

    def __init__(self, intake: Intake) -> None:
        """Search what an intake remembers."""
        self._intake, self._table = intake, intake.table
        self._shares, self._calls = Shares(intake.table), TrafficSearch(intake.table)
        self._latency = Latency(intake, self._shares)
        self._open: dict[str, Case] = {}
        # Rows in which something was found, from and to which minute: they make no baseline.
        self._found: list[tuple[Counts, int, int]] = []
        self._numbers = count()
        self._networks: dict[str, int] = {}  # the minute after the last one of a network that was found

    @property
    def open(self) -> list[Finding]:
        """Findings that last."""
        return [case.finding(self._intake.moment) for case in self._open.values()]

    # ---- what the intake asks ----

    def held_services(self) -> set[str]:
        """Services of which something is found in their traffic."""
        return {str(self._table.keys[case.row]) for case in self._open.values() if case.question == TRAFFIC}

    def excluded(self, number: int) -> Bools:
        """Rows in which something was found in a minute."""
        found = np.zeros(len(self._table), np.bool_)
        for case in self._open.values():
            if case.question != TRAFFIC and case.network is None and case.start <= number and not case.resting:
                found[self._rows(case)] = True
        self._found = [each for each in self._found if each[2] > number]
        for rows, start, end in self._found:
            if start <= number < end:
                found[rows] = True
        return found

    # ---- a step ----

    def step(self, *, quiet: bool) -> list[Change]:
        """Look at the newest minute; `quiet` only learns."""
        windows = self._table.windows()
        held = self._held()
        suspects = self._shares.search(windows, held)
        of_calls = {case.row for case in self._open.values() if case.question == TRAFFIC}
        calls = self._calls.search(windows, of_calls)
        if quiet:
            return []
        before = set(self._open)
        closed = [each for case in list(self._open.values()) if (each := self._follow(case)) is not None]
        for suspect in calls:
            self._open_traffic(suspect)
        self._open_networks()
        self._open_new_routes()
        for question in (SERVER, CLIENT, MID, TAIL):
            self._open_shares(question, [each for each in suspects if each.question == question])
        for case in list(self._open.values()):
            if case.key in before:
                closed += self._look_again(case)
            if case.kind in ("latency_shift", "latency_tail"):
                self._latency.look_for_load(case)
        return [*closed, *(each for case in self._open.values() if (each := self._tell(case)) is not None)]

    def close_all(self) -> list[Change]:
        """Close everything: nothing can be followed any more."""
        return [self._close(case, case.last + 1) for case in list(self._open.values())]

    def ask(self) -> list[Question]:
        """Requests that would tell more about what opened."""
        found = []
        for case in self._open.values():
            if case.asked >= len(_ASKED_AT) or case.question not in (SERVER, CLIENT) or case.network is not None:
                continue
            if self._table.now - case.opened < _ASKED_AT[case.asked] or case.cause not in ("fault", "shared_fault"):
                continue
            case.asked += 1
            key = self._table.keys[case.row]
            first = max(case.start, self._table.now - _ASKED_SPAN)
            found.append(
                Question(
                    case.key,
                    "server" if case.question == SERVER else "client",
                    self._intake.moment(first - 3),
                    self._intake.moment(self._table.now + 1),
                    service=case.subject.service,
                    then=(key,) if isinstance(key, Endpoint) else (),
                )
            )
        return found

    def answer(self, key: str, named: Named) -> list[Change]:
        """Take what single requests told."""
        case = self._open.get(key)
        if case is None or named == Named():
            return []
        if named.before is not None:
            case.cause, case.related = "call", named.before
            case.facts |= dict(named.facts)
        elif named.network is not None and case.scope == "service":
            case.cause = "client" if named.client else "network"
            case.subject = Subject(
                service=case.subject.service,
                client_ip=named.client,
                network=None if named.client else named.network,
            )
        change = self._tell(case)
        return [] if change is None else [change]

    # ---- opening ----

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
        if self._held()[row, question]:
            return
        start = self._shares.onset(row, question)
        if question in _LATENCY:
            self._open_latency(suspect, row, scope, start)
            return
        if not self._is_burst(question, row, start):
            return
        if self._is_crowd(question, row, start) or self._is_explained(question, row, start):
            return
        together = self._together(row, _LATENCY, start)
        if question == SERVER and together is not None:
            together.also |= {SERVER}
            if together.scope == "endpoint" and together.kind == "latency_shift":
                together.cause = "deploy"
            return
        self._add("error_burst", question, scope, row, start, suspect)

    def _open_latency(self, suspect: Suspect, row: int, scope: Scope, start: int) -> None:
        found = self._latency.kind_of(row, suspect.question, start)
        if found is None:
            return
        kind, question, since = found
        together = self._together(row, frozenset({SERVER}), start)
        if together is not None and kind != "latency_drift":
            together.also |= _LATENCY
            if together.scope == "endpoint" and kind == "latency_shift" and together.cause == "fault":
                together.cause = "deploy"
            return
        resting = next((case for case in self._open.values() if case.resting and case.row == row), None)
        if kind == "latency_band" and resting is not None:
            resting.resting, resting.opened, resting.last = False, self._table.now, self._table.now
            return
        case = self._add(kind, question, scope, row, since, suspect)
        if kind == "latency_band":
            case.facts["hours"] = self._latency.hours(start)
        elif kind in ("latency_shift", "latency_tail") and self._is_loaded(row, start):
            case.cause = "load"
        self._latency.measure(case)

    def _open_traffic(self, each: TrafficSuspect) -> None:
        if each.kind == "traffic_spike" and self._is_one_client(each):
            return
        name = str(self._table.keys[each.row])
        self._add(each.kind, TRAFFIC, "service", each.row, each.start, each)
        self._intake.traffic.forget_since(name, self._table.now - each.start + 1)

    def _open_networks(self) -> None:
        known = {case.network for case in self._open.values()}
        for each in self._intake.clients.struck(self._table.now, self._table.first, self._networks):
            if each.network in known:
                continue
            case = self._add_network(each)
            # What was said of endpoints and services is said better now.
            for other in list(self._open.values()):
                near = abs(other.start - case.start) <= limit.YOUNG
                if other.question != SERVER or other.network is not None or not near:
                    continue
                if self._is_of(each.network, other.row, other.start):
                    self._drop(other, case)

    def _open_new_routes(self) -> None:
        table, now = self._table, self._table.now
        failing = np.flatnonzero(table.minute(now)[:, M.SERVER] > 0)
        for row in failing.tolist():
            seen = self._intake.seen.get(row)
            if seen is None or now - seen > limit.NEW_FOR / self._intake.width or self._held()[row, SERVER]:
                continue
            sums = table.minutes(row, seen).sum(axis=0)
            n, failed = sums[M.N], sums[M.SERVER]
            if n < limit.NEW_REQUESTS or failed < limit.NEW_FAILURES or failed < limit.NEW_SHARE * n:
                continue
            self._add("new_failing_route", SERVER, "endpoint", row, max(seen, table.oldest), None)

    # ---- what makes it worth saying ----

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
        rows = self._members(row)
        sums = self._table.minutes(row, start).sum(axis=0)
        client, network, _ = self._intake.clients.crowd(rows, start, 400, 500)
        return max(client, network) >= limit.CROWDED * float(sums[M.CLIENT_K] - sums[M.CLIENT_X])

    def _is_explained(self, question: int, row: int, start: int) -> bool:
        """Whether the failures are those of a network that is open already."""
        if question != SERVER:
            return False
        networks = [case.network for case in self._open.values() if case.network is not None]
        return any(self._is_of(network, row, start) for network in networks)

    def _is_of(self, network: str, row: int, start: int) -> bool:
        mine, everybody = self._intake.clients.of_network(network, self._members(row), start, 500, 600)
        return mine >= limit.CROWDED * max(everybody, 1)

    def _is_one_client(self, each: TrafficSuspect) -> bool:
        sums = self._table.minutes(each.row, each.start).sum(axis=0)
        client, network, _ = self._intake.clients.crowd(self._members(each.row), each.start, 0, 1000)
        return max(client, network) >= limit.CROWDED * float(sums[M.CALLS] - sums[M.CALLS_X])

    def _is_loaded(self, row: int, start: int) -> bool:
        service = int(self._table.arrays["parent"][row])
        sums = self._table.minutes(service, start).sum(axis=0)
        return bool(sums[M.CALLS_X] > 0 and sums[M.CALLS] >= _LOADED * sums[M.CALLS_X])

    def _together(self, row: int, questions: frozenset[int], start: int) -> Case | None:
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

    # ---- following ----

    def _follow(self, case: Case) -> Change | None:
        """Take in the newest minute; a change where it is over."""
        now = self._table.now
        if case.resting:
            rest = limit.BAND_REST / self._intake.width
            return self._close(case, case.last + 1) if now - case.last > rest else None
        self._sum(case)
        if now - case.start >= limit.ADOPTED / self._intake.width and case.kind != "latency_band":
            self._adopt(case)
            return self._close(case, now + 1)
        k, n, x = self._series(case, max(case.start, now - _BACK))
        quiet, sure = over(k, n, x, case.during)
        clusters = 1.0 if case.kind == "outage" else _CLUSTERED if n is not None else self._scatter(case.row)
        if sure / clusters < limit.SURE_OVER:
            case.last = now
            self._level(case)
            self._latency.measure(case)
            if n is not None and n[-_SILENT:].sum() == 0 and len(n) >= _BACK:
                return self._close(case, case.last + 1)
            return None
        case.last = max(now - quiet, case.start)
        enough = limit.QUIET_OUTAGE if case.kind == "outage" else limit.QUIET
        if quiet < enough:
            return None
        if case.kind == "latency_band":
            self._note(case, case.last + 1)
            case.resting = True
            return None
        return self._close(case, case.last + 1)

    def _look_again(self, case: Case) -> Iterable[Change]:
        """While it is young: when it began, and whether it is the whole service."""
        now = self._table.now
        if case.resting or now - case.opened > limit.YOUNG or case.last < now:
            if case.question == MID and case.kind == "latency_shift" and now - case.opened <= 12 * limit.YOUNG:
                self._latency.look_for_drift(case, _CAUSES)
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
        self._sum(case, anew=True)
        self._level(case)
        self._latency.measure(case)
        return closed

    def _widen(self, case: Case, service: int) -> list[Change]:
        name = str(self._table.keys[service])
        closed = []
        for other in list(self._open.values()):
            same = other.question == case.question and other.subject.service == name
            if other is not case and same and abs(other.start - case.start) <= limit.YOUNG and other.network is None:
                closed.append(self._close(other, self._table.now + 1))
        case.row, case.scope, case.subject = service, "service", Subject(service=name)
        case.cause = _CAUSES[case.kind, "service"]
        return closed

    def _series(self, case: Case, first: int) -> tuple[Floats, Floats | None, Floats]:
        if case.network is not None:
            series = self._intake.clients.series(case.network, first)
            return series[:, 1], series[:, 0], series[:, 2]
        minutes = self._table.minutes(case.row, first)
        if case.question == TRAFFIC:
            return minutes[:, M.CALLS], None, minutes[:, M.CALLS_X]
        if case.kind == "new_failing_route":
            return minutes[:, M.SERVER], minutes[:, M.N], 0.02 * minutes[:, M.N]
        asked = QUESTIONS[case.question]
        return minutes[:, asked.k], minutes[:, asked.n], minutes[:, asked.x]

    def _scatter(self, row: int) -> float:
        return float(self._calls.clusters(np.array([row]))[0, 4])

    def _level(self, case: Case) -> None:
        k, n, x = self._series(case, max(case.start, self._table.now - _BACK))
        whole = x if n is None else n
        case.during = float(k.sum() / max(float(whole.sum()), 1e-9))

    def _sum(self, case: Case, *, anew: bool = False) -> None:
        table, now = self._table, self._table.now
        fits = case.start > table.oldest
        first = case.start if fits and (anew or now - case.opened <= limit.YOUNG) else now
        if case.network is not None:
            sums = np.zeros_like(case.sums)
            series = self._intake.clients.series(case.network, first).sum(axis=0)
            sums[[M.N, M.JUDGED]], sums[M.SERVER], sums[M.SERVER_X] = series[0], series[1], series[2]
        else:
            sums = table.minutes(case.row, first).sum(axis=0)
        case.sums = sums if first == case.start else case.sums + sums
        if first == case.start and case.start > table.oldest and case.network is None:
            case.before = table.minutes(case.row, case.start - 60, case.start - 1).sum(axis=0)
        rows = self._members(case.row)
        if case.question in _LATENCY:
            more = self._intake.sketches.total(rows, first, now)
            case.sketch = more if first == case.start or case.sketch is None else case.sketch + more

    # ---- closing ----

    def _close(self, case: Case, end: int) -> Change:
        case.end = max(end, case.start + 1)
        self._open.pop(case.key, None)
        self._note(case, case.end)
        return Change("closed", case.key, case.finding(self._intake.moment))

    def _drop(self, case: Case, better: Case) -> None:
        """Say the same better: what was opened for it goes on under its key."""
        self._open.pop(better.key)
        self._open.pop(case.key)
        better.key, better.told, better.told_at = case.key, case.told, case.told_at
        self._open[better.key] = better

    def _note(self, case: Case, end: int) -> None:
        if case.question == TRAFFIC:
            self._table.arrays["calls_since"][case.row] = end
            return
        if case.network is not None:
            self._networks[case.network] = end
            return
        rows = self._rows(case)
        for question in {case.question, *case.also, *(_LATENCY if case.question in _LATENCY else ())}:
            self._table.arrays["since"][rows, question] = end
        self._found.append((rows, case.start, end))

    def _adopt(self, case: Case) -> None:
        if case.question == TRAFFIC:
            self._intake.traffic.adopt(str(self._table.keys[case.row]))
            return
        baseline, table = self._intake.baseline, self._table
        for row in self._members(case.row).tolist():
            sums = table.minutes(row, table.now - _BACK).sum(axis=0)
            if sums[M.N] < limit.FEWEST_BASELINE:
                continue
            sketch = self._intake.sketches.total(np.array([row]), table.now - _BACK)
            few = sketch.sum() < limit.FEWEST_LATENCIES
            baseline.replace(row, sums[M.N], sums[M.SERVER], sums[M.CLIENT], None if few else sketch)
        self._intake.settle()

    # ---- rows ----

    def _held(self) -> Bools:
        found = np.zeros((len(self._table), len(QUESTIONS)), np.bool_)
        for case in self._open.values():
            if case.question == TRAFFIC or case.network is not None or case.resting:
                continue
            asked = {case.question, *case.also, *(_LATENCY if case.question in _LATENCY else ())}
            rows = self._rows(case)
            for question in asked:
                found[rows, question] = True
        return found

    def _rows(self, case: Case) -> Counts:
        """Rows that a case speaks of."""
        if case.network is not None:
            return np.arange(len(self._table))
        return np.append(self._members(case.row), case.row)

    def _members(self, row: int) -> Counts:
        """Endpoints of a service, or the endpoint itself."""
        return self._table.children(row) if self._table.arrays["is_service"][row] else np.array([row])

    def _subject(self, row: int) -> Subject:
        key = self._table.keys[row]
        return Subject(*key) if isinstance(key, Endpoint) else Subject(service=key)

    def _add(
        self, kind: Kind, question: int, scope: Scope, row: int, start: int, why: Suspect | TrafficSuspect | None
    ) -> Case:
        now = self._table.now
        key = f"{kind}-{row}-{start}-{next(self._numbers)}"
        ratio, p = (why.ratio, why.p) if why is not None else (20.0, limit.LIKELY_BY_CHANCE)
        cause = _CAUSES[kind, scope]
        case = Case(key, kind, question, scope, row, self._subject(row), start, now, cause, ratio, p, last=now)
        self._open[key] = case
        self._sum(case, anew=True)
        self._level(case)
        return case

    def _add_network(self, each: Struck) -> Case:
        now = self._table.now
        key = f"error_burst-{each.network}-{each.start}-{next(self._numbers)}"
        subject = Subject(client_ip=each.client) if each.client else Subject(network=each.network)
        case = Case(
            key, "error_burst", SERVER, "network", 0, subject, each.start, now,
            "client" if each.client else "network", each.ratio, each.p, last=now, network=each.network,
        )  # fmt: skip
        self._open[key] = case
        self._sum(case, anew=True)
        self._level(case)
        return case

    def _tell(self, case: Case) -> Change | None:
        now, news = self._table.now, case.news()
        opened = case.told_at < 0
        if not opened and news == case.told and now - case.told_at < TELL_EVERY:
            return None
        case.told, case.told_at = news, now
        return Change("opened" if opened else "updated", case.key, case.finding(self._intake.moment))
