from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashapp.comparison import Change, change, comparison_of, known_on_both, points
from dashapp.time_range import bucket_starts
from sql.plan import Range

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def test_yesterday_is_the_same_time_on_the_clock_across_a_change_of_the_clock() -> None:
    whole = Range(datetime(2024, 10, 27, 9, tzinfo=BERLIN), datetime(2024, 10, 27, 10, tzinfo=BERLIN))
    there = comparison_of("day", whole, BERLIN).range_of(whole)
    assert there == Range(datetime(2024, 10, 26, 9, tzinfo=BERLIN), datetime(2024, 10, 26, 10, tzinfo=BERLIN))
    assert whole.start.astimezone(UTC) - there.start == 25 * HOUR


def test_buckets_of_a_repeated_hour_never_run_backwards() -> None:
    whole = Range(datetime(2024, 10, 27, 0, tzinfo=BERLIN), datetime(2024, 10, 28, 0, tzinfo=BERLIN))
    starts = bucket_starts(whole, 30, BERLIN)
    edges = comparison_of("day", whole, BERLIN).edges(starts, whole.end)
    assert edges == sorted(edges)
    assert len(starts) == 50
    assert edges[-1] - edges[0] == 24 * HOUR


def test_what_only_one_side_knows_is_left_out_on_both() -> None:
    start = datetime(2026, 11, 23, 12, tzinfo=UTC)
    whole = Range(start, start + HOUR)
    comparison = comparison_of("prev", whole, BERLIN)
    first, complete = start - timedelta(minutes=50), start + timedelta(minutes=55)
    both = known_on_both(comparison, whole, first, complete)
    assert both is not None
    assert both.now == Range(start + timedelta(minutes=10), complete)
    assert both.before == Range(first, complete - HOUR)
    assert both.left_out == 15
    assert known_on_both(comparison, whole, start, complete) is None
    assert known_on_both(comparison, whole, None, complete) is None


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (100.4, 100, Change("±0%", 0, "small")),
        (97.5, 100, Change("−2.5%", -1, "small")),
        (105.6, 100, Change("+5.6%", 1, "worse")),
        (50, 100, Change("−50%", -1, "better")),
        (1000, 0, None),
        (None, 100, None),
    ],
)
def test_changes_have_a_sign_a_direction_and_a_tone(
    now: float | None, before: float | None, expected: Change | None
) -> None:
    assert change(now, before, good="down") == expected


def test_traffic_is_neither_good_nor_bad_and_shares_change_by_points() -> None:
    assert change(200, 100) == Change("+100%", 1, "neutral")
    assert points(0.0091, 0.0074, good="down") == Change("+0.17%p", 1, "worse")
    assert points(0.9482, 0.9499) == Change("−0.17%p", -1, "small")
    assert points(0.01, 0, good="down") == Change("+1.00%p", 1, "worse")
    assert points(0.1, 0.1) == Change("±0%p", 0, "small")
