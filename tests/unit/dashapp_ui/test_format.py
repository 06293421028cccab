from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashapp import format as fmt

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0, "0.00%"), (0.00004, "<0.01%"), (0.0091, "0.91%"), (0.171, "17.10%"), (1, "100.00%")],
)
def test_rate_never_writes_something_as_nothing(value: float | None, text: str) -> None:
    assert fmt.rate(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0.0 ms"),
        (3.44, "3.4 ms"),
        (9.96, "10 ms"),
        (1234.4, "1,234 ms"),
        (9999.4, "9,999 ms"),
        (12_345, "12.3 s"),
    ],
)
def test_duration_has_decimals_only_below_ten_and_seconds_from_ten_thousand(value: float | None, text: str) -> None:
    assert fmt.duration(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.3, "+30%"), (-0.04, "\u22124%"), (0.004, "±0%"), (10.98, "+1,098%")])
def test_change_uses_a_true_minus_sign(value: float, text: str) -> None:
    assert fmt.change(value) == text


def test_counts_have_thousands_separators_and_unknown_is_a_dash() -> None:
    assert fmt.count(580_890) == "580,890"
    assert fmt.count(None) == "-"
    assert fmt.per_second(0.001) == "<0.01 req/s"
    assert fmt.per_second(27.83) == "27.8 req/s"
    assert fmt.mean_count(0.68) == "0.7"
    assert fmt.mean_count(9.99) == "10"


def test_shares_sum_to_a_hundred_where_plain_rounding_does_not() -> None:
    assert fmt.shares([1, 1, 1]) == ["33.34%", "33.33%", "33.33%"]
    assert fmt.shares([999_999, 1, 0]) == ["100.00%", "<0.01%", "0.00%"]
    assert fmt.shares([0, 0]) == ["-", "-"]


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6).filter(any))
def test_shares_always_sum_to_a_hundred(counts: list[int]) -> None:
    hundredths = [0 if share == "<0.01%" else round(float(share[:-1]) * 100) for share in fmt.shares(counts)]
    assert sum(hundredths) == 10_000


def test_times_are_in_the_viewers_zone() -> None:
    moment = datetime(2026, 11, 23, 15, 4, 5, 678_900, tzinfo=UTC)
    assert fmt.clock(moment, SEOUL) == "00:04"
    assert fmt.clock_ms(moment, SEOUL) == "00:04:05.678"
    assert fmt.day_clock(moment, SEOUL) == "11-24 00:04"
    assert fmt.local_minute(moment.replace(second=0), SEOUL) == "2026-11-24 00:04"
    assert fmt.zone_name(moment, SEOUL) == "KST"
