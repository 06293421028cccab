"""What single requests can tell of a deviation: the network it is of, the call that came before. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from dashapp.insight.concentration import network_of
from dashapp.insight.correlation import calls_before
from dashapp.insight.finding import Subject
from dashapp.insight.minute import Endpoint, Requests

_SERVER, _CLIENT = 500, 400
_LEAST_TIMES = 4.0  # as often after A as otherwise
_MOST_OTHER = 0.5  # of the failures may come without A


@dataclass(frozen=True, slots=True)
class Question:
    """Requests that are wanted: all of the span, of some endpoints, of a service, or (with neither) of all.

    Attributes:
        key: of the finding.
        what: whether it is about 5xx, 4xx or latency.
        then: endpoints that deviate; others are asked for to see what came before.
    """

    key: str
    what: Literal["server", "client", "latency"]
    start: datetime
    end: datetime
    service: str | None = None
    endpoints: tuple[Endpoint, ...] = ()
    then: tuple[Endpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """What was found: a network or client, or the endpoint whose calls come before."""

    network: str | None = None
    client: str | None = None
    before: Subject | None = None
    facts: tuple[tuple[str, str], ...] = ()


def named(question: Question, requests: Requests) -> Named:
    """Look for what the bad requests have in common."""
    if question.what == "latency" or not requests.ts.size:
        return Named()
    low = _SERVER if question.what == "server" else _CLIENT
    bad = (requests.status >= low) & (requests.status < low + 100)
    if question.then:
        found = [
            each
            for each in calls_before(requests, bad, then=question.then)
            if each.rate_after >= _LEAST_TIMES * each.rate_other and each.other_bad <= _MOST_OTHER * each.after_bad
        ]
        if found:
            first = found[0]
            rates = (("after", _percent(first.rate_after)), ("other", _percent(first.rate_other)))
            return Named(before=Subject(*first.before), facts=(("lag", f"{first.seconds:.0f} s"), *rates))
    crowd = network_of(requests, bad)
    if crowd is None:
        return Named()
    wide = np.unique(requests.endpoint[bad]).size > 1
    return Named(network=crowd.network if wide else None, client=crowd.client if wide else None)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
