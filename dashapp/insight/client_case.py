"""One client at what it does, from its first minute to its last: what the finding says of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dashapp.insight import client_limits as limit
from dashapp.insight.agents import client_type, product
from dashapp.insight.client_kinds import ClientKind, Verdict
from dashapp.insight.client_window import PathTally
from dashapp.insight.evidence import query_of
from dashapp.insight.finding import Cause, Evidence, Finding, Severity, Subject, Unit
from dashapp.insight.minute import Endpoint

_CAUSES: dict[ClientKind, Cause] = {
    "credential_guessing": "attack",
    "scanner": "probing",
    "scraper": "automation",
    "client_volume": "client",
}
_UNITS: dict[ClientKind, Unit] = {
    "credential_guessing": "requests",
    "scanner": "paths",
    "scraper": "paths",
    "client_volume": "per_minute",
}
_NAMED = 3
_MOST_ADDRESSES = 1_000
_MANY_PATHS, _MANY_TRIES = 200, 300
_LARGE, _VERY_LARGE = 0.3, 0.6


@dataclass(slots=True)
class Case:
    """What is known of a finding that is open.

    Attributes:
        network: whether `name` is one, not an address.
        start: of its first minute; `end` of its last one so far.
        level: offending requests in a minute when it was found.
        total: all requests of the service meanwhile.
    """

    kind: ClientKind
    service: str
    name: str
    network: bool
    start: datetime
    end: datetime
    verdict: Verdict
    level: float
    n: int = 0
    offending: int = 0
    total: int = 0
    succeeded: int = 0
    minutes: int = 0
    paths: PathTally = field(default_factory=PathTally)
    endpoints: Counter[Endpoint] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    agents: Counter[str] = field(default_factory=Counter)
    addresses: Counter[str] = field(default_factory=Counter)
    told: tuple[Severity, int, datetime] | None = None

    @property
    def key(self) -> str:
        """The same from opening to closing."""
        return f"{self.kind}:{self.service}:{self.name}:{self.start.isoformat()}"

    def see(self, address: str, agent: str | None, n: int) -> None:
        """Take down who it was."""
        if address in self.addresses or len(self.addresses) < _MOST_ADDRESSES:
            self.addresses[address] += n
        if agent and (agent in self.agents or len(self.agents) < _MOST_ADDRESSES):
            self.agents[agent] += n

    @property
    def observed(self) -> float:
        """What was seen, in the unit of the kind."""
        if self.kind == "client_volume":
            return self.n / max(self.minutes, 1)
        return float(len(self.paths) if _UNITS[self.kind] == "paths" else self.offending)

    def severity(self) -> Severity:
        """How bad it is: what succeeded, and how much it is of all."""
        share = self.n / max(self.total, 1)
        if self.kind == "credential_guessing":
            return "high" if self.succeeded or self.offending >= _MANY_TRIES else "medium"
        if share >= _VERY_LARGE and self.kind == "client_volume":
            return "high"
        many = self.kind == "scanner" and len(self.paths) >= _MANY_PATHS
        return "medium" if many or share >= _LARGE else "low"

    def finding(self, *, closed: bool) -> Finding:
        """What it says now."""
        subject = Subject(
            service=self.service, **({"network": self.name} if self.network else {"client_ip": self.name})
        )
        agent = next(iter(self.agents.most_common(1)), (None, 0))[0]
        # What was usual when it began, in a minute or for as long as it lasts.
        per_minute = self.verdict.expected / self.verdict.minutes
        of_it = self.verdict.expected * self.observed / max(self.verdict.observed, 1)
        expected = per_minute if self.kind == "client_volume" else of_it
        return Finding(
            kind=self.kind,
            severity=self.severity(),
            subject=subject,
            start=self.start,
            end=self.end if closed else None,
            unit=_UNITS[self.kind],
            observed=self.observed,
            expected=expected,
            effect=self.observed / expected if expected > 0 else None,
            score=self.verdict.score,
            p=self.verdict.p,
            n=self.n,
            cause=_CAUSES[self.kind],
            evidence=self._evidence(subject),
            facts=self._facts(agent),
        )

    def _evidence(self, subject: Subject) -> tuple[Evidence, ...]:
        of_client = query_of("summary", subject, self.start, self.end)
        found = [Evidence("requests", float(self.n), "requests", of_client)]
        if self.kind == "credential_guessing":
            found.append(Evidence("refused", float(self.offending), "requests", of_client))
            found.append(Evidence("succeeded", float(self.succeeded), "requests", of_client))
        elif self.kind == "scanner":
            missing = query_of("usage", subject, self.start, self.end, status="4xx", by="path")
            found.append(Evidence("missing", float(self.offending), "requests", missing))
            found.append(Evidence("missing_paths", float(len(self.paths)), "paths", missing))
        elif self.kind == "scraper":
            paths = query_of("usage", subject, self.start, self.end, by="path")
            found.append(Evidence("paths", float(len(self.paths)), "paths", paths))
        service = query_of("summary", Subject(service=self.service), self.start, self.end)
        found.append(Evidence("share_of_traffic", self.n / max(self.total, 1), "share", service))
        found.append(Evidence("minutes", float(self.minutes), "minutes", of_client))
        if self.network:
            clients = query_of("clients", subject, self.start, self.end)
            found.append(Evidence("clients", float(len(self.addresses)), "clients", clients))
        return tuple(found)

    def _facts(self, agent: str | None) -> dict[str, str]:
        found = {
            "endpoints": "; ".join(
                f"{each.method} {each.route} ({n})" for each, n in self.endpoints.most_common(_NAMED)
            ),
            "statuses": ", ".join(f"{status} ({n})" for status, n in self.statuses.most_common(_NAMED)),
            "client_type": client_type(agent),
        }
        if agent:
            found |= {"user_agent": agent[: limit.LONGEST_AGENT], "product": product(agent)}
        if self.network:
            found["clients"] = ", ".join(name for name, _ in self.addresses.most_common(_NAMED))
        return found


def worth_telling(case: Case, now: datetime, severities: Sequence[Severity] = ("low", "medium", "high")) -> bool:
    """Tell whether a case has changed so much since it was last told of that it is worth telling again."""
    if case.told is None:
        return True
    severity, offending, at = case.told
    worse = severities.index(case.severity()) > severities.index(severity)
    return worse or case.offending >= limit.TELL_GROWTH * offending or now - at >= limit.TELL_EVERY
