"""The cut of a range into pieces: exactly once, in order, and never an aggregate over touched minutes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sql.plan import (
    CLIENT,
    ENDPOINT,
    MINUTE,
    ROUTE,
    TRAFFIC,
    Level,
    Piece,
    Range,
    ceil,
    few,
    floor,
    kept,
    levels_for,
    plan,
    usable_levels,
)

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)

START = datetime(2026, 1, 1, tzinfo=UTC)
# 45 days, often on a whole minute, hour or day
moments = st.one_of(
    st.integers(0, 45 * 86_400 * 10**6).map(lambda us: START + timedelta(microseconds=us)),
    st.integers(0, 45 * 1440).map(lambda minutes: START + timedelta(minutes=minutes)),
    st.integers(0, 45 * 24).map(lambda hours: START + timedelta(hours=hours)),
    st.integers(0, 45).map(lambda days: START + timedelta(days=days)),
)
whole_minutes = moments.map(lambda moment: floor(moment, MINUTE))
ranges = st.tuples(moments, moments).map(lambda pair: Range(min(pair), max(pair)))
touched_lists = st.lists(whole_minutes, max_size=40, unique=True).map(sorted)
families = st.sampled_from([TRAFFIC, ENDPOINT, ROUTE, CLIENT, TRAFFIC[:1], ENDPOINT[1:], ()])
# Stale buckets of any level, as the aggregates have them.
levels_of_all = st.sampled_from([*TRAFFIC, *ENDPOINT, *ROUTE, *CLIENT])
stale_maps = st.lists(st.tuples(levels_of_all, moments), max_size=12).map(lambda pairs: stale_of(pairs))


def touched_ranges(minutes: Sequence[datetime], **bound: int) -> list[Range]:
    return few([Range(minute, minute + MINUTE) for minute in minutes], **bound)


def stale_of(pairs: Sequence[tuple[Level, datetime]]) -> dict[str, list[Range]]:
    stale: dict[str, list[Range]] = {}
    for level, moment in pairs:
        start = floor(moment, level.width)
        stale.setdefault(level.view, []).append(Range(start, start + level.width))
    return stale


def overlaps(one: Range, other: Range) -> bool:
    return one.start < other.end and other.start < one.end


@relaxed
@given(ranges, families, touched_lists)
def test_plan_covers_the_range_exactly_once_in_order(
    whole: Range, levels: Sequence[Level], minutes: list[datetime]
) -> None:
    pieces = plan(whole, levels, touched_ranges(minutes))
    if whole.start == whole.end:
        assert pieces == []
        return
    assert pieces[0].range.start == whole.start
    assert pieces[-1].range.end == whole.end
    assert all(piece.range.start < piece.range.end for piece in pieces)
    assert all(before.range.end == after.range.start for before, after in pairwise(pieces))


@relaxed
@given(ranges, families, touched_lists)
def test_plan_aggregate_pieces_are_aligned_and_free_of_touched_minutes(
    whole: Range, levels: Sequence[Level], minutes: list[datetime]
) -> None:
    for piece in plan(whole, levels, touched_ranges(minutes)):
        if piece.level is None:
            continue
        assert piece.level in levels
        assert floor(piece.range.start, piece.level.width) == piece.range.start
        assert floor(piece.range.end, piece.level.width) == piece.range.end
        assert not any(overlaps(piece.range, Range(minute, minute + MINUTE)) for minute in minutes)


@relaxed
@given(ranges, families, touched_lists, stale_maps)
def test_plan_reads_no_stale_bucket_and_still_covers_the_range(
    whole: Range, levels: Sequence[Level], minutes: list[datetime], stale: dict[str, list[Range]]
) -> None:
    pieces = plan(whole, levels, touched_ranges(minutes), stale)
    for piece in pieces:
        if piece.level is not None:
            assert not any(overlaps(piece.range, each) for each in stale.get(piece.level.view, []))
    assert sum((piece.range.end - piece.range.start for piece in pieces), timedelta(0)) == whole.end - whole.start
    assert all(before.range.end == after.range.start for before, after in pairwise(pieces))


@relaxed
@given(ranges, families, moments)
def test_kept_splits_pieces_into_what_can_be_read_and_what_is_gone(
    whole: Range, levels: Sequence[Level], rows_from: datetime
) -> None:
    pieces = plan(whole, levels)
    found, lost = kept(pieces, rows_from)
    assert all(piece.level is not None or piece.range.start >= rows_from for piece in found)
    assert all(each.end <= rows_from for each in lost)
    together = sorted([*(piece.range for piece in found), *lost], key=lambda each: each.start)
    assert sum((each.end - each.start for each in together), timedelta(0)) == whole.end - whole.start
    assert all(before.end == after.start for before, after in pairwise(together))


@pytest.mark.parametrize(
    ("columns", "levels"),
    [
        (set(), TRAFFIC),
        ({"service", "status"}, TRAFFIC),
        ({"method"}, ROUTE),
        ({"route", "method", "service"}, ROUTE),
        ({"client_ip"}, CLIENT),
        ({"route", "status"}, ENDPOINT),
        ({"client_ip", "status"}, ()),
        ({"path"}, ()),
        ({"service", "latency_ms"}, ()),
    ],
)
def test_levels_hold_the_columns_that_a_figure_needs(columns: set[str], levels: Sequence[Level]) -> None:
    assert levels_for(columns) == levels


@relaxed
@given(ranges, touched_lists)
def test_plan_reads_rows_only_at_ragged_edges_and_in_touched_ranges(whole: Range, minutes: list[datetime]) -> None:
    touched = touched_ranges(minutes)
    edges = [Range(floor(moment, MINUTE), ceil(moment, MINUTE)) for moment in (whole.start, whole.end)]
    for piece in plan(whole, TRAFFIC, touched):
        if piece.level is not None:
            continue
        at = piece.range.start
        for excuse in sorted([*touched, *edges], key=lambda each: each.start):
            if excuse.start <= at:
                at = max(at, excuse.end)
        assert at >= piece.range.end


@relaxed
@given(ranges, families, touched_lists)
def test_plan_has_few_pieces_and_no_two_neighbours_of_one_level(
    whole: Range, levels: Sequence[Level], minutes: list[datetime]
) -> None:
    touched = touched_ranges(minutes)
    pieces = plan(whole, levels, touched)
    assert len(pieces) <= 2 * len(levels) * (len(touched) + 1) + 1
    assert all(before.level != after.level for before, after in pairwise(pieces))


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        pytest.param(Range(NOON, NOON), [], id="empty"),
        pytest.param(Range(NOON + MINUTE, NOON), [], id="backwards"),
        pytest.param(
            Range(floor(NOON, DAY), floor(NOON, DAY) + 3 * DAY),
            [Piece(TRAFFIC[3], Range(floor(NOON, DAY), floor(NOON, DAY) + 3 * DAY))],
            id="whole days",
        ),
        pytest.param(Range(NOON, NOON + HOUR), [Piece(TRAFFIC[2], Range(NOON, NOON + HOUR))], id="one hour"),
        pytest.param(
            Range(NOON + timedelta(seconds=10), NOON + timedelta(seconds=20)),
            [Piece(None, Range(NOON + timedelta(seconds=10), NOON + timedelta(seconds=20)))],
            id="inside one minute",
        ),
        pytest.param(
            Range(NOON - timedelta(seconds=1), NOON + HOUR + MINUTE + timedelta(microseconds=1)),
            [
                Piece(None, Range(NOON - timedelta(seconds=1), NOON)),
                Piece(TRAFFIC[2], Range(NOON, NOON + HOUR)),
                Piece(TRAFFIC[0], Range(NOON + HOUR, NOON + HOUR + MINUTE)),
                Piece(None, Range(NOON + HOUR + MINUTE, NOON + HOUR + MINUTE + timedelta(microseconds=1))),
            ],
            id="ragged on both sides",
        ),
    ],
)
def test_plan_takes_the_coarsest_level_that_fits(whole: Range, expected: list[Piece]) -> None:
    assert plan(whole, TRAFFIC) == expected


def test_plan_falls_to_finer_levels_around_a_touched_minute() -> None:
    touched = Range(NOON + 31 * MINUTE, NOON + 32 * MINUTE)
    five = [NOON + 30 * MINUTE, NOON + 35 * MINUTE]
    assert plan(Range(NOON - HOUR, NOON + 2 * HOUR), TRAFFIC, [touched]) == [
        Piece(TRAFFIC[2], Range(NOON - HOUR, NOON)),
        Piece(TRAFFIC[1], Range(NOON, five[0])),
        Piece(TRAFFIC[0], Range(five[0], touched.start)),
        Piece(None, touched),
        Piece(TRAFFIC[0], Range(touched.end, five[1])),
        Piece(TRAFFIC[1], Range(five[1], NOON + HOUR)),
        Piece(TRAFFIC[2], Range(NOON + HOUR, NOON + 2 * HOUR)),
    ]


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        pytest.param([], TRAFFIC, id="no edges"),
        pytest.param([floor(NOON, DAY)], TRAFFIC, id="UTC midnight"),
        pytest.param([floor(NOON, DAY) + timedelta(hours=15)], TRAFFIC[:3], id="midnight in Seoul"),
        pytest.param([floor(NOON, DAY) + timedelta(hours=18, minutes=30)], TRAFFIC[:2], id="midnight in Kolkata"),
        pytest.param([floor(NOON, DAY), NOON + timedelta(seconds=1)], (), id="an odd second"),
    ],
)
def test_usable_levels_never_straddle_an_edge(edges: list[datetime], expected: Sequence[Level]) -> None:
    assert usable_levels(TRAFFIC, edges) == list(expected)


@relaxed
@given(touched_lists, st.integers(1, 10))
def test_touched_ranges_hold_every_minute_in_few_disjoint_ranges(minutes: list[datetime], most: int) -> None:
    found = touched_ranges(minutes, most=most)
    assert len(found) <= most
    assert all(before.end < after.start for before, after in pairwise(found))
    assert all(any(each.start <= minute and minute + MINUTE <= each.end for each in found) for minute in minutes)


def test_touched_ranges_do_not_join_more_than_they_must() -> None:
    apart = [NOON, NOON + MINUTE, NOON + HOUR]
    assert touched_ranges(apart, most=2) == [Range(NOON, NOON + 2 * MINUTE), Range(NOON + HOUR, NOON + HOUR + MINUTE)]


@relaxed
@given(moments, st.sampled_from([MINUTE, timedelta(minutes=10), HOUR, DAY]))
def test_floor_and_ceil_enclose_a_moment(moment: datetime, width: timedelta) -> None:
    assert floor(moment, width) <= moment <= ceil(moment, width)
    assert ceil(moment, width) - floor(moment, width) in (timedelta(0), width)
    assert (floor(moment, width) - datetime(1970, 1, 1, tzinfo=UTC)) % width == timedelta(0)
