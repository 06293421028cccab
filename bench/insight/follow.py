"""Let a search go through a scenario, minute by minute, and keep what becomes of each of its findings."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bench.insight.scenario import Scenario
from dashapp.insight.finding import Finding
from dashapp.insight.minute import ClientMinute, Minute, Requests


class Said(Protocol):
    """What a search says of a finding: opened, updated or closed."""

    @property
    def what(self) -> str:
        """Which of the three."""

    @property
    def key(self) -> str:
        """The same from opening to closing."""

    @property
    def finding(self) -> Finding:
        """As it is now."""


class Search(Protocol):
    """What is measured; dashapp.insight.watch.Watch is one."""

    def step(self, minute: Minute, clients: ClientMinute | None = None) -> Sequence[Said]:
        """Take the next minute."""

    def ask(self) -> Sequence[Any]:
        """What single requests would help, by `start` and `end`."""

    def answer(self, question: Any, requests: Requests) -> Sequence[Said]:
        """Take them."""


@dataclass(slots=True)
class Found:
    """A finding from its opening on.

    Attributes:
        opened: minute in which it was said, after the start of the scenario.
        closed: likewise; None where it is open to the end.
        first, last: as it was said first, and last.
        named_after: minutes from opening until the subject was the last one.
    """

    key: str
    opened: int
    closed: int | None
    first: Finding
    last: Finding
    named_after: int = 0


@dataclass(slots=True)
class Course:
    """All that was found, and what it took."""

    found: list[Found]
    steps: int = 0
    requests: int = 0
    step_s: float = 0.0
    slowest_step_s: float = 0.0


def follow(scenario: Scenario, search: Search) -> Course:
    """Feed a search with all minutes of a scenario."""
    open_: dict[str, Found] = {}
    course = Course([])
    for turn, (minute, clients) in enumerate(scenario.stream()):
        began = time.perf_counter()
        _note(course, open_, turn, search.step(minute, clients))
        for question in search.ask():
            requests = scenario.requests(*_span(question))
            _note(course, open_, turn, search.answer(question, requests))
        took = time.perf_counter() - began
        course.steps += 1
        course.requests += int(minute.counts.sum())
        course.step_s += took
        course.slowest_step_s = max(course.slowest_step_s, took)
    return course


def _span(question: Any) -> tuple[datetime, datetime]:
    return question.start, question.end


def _note(course: Course, open_: dict[str, Found], turn: int, changes: Iterable[Said]) -> None:
    for change in changes:
        known = open_.get(change.key)
        if known is None:
            known = open_[change.key] = Found(change.key, turn, None, change.finding, change.finding)
            course.found.append(known)
        if change.finding.subject != known.last.subject:
            known.named_after = turn - known.opened
        known.last = change.finding
        if change.what == "closed":
            known.closed = turn
            del open_[change.key]
