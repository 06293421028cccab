"""Compare what was found with what was planted: by time, subject and kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network

from bench.insight.follow import Found
from bench.insight.incidents import Incident
from bench.insight.world import World
from dashapp.insight.finding import Subject

LATE = 10  # minutes after the end of an incident at which it may still be found
AFTERMATH = 60  # and at which something else may still be said about what it struck
NEAR = 2  # minutes by which a start may be off
_DAY = 1440


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one incident.

    Attributes:
        recalled: a finding of a right kind was opened in time about requests that the incident struck.
        noticed: any finding was.
        delay: minutes from the start of the incident to the opening.
        subject_right: it named exactly the subject (of the findings of the right kind, the best).
        cause_right: it named a right class of causes.
        related_right: where there is another side of it, it was named too.
        start_error: minutes by which it dates the start wrongly.
        repeats: further findings of the right kind about what it struck.
        beside: findings of other kinds about what it struck, while it was on or soon after.
        wrong: the others: false alarms.
    """

    recalled: bool
    noticed: bool
    delay: int | None = None
    subject_right: bool = False
    cause_right: bool = False
    related_right: bool | None = None
    start_error: int | None = None
    repeats: int = 0
    beside: list[Found] = field(default_factory=list)
    wrong: list[Found] = field(default_factory=list)
    best: Found | None = None


def judge(world: World, incident: Incident, start: datetime, found: Sequence[Found]) -> Verdict:
    """Say what became of an incident in a scenario that starts at `start`."""
    spans = [(int(begin // 60), int(end // 60)) for begin, end in incident.spans()]
    right, beside, wrong = [], [], []
    for each in found:
        touching = touches(world, incident, each.last.subject) or touches(world, incident, each.first.subject)
        if touching and each.last.kind in incident.plan.found and _in_time(each, spans, LATE):
            right.append(each)
        elif touching and _in_time(each, spans, AFTERMATH):
            beside.append(each)
        else:
            wrong.append(each)
    if not right:
        return Verdict(False, bool(beside), beside=beside, wrong=wrong)
    best = min(right, key=lambda each: (not is_right(incident, each.last.subject), each.opened))
    related = None if incident.related is None else best.last.related == incident.related
    return Verdict(
        True,
        True,
        delay=best.opened - spans[0][0],
        subject_right=is_right(incident, best.last.subject),
        cause_right=best.last.cause in incident.plan.causes,
        related_right=related,
        start_error=_start_error(incident, start, best.last.start),
        repeats=len(right) - 1,
        beside=beside,
        wrong=wrong,
        best=best,
    )


def is_right(incident: Incident, subject: Subject) -> bool:
    """Whether a finding names the requests that were struck: not more of them, not fewer.

    What clients do may be told with the service or the endpoint they do it to, and errors with their status.
    """
    truth = incident.subject
    if subject.client_type is not None:
        return False
    who = (truth.client_ip, truth.network)
    if who != (None, None):
        return (subject.client_ip, subject.network) == who
    return subject == Subject(truth.service, truth.method, truth.route, status=subject.status)


def touches(world: World, incident: Incident, subject: Subject) -> bool:
    """Whether some of the requests of a finding can be ones that were struck."""
    truth = incident.subject
    whose = truth.network or truth.client_ip
    named = subject.network or subject.client_ip
    if whose and named and not _share_addresses(whose, named):
        return False
    services = _struck_services(world, incident)
    return subject.service is None or subject.service in services


def _struck_services(world: World, incident: Incident) -> Iterable[str]:
    if incident.kind == "scanner":
        return (world.services[0],)
    if incident.endpoint >= 0:
        return (world.endpoints[incident.endpoint].service,)
    return (world.services[incident.service],) if incident.service >= 0 else world.services


def _share_addresses(one: str, other: str) -> bool:
    first, second = ip_network(one, strict=False), ip_network(other, strict=False)
    return first.overlaps(second)


def _in_time(found: Found, spans: Sequence[tuple[int, int]], late: int) -> bool:
    """Whether it was opened while an incident was on, or a little later; nothing is known of it before."""
    return any(begin <= found.opened <= end + late for begin, end in spans)


def _start_error(incident: Incident, start: datetime, said: datetime) -> int:
    """Minutes between what is said and the minute of the start; of what comes daily, the time of day counts."""
    error = round((said - start) / timedelta(minutes=1)) - int(incident.start_s // 60)
    if incident.days > 1:
        return abs((error + _DAY // 2) % _DAY - _DAY // 2)
    return abs(error)
