"""What an analysis is made of: figures with the query behind each, and the names that may be used. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from dashapp.insight.finding import Severity

# "change" is a relative change (0.31 for +31 %), "points" a difference of two shares; a "time" is in POSIX seconds.
Unit = Literal["count", "share", "ms", "change", "points", "times", "time", "minutes", "number"]
When = Literal["now", "before"]
Verdict = Literal["high", "medium", "low", "none"]
ALL = ""  # what is about no endpoint


@dataclass(frozen=True)
class Figure:
    """A number of the data.

    Attributes:
        id: how an answer cites it, such as e12.
        value: in `unit`.
        measure: what it counts, such as requests, server_errors, p95.
        about: the endpoint as it is shown to the model; ALL where it is about no endpoint.
        when: in the window, or in the time before that it is compared with.
        query: address in the read API that gives it.
        link: address of the page with the same filters.
        of: what else restricts the requests that it counts: a status, a client, a field and its value.
    """

    id: str
    value: float
    unit: Unit
    measure: str
    about: str
    when: When
    query: str
    link: str
    of: str = ""


@dataclass(frozen=True)
class Endpoint:
    """A method and a route as the database has them."""

    method: str
    route: str


@dataclass(frozen=True)
class Name:
    """A value of a field as the database has it: a client, a program, an attribute, a service."""

    field: str
    value: str


@dataclass(frozen=True)
class Noted:
    """A finding that is part of the evidence: how bad it is, which endpoints it is about, the ids of its figures."""

    kind: str
    severity: Severity
    endpoints: tuple[str, ...]
    ids: tuple[str, ...]
    n: int
    p: float | None


@dataclass(frozen=True)
class Pack:
    """The evidence for one analysis or one answer.

    Attributes:
        start, end: the window; `before_start` and `before_end` what it is compared with, None where nothing is.
        zone: the viewer's, in which times are written.
        lines: what the model reads, a fact a line; ids stand behind the figures as [e12].
        figures: by id.
        endpoints, names: what may be named, by the text that stands for it in `lines`.
        pseudonyms: those of the names that stand for something that is not sent, such as client-1.
        statuses: the codes that occur, by endpoint; those of all under ALL.
        findings: what the search found in the window, the worst first.
        total: requests of the window.
    """

    start: datetime
    end: datetime
    before_start: datetime | None
    before_end: datetime | None
    zone: str
    lines: tuple[str, ...]
    figures: Mapping[str, Figure]
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    names: Mapping[str, Name] = field(default_factory=dict)
    pseudonyms: Mapping[str, Name] = field(default_factory=dict)
    statuses: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    findings: tuple[Noted, ...] = ()
    total: int = 0

    @property
    def verdict(self) -> Verdict:
        """How bad it is, by what the search found alone: no answer of a model changes it."""
        return self.findings[0].severity if self.findings else "none"


PACK: TypeAdapter[Pack] = TypeAdapter(Pack)
