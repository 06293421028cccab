"""Everything that deviates now: one case for one incident, from its opening to its closing. Pure.

The same trouble shows in many places: in the endpoint and its service, in all endpoints of a service, in the requests
of one network, in errors and the latency they bring. Each is told once, where it is narrowest and still whole.
"""

from __future__ import annotations

from dashapp.insight.case import TELL_EVERY, Case
from dashapp.insight.case_sums import CaseSums
from dashapp.insight.finding import Finding, Subject
from dashapp.insight.following import Following
from dashapp.insight.intake import Intake
from dashapp.insight.latency import Latency
from dashapp.insight.lifecycle import Change
from dashapp.insight.minute import Endpoint
from dashapp.insight.open_cases import OpenCases
from dashapp.insight.opening import Opening
from dashapp.insight.questions import Named, Question
from dashapp.insight.shares import CLIENT, SERVER, Shares
from dashapp.insight.traffic import TrafficSearch

_ASKED_AT = (0, 6, 20)  # minutes after the opening
_ASKED_SPAN = 25


class Cases:
    """What deviates now."""

    def __init__(self, intake: Intake) -> None:
        """Search what an intake remembers."""
        self._intake, self._table = intake, intake.table
        self._shares, self._calls = Shares(intake.table), TrafficSearch(intake.table)
        self._latency, sums = Latency(intake, self._shares), CaseSums(intake)
        self.held = OpenCases(intake, sums)
        self._opening = Opening(intake, self.held, self._shares, self._latency)
        self._following = Following(intake, self.held, sums, self._shares, self._calls, self._latency)

    @property
    def open(self) -> list[Finding]:
        """Findings that last."""
        return [case.finding(self._intake.moment) for case in self.held]

    def step(self, *, quiet: bool) -> list[Change]:
        """Look at the newest minute; `quiet` only learns."""
        suspects = self._shares.search(self._table.windows(), self.held.held())
        calls = self._calls.search(self._table.windows(), self.held.rows_of_traffic())
        if quiet:
            return []
        before = {case.key for case in self.held}
        changes = [each for case in self.held if (each := self._following.follow(case)) is not None]
        self._opening.open(suspects, calls)
        for case in self.held:
            if case.key in before:
                changes += self._following.look_again(case)
            if case.kind in ("latency_shift", "latency_tail"):
                self._latency.look_for_load(case)
        return [*changes, *(each for case in self.held if (each := self._tell(case)) is not None)]

    def close_all(self) -> list[Change]:
        """Close everything: nothing can be followed any more."""
        return [self.held.close(case, case.last + 1) for case in self.held]

    def ask(self) -> list[Question]:
        """Requests that would tell more about what opened."""
        found = []
        for case in self.held:
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
        case = self.held.get(key)
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

    def _tell(self, case: Case) -> Change | None:
        now, news = self._table.now, case.news()
        opened = case.told_at < 0
        if not opened and news == case.told and now - case.told_at < TELL_EVERY:
            return None
        case.told, case.told_at = news, now
        return Change("opened" if opened else "updated", case.key, case.finding(self._intake.moment))
