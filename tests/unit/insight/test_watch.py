"""What a watch says of plain traffic in which one thing is wrong, and of data that allow to say nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dashapp.insight.finding import Subject
from dashapp.insight.history import History
from dashapp.insight.minute import Endpoint, Minute
from dashapp.insight.watch import Watch
from tests.unit.insight.traffic import (
    ALL,
    CART,
    ITEMS,
    MINUTE,
    PAY,
    START,
    Load,
    Plan,
    minutes,
    opened,
    turn_of,
    usual,
    watched,
)

FROM, TO, LAST = 300, 330, 400


def struck(load: Load, *endpoints: Endpoint, first: int = FROM, last: int = TO) -> Plan:
    """The usual, but for some endpoints in some minutes."""
    return lambda turn, each: load if each in endpoints and first <= turn < last else Load()


def test_nothing_is_said_of_a_day_like_any_other() -> None:
    watch, changes = watched(usual, 1440)
    assert changes == []
    assert watch.open == []


@pytest.mark.parametrize(
    ("load", "kind", "cause"),
    [
        (Load(failing=0.15), "error_burst", "fault"),
        (Load(refused=0.5), "error_burst", "fault"),
        (Load(slot=132), "latency_shift", "fault"),
        (Load(slot=140, failing=0.2), "error_burst", "deploy"),
    ],
)
def test_one_endpoint_is_named_with_its_beginning_and_its_end(load: Load, kind: str, cause: str) -> None:
    watch, changes = watched(struck(load, PAY), LAST)
    (finding,) = opened(changes)
    assert (finding.subject, finding.cause) == (Subject(*PAY), cause)
    assert finding.kind == kind or cause == "deploy"
    assert abs(turn_of(finding) - FROM) <= 1
    assert finding.end is not None
    assert abs(finding.end - (START + TO * MINUTE)) <= 3 * MINUTE
    assert finding.score > 4
    assert watch.open == []
    assert [change.what for change in changes if change.what != "updated"] == ["opened", "closed"]


def test_a_finding_is_open_while_it_lasts_and_says_how_much_more_fails() -> None:
    watch, _ = watched(struck(Load(failing=0.4), PAY), FROM + 15)
    (finding,) = watch.open
    assert finding.end is None
    assert finding.severity == "high"
    assert finding.observed == pytest.approx(0.4, abs=0.08)
    assert finding.expected < 0.02
    assert {each.name for each in finding.evidence} >= {"requests", "server_errors"}


def test_all_endpoints_of_a_service_are_one_finding() -> None:
    _, changes = watched(struck(Load(failing=0.3), *ALL), LAST)
    assert [(each.subject, each.cause) for each in opened(changes)] == [(Subject(service="shop"), "shared_fault")]


def test_waves_of_one_trouble_are_one_finding() -> None:
    def plan(turn: int, each: Endpoint) -> Load:
        return Load(failing=0.5) if each == PAY and FROM <= turn < FROM + 60 and turn % 15 < 4 else Load()

    _, changes = watched(plan, 450)
    assert len(opened(changes)) == 1


def test_the_slowest_alone_are_told_from_all() -> None:
    _, changes = watched(struck(Load(slow=0.17), PAY, last=FROM + 40), LAST)
    (finding,) = opened(changes)
    assert (finding.kind, finding.subject, finding.cause) == ("latency_tail", Subject(*PAY), "contention")


def test_a_service_without_requests_is_down_from_its_first_silent_minute() -> None:
    _, changes = watched(lambda turn, each: Load(calls=0) if FROM <= turn < FROM + 10 else Load(), LAST)
    (finding,) = opened(changes)
    assert (finding.kind, finding.cause, turn_of(finding)) == ("outage", "down", FROM)
    assert finding.end == START + (FROM + 10) * MINUTE


def test_three_times_the_requests_are_a_spike() -> None:
    _, changes = watched(lambda turn, each: Load(calls=120) if FROM <= turn < TO else Load(), LAST)
    (finding,) = opened(changes)
    assert (finding.kind, finding.subject) == ("traffic_spike", Subject(service="shop"))
    assert abs(turn_of(finding) - FROM) <= 1


def test_a_new_route_that_fails_is_told_as_one() -> None:
    new = Endpoint("shop", "POST", "/refund")
    known = History(endpoints=frozenset(ALL))
    plan = lambda turn, each: Load(calls=8, failing=0.6) if each == new else Load()  # noqa: E731
    _, changes = watched(plan, 60, watch=Watch(known), first=30, endpoints=(*ALL, new))
    assert ("new_failing_route", Subject(*new)) in {(each.kind, each.subject) for each in opened(changes)}


def test_of_endpoint_with_few_requests_it_says_that_there_are_too_few() -> None:
    watch, changes = watched(lambda turn, each: Load(calls=6.0 if turn == 3 else 0, failing=0.9), 20)
    assert changes == []
    assert all(0 < each.n < each.needed for each in watch.too_little)
    assert watch.too_little


def test_requests_that_always_failed_are_usual() -> None:
    _, changes = watched(lambda turn, each: Load(failing=0.97), 600)
    assert changes == []


def test_without_any_latency_errors_are_found_all_the_same() -> None:
    _, changes = watched(
        lambda turn, each: Load(slot=None, failing=0.3 if each == PAY and FROM <= turn < TO else 0.002), LAST
    )
    assert [each.kind for each in opened(changes)] == ["error_burst"]


def test_a_gap_closes_what_is_open_and_is_no_outage() -> None:
    watch, before = watched(struck(Load(failing=0.5), PAY), FROM + 10)
    after = [change for minute in minutes(usual, 520, first=460) for change in watch.step(minute)]
    assert [change.what for change in after] == ["closed"]
    assert len(opened(before)) == 1


def test_nothing_is_known_of_a_minute_in_which_nothing_was_collected() -> None:
    watch, changes = Watch(), []
    for turn, minute in enumerate(minutes(usual, LAST)):
        if FROM <= turn < FROM + 20:
            minute = Minute(
                minute.start, MINUTE, [], [], minute.counts[:0, :0], minute.latencies[:0], frozenset({"shop"})
            )
        changes += watch.step(minute)
    assert changes == []


@pytest.mark.parametrize("jump", [timedelta(days=400), -timedelta(hours=7), -timedelta(minutes=2)])
def test_a_clock_that_jumps_ends_nothing_but_comparisons(jump: timedelta) -> None:
    watch, _ = watched(usual, FROM)
    later = [replace(minute, start=minute.start + jump) for minute in minutes(usual, FROM + 120, first=FROM)]
    assert [change for minute in later for change in watch.step(minute)] == []


def test_a_break_after_calls_of_another_endpoint_rose_names_it() -> None:
    def plan(turn: int, each: Endpoint) -> Load:
        if FROM <= turn < FROM + 40:
            return Load(calls=150) if each == ITEMS else Load(slot=140) if each == CART else Load()
        return Load()

    _, changes = watched(plan, LAST, endpoints=(*ALL, *(Endpoint("shop", "GET", f"/page{i}") for i in range(5))))
    slow = [each for each in opened(changes) if each.kind == "latency_shift"]
    assert [(each.subject, each.cause, each.related) for each in slow] == [(Subject(*CART), "call", Subject(*ITEMS))]


def test_a_slow_rise_is_a_drift() -> None:
    def plan(turn: int, each: Endpoint) -> Load:
        return Load(calls=60, slot=120 + 30 * min(max(turn - FROM, 0) / 300, 1) if each == CART else 120)

    _, changes = watched(plan, 620)
    assert {(each.kind, each.subject) for each in opened(changes)} == {("latency_drift", Subject(*CART))}


def test_an_empty_minute_is_no_minute_to_stumble_over() -> None:
    watch = Watch()
    for minute in minutes(lambda turn, each: Load(calls=0), 30):
        assert watch.step(minute) == []
    assert watch.open == []


@pytest.mark.parametrize("days", [1, 8])
def test_what_comes_every_hour_is_neither_spike_nor_outage(days: int) -> None:
    _, changes = watched(lambda turn, each: Load(calls=40 if turn % 60 == 5 else 0), 1440 * days)
    assert changes == []
