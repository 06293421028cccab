"""One deviation from its first minute to its last, and what is said of it as a finding. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np

from dashapp.insight.chance import score_of
from dashapp.insight.evidence import query_of
from dashapp.insight.finding import Cause, Evidence, Finding, Kind, Severity, Subject
from dashapp.insight.likelihood import Floats
from dashapp.insight.table import MEASURES, M

Scope = Literal["endpoint", "service", "network"]
TRAFFIC = 4  # beside the questions of `shares`
TELL_EVERY = 10
_LATE = frozenset({"latency_shift", "latency_tail", "latency_drift", "latency_band"})
_CALLS = frozenset({"traffic_spike", "traffic_drop", "outage"})


@dataclass(slots=True)
class Case:
    """What is known of it. Minutes are numbers of the table.

    Attributes:
        row: of the table, whose sums tell how it goes on.
        question: of `shares`, or TRAFFIC.
        start, end: its first minute, and the first one after it; None while it lasts.
        during: share of the requests in question while it lasts, or times as many requests as usual.
        at_first: the same while it was young.
        sums: of the row since `start`; of a network, judged requests, failures and usual failures are in their places.
        after: of these, what came after `last`: it may be over since.
        before: the same of the hour before.
        latency: observed and usual milliseconds of `measure`.
        also: questions that it answers too: errors and latency of one deploy.
        resting: a band that is between two days.
    """

    key: str
    kind: Kind
    question: int
    scope: Scope
    row: int
    subject: Subject
    start: int
    opened: int
    cause: Cause
    ratio: float
    p: float
    during: float = 0.0
    at_first: float = 0.0
    end: int | None = None
    last: int = 0
    network: str | None = None
    sums: Floats = field(default_factory=lambda: np.zeros(MEASURES))
    after: Floats = field(default_factory=lambda: np.zeros(MEASURES))
    before: Floats = field(default_factory=lambda: np.zeros(MEASURES))
    sketch: Floats | None = None
    latency: tuple[float, float] | None = None
    measure: str = "p50"
    related: Subject | None = None
    facts: dict[str, str] = field(default_factory=dict)
    also: frozenset[int] = frozenset()
    resting: bool = False
    told_at: int = -1
    told: tuple[object, ...] = ()
    asked: int = 0

    @property
    def counted(self) -> Floats:
        """Sums from its first minute to its last."""
        return self.sums - self.after

    def news(self) -> tuple[object, ...]:
        """What is told at once when it changes; numbers alone wait for a while."""
        return self.kind, self.subject, self.start, self.cause, self.severity(), self.related, self.resting

    def severity(self) -> Severity:
        """How bad it is."""
        wide = self.scope == "service"
        observed, expected = self.numbers()
        if self.kind in _LATE:
            times = observed / max(expected, 1e-9)
            return _graded(times, 2.5 if wide else 4.0, 1.5 if wide else 1.8)
        if self.kind == "outage":
            return "high"
        if self.kind == "traffic_drop":
            return "high" if observed <= 0.25 * expected else "medium"
        if self.kind == "traffic_spike":
            return "medium" if observed >= 4 * expected else "low"
        if self.question == 1:
            return _graded(observed, 2.0, 0.4)
        return _graded(observed, 0.1 if wide else 0.2, 0.03 if wide else 0.05)

    def numbers(self) -> tuple[float, float]:
        """Observed and expected, in the unit of the kind."""
        sums = self.counted
        if self.kind in _LATE:
            return self.latency or (0.0, 0.0)
        if self.kind in _CALLS:
            minutes = max(self.last - self.start + 1, 1)
            return float(sums[M.N]) / minutes, float(sums[M.CALLS_X]) / minutes
        failed, usual = (M.CLIENT, M.CLIENT_X) if self.question == 1 else (M.SERVER, M.SERVER_X)
        return float(sums[failed] / max(sums[M.N], 1.0)), float(sums[usual] / max(sums[M.JUDGED], 1.0))

    def finding(self, moment: Callable[[int], datetime]) -> Finding:
        """What it says now; `moment` gives the start of a minute by its number."""
        observed, expected = self.numbers()
        unit, n = "share", int(self.counted[M.N])
        if self.kind in _LATE:
            unit, n = "ms", int(self.counted[M.TIMED])
        elif self.kind in _CALLS:
            unit, n = "per_minute", self.last - self.start + 1
        until = self.end if self.end is not None else self.last + 1
        return Finding(
            kind=self.kind,
            severity=self.severity(),
            subject=self.subject,
            start=moment(self.start),
            end=None if self.end is None else moment(max(self.end, self.start + 1)),
            unit=unit,  # type: ignore[arg-type]
            observed=observed,
            expected=expected,
            effect=observed / expected if expected > 0 else None,
            score=score_of(self.p),
            p=self.p,
            n=n,
            cause=self.cause,
            evidence=self._evidence(moment, until),
            related=self.related,
            facts=dict(self.facts) | ({"measure": self.measure} if self.kind in _LATE else {}),
        )

    def _evidence(self, moment: Callable[[int], datetime], until: int) -> tuple[Evidence, ...]:
        now = query_of("summary", self.subject, moment(self.start), moment(max(until, self.start + 1)))
        before = query_of("summary", self.subject, moment(self.start - 60), moment(self.start))
        sums, usual = self.counted, self.before
        found = [Evidence("requests", float(sums[M.N]), "requests", now)]
        if self.kind in _LATE:
            if self.latency is not None:
                found.append(Evidence(self.measure, self.latency[0], "ms", now))
            return tuple(found)
        if self.kind in _CALLS:
            traffic = query_of("traffic", self.subject, moment(self.start - 60), moment(max(until, self.start + 1)))
            found.append(Evidence("usual_requests", float(usual[M.N]), "requests", before))
            found.append(Evidence("per_minute", self.numbers()[0], "per_minute", traffic))
            return tuple(found)
        name, place = ("client_errors", M.CLIENT) if self.question == 1 else ("server_errors", M.SERVER)
        found.append(Evidence(name, float(sums[place]), "requests", now))
        if usual[M.N] > 0:
            found.append(Evidence("usual_requests", float(usual[M.N]), "requests", before))
            found.append(Evidence(f"usual_{name}", float(usual[place]), "requests", before))
        return tuple(found)


def _graded(value: float, high: float, medium: float) -> Severity:
    return "high" if value >= high else "medium" if value >= medium else "low"
