"""A watch on its way through the minutes of a range, with the names under which its findings are kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import sqlalchemy as sa

from dashapp.insight.finding import Finding
from dashapp.insight.lifecycle import Change
from dashapp.insight.minute import ClientMinute, Minute, Requests
from dashapp.scan.kept import key_of, same_thing
from dashapp.scan.reading import read_clients, read_minutes
from sql.connection import DatabaseUnavailable, Reading, snapshot
from sql.plan import MINUTE, Range

log = logging.getLogger(__name__)

What = Literal["opened", "updated", "closed"]
# Of a piece that is read at once: memory, and for the embedded server the time in which nobody else is served.
_CELLS_A_PIECE = 10_000
_FIRST_PIECE, _LONGEST_PIECE = 5, 60
_ANSWER_S = 5.0


class Watch(Protocol):
    """The search, minute by minute (dashapp.insight.watch)."""

    def step(self, minute: Minute, clients: ClientMinute | None = None) -> Sequence[Change]:
        """Look at the next minute."""

    @property
    def open(self) -> Sequence[Finding]:
        """What lasts."""

    def ask(self) -> Sequence[Any]:
        """What it wants to know to name a cause."""

    def answer(self, question: Any, requests: Requests) -> Sequence[Change]:
        """Take the single requests that it asked for."""


# Makes a watch that begins at a whole hour, of one service or of all, with what is known of the time before. It reads
# by itself, so it is not called within a snapshot.
Make = Callable[[sa.Engine, datetime, str | None], Watch]
Answer = Callable[[Reading, Any], Requests]


class WatchFailed(Exception):
    """The search broke at a minute; `after` is the next one."""

    def __init__(self, minute: datetime) -> None:
        """Remember where."""
        super().__init__(f"the search failed at {minute.isoformat()}")
        self.after = minute + MINUTE


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a finding under the name it is kept under, and the minute in which it was seen."""

    what: What
    key: str
    finding: Finding
    minute: datetime


@dataclass(slots=True)
class Course:
    """A watch, where it is, and the findings that last.

    Attributes:
        watch: the search itself.
        answer: reads what it asks for.
        at: the next minute.
        service: the one that it sees, None for all.
        unseen: ranges in which nobody looked whether anything is collected.
        lasting: the open findings by the name under which they are kept.
    """

    watch: Watch
    answer: Answer
    at: datetime
    service: str | None = None
    unseen: Sequence[Range] = ()
    lasting: dict[str, Finding] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _piece: int = _FIRST_PIECE

    def advance(self, engine: sa.Engine, until: datetime) -> list[Event]:
        """Go through the next piece of minutes, at most until a moment.

        Raises:
            WatchFailed: the search broke; this course is of no use any more.
            DatabaseUnavailable: the piece was not read, and not begun.
        """
        end = min(self.at + self._piece * MINUTE, until)
        span = Range(self.at, end)
        with snapshot(engine) as reading:
            minutes = read_minutes(reading, span, self.service, unseen=self.unseen)
            clients = read_clients(reading, span, self.service)
        self._adapt(sum(each.counts.size for each in minutes) + sum(each.n.size for each in clients.values()))
        events: list[Event] = []
        for minute in minutes:
            events += self._step(engine, minute, clients.get(minute.start))
        return events

    def adopt(self, key: str, kept_as: str) -> None:
        """Go on with a finding under the name that it has already."""
        finding = self.lasting.pop(key)
        self.lasting[kept_as] = finding
        for name, known in self._names.items():
            if known == key:
                self._names[name] = kept_as

    def _step(self, engine: sa.Engine, minute: Minute, clients: ClientMinute | None) -> list[Event]:
        try:
            changes = list(self.watch.step(minute, clients))
            questions = list(self.watch.ask())
        except Exception as error:
            raise WatchFailed(minute.start) from error
        for question in questions:
            try:
                with snapshot(engine, seconds=_ANSWER_S) as reading:
                    requests = self.answer(reading, question)
            except DatabaseUnavailable as error:  # the finding is one without its cause
                log.warning("a cause is not looked for: %s", error)
                continue
            try:
                changes += self.watch.answer(question, requests)
            except Exception as error:
                raise WatchFailed(minute.start) from error
        self.at = minute.start + MINUTE
        return list(self._named(changes, minute.start))

    def _named(self, changes: Iterable[Change], minute: datetime) -> Iterator[Event]:
        for change in changes:
            name = self._names.get(change.key)
            if name is None:
                name = self._names[change.key] = self._new_name(change.finding)
            if change.what == "closed":
                self.lasting.pop(name, None)
                del self._names[change.key]
            else:
                self.lasting[name] = change.finding
            yield Event(change.what, name, change.finding, minute)

    def _new_name(self, finding: Finding) -> str:
        name = key_of(finding)
        # The same thing from the same minute on, twice at a time: the search may tell them apart.
        while name in self.lasting:
            name += "+"
        return name

    def _adapt(self, cells: int) -> None:
        per_minute = max(cells / self._piece, 1.0)
        self._piece = int(min(max(_CELLS_A_PIECE / per_minute, 1), _LONGEST_PIECE))


def last_events(events: Iterable[Event]) -> dict[str, Event]:
    """The last event of each finding, in the order in which they came first."""
    found: dict[str, Event] = {}
    for event in events:
        found[event.key] = event
    return found


def alike(finding: Finding, among: Iterable[tuple[str, Finding]], within: timedelta) -> str | None:
    """Name of a finding that is about the same and overlaps in time, or nearly; the one that began nearest."""
    near = [
        (abs(finding.start - other.start), key)
        for key, other in among
        if same_thing(finding, other)
        and other.start <= (finding.end or other.start) + within
        and (other.end is None or other.end + within >= finding.start)
    ]
    return min(near)[1] if near else None
