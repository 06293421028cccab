"""The histogram of a search shows what has come so far, and no zero that may be none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dashapp.stats.log_counts import so_far
from dashapp.stats.traffic import TrafficBucket
from sql.plan import Range

START, MINUTE = datetime(2026, 11, 23, tzinfo=UTC), timedelta(minutes=1)


def counted(*totals: int) -> list[TrafficBucket]:
    return [TrafficBucket(START + i * MINUTE, total, 0) for i, total in enumerate(totals)]


def shown(*totals: int, complete: int, lost: Range | None = None) -> list[int | None]:
    whole = Range(START, START + len(totals) * MINUTE)
    buckets = so_far(counted(*totals), whole, START + complete * MINUTE, [lost] if lost else [])
    return [bucket.total for bucket in buckets]


def test_what_has_come_of_minutes_that_are_not_final_is_shown_but_no_zero() -> None:
    assert shown(0, 3, 0, 2, 0, complete=2) == [0, 3, None, 2, None]
    assert shown(0, 0, complete=2) == [0, 0]


def test_a_zero_where_rows_are_no_longer_kept_is_unknown() -> None:
    lost = Range(START, START + 1.5 * MINUTE)
    assert shown(0, 0, 0, 4, complete=9, lost=lost) == [None, None, 0, 4]
