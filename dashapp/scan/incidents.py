"""Which findings are one incident: what begins in the same service at about the same time. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

# What begins later than that after the last beginning is told by itself.
TOGETHER = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Member:
    """A finding that lasts, and the incident it belongs to."""

    incident: str
    service: str | None
    start: datetime


def incident_of(key: str, service: str | None, start: datetime, lasting: Iterable[Member]) -> str:
    """Incident of a new finding: one that lasts, or a new one, which is named by the key of the finding.

    What concerns no single service goes with any.
    """
    near = [
        each
        for each in lasting
        if abs(start - each.start) <= TOGETHER and (each.service == service or None in (each.service, service))
    ]
    return min(near, key=lambda each: (each.service != service, -each.start.timestamp())).incident if near else key
