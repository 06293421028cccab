"""Groups that fare differently from the others, and none where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from dashapp.insight.segments import segments
from tests.unit.insight.windows import Hit, changed, fields, hits


def found(all_: list[Hit]) -> list[tuple[str, str, str | int]]:
    return [(each.measure, each.field, each.value) for each in segments(fields(all_, all_)) if each.field != "status"]


@pytest.mark.parametrize("seed", range(6))
def test_groups_that_fail_or_are_slow_are_named(seed: int) -> None:
    draw = np.random.default_rng(seed)
    all_ = changed(hits(draw, 5_000), lambda hit: hit.product == "curl/8" and draw.random() < 0.2, status=403)
    all_ = changed(all_, lambda hit: hit.route == "/route5" and draw.random() < 0.4, slow=True)
    named = found(all_)
    assert ("failures", "product", "curl/8") in named
    assert ("slow", "route", "/route5") in named
    each = next(each for each in segments(fields(all_, all_)) if each.value == "/route5")
    mine = [hit for hit in all_ if hit.route == "/route5"]
    assert (each.n, each.events) == (len(mine), sum(hit.slow for hit in mine))
    assert each.rate == pytest.approx(each.events / each.n)
    assert each.rate_others < 0.1
    assert each.effect > 0.2
    assert each.q <= 0.01


def test_nothing_is_named_where_all_fare_alike() -> None:
    false = sum(len(found(hits(np.random.default_rng(seed), 4_000))) for seed in range(40))
    assert false <= 2


@pytest.mark.parametrize("n", [0, 1, 10])
def test_few_requests_say_nothing(n: int) -> None:
    assert segments(fields(hits(np.random.default_rng(0), n), [])) == []


def test_all_errors_differ_from_nothing() -> None:
    all_ = changed(hits(np.random.default_rng(0), 3_000), lambda hit: True, status=500)
    assert [each for each in segments(fields(all_, all_)) if each.measure == "failures"] == []
