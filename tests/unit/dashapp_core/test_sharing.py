"""Who asks the same at the same moment gets the same answer, made once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dashapp.sharing import MOST_ANSWERS, Shared


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Maker:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        return self.made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shared(clock: Clock) -> Shared:
    return Shared(1.0, clock=clock)


def test_an_answer_is_made_once_in_a_moment_and_anew_after_it(shared: Shared, clock: Clock) -> None:
    make = Maker()
    assert [shared.get("total", make) for _ in range(3)] == [1, 1, 1]
    clock.now += 0.99
    assert shared.get("total", make) == 1
    clock.now += 0.01
    assert shared.get("total", make) == 2


def test_other_questions_have_other_answers(shared: Shared) -> None:
    make = Maker()
    assert (shared.get("a", make), shared.get("b", make), shared.get("a", make)) == (1, 2, 1)


def test_fifty_who_ask_at_once_are_answered_by_one_making(shared: Shared) -> None:
    make, begun, go = Maker(), threading.Event(), threading.Event()

    def slow() -> int:
        begun.set()
        assert go.wait(30)
        return make()

    with ThreadPoolExecutor(50) as viewers:
        answers = [viewers.submit(shared.get, "total", slow)]
        assert begun.wait(30)
        answers += [viewers.submit(shared.get, "total", slow) for _ in range(49)]
        go.set()
        assert {answer.result(30) for answer in answers} == {1}
    assert make.made == 1


def test_an_answer_counts_from_when_its_making_began(shared: Shared, clock: Clock) -> None:
    make = Maker()

    def slow() -> int:
        clock.now += 5
        return make()

    assert shared.get("total", slow) == 1
    assert shared.get("total", make) == 2  # the first was of five seconds ago


def test_a_failure_is_told_and_not_remembered(shared: Shared) -> None:
    def fail() -> int:
        raise LookupError("away")

    with pytest.raises(LookupError, match="away"):
        shared.get("total", fail)
    assert shared.get("total", lambda: 7) == 7


def test_what_is_remembered_is_bounded(shared: Shared, clock: Clock) -> None:
    for number in range(3 * MOST_ANSWERS):
        shared.get(number, Maker())
        clock.now += 0.0001
    assert len(shared._answers) <= MOST_ANSWERS
