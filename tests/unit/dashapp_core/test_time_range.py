"""Ranges and chart buckets: they end where the data is complete and follow the viewer's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashapp.time_range import (
    BUCKET_MINUTES,
    BUCKET_MINUTES_OF_ENDPOINT,
    DEFAULT_QUICK,
    MOST_BUCKETS,
    MOST_POINTS,
    QUICK_RANGES,
    BadRange,
    bucket_minutes,
    bucket_starts,
    complete_through,
    parse_moment,
    quick_range,
    range_of,
)
from sql.plan import Range

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

SEOUL, KOLKATA, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("Asia/Kolkata"), ZoneInfo("America/New_York")
NOW = datetime(2026, 5, 1, 12, 34, 56, 789, tzinfo=UTC)
COMPLETE = datetime(2026, 5, 1, 12, 32, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)


def local(starts: list[datetime], zone: ZoneInfo) -> list[str]:
    return [start.astimezone(zone).strftime("%m-%d %H:%M") for start in starts]


# ---- where the data is complete ----


@pytest.mark.parametrize(
    ("settle_seconds", "moment"),
    [
        (120, datetime(2026, 5, 1, 12, 32, tzinfo=UTC)),
        (0, datetime(2026, 5, 1, 12, 34, tzinfo=UTC)),
        (56, datetime(2026, 5, 1, 12, 34, tzinfo=UTC)),
        (57, datetime(2026, 5, 1, 12, 33, tzinfo=UTC)),
        (86_400, datetime(2026, 4, 30, 12, 34, tzinfo=UTC)),
    ],
)
def test_complete_through_is_a_whole_minute_that_many_seconds_ago(settle_seconds: int, moment: datetime) -> None:
    assert complete_through(NOW, settle_seconds) == moment


@pytest.mark.parametrize("name", QUICK_RANGES)
def test_quick_range_ends_where_the_data_is_complete(name: str) -> None:
    assert quick_range(name, COMPLETE) == Range(COMPLETE - QUICK_RANGES[name], COMPLETE)


def test_quick_ranges_hold_the_four_buttons() -> None:
    minutes = {name: QUICK_RANGES[name] // timedelta(minutes=1) for name in ("5m", "15m", "30m", "1h")}
    assert minutes == {"5m": 5, "15m": 15, "30m": 30, "1h": 60}


def test_quick_range_refuses_an_unknown_button() -> None:
    with pytest.raises(BadRange, match="last must be one of 5m"):
        quick_range("2m", COMPLETE)


# ---- what an address names ----


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        pytest.param("2026-05-01T00:00:00+09:00", None, datetime(2026, 4, 30, 15, tzinfo=UTC), id="offset"),
        pytest.param("2026-05-01T00:00:00Z", SEOUL, datetime(2026, 5, 1, tzinfo=UTC), id="an offset wins"),
        pytest.param("2026-05-01T00:00", SEOUL, datetime(2026, 4, 30, 15, tzinfo=UTC), id="the zone of the page"),
        pytest.param(" 2026-05-01 00:00:00.5Z ", None, datetime(2026, 5, 1, 0, 0, 0, 500_000, tzinfo=UTC), id="blank"),
        pytest.param("2026-07-01T00:00", NEW_YORK, datetime(2026, 7, 1, 4, tzinfo=UTC), id="summer"),
        pytest.param("2026-01-01T00:00", NEW_YORK, datetime(2026, 1, 1, 5, tzinfo=UTC), id="winter"),
    ],
)
def test_parse_moment_reads(text: str, zone: ZoneInfo | None, moment: datetime) -> None:
    assert parse_moment(text, "start", zone) == moment


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        pytest.param("2026-05-01T00:00:00", None, id="no offset"),
        pytest.param("yesterday", None, id="a word"),
        pytest.param("", None, id="empty"),
        pytest.param("2026-02-30T00:00:00Z", None, id="no such day"),
        pytest.param("1777593600", None, id="a number"),
        pytest.param("0001-01-01T00:00:00Z", None, id="first year"),
        pytest.param("0001-01-01T00:00:00+14:00", None, id="before the first year"),
        pytest.param("9999-12-31T23:59:59Z", None, id="last year"),
        pytest.param("9999-12-31T23:59:59-12:00", None, id="after the last year"),
        pytest.param("0001-01-01T00:00", SEOUL, id="first year of a zone"),
        pytest.param("x" * 5000, None, id="long"),
    ],
)
def test_parse_moment_refuses_and_names_the_parameter(text: str, zone: ZoneInfo | None) -> None:
    with pytest.raises(BadRange, match=r"^start ") as caught:
        parse_moment(text, "start", zone)
    assert len(str(caught.value)) < 200


def test_range_of_start_and_end() -> None:
    found = range_of({"start": "2026-05-01T00:00:00Z", "end": "2026-05-01T09:30:00+09:00"}, COMPLETE)
    assert found == Range(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, 0, 30, tzinfo=UTC))


def test_range_of_nothing_is_the_default() -> None:
    assert range_of({}, COMPLETE) == quick_range(DEFAULT_QUICK, COMPLETE)
    assert range_of({"last": "", "start": "", "end": ""}, COMPLETE) == quick_range(DEFAULT_QUICK, COMPLETE)


def test_range_of_last() -> None:
    assert range_of({"last": "5m"}, COMPLETE) == Range(COMPLETE - timedelta(minutes=5), COMPLETE)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        pytest.param({"start": "2026-05-01T00:00:00Z"}, "start and end go together", id="no end"),
        pytest.param({"end": "2026-05-01T00:00:00Z"}, "start and end go together", id="no start"),
        pytest.param(
            {"start": "2026-05-01T00:00:00Z", "end": "2026-05-01T00:00:00Z"}, "start must be before end", id="empty"
        ),
        pytest.param(
            {"start": "2026-05-01T00:00:00Z", "end": "2026-05-01T08:00:00+09:00"},
            "start must be before end",
            id="backwards",
        ),
        pytest.param({"last": "1y"}, "last must be one of", id="unknown button"),
    ],
)
def test_range_of_refuses(parameters: dict[str, str], words: str) -> None:
    with pytest.raises(BadRange, match=words):
        range_of(parameters, COMPLETE)


# ---- buckets ----


@pytest.mark.parametrize(
    ("span", "minutes"),
    [
        (timedelta(minutes=5), 1),
        (timedelta(hours=5), 1),
        (timedelta(hours=5, seconds=1), 2),
        (timedelta(hours=10), 2),
        (timedelta(days=1), 5),
        (timedelta(days=7), 60),
        (timedelta(days=30), 180),
        (timedelta(days=300), 1440),
        (timedelta(days=301), 2 * 1440),
        (timedelta(days=3650), 13 * 1440),
    ],
    ids=str,
)
def test_bucket_minutes_is_the_smallest_width_that_fits(span: timedelta, minutes: int) -> None:
    assert bucket_minutes(Range(START, START + span)) == minutes
    assert span / timedelta(minutes=minutes) <= MOST_POINTS


@pytest.mark.parametrize(
    ("span", "minutes"),
    [(timedelta(hours=5), 1), (timedelta(hours=6), 10), (timedelta(days=1), 10), (timedelta(days=7), 60)],
    ids=str,
)
def test_buckets_of_an_endpoint_are_those_of_its_aggregates(span: timedelta, minutes: int) -> None:
    assert bucket_minutes(Range(START, START + span), by_endpoint=True) == minutes


def test_bucket_minutes_divide_a_day() -> None:
    assert all(1440 % minutes == 0 for minutes in (*BUCKET_MINUTES, *BUCKET_MINUTES_OF_ENDPOINT))


spans = st.tuples(
    st.integers(0, 400 * 1440 * 60), st.integers(1, 40 * 1440 * 60), st.sampled_from([SEOUL, KOLKATA, NEW_YORK])
)


@relaxed
@given(spans, st.sampled_from(BUCKET_MINUTES))
def test_bucket_starts_cover_the_range_without_a_gap(span: tuple[int, int, ZoneInfo], minutes: int) -> None:
    offset_s, length_s, zone = span
    start = START + timedelta(seconds=offset_s)
    whole = Range(start, start + timedelta(seconds=min(length_s, minutes * 60 * 500)))
    starts = bucket_starts(whole, minutes, zone)
    assert starts[0] <= whole.start
    assert starts[-1] < whole.end
    widths = {after - before for before, after in pairwise(starts)}
    if minutes == 1440:
        assert all(start.astimezone(zone).strftime("%H:%M") == "00:00" for start in starts)
        assert widths <= {timedelta(hours=hours) for hours in (23, 24, 25)}
        assert whole.start - starts[0] < timedelta(hours=25)
    else:
        assert widths <= {timedelta(minutes=minutes)}
        assert whole.start - starts[0] < timedelta(minutes=minutes)
    last_width = timedelta(hours=25) if minutes == 1440 else timedelta(minutes=minutes)
    assert starts[-1] + last_width >= whole.end


def test_bucket_starts_of_days_in_seoul_are_local_midnights() -> None:
    whole = Range(datetime(2026, 5, 1, 3, tzinfo=UTC), datetime(2026, 5, 3, 15, tzinfo=UTC))
    starts = bucket_starts(whole, 1440, SEOUL)
    assert starts == [datetime(2026, 4, 30, 15, tzinfo=UTC) + timedelta(days=day) for day in range(3)]


def test_bucket_starts_of_hours_in_kolkata_are_whole_local_hours() -> None:
    whole = Range(datetime(2026, 5, 1, 0, 0, tzinfo=UTC), datetime(2026, 5, 1, 2, 0, tzinfo=UTC))
    assert local(bucket_starts(whole, 60, KOLKATA), KOLKATA) == ["05-01 05:00", "05-01 06:00", "05-01 07:00"]


@pytest.mark.parametrize(
    ("month", "day", "hours"), [(3, 8, 23), (11, 1, 25), (6, 1, 24)], ids=["spring", "autumn", "summer"]
)
def test_bucket_starts_of_a_day_with_a_clock_change(month: int, day: int, hours: int) -> None:
    noon = datetime(2026, month, day, 17, tzinfo=UTC)
    starts = bucket_starts(Range(noon - timedelta(days=1), noon + timedelta(days=1)), 1440, NEW_YORK)
    assert local(starts, NEW_YORK)[1] == f"{month:02}-{day:02} 00:00"
    assert starts[2] - starts[1] == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("month", "day", "hours"),
    [(3, 8, ["00", "01", "03", "04"]), (11, 1, ["00", "01", "01", "02", "03"])],
    ids=["spring", "autumn"],
)
def test_bucket_starts_of_hours_over_a_clock_change_are_elapsed_hours(month: int, day: int, hours: list[str]) -> None:
    midnight = datetime(2026, month, day, tzinfo=NEW_YORK).astimezone(UTC)
    starts = bucket_starts(Range(midnight, midnight + timedelta(hours=len(hours))), 60, NEW_YORK)
    assert [start.astimezone(NEW_YORK).strftime("%H") for start in starts] == hours
    assert all(after - before == timedelta(hours=1) for before, after in pairwise(starts))


def test_bucket_starts_count_from_local_midnight() -> None:
    whole = Range(datetime(2026, 5, 1, 0, 7, tzinfo=UTC), datetime(2026, 5, 1, 7, 0, tzinfo=UTC))
    assert local(bucket_starts(whole, 180, SEOUL), SEOUL) == ["05-01 09:00", "05-01 12:00", "05-01 15:00"]


@pytest.mark.parametrize("minutes", [1, 1440])
def test_bucket_starts_are_bounded(minutes: int) -> None:
    width = timedelta(minutes=minutes)
    assert len(bucket_starts(Range(START, START + MOST_BUCKETS * width), minutes, ZoneInfo("UTC"))) == MOST_BUCKETS
    with pytest.raises(BadRange, match="interval gives more than"):
        bucket_starts(Range(START, START + (MOST_BUCKETS + 1) * width), minutes, ZoneInfo("UTC"))


def test_bucket_starts_refuse_no_width() -> None:
    with pytest.raises(BadRange):
        bucket_starts(Range(START, START + timedelta(hours=1)), 0, SEOUL)


def test_parse_moment_takes_a_blank_for_the_plus_that_an_address_lost() -> None:
    meant = datetime(2026, 4, 30, 15, tzinfo=UTC)
    for text in ("2026-05-01T00:00:00 09:00", "2026-05-01T00:00 09:00", "2026-05-01T00:00:00.000 0900"):
        assert parse_moment(text, "start") == meant
