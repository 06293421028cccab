"""What changed: which values of which fields explain the difference between a window and the one it is compared with.

Most of what is called does not change, so what changed is measured against what did not: values whose requests (or
failures) grew as those of most others did explain nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from scipy import special

from dashapp.insight.chance import LEAST, adjusted
from dashapp.insight.groups import MOST_CERTAIN, Counted, Field, Floats, Window, order_of

Measure = Literal["requests", "failures", "slow"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
Value = tuple[str, str | int]
Joint = Callable[[Measure, Value, Value], tuple[float, float] | None]

LIKELY_BY_CHANCE = 0.01
FEWEST = 8  # requests of a value in either window
LEAST_PART = 0.03  # of all requests, failures or slow requests of the larger window
LEAST_RATIO = 1.3
MOST = 10
SAME = 0.9  # overlap of the requests of two values that say the same
_PRIOR = 20.0  # requests at the usual rate that every value is believed to have had
_FEWEST_VALUES = 8
_MEDIAN_OF_CHI2 = 0.455
_MOST_SPREAD = 50.0


@dataclass(frozen=True, slots=True)
class Explanation:
    """A value and how much of the difference it explains.

    Attributes:
        now, before: its requests, failures or slow requests in the two windows, as many as there are; where only some
            of the requests were looked at (`exact` is False), what these let expect.
        expected: how many there would be now if it had changed as most others did.
        share_now, share_before: its part of all requests, failures or slow requests.
        rate_now, rate_before: its failures or slow requests by its requests; None for requests.
        explains: what it has more (or less) than expected, as a part of all that differ from what was expected.
        p: probability of chance; `q` corrected for all values of all fields.
        same: further values that nearly the same requests have.
    """

    measure: Measure
    field: str
    value: str | int
    now: float
    before: float
    expected: float
    share_now: float
    share_before: float
    rate_now: float | None
    rate_before: float | None
    explains: float
    p: float
    q: float
    exact: bool
    same: tuple[Value, ...] = ()

    @property
    def up(self) -> bool:
        """Whether it is more than expected."""
        return self.now > self.expected


@dataclass(frozen=True, slots=True)
class _Table:
    """One field and measure: events of each value that were looked at, and what turns them into all there are."""

    field: Field
    now: Floats
    before: Floats
    factor_now: float  # all by looked at
    factor_before: float
    exposed_now: Floats | None  # requests of each value, all there are
    exposed_before: Floats | None


def what_changed(
    fields: Sequence[Field],
    now: Window,
    before: Window,
    *,
    durations: float = 1.0,
    joint: Joint | None = None,
) -> dict[Measure, list[Explanation]]:
    """Rank values by how much they explain, for requests, failures and slow requests.

    Args:
        fields: their values and counts.
        now, before: what there was in the two windows.
        durations: how many times as long as the comparison the window is.
        joint: of the requests (failures, ...) that have the first value, the parts now and before that have the second
            one too; None where it is not known. Without it nothing is merged.
    """
    found: dict[Measure, list[Explanation]] = {}
    for measure in MEASURES:
        tables = [_table(field, measure, now, before) for field in fields]
        totals = _total(now, measure), _total(before, measure)
        if min(now.n, before.n) <= 0 or sum(totals) == 0:
            found[measure] = []
            continue
        growth = _growth(tables, measure, totals, durations if measure == "requests" else 1.0)
        each = [one for table in tables for one in _explanations(table, measure, totals, growth)]
        corrected = adjusted([one.p for one in each], asked=sum(len(field.values) for field in fields))
        each = [replace(one, q=float(q)) for one, q in zip(each, corrected, strict=True)]
        telling = [one for one in each if one.q <= LIKELY_BY_CHANCE and _is_large(one, measure, totals)]
        found[measure] = _merged(telling, totals, joint or _unknown)[:MOST]
    return found


def _total(window: Window, measure: Measure) -> float:
    return {"requests": window.n, "failures": window.failed, "slow": window.slow}[measure]


def _events(counted: Counted, measure: Measure) -> Floats:
    return {"requests": counted.n, "failures": counted.failed, "slow": counted.slow}[measure]


def _table(field: Field, measure: Measure, now: Window, before: Window) -> _Table:
    factors = [
        _total(whole, measure) / max(_total(seen, measure), 1e-9)
        for whole, seen in ((now, field.now_seen), (before, field.before_seen))
    ]
    exposed: list[Floats | None] = [None, None]
    if measure != "requests" and field.name != "status":
        for i, (counted, whole, seen) in enumerate(
            ((field.now, now, field.now_seen), (field.before, before, field.before_seen))
        ):
            of_value, all_, looked_at = (
                (counted.n, whole.n, seen.n) if measure == "failures" else (counted.timed, whole.timed, seen.timed)
            )
            exposed[i] = of_value * (all_ / max(looked_at, 1e-9))
    return _Table(field, _events(field.now, measure), _events(field.before, measure), factors[0], factors[1], *exposed)


def _scales(table: _Table, totals: tuple[float, float]) -> tuple[Floats, Floats]:
    """How many events each value should have now for one it had before, as looked at; and what it is believed to have.

    The second counts what it had before and, where it had little, what anybody has.
    """
    if table.exposed_now is None or table.exposed_before is None:
        ratio = table.factor_before / table.factor_now
        return np.full(len(table.before), ratio), table.before + 0.5
    rate = min(totals[1] / (float(table.exposed_before.sum()) or 1.0), 1.0)
    believed = table.before + _PRIOR * rate / table.factor_before
    ratios = table.exposed_now / (table.exposed_before + _PRIOR) * (table.factor_before / table.factor_now)
    return ratios, believed


def _growth(tables: Sequence[_Table], measure: Measure, totals: tuple[float, float], usual: float) -> float:
    """By how much most values have grown: of the fields that tell, the answer in which least has changed."""
    candidates = []
    for table in tables:
        scale, believed = _scales(table, totals)
        expected = scale * believed
        weight = np.maximum(table.now * 1.0, expected)
        both = np.minimum(table.now, expected).sum()
        if len(weight) < 2 or both < 0.3 * max(min(table.now.sum(), expected.sum()), 1.0):
            continue
        ratio = (table.now + 0.5) / (expected + 0.5)
        order = np.argsort(ratio)
        middle = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
        candidates.append(float(ratio[order[min(int(middle), len(order) - 1)]]))
    if not candidates:
        return usual if measure == "requests" else 1.0
    return min(candidates, key=lambda each: abs(np.log(each / usual)))


def _explanations(table: _Table, measure: Measure, totals: tuple[float, float], growth: float) -> list[Explanation]:
    scale, believed = _scales(table, totals)
    scale = scale * growth
    expected = scale * believed
    spread = _spread(table.now, believed, scale)
    p = _chance(table.now, believed, scale, spread)
    enough = np.flatnonzero(np.maximum(table.now, table.before) >= FEWEST)
    excess = (table.now - expected) * table.factor_now
    whole = float(np.abs(excess).sum()) or 1.0
    found = []
    for i in enough.tolist():
        now, before = float(table.now[i] * table.factor_now), float(table.before[i] * table.factor_before)
        rates: list[float | None] = [None, None]
        if table.exposed_now is not None and table.exposed_before is not None:
            rates = [
                min(1.0, events / float(exposed[i])) if exposed[i] else None
                for events, exposed in ((now, table.exposed_now), (before, table.exposed_before))
            ]
        found.append(
            Explanation(
                measure=measure,
                field=table.field.name,
                value=table.field.values[i],
                now=now,
                before=before,
                expected=float(expected[i] * table.factor_now),
                share_now=min(1.0, now / totals[0]) if totals[0] else 0.0,
                share_before=min(1.0, before / totals[1]) if totals[1] else 0.0,
                rate_now=rates[0],
                rate_before=rates[1],
                explains=float(excess[i]) / whole,
                p=float(p[i]),
                q=1.0,
                exact=table.field.exact,
            )
        )
    return found


def _spread(now: Floats, believed: Floats, scale: Floats) -> float:
    """How much more than counting alone the values vary: what half of them do is taken for usual."""
    mean = (now + believed) * scale / (1 + scale)
    used = mean >= 5
    if int(used.sum()) < _FEWEST_VALUES:
        return 1.0
    squares = (now - scale * believed)[used] ** 2 / (mean * (1 + scale))[used]
    return float(np.clip(np.median(squares) / _MEDIAN_OF_CHI2, 1.0, _MOST_SPREAD))


def _chance(now: Floats, believed: Floats, scale: Floats, spread: float) -> Floats:
    """Two-sided: how likely so many or so few are, when `believed` is itself a count (a negative binomial tail).

    Nothing is held for surer than 20,000 requests that do not depend on each other could make it.
    """
    shrink = np.maximum(np.maximum(now, believed) / MOST_CERTAIN, spread)
    events, known = now / shrink, np.maximum(believed / shrink, 1e-9)
    q = np.clip(scale / (1 + scale), 1e-12, 1 - 1e-12)
    more = np.where(events > 0, special.betainc(np.maximum(events, 1e-9), known, q), 1.0)
    fewer = 1 - special.betainc(events + 1, known, q)
    found: Floats = np.clip(2 * np.minimum(more, fewer), LEAST, 1.0)
    return found


def _is_large(each: Explanation, measure: Measure, totals: tuple[float, float]) -> bool:
    differs = abs(each.now - each.expected)
    high, low = max(each.now, each.expected), min(each.now, each.expected)
    if measure != "requests" and not each.up:
        # Fewer failures than expected are worth a word only where there were many.
        return differs >= LEAST_PART * totals[1] and high >= LEAST_RATIO * max(low, 1.0)
    return differs >= LEAST_PART * max(totals) and high >= LEAST_RATIO * max(low, 1e-9)


def _merged(found: Sequence[Explanation], totals: tuple[float, float], joint: Joint) -> list[Explanation]:
    """The most telling first; what nearly the same requests say is named with it, what follows from it is left out."""
    kept: list[Explanation] = []
    for each in sorted(found, key=_rank):
        for i, other in enumerate(kept):
            if other.field == each.field or other.up != each.up:
                continue
            if _says_the_same(other, each, joint):
                kept[i] = _together(other, each)
                break
            if _follows(each, other, totals, joint):
                break
        else:
            kept.append(each)
    return kept


def _rank(each: Explanation) -> tuple[float, float, tuple[int, str], str]:
    """How much it explains, and how little of it is something else."""
    differs = abs(each.now - each.expected)
    telling = differs * differs / max(each.now, each.expected)
    return -float(f"{telling:.1e}"), -(each.rate_now or 0.0), order_of(each.field), str(each.value)


def _says_the_same(one: Explanation, other: Explanation, joint: Joint) -> bool:
    values = (one.field, one.value), (other.field, other.value)
    both = joint(one.measure, *values), joint(one.measure, *reversed(values))
    side = 0 if one.up else 1
    return all(part is not None and part[side] >= SAME for part in both)


def _together(one: Explanation, other: Explanation) -> Explanation:
    """Two that say the same: the first, unless both have as many requests and the other comes first by its field."""
    alike = 0.9 <= (other.now + 1) / (one.now + 1) <= 1.1 and 0.9 <= (other.before + 1) / (one.before + 1) <= 1.1
    first, second = (other, one) if alike and order_of(other.field) < order_of(one.field) else (one, other)
    return replace(first, same=(*one.same, (second.field, second.value), *other.same))


def _follows(each: Explanation, other: Explanation, totals: tuple[float, float], joint: Joint) -> bool:
    """Tell whether nothing notable is left of a value without what another one explains already."""
    parts = joint(each.measure, (each.field, each.value), (other.field, other.value))
    if parts is None:
        return False
    now, before = (max(0.0, 1 - part) for part in parts)
    rest = replace(each, now=each.now * now, before=each.before * before, expected=each.expected * before)
    return rest.up != each.up or not _is_large(rest, each.measure, totals)


def _unknown(_measure: Measure, _one: Value, _other: Value) -> None:
    return None
