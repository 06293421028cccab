"""The watch over what has just become final: warm from the start, and what it sees is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dashapp.insight.finding import Finding, Severity
from dashapp.scan.course import Answer, Course, Event, Make, alike, last_events
from dashapp.scan.incidents import Member, incident_of
from dashapp.scan.kept import columns_of, finding_of
from sql.connection import snapshot
from sql.findings import KeptFinding, open_findings
from sql.plan import MINUTE, Range, floor
from sql.watching import Step, Telling

log = logging.getLogger(__name__)

# How much a watch looks at again before it goes on, and more where something lasts longer.
WARM = timedelta(hours=3)
MOST_WARM = timedelta(hours=24)
_BEFORE_BEGIN = timedelta(hours=1)
_HOUR = timedelta(hours=1)
# The same finding after a restart may begin a little earlier or later.
_NEARLY = timedelta(minutes=15)
# What was over long ago when it was found is kept, and not told.
TOLD_FOR = timedelta(minutes=30)
_RANK: dict[str, int] = {"low": 0, "medium": 1, "high": 2}


@dataclass(slots=True)
class Live:
    """The course through the newest minutes, and the incidents that last.

    Attributes:
        course: warm up to what was watched already.
        version: of the search.
        least: the least severity that is told; None tells nothing.
        members: what lasts, by key.
    """

    course: Course
    version: int
    least: Severity | None
    members: dict[str, Member] = field(default_factory=dict)

    def advance(self, engine: sa.Engine, until: datetime) -> Step:
        """Go through the next piece, and what is to be written of it."""
        start = self.course.at
        events = self.course.advance(engine, until)
        step = self.step_of(events, newest=until)
        return replace(step, watched=Range(start, self.course.at), through=self.course.at)

    def step_of(self, events: Iterable[Event], *, newest: datetime) -> Step:
        """Rows and messages of some events; `newest` is the moment up to which all is known."""
        rows: list[dict[str, Any]] = []
        tellings: dict[str, Telling] = {}
        ended: list[str] = []
        for event in last_events(events).values():
            finding = event.finding
            member = self.members.get(event.key)
            if member is None:
                incident = incident_of(event.key, finding.subject.service, finding.start, self.members.values())
                member = Member(incident, finding.subject.service, finding.start)
            rows.append(columns_of(event.key, finding, incident=member.incident, late=False, watch=self.version))
            if finding.end is None:
                self.members[event.key] = member
            else:
                self.members.pop(event.key, None)
                ended.append(member.incident)
            if self._worth_telling(finding, newest):
                told = tellings.get(member.incident)
                if told is None or _RANK[finding.severity] > _RANK[told.severity]:
                    tellings[member.incident] = Telling(member.incident, "opened", finding.severity)
        return Step(self.version, rows=rows, tellings=list(tellings.values()), ended=ended)

    def _worth_telling(self, finding: Finding, newest: datetime) -> bool:
        if self.least is None or _RANK[finding.severity] < _RANK[self.least]:
            return False
        return finding.end is None or finding.end >= newest - TOLD_FOR


def warmed(
    engine: sa.Engine,
    make: Make,
    answer: Answer,
    through: datetime,
    *,
    version: int,
    least: Severity | None,
    not_before: datetime | None = None,
    unseen: Sequence[Range] = (),
    alive: Callable[[], None] = lambda: None,
) -> tuple[Live, Step]:
    """A watch that has gone through the last hours again, and what is to be written of findings that were open.

    Nothing is told twice: what was kept goes on under its name, and a message goes out once for an incident.

    Args:
        engine: to read with.
        make: makes the watch.
        answer: reads what it asks for.
        through: the first minute that is new.
        version: of the search.
        least: as in Live.
        not_before: a moment before which nothing is looked at.
        unseen: as in Course.
        alive: called between pieces.
    """
    with snapshot(engine) as reading:
        # Of test records another one knows (dashapp.scan.canary).
        kept = [each for each in open_findings(reading) if each.payload["kind"] != "canary_lost"]
    begin = max(min([through - WARM, *(each.start - _BEFORE_BEGIN for each in kept)]), through - MOST_WARM)
    begin = floor(begin, _HOUR)
    if not_before is not None:
        begin = min(max(begin, not_before), through)
    course = Course(make(engine, floor(begin, _HOUR), None), answer, begin, unseen=unseen)
    events: list[Event] = []
    while course.at < through:
        events += course.advance(engine, through)
        alive()
    live = Live(course, version, least)
    return live, _taken_over(live, kept, events, begin, through)


def _taken_over(
    live: Live, kept: Sequence[KeptFinding], events: Sequence[Event], begin: datetime, through: datetime
) -> Step:
    """Match what was open with what is; returns what became of the rest."""
    course = live.course
    rows: list[Event] = []
    gone: list[str] = []
    ended: list[str] = []
    for each in kept:
        finding = finding_of(each.payload)
        live.members[each.key] = Member(each.incident, finding.subject.service, finding.start)
        unmatched = [(key, one) for key, one in course.lasting.items() if key == each.key or not _is_kept(key, kept)]
        match = each.key if each.key in course.lasting else alike(finding, unmatched, _NEARLY)
        if match is not None:
            if match != each.key:
                course.adopt(match, each.key)
            rows.append(Event("updated", each.key, course.lasting[each.key], through - MINUTE))
            continue
        closed = [(event.key, event.finding) for event in events if event.what == "closed"]
        over = alike(finding, closed, _NEARLY)
        if over is not None:
            end = next(one.end for key, one in reversed(closed) if key == over)
            rows.append(Event("closed", each.key, replace(finding, end=max(end or through, finding.start)), through))
        elif finding.start >= begin + _BEFORE_BEGIN:
            # All of it was looked at again, and there is nothing: rows came late.
            gone.append(each.key)
            ended.append(each.incident)
            live.members.pop(each.key)
        else:
            rows.append(Event("closed", each.key, replace(finding, end=max(through, finding.start)), through))
    known = {each.key for each in kept}
    rows += [Event("opened", key, one, through - MINUTE) for key, one in course.lasting.items() if key not in known]
    step = live.step_of(rows, newest=through)
    return replace(step, gone=gone, ended=[*step.ended, *ended], through=through)


def _is_kept(key: str, kept: Sequence[KeptFinding]) -> bool:
    return any(each.key == key for each in kept)
