"""What changed between two windows: the values that explain it, and none where only people came and went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from dashapp.insight.changes import Explanation, Measure, what_changed
from dashapp.insight.groups import Field, Window
from tests.unit.insight.windows import Hit, changed, counted, fields, hits, joint, window

SEEDS = range(8)


def found(now: Sequence[Hit], before: Sequence[Hit], durations: float = 1.0) -> dict[Measure, list[Explanation]]:
    return what_changed(fields(now, before), window(now), window(before), durations=durations, joint=joint(now, before))


def both(seed: int, n: int = 4_000) -> tuple[np.random.Generator, list[Hit], list[Hit]]:
    draw = np.random.default_rng(seed)
    return draw, hits(draw, n), hits(draw, n)


def said(each: Explanation) -> set[tuple[str, str | int]]:
    return {(each.field, each.value), *each.same}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_route_that_fails_is_named_first_and_alone(seed: int) -> None:
    draw, now, before = both(seed)
    now = changed(now, lambda hit: hit.route == "/route3" and draw.random() < 0.4, status=500)
    first, *others = found(now, before)["failures"]
    assert ("route", "/route3") in said(first)
    assert not others
    assert first.explains > 0.6
    assert first.rate_now is not None
    assert first.rate_before is not None
    assert first.rate_now > 0.3 > 0.1 > first.rate_before
    assert first.now == sum(hit.status >= 400 and hit.route == "/route3" for hit in now)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_version_that_fails_is_named_with_its_route(seed: int) -> None:
    draw, now, before = both(seed)
    now = changed(now, lambda hit: hit.route == "/route3", version="1.5")
    now = changed(now, lambda hit: hit.version == "1.5" and draw.random() < 0.4, status=500)
    first = found(now, before)["failures"][0]
    assert said(first) >= {("route", "/route3"), ("attributes.version", "1.5")}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_version_of_all_routes_is_named_without_them(seed: int) -> None:
    draw, now, before = both(seed)
    now = changed(now, lambda hit: draw.random() < 0.3, version="1.5")
    now = changed(now, lambda hit: hit.version == "1.5" and draw.random() < 0.3, status=503)
    explained = found(now, before)["failures"]
    assert ("attributes.version", "1.5") in said(explained[0])
    assert [each.field for each in explained if each.field == "route"] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_network_that_fails_is_named(seed: int) -> None:
    draw, now, before = both(seed)
    now = changed(now, lambda hit: hit.value("network") == "10.3.1.0/24" and draw.random() < 0.6, status=504)
    assert ("network", "10.3.1.0/24") in {each for one in found(now, before)["failures"] for each in said(one)}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_client_and_its_network_are_one_answer(seed: int) -> None:
    draw, now, before = both(seed)
    extra = [replace(hit, client_ip="203.0.113.9", product="tool/1") for hit in hits(draw, 1_200)]
    (only,) = found([*now, *extra], before)["requests"]
    assert (only.field, only.value) == ("client_ip", "203.0.113.9")
    assert set(only.same) == {("network", "203.0.113.0/24"), ("product", "tool/1")}
    assert (only.now, only.before) == (1_200, 0)
    assert only.share_now == pytest.approx(1_200 / 5_200)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slow_route_is_named(seed: int) -> None:
    draw, now, before = both(seed)
    now = changed(now, lambda hit: hit.route == "/route4" and draw.random() < 0.5, slow=True)
    first = found(now, before)["slow"][0]
    assert ("route", "/route4") in said(first)


def test_what_is_gone_is_named() -> None:
    _, now, before = both(1)
    (only,) = found([hit for hit in now if hit.route != "/route0"], before)["requests"]
    assert (only.field, only.value, only.now, only.up) == ("route", "/route0", 0, False)


# ---- nothing planted ----


@pytest.mark.parametrize(("n", "durations"), [(4_000, 1.0), (12_000, 1 / 3), (1_500, 8 / 3)])
def test_nothing_is_named_where_only_people_came_and_went(n: int, durations: float) -> None:
    false = 0
    for seed in range(12):
        draw = np.random.default_rng(1_000 + seed)
        explained = found(hits(draw, 4_000), hits(draw, n), durations)
        false += sum(len(each) for each in explained.values())
    assert false <= 1


def test_twice_as_much_of_everything_is_explained_by_nothing() -> None:
    for seed in range(5):
        draw = np.random.default_rng(seed)
        assert found(hits(draw, 8_000), hits(draw, 4_000))["requests"] == []


def test_a_fault_of_everything_has_a_status_and_nothing_else() -> None:
    draw, now, before = both(3)
    explained = found(changed(now, lambda hit: draw.random() < 0.3, status=503), before)
    assert [(each.field, each.value) for each in explained["failures"]] == [("status", 503)]
    assert {each.value for each in explained["requests"]} <= {200}


def often(draw: np.random.Generator, route: str, chance: float) -> Callable[[Hit], bool]:
    return lambda hit: hit.route == route and bool(draw.random() < chance)


def test_routes_that_are_always_slow_or_failing_are_nothing_new() -> None:
    false = 0
    for seed in range(8):
        draw, *sides = both(2_000 + seed)
        slow = [changed(side, often(draw, "/route9", 0.9), slow=True) for side in sides]
        now, before = (changed(side, often(draw, "/route10", 0.3), status=422) for side in slow)
        false += sum(len(each) for each in found(now, before).values())
    assert false <= 1


def test_more_of_what_is_quick_does_not_make_the_rest_less_slow() -> None:
    for seed in range(5):
        draw, now, before = both(3_000 + seed)
        extra = [
            replace(hit, client_ip="203.0.113.9", product="tool/1", route="/route1", method="POST", slow=False)
            for hit in hits(draw, 2_000)
        ]
        assert found([*now, *extra], before)["slow"] == []


def test_a_rare_code_that_appears_is_named_among_many_usual_failures() -> None:
    for seed in range(5):
        draw, now, before = both(4_000 + seed)
        now = changed(now, often(draw, "/route3", 0.12), status=504)
        explained = found(now, before)["failures"]
        assert ("status", 504) in {each for one in explained for each in said(one)}


def test_one_slow_route_of_a_few_is_named_and_not_all_that_has_no_error() -> None:
    for seed in range(5):
        draw, now, before = both(5_000 + seed)
        slow = changed(now, often(draw, "/route0", 0.6), slow=True)
        first = found(slow, before)["slow"][0]
        assert ("route", "/route0") in said(first)
        assert ("status", 200) not in {(each.field, each.value) for each in found(slow, before)["slow"]}


# ---- bad input ----


@pytest.mark.parametrize("sizes", [(0, 0), (0, 100), (100, 0), (1, 1), (10, 10)])
def test_little_or_nothing_explains_nothing(sizes: tuple[int, int]) -> None:
    draw = np.random.default_rng(1)
    explained = found(hits(draw, sizes[0]), hits(draw, sizes[1]))
    assert explained == {"requests": [], "failures": [], "slow": []}


def failed(hit: Hit) -> Hit:
    return replace(hit, status=500)


def without_address(hit: Hit) -> Hit:
    return replace(hit, client_ip=None)


def without_agent(hit: Hit) -> Hit:
    return replace(hit, product=None)


@pytest.mark.parametrize("as_", [failed, without_address, without_agent])
def test_odd_data_explain_nothing_by_themselves(as_: Callable[[Hit], Hit]) -> None:
    _, now, before = both(5)
    explained = found([as_(hit) for hit in now], [as_(hit) for hit in before])
    assert explained == {"requests": [], "failures": [], "slow": []}


def test_no_field_at_all() -> None:
    assert what_changed([], Window(5, 1, 5, 1), Window(5, 1, 5, 1)) == {"requests": [], "failures": [], "slow": []}


def test_a_sample_tells_what_all_would() -> None:
    draw, now, before = both(2, 20_000)
    now = changed(now, lambda hit: hit.route == "/route3" and draw.random() < 0.4, status=500)
    few = [now[i] for i in np.sort(draw.choice(len(now), 2_000, replace=False))]
    few_before = [before[i] for i in np.sort(draw.choice(len(before), 2_000, replace=False))]
    sampled = [
        Field(
            each.name,
            each.values,
            counted(few, each.name, each.values),
            counted(few_before, each.name, each.values),
            window(few),
            window(few_before),
            exact=False,
        )
        for each in fields(now, before)
    ]
    explained = what_changed(sampled, window(now), window(before), joint=joint(few, few_before))
    first = explained["failures"][0]
    assert (first.field, first.value, first.exact) == ("route", "/route3", False)
    truth = sum(hit.status >= 400 and hit.route == "/route3" for hit in now)
    assert first.now == pytest.approx(truth, rel=0.25)
