"""How often somebody may try, and how much somebody may ask for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dashapp.access.throttle import _MOST_ADDRESSES, Rate, Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_minute_is_saved_up_and_no_more() -> None:
    clock = Clock()
    rate = Rate(60, clock)
    assert [rate.wait_s("one") for _ in range(60)] == [0] * 60
    assert rate.wait_s("one") == 1
    assert rate.wait_s("another") == 0
    clock.now = 10.0
    assert [rate.wait_s("one") for _ in range(11)] == [0] * 10 + [1]
    clock.now = 10_000.0
    assert sum(rate.wait_s("one") == 0 for _ in range(100)) == 60


def test_whoever_waits_as_long_as_told_may_go_on() -> None:
    clock = Clock()
    rate = Rate(4, clock)
    while not (wait := rate.wait_s("one")):
        pass
    assert wait == 15
    clock.now += wait
    assert rate.wait_s("one") == 0


def test_without_a_limit_nobody_waits() -> None:
    rate = Rate(0, Clock())
    assert {rate.wait_s("one") for _ in range(10_000)} == {0}


@given(st.lists(st.floats(0, 5), min_size=1, max_size=300), st.integers(1, 50))
def test_no_window_has_more_than_a_minute_and_what_was_saved(pauses: list[float], most: int) -> None:
    clock, let = Clock(), []
    rate = Rate(most, clock)
    for pause in pauses:
        clock.now += pause
        if rate.wait_s("one") == 0:
            let.append(clock.now)
    for at in let:
        assert sum(at <= each < at + 60 for each in let) <= 2 * most


def test_strangers_cost_no_memory_without_end() -> None:
    rate, throttle = Rate(10, Clock()), Throttle(5, 60, Clock())
    for number in range(_MOST_ADDRESSES + 500):
        rate.wait_s(f"{number}")
        throttle.failed(f"{number}")
    assert len(rate._left) == _MOST_ADDRESSES
    assert len(throttle._failures) == _MOST_ADDRESSES
