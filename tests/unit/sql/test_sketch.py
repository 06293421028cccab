"""The quantile sketch against numpy's percentile. `slot_of` mirrors `latency_sketch` of migration 0002;
tests/integration/test_exactness.py checks that the database sorts into the same slots."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sql.sketch import ERROR_BOUND, FIELD_DIGITS, SLOTS, Sketch, decode, quantiles_ms, slot_counts, slot_value_ms
from tests.plain import sketch_of as sketch_of_number

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

LOW, HIGH = -2.302585092994046, 13.310267242
# Twelve digits of the upper bound stand in the migration: the last slots end 2e-7 later than they should.
ROUNDING = 1e-6
QUANTILES = (0.0, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0)


def slot_of(latency_ms: float) -> int:
    position = math.log(latency_ms + 1e-9)
    if position < LOW:
        return 0
    return SLOTS + 1 if position >= HIGH else int((position - LOW) / (HIGH - LOW) * SLOTS) + 1


def sketch_of(latencies_ms: list[float]) -> Sketch:
    return sketch_of_number(sum(int(10 ** (FIELD_DIGITS * slot_of(latency))) for latency in latencies_ms))


def sent(number: int) -> bytes:
    """What PostgreSQL's numeric_send makes of a whole number: digits of base 10,000, no zeros at either end."""
    digits: list[int] = []
    while number:
        number, digit = divmod(number, 10_000)
        digits.insert(0, digit)
    first = len(digits) - 1 if digits else 0
    while digits and not digits[-1]:
        digits.pop()
    return struct.pack(f">4h{len(digits)}h", len(digits), first, 0, 0, *digits)


latencies = st.one_of(
    st.floats(0.1, 600_000.0),
    st.floats(math.log(0.1), math.log(600_000.0)).map(math.exp).map(lambda ms: min(max(ms, 0.1), 600_000.0)),
)


@relaxed
@given(st.lists(latencies, min_size=1, max_size=200))
@example([0.1])
@example([600_000.0])
@example([0.1, 600_000.0])
def test_quantiles_are_within_the_error_bound_of_numpy(sample: list[float]) -> None:
    found = quantiles_ms(sketch_of(sample), QUANTILES, maximum_ms=max(sample))
    exact = np.percentile(sample, [100 * q for q in QUANTILES])
    for got, want in zip(found, exact, strict=True):
        assert abs(got - want) <= (ERROR_BOUND + ROUNDING) * want


def test_error_bound_is_what_the_pages_say() -> None:
    assert pytest.approx(0.0244, abs=5e-5) == ERROR_BOUND


@relaxed
@given(st.lists(latencies, min_size=1, max_size=50), st.lists(latencies, min_size=1, max_size=50))
def test_sketches_merge_by_addition(one: list[float], other: list[float]) -> None:
    merged = dict(slot_counts(sketch_of(one) + sketch_of(other)))
    assert merged == dict(slot_counts(sketch_of(one + other)))
    assert sum(merged.values()) == len(one) + len(other)


@relaxed
@given(st.dictionaries(st.integers(0, SLOTS + 1), st.integers(1, 10**11), min_size=1))
def test_slot_counts_hold_up_to_ten_to_the_eleventh_requests_in_every_slot(counts: dict[int, int]) -> None:
    number = sum(count * 10 ** (FIELD_DIGITS * slot) for slot, count in counts.items())
    assert slot_counts(decode(sent(number))) == sorted(counts.items())


def test_slot_counts_are_right_when_every_slot_is_as_full_as_it_can_be() -> None:
    most = 10**FIELD_DIGITS - 1
    number = sum(most * 10 ** (FIELD_DIGITS * slot) for slot in range(SLOTS + 2))
    assert slot_counts(decode(sent(number))) == [(slot, most) for slot in range(SLOTS + 2)]


def test_slot_counts_of_nothing_are_empty() -> None:
    assert slot_counts(decode(sent(0))) == []


def test_quantiles_weigh_by_count() -> None:
    counts = {slot_of(10.0): 99 * 10**9, slot_of(1000.0): 10**9}
    sketch = sketch_of_number(sum(count * 10 ** (FIELD_DIGITS * slot) for slot, count in counts.items()))
    p50, p98, p995 = quantiles_ms(sketch, (0.5, 0.98, 0.995), maximum_ms=1000.0)
    assert p50 == pytest.approx(10.0, rel=ERROR_BOUND)
    assert p98 == pytest.approx(10.0, rel=ERROR_BOUND)
    assert p995 == pytest.approx(1000.0, rel=ERROR_BOUND)


@pytest.mark.parametrize(
    ("latency_ms", "slot"),
    [
        pytest.param(0.0, 0, id="zero"),
        pytest.param(0.0999, 0, id="below the first slot"),
        pytest.param(0.1, 1, id="the lowest"),
        pytest.param(603_000.0, SLOTS, id="the highest"),
        pytest.param(604_000.0, SLOTS + 1, id="above the last slot"),
        pytest.param(9.9e11, SLOTS + 1, id="years"),
    ],
)
def test_quantiles_at_the_edges_never_exceed_the_maximum(latency_ms: float, slot: int) -> None:
    sketch = sketch_of([latency_ms])
    assert slot_counts(sketch) == [(slot, 1)]
    (median,) = quantiles_ms(sketch, [0.5], maximum_ms=latency_ms)
    assert 0 <= median <= latency_ms
    if slot > SLOTS:
        assert median > 603_000
    elif slot == 0:
        assert median <= 0.1


def test_quantiles_of_zeros_are_zero() -> None:
    assert quantiles_ms(sketch_of([0.0] * 5), (0.5, 0.99), maximum_ms=0.0) == [0.0, 0.0]


@relaxed
@given(st.integers(1, SLOTS - 1))
def test_slot_values_ascend_and_lie_inside_their_slot(slot: int) -> None:
    assert slot_value_ms(slot) < slot_value_ms(slot + 1)
    assert slot_of(slot_value_ms(slot)) == slot


@relaxed
@given(st.lists(latencies, min_size=1, max_size=100))
def test_quantiles_ascend(sample: list[float]) -> None:
    found = quantiles_ms(sketch_of(sample), QUANTILES, maximum_ms=max(sample))
    assert found == sorted(found)
