"""Groups of requests that fare differently from all others: by network, client type, method, service, hour. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from dashapp.insight.chance import Floats, adjusted, fisher
from dashapp.insight.groups import MOST_CERTAIN, Field

SegmentMeasure = Literal["failures", "slow"]
LIKELY_BY_CHANCE = 0.01
FEWEST = 30  # requests of a group, and of the others
FEWEST_EVENTS = 5
# Cohen's h, of two shares: 0.2 is a small effect by his own scale (1988), about 2 % against 6 %.
LEAST_EFFECT = 0.2
MOST = 20


@dataclass(frozen=True, slots=True)
class Segment:
    """A group whose share of failures, or of slow requests, differs from that of all others.

    Attributes:
        n: its requests that were looked at (with a latency, for slow ones); `events` those that failed or were slow.
        rate, rate_others: shares.
        effect: Cohen's h, positive where it fares worse.
        p: two-sided, by Fisher's exact test; `q` corrected for all groups.
    """

    measure: SegmentMeasure
    field: str
    value: str | int
    n: int
    events: int
    rate: float
    rate_others: float
    effect: float
    p: float
    q: float
    exact: bool


def segments(fields: Sequence[Field]) -> list[Segment]:
    """Compare each group with all others of its field. Reads the counts of `now` only.

    Those that fare worse come first, then those that fare better, each by the size of the effect.
    """
    found = [
        each
        for field in fields
        for each in (
            *_of(field, "failures", field.now.n, field.now.failed),
            *_of(field, "slow", field.now.timed, field.now.slow),
        )
    ]
    corrected = adjusted([each.p for each in found])
    found = [replace(each, q=float(q)) for each, q in zip(found, corrected, strict=True)]
    telling = [each for each in found if each.q <= LIKELY_BY_CHANCE and abs(each.effect) >= LEAST_EFFECT]
    telling.sort(key=lambda each: (each.effect < 0, -abs(each.effect), each.field, str(each.value)))
    return telling[:MOST]


def _of(field: Field, measure: SegmentMeasure, n: Floats, events: Floats) -> list[Segment]:
    everything, all_events = float(n.sum()), float(events.sum())
    others, others_events = everything - n, all_events - events
    used = np.flatnonzero((n >= FEWEST) & (others >= FEWEST) & (np.maximum(events, others_events) >= FEWEST_EVENTS))
    if not len(used):
        return []
    of, which, rest, which_rest = n[used], events[used], others[used], others_events[used]
    # Requests of one session depend on each other: no group counts for more than so many that do not.
    shrink = np.maximum(1.0, np.maximum(of, rest) / MOST_CERTAIN)
    a, m, b, k = (np.round(each / shrink) for each in (which, of, which_rest, rest))
    more, fewer = fisher(a, m, b, k), fisher(m - a, m, k - b, k)
    p = np.minimum(1.0, 2 * np.minimum(more, fewer))
    rate, rate_others = which / of, which_rest / rest
    effect = 2 * np.arcsin(np.sqrt(rate)) - 2 * np.arcsin(np.sqrt(rate_others))
    return [
        Segment(
            measure=measure,
            field=field.name,
            value=field.values[i],
            n=int(n[i]),
            events=int(events[i]),
            rate=float(rate[at]),
            rate_others=float(rate_others[at]),
            effect=float(effect[at]),
            p=float(p[at]),
            q=1.0,
            exact=field.exact,
        )
        for at, i in enumerate(used.tolist())
    ]
