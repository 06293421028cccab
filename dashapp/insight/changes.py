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

from dashapp.insight.chance import LEAST, adjusted, poisson_tail
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
# Requests at the usual rate that a value is believed to have had besides; where its own contradict that, as those of
# a route that is always slow, only this many events.
_PRIOR, _LEAST_PRIOR = 100.0, 0.25
_CONTRADICTS = 0.025
_OWN_PRIOR = 0.5  # events, where it is counts that are compared
_FEWEST_VALUES, _FEWEST_GROWN, _FEWEST_CLIENTS = 8, 4, 30
_FEWEST_EXPECTED = 5.0
_ERROR = 400
_COME_AND_GO = ("client_ip", "network")
_MEDIAN_OF_CHI2, _ERROR_OF_MEDIAN = 0.455, 2.33  # the error by the square root of the number of values
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
        explains: what it has more (or less) than expected, as a part of all that differ from what was expected beyond
            chance.
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
    prior: Floats  # events that each value is believed to have had besides
    strength: Floats  # and in how many requests
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
        growth = _growth(tables, durations if measure == "requests" else 1.0)
        clumps = max((_clumps(table, growth) for table in tables if table.field.name == "client_ip"), default=1)
        each = [one for table in tables for one in _explanations(table, measure, totals, growth, clumps, durations)]
        # Of what hardly happened in both windows together nothing could be said in any case.
        asked = sum(int((table.now + table.before >= FEWEST).sum()) for table in tables)
        corrected = adjusted([one.p for one in each], asked=asked)
        each = [replace(one, q=float(q)) for one, q in zip(each, corrected, strict=True)]
        telling = [one for one in each if one.q <= LIKELY_BY_CHANCE and _is_large(one, measure, totals)]
        found[measure] = _merged(telling, totals, joint or _unknown)[:MOST]
    return found


def _total(window: Window, measure: Measure) -> float:
    return {"requests": window.n, "failures": window.failed, "slow": window.slow}[measure]


def _events(counted: Counted, measure: Measure) -> Floats:
    return {"requests": counted.n, "failures": counted.failed, "slow": counted.slow}[measure]


def _table(field: Field, measure: Measure, now: Window, before: Window) -> _Table:
    # What fails has a status of its own: any request may come to have it, so its codes are counted as requests are.
    own_status = field.name == "status" and measure == "failures"
    if field.name == "status" and measure != "slow":
        # A code that says that a request failed explains failures; it is no reason for more requests.
        field = _codes(field, failing=measure == "failures")
    factors = [_factor(whole, seen, measure) for whole, seen in ((now, field.now_seen), (before, field.before_seen))]
    events = _events(field.before, measure)
    exposed: list[Floats | None] = [None, None]
    prior, strength = np.full(len(events), _OWN_PRIOR), np.zeros(len(events))
    if measure != "requests":
        sides = ((field.now, now, field.now_seen), (field.before, before, field.before_seen))
        for i, (counted, whole, seen) in enumerate(sides):
            of_value, all_, looked_at = (
                (counted.n, whole.n, seen.n) if measure == "failures" else (counted.timed, whole.timed, seen.timed)
            )
            exposed[i] = np.full(len(of_value), all_) if own_status else of_value * (all_ / max(looked_at, 1e-9))
    if exposed[1] is not None and not own_status:
        rate = _total(before, measure) / max(before.timed if measure == "slow" else before.n, 1.0)
        strength = _strength(events, exposed[1] / factors[1], rate)
        prior = strength * rate / factors[1]
    return _Table(field, _events(field.now, measure), events, prior, strength, factors[0], factors[1], *exposed)


def _codes(field: Field, *, failing: bool) -> Field:
    """A field of status codes, of those alone that say that a request failed, or of the others."""
    kept = [i for i, value in enumerate(field.values) if (int(value) >= _ERROR) == failing]
    now, before = (
        Counted(each.n[kept], each.failed[kept], each.timed[kept], each.slow[kept])
        for each in (field.now, field.before)
    )
    return replace(field, values=[field.values[i] for i in kept], now=now, before=before)


def _strength(events: Floats, exposed: Floats, rate: float) -> Floats:
    """Requests at the usual rate that each value is believed to have had besides what is known of it."""
    usual = rate * exposed
    more, fewer = poisson_tail(events, usual), special.gammaincc(events + 1, usual)
    contradicts = np.minimum(more, fewer) < _CONTRADICTS
    return np.where(contradicts, min(_LEAST_PRIOR / max(rate, 1e-9), _PRIOR), _PRIOR)


def _factor(whole: Window, seen: Window, measure: Measure) -> float:
    """By what the events that were looked at are multiplied; where there were none, as requests are."""
    looked_at = _total(seen, measure)
    return _total(whole, measure) / looked_at if looked_at else max(whole.n, 1.0) / max(seen.n, 1.0)


def _scales(table: _Table) -> tuple[Floats, Floats]:
    """How many events each value should have now for one it had before, as looked at; and what it is believed to have.

    The second counts what it had before and, where it had little, what anybody has.
    """
    believed = table.before + table.prior
    if table.exposed_now is None or table.exposed_before is None:
        return np.full(len(believed), table.factor_before / table.factor_now), believed
    ratios: Floats = (
        table.exposed_now
        / np.maximum(table.exposed_before + table.strength, 1e-9)
        * (table.factor_before / table.factor_now)
    )
    return ratios, believed


def _growth(tables: Sequence[_Table], usual: float) -> float:
    """By how much most values have grown: of the fields that tell, the answer in which least has changed."""
    candidates = []
    for table in tables:
        scale, believed = _scales(table)
        expected = scale * believed
        callers = table.exposed_now is None and table.field.name in _COME_AND_GO
        # Chosen by both windows: of clients chosen by one alone, most have fewer requests in the other.
        enough = (table.now + expected if callers else 2 * expected) >= 2 * _FEWEST_EXPECTED
        # By what there would be, not by what there is: what grew most must not be what all are measured by.
        weights = [expected] if table.exposed_now is None else [table.exposed_now, expected]
        if table.field.name == "status" or int(enough.sum()) < (_FEWEST_GROWN if table.exposed_now is None else 2):
            continue
        ratio = (table.now[enough] + 0.5) / (expected[enough] + 0.5)
        order = np.argsort(ratio)
        for weight in weights:
            if weight[enough].sum() >= weight.sum() / 2:
                summed = np.cumsum(np.ones(len(order)) if callers else weight[enough][order])
                candidates.append(float(ratio[order[int(np.searchsorted(summed, summed[-1] / 2))]]))
    if not candidates:
        return usual
    return min(candidates, key=lambda each: abs(np.log(each / usual)))


def _explanations(
    table: _Table, measure: Measure, totals: tuple[float, float], growth: float, clumps: float, durations: float
) -> list[Explanation]:
    scale, believed = _scales(table)
    # Another code does not become more frequent because one does.
    scale = scale * (1.0 if table.field.name == "status" and measure == "failures" else growth)
    expected = scale * believed
    if table.exposed_now is not None:
        # Of more requests more would have failed; but what was no more than this before has not become less.
        by_count = believed * durations * table.factor_before / table.factor_now
        less = table.now < expected
        expected = np.where(less, np.maximum(table.now, np.minimum(expected, by_count)), expected)
    spread = max(clumps, _spread(table.now, believed, scale))
    p = _chance(table, expected, spread)
    enough = np.flatnonzero(np.maximum(table.now, table.before) >= FEWEST)
    excess = (table.now - expected) * table.factor_now
    # What differs by chance is no part of the difference: of many clients it would be most of it.
    differs = float(np.abs(excess)[p <= LIKELY_BY_CHANCE].sum())
    whole = np.maximum(np.abs(excess), max(abs(float(excess.sum())), differs, 1.0))
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
                explains=float(excess[i] / whole[i]),
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
    # The median of a few values is itself uncertain: what is within its standard error is not held against them.
    seen = np.median(squares) / _MEDIAN_OF_CHI2 - _ERROR_OF_MEDIAN / np.sqrt(int(used.sum()))
    return float(np.clip(seen, 1.0, _MOST_SPREAD))


def _clumps(table: _Table, growth: float) -> float:
    """How much more than single requests those of a client vary, which come and go together.

    The few clients that vary most are left out: they may be what is sought.
    """
    scale, believed = _scales(table)
    scale = scale * growth
    squares, counts = (table.now - scale * believed) ** 2, table.now + scale**2 * believed
    if len(squares) < _FEWEST_CLIENTS:
        return 1.0
    kept = np.argsort(squares)[: len(squares) - max(3, len(squares) // 50)]
    return float(np.clip(squares[kept].sum() / max(float(counts[kept].sum()), 1.0), 1.0, _MOST_SPREAD))


def _chance(table: _Table, expected: Floats, spread: float) -> Floats:
    """Two-sided: how likely so many or so few are, when what was before is itself a count (a negative binomial tail).

    Nothing is held for surer than 20,000 requests that do not depend on each other could make it.
    """
    shrink = np.maximum(np.maximum(table.now, table.before) / MOST_CERTAIN, spread)
    events, known = table.now / shrink, table.before / shrink + table.prior
    mean = np.maximum(expected / shrink, 1e-12)
    q = mean / (mean + known)
    more = np.where(events > 0, special.betainc(np.maximum(events, 1e-9), known, q), 1.0)
    fewer = special.betaincc(events + 1, known, q)
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
