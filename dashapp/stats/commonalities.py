"""What some requests have in common that the others do not. Pure.

A value is named where so many of the requests have it that chance does not explain it: by Fisher's exact test,
and the more values are looked at, the less likely it must be (Bonferroni).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network

from dashapp.agent import short_agent
from sql.networks import BITS_4, BITS_6
from sql.plan import Range
from sql.sample import SampledRequest
from sql.slowest import SlowRequest

Traits = Mapping[str, str | int]
TIME = "time"
ATTRIBUTE = "attributes."
LIKELY_BY_CHANCE = 0.01
FEWEST = 3
MOST = 8
_LONGEST = 200


Request = SampledRequest | SlowRequest


@dataclass(frozen=True, slots=True)
class Commonality:
    """A value and how frequent it is: shares are 0 to 1; `chance` is how likely so many would be by chance.

    `band` is the time where the field is TIME; its value then is empty.
    """

    field: str
    value: str | int
    inside: int
    outside: int
    share_inside: float
    share_outside: float
    chance: float
    band: Range | None = None

    @property
    def lift(self) -> float | None:
        """How many times as frequent it is as among the others; None where no other request has it."""
        return self.share_inside / self.share_outside if self.outside else None


def traits(request: Request) -> Traits:
    """The fields of a request that may tell why it is slow, or fails; those of `attributes` one level deep."""
    found: dict[str, str | int] = {"service": request.service, "path": request.path, "status": request.status}
    if request.client_ip:
        found["client_ip"] = request.client_ip
        found["network"] = _network(request.client_ip)
    if request.user_agent:
        found["user_agent"] = request.user_agent[:_LONGEST]
        found["product"] = _product(request.user_agent)
    for name, value in (request.attributes or {}).items():
        inner = {f"{name}.{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
        found |= {f"{ATTRIBUTE}{key}": _text(each) for key, each in inner.items() if isinstance(each, str | int)}
    return found


def _network(client: str) -> str:
    bits = BITS_4 if "." in client else BITS_6
    return str(ip_network(f"{client}/{bits}", strict=False))


def _product(agent: str) -> str:
    """Browsers all begin with the same product; of others it tells more than their short name."""
    return short_agent(agent) if agent.startswith("Mozilla/") else agent.split(" ", 1)[0][:_LONGEST]


def _text(value: str | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)[:_LONGEST]


def commonalities(inside: Sequence[Traits], outside: Sequence[Traits]) -> list[Commonality]:
    """Values that are more frequent inside than outside, the widest difference first."""
    if not inside or not outside:
        return []
    counts = Counter(item for each in inside for item in each.items())
    others = Counter(item for each in outside for item in each.items())
    repeated = {item: n for item, n in counts.items() if n >= FEWEST}
    found = [
        _commonality(*item, n, others[item], len(inside), len(outside), tests=len(repeated))
        for item, n in repeated.items()
    ]
    return ranked(found)


def ranked(found: Sequence[Commonality]) -> list[Commonality]:
    """Those that chance does not explain, the widest difference first."""
    telling = [each for each in found if each.share_inside > each.share_outside and each.chance <= LIKELY_BY_CHANCE]
    telling.sort(key=lambda each: (each.share_outside - each.share_inside, each.field, str(each.value)))
    kept = [each for each in telling if not any(_says_as_much(other, each) for other in telling)]
    return kept[:MOST]


def _says_as_much(other: Commonality, each: Commonality) -> bool:
    """Tell whether `other` makes `each` superfluous.

    A version does so for its program, a program for the whole user agent, and a client that is all of its network.
    """
    if (other.field, each.field) == ("client_ip", "network"):
        return _alike(other, each) and _network(str(other.value)) == each.value
    if not str(other.value) or str(other.value) == str(each.value) or str(other.value) not in str(each.value):
        return False
    if (other.field, each.field) == ("product", "user_agent"):
        return True
    return _alike(other, each) and each.field in ("product", "user_agent")


def _alike(one: Commonality, other: Commonality) -> bool:
    return (one.inside, one.outside) == (other.inside, other.outside)


def time_band(
    inside: Sequence[datetime], outside: Sequence[datetime], starts: Sequence[datetime], end: datetime
) -> Commonality | None:
    """The time in which the requests crowd most, compared with the others; None where chance explains it.

    Of all runs of buckets it is the one with the widest difference between the two shares (J. Kadane's algorithm).
    """
    if not inside or not outside or len(starts) < 2:
        return None
    counts, others = (_by_slot(moments, starts) for moments in (inside, outside))
    best, total, first, chosen = 0.0, 0.0, 0, (0, 0)
    for slot in range(len(starts)):
        if total <= 0:
            total, first = 0.0, slot
        total += counts[slot] / len(inside) - others[slot] / len(outside)
        if total > best:
            best, chosen = total, (first, slot + 1)
    a, b = (sum(each[slot] for slot in range(*chosen)) for each in (counts, others))
    runs = len(starts) * (len(starts) + 1) // 2
    band = Range(starts[chosen[0]], starts[chosen[1]] if chosen[1] < len(starts) else end)
    found = _commonality(TIME, "", a, b, len(inside), len(outside), tests=runs, band=band)
    return next(iter(ranked([found])), None) if a >= FEWEST else None


def _by_slot(moments: Sequence[datetime], starts: Sequence[datetime]) -> Counter[int]:
    ordered, slot = sorted(moments), 0
    counts: Counter[int] = Counter()
    for moment in ordered:
        while slot + 1 < len(starts) and starts[slot + 1] <= moment:
            slot += 1
        counts[slot] += 1
    return counts


def _commonality(
    field: str, value: str | int, a: int, b: int, n: int, m: int, *, tests: int, band: Range | None = None
) -> Commonality:
    return Commonality(field, value, a, b, a / n, b / m, min(1.0, chance(a, n, b, m) * tests), band)


def chance(a: int, n: int, b: int, m: int) -> float:
    """How likely `a` or more of `n` requests would have a value that `a + b` of all `n + m` have, if it were drawn."""
    having = a + b
    everything = _log_choose(n + m, having)
    terms = (
        _log_choose(n, k) + _log_choose(m, having - k) - everything
        for k in range(max(a, having - m), min(n, having) + 1)
    )
    return min(1.0, sum(math.exp(term) for term in terms))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
