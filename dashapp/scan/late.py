"""The watch over ranges whose rows came late: an imported file, a shipper that was away. Found, kept, not told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dashapp.insight.finding import Finding
from dashapp.scan.course import Answer, Course, Event, Make
from dashapp.scan.incidents import Member, incident_of
from dashapp.scan.kept import columns_of
from dashapp.scan.live import WARM
from sql.connection import snapshot
from sql.plan import MINUTE, Range, floor
from sql.watching import GAP, Queued, Step, watched_at

_HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Late:
    """The course through a queued range.

    Attributes:
        queued: the range, and how far it was done when this began.
        course: begins some hours earlier.
        followed: whether what comes after the range was watched: then what lasts at its end goes on there.
        version: of the search.
        done_to: up to where all that was found is written.
        keys: of everything that was found, since this began.
        opened: what lasts and began within the range, by key.
    """

    queued: Queued
    course: Course
    followed: bool
    version: int
    done_to: datetime
    keys: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    members: dict[str, Member] = field(default_factory=dict)

    @property
    def last(self) -> datetime:
        """End of what is looked at: a log that ends within a minute has only a part of it."""
        end = self.queued.end
        return end if self.followed else max(end - MINUTE, self.queued.start)

    def advance(self, engine: sa.Engine, through: datetime) -> tuple[Step, bool]:
        """Go through the next piece; returns what is to be written of it, and whether that was all.

        Args:
            engine: to read with.
            through: up to where the live watch has come.
        """
        beyond = max(min(self.last + GAP, through), self.last) if self.followed else self.last
        limit = self.last if self.course.at < self.last else beyond
        rows: list[dict[str, Any]] = []
        if self.course.at < limit:
            for event in self.course.advance(engine, limit):
                rows += self._row_of(event)
        finished = self.course.at >= self.last and (not self.opened or self.course.at >= beyond)
        if finished:
            # At the minute that the live watch has come to, it goes on with what lasts.
            reached = self.followed and self.course.at >= through
            for key in sorted(self.opened):
                finding = self.course.lasting[key]
                rows.append(self._columns(key, finding) if reached else self._cut(key, finding))
        return self._step(rows, finished=finished), finished

    def _row_of(self, event: Event) -> list[dict[str, Any]]:
        if event.what == "opened" or event.key in self.opened:
            if event.minute < self.queued.done_to or (event.key not in self.opened and event.minute >= self.last):
                return []  # before or after what is new
            self.keys.add(event.key)
            if event.finding.end is None:
                self.opened.add(event.key)
                return []
            self.opened.discard(event.key)
            return [self._columns(event.key, event.finding)]
        return []

    def _cut(self, key: str, finding: Finding) -> dict[str, Any]:
        return self._columns(key, replace(finding, end=max(finding.start, min(self.course.at, self.queued.end))))

    def _columns(self, key: str, finding: Finding) -> dict[str, Any]:
        service = finding.subject.service
        incident = incident_of(key, service, finding.start, self.members.values())
        self.members[key] = Member(incident, service, finding.start)
        return columns_of(key, finding, incident=incident, late=True, watch=self.version)

    def _step(self, rows: list[dict[str, Any]], *, finished: bool) -> Step:
        before = self.done_to
        if finished:
            self.done_to = self.queued.end
        else:
            # Whoever goes on after a restart finds again what is not over yet.
            begun = [self.course.lasting[key].start for key in self.opened]
            self.done_to = max(before, min([self.course.at, self.queued.end, *begun]))
        done = Range(before, self.done_to) if self.done_to > before else None
        return Step(
            self.version,
            rows=rows,
            service=self.queued.service,
            watched=done,
            withdrawn=done,
            kept=sorted(self.keys),
            queued=(self.queued.id, self.done_to),
        )


def begun(
    engine: sa.Engine,
    make: Make,
    answer: Answer,
    queued: Queued,
    *,
    version: int,
    through: datetime,
    not_before: datetime | None = None,
) -> Late:
    """Begin a range, some hours before what is to be done of it, but not before a minute at which the search broke.

    `through` is where the live watch is.
    """
    start = floor(queued.done_to - WARM, _HOUR)
    if not_before is not None and queued.start < not_before <= queued.end:
        start = max(start, not_before)
        queued = queued._replace(done_to=max(queued.done_to, not_before))
    with snapshot(engine) as reading:
        followed = queued.end >= through or watched_at(reading, queued.end, queued.service)
    course = Course(make(engine, floor(start, _HOUR), queued.service), answer, start, service=queued.service)
    return Late(queued, course, followed, version, queued.done_to)
