"""What some requests have in common, compared with a plain calculation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashapp.stats.commonalities import MOST, TIME, Traits, chance, commonalities, time_band, traits
from sql.sample import SampledRequest

START = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def request(**columns: object) -> SampledRequest:
    usual = {
        "ts": START,
        "service": "shop",
        "path": "/pay",
        "status": 200,
        "latency_ms": 1.0,
        "user_agent": "ShopApp/4.2.1 (Android 16)",
        "attributes": None,
        "client_ip": "10.0.0.1",
    }
    return SampledRequest(**(usual | columns))  # type: ignore[arg-type]


def traits_of(client: str, status: int) -> Traits:
    return {"client_ip": client, "status": status}


def tail(a: int, n: int, b: int, m: int) -> float:
    having = a + b
    ways = sum(comb(n, k) * comb(m, having - k) for k in range(a, min(n, having) + 1))
    return ways / comb(n + m, having)


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 60), st.integers(1, 60))
def test_chance_is_the_tail_of_the_hypergeometric_distribution(a: int, n: int, b: int, m: int) -> None:
    a, b = min(a, n), min(b, m)
    assert chance(a, n, b, m) == pytest.approx(tail(a, n, b, m), rel=1e-9)


def test_a_value_that_only_these_have_stands_first_and_usual_ones_are_left_out() -> None:
    inside = [traits_of("a", 504)] * 18 + [traits_of("b", 504)] * 2
    outside = [traits_of(str(i % 9), 200) for i in range(90)] + [traits_of("a", 200)] * 10
    first, second = commonalities(inside, outside)
    assert (first.field, first.value, first.inside, first.outside, first.lift) == ("status", 504, 20, 0, None)
    assert (second.value, second.share_inside, second.share_outside) == ("a", 0.9, 0.1)
    assert second.lift == pytest.approx(9)
    assert second.chance < 0.001


def test_what_chance_explains_is_not_named() -> None:
    inside = [{"client_ip": str(i % 5)} for i in range(20)]
    outside = [{"client_ip": str(i % 5)} for i in range(200)]
    assert commonalities(inside, outside) == []
    assert commonalities([], outside) == []
    assert commonalities(inside, []) == []


def test_there_are_never_more_than_anybody_reads() -> None:
    inside = [{f"attributes.{i}": "x" for i in range(50)}] * 20
    assert len(commonalities(inside, [{"status": 200}] * 50)) == MOST


def test_a_program_stands_for_its_user_agents_and_a_version_for_its_program() -> None:
    inside = [traits(request(user_agent=f"App/2.1 (phone {i % 2})", attributes={"app": "2.1"})) for i in range(20)]
    outside = [traits(request(user_agent="curl/8", client_ip="10.0.0.2")) for _ in range(40)]
    found = commonalities(inside, outside)
    assert [(each.field, each.value) for each in found] == [("attributes.app", "2.1"), ("client_ip", "10.0.0.1")]
    others: list[Traits] = [{**each, "attributes.app": "x"} for each in outside]
    these: list[Traits] = [{**each, "attributes.app": "x"} for each in inside]
    assert [each.field for each in commonalities(these, others)] == ["client_ip", "product"]


def test_attributes_are_read_one_level_deep_and_only_what_can_repeat() -> None:
    found = traits(request(attributes={"up": {"host": "pg-2", "t": 0.5}, "n": 3, "ok": True, "none": None, "l": [1]}))
    own = {name: value for name, value in found.items() if name.startswith("attributes.")}
    assert own == {"attributes.up.host": "pg-2", "attributes.n": "3", "attributes.ok": "true"}
    assert found["product"] == "ShopApp/4.2.1"
    browser = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
    assert traits(request(user_agent=browser))["product"] == "Firefox 144"
    assert "user_agent" not in traits(request(user_agent=None))


def test_a_client_has_its_network_and_stands_for_one_of_its_own() -> None:
    assert traits(request(client_ip="192.0.2.66"))["network"] == "192.0.2.0/24"
    assert traits(request(client_ip="2001:db8::1:2"))["network"] == "2001:db8::/48"
    outside = [traits(request(client_ip=f"10.0.{i}.1", user_agent=None)) for i in range(50)]
    alone = [traits(request(client_ip="192.0.2.66", user_agent=None))] * 20
    assert [each.field for each in commonalities(alone, outside)] == ["client_ip"]
    many = [traits(request(client_ip=f"192.0.2.{i}", user_agent=None)) for i in range(20)]
    assert [(each.field, each.value) for each in commonalities(many, outside)] == [("network", "192.0.2.0/24")]


def test_a_client_does_not_stand_for_the_network_of_another() -> None:
    outside = [traits(request(client_ip=f"10.0.{i}.1", user_agent=None)) for i in range(50)]
    one = [traits(request(client_ip="2001:db8:1::7", user_agent=None))] * 10
    many = [traits(request(client_ip=f"2001:db8:2::{i}", user_agent=None)) for i in range(10)]
    assert {(each.field, each.value) for each in commonalities([*one, *many], outside)} == {
        ("client_ip", "2001:db8:1::7"),
        ("network", "2001:db8:2::/48"),
    }


def test_the_band_is_the_time_in_which_they_crowd() -> None:
    starts = [START + i * MINUTE for i in range(60)]
    outside = [START + i * MINUTE / 4 for i in range(240)]
    inside = [START + (20 + i % 10) * MINUTE for i in range(40)] + [START]
    band = time_band(inside, outside, starts, START + 60 * MINUTE)
    assert band is not None
    assert band.field == TIME
    assert band.band is not None
    assert (band.band.start, band.band.end) == (START + 20 * MINUTE, START + 30 * MINUTE)
    assert (band.inside, band.outside) == (40, 40)
    assert time_band(outside, outside, starts, START + 60 * MINUTE) is None
    assert time_band([], outside, starts, START + 60 * MINUTE) is None
