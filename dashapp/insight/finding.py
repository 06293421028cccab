"""A finding: what deviates, how much, since when and for whom, with the evidence for each of its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Literal, get_args

Kind = Literal[
    "traffic_spike",  # far more requests than usual
    "traffic_drop",  # far fewer
    "outage",  # none at all where there always are some
    "error_burst",  # a larger share fails
    "latency_shift",  # the middle of the latencies moved
    "latency_tail",  # the slowest part became slower, the middle did not
    "latency_drift",  # slowly slower, over hours or days
    "latency_band",  # slower in the same hours of every day
    "new_failing_route",  # an endpoint nobody called before, and it fails
    "client_volume",  # one client or network calls far more than any other
    "scanner",  # many different paths that do not exist
    "credential_guessing",  # refused again and again where one logs in
    "scraper",  # reads everything, one after the other
    "canary_lost",  # test records of our own are not stored
]
Severity = Literal["high", "medium", "low"]
Unit = Literal["requests", "share", "ms", "per_minute", "paths", "clients", "minutes", "ratio", "records"]
# Classes of presumed causes; the sentence to each is in dashapp/words.
Cause = Literal[
    "demand",  # people want more, or a campaign, or a retry loop
    "upstream",  # what sends the requests here does so no longer
    "down",  # the service does not answer, or its log does not arrive
    "fault",  # the endpoint itself, or something only it uses
    "shared_fault",  # something that all endpoints of the service use
    "network",  # what lies between one network of clients and the service
    "load",  # slower because more is asked of it
    "contention",  # a part of the requests waits: locks, a full pool, one slow instance
    "growth",  # data or queues that grow
    "schedule",  # something that runs at the same hours every day
    "deploy",  # a new version of the endpoint
    "call",  # what another endpoint did before
    "new_route",  # new, and not working yet
    "probing",  # somebody looks for holes
    "attack",  # somebody tries passwords
    "automation",  # a program reads everything
    "client",  # one client, for whatever reason
    "collection",  # the way from the ingest server to the database
    "unknown",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
CAUSES: tuple[Cause, ...] = get_args(Cause)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # the worst first


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Which requests: those that have all of the given values; none given, all requests.

    The names are those of the filters of pages and API where there is one. `network` is written as 10.24.1.0/24,
    `client_type` is browser, bot, script, ...
    """

    service: str | None = None
    method: str | None = None
    route: str | None = None
    status: str | None = None
    client_ip: str | None = None
    network: str | None = None
    client_type: str | None = None

    def parameters(self) -> dict[str, str]:
        """As parameters of the read API and of links; a network filters as a client does."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        network = found.pop("network")
        found.pop("client_type")
        found["client_ip"] = found["client_ip"] or network
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number of a finding, and the query of the read API that gives it."""

    name: str
    value: float
    unit: Unit
    query: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What deviates. Times are whole minutes where the data are by minute.

    Attributes:
        end: None while it lasts.
        observed: what was seen, in `unit`: a share, a latency, a number of requests, ...
        expected: what was usual, in the same unit.
        effect: how many times as much as usual; None where usual is 0 or a ratio says nothing.
        score: how far from chance: -log10 of the probability, or standard deviations; larger is surer.
        p: probability that chance alone does this, corrected for how much was looked at; None where none is computed.
        n: how many requests (or minutes, for traffic) the judgement rests on.
        related: the other side of it: the endpoint whose calls come before, the client of an attack, ...
        facts: words for the sentence that are no numbers: the three most wanted missing paths, the user agent.
    """

    kind: Kind
    severity: Severity
    subject: Subject
    start: datetime
    end: datetime | None
    unit: Unit
    observed: float
    expected: float
    effect: float | None
    score: float
    p: float | None
    n: int
    cause: Cause
    evidence: tuple[Evidence, ...] = ()
    related: Subject | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TooLittle:
    """Why nothing is said about something: how many there were and how many are needed."""

    subject: Subject
    what: str
    n: int
    needed: int
