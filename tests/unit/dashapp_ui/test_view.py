from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashapp.view import PARAMETERS, address, around, moment_text, parameters_of, view_of
from sql.plan import Range

SEOUL = ZoneInfo("Asia/Seoul")
COMPLETE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_an_empty_address_is_the_last_hour() -> None:
    view = view_of("", COMPLETE, SEOUL)
    assert view.quick == "1h"
    assert view.whole == Range(COMPLETE - timedelta(hours=1), COMPLETE)
    assert view.problem is None


def test_times_without_offset_are_in_the_display_zone() -> None:
    view = view_of("?start=2026-11-23T09:00&end=2026-11-23%2010:00", COMPLETE, SEOUL)
    assert view.quick is None
    assert view.whole == Range(datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 23, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("search", "key"),
    [
        ("?last=2h", "bad_last"),
        ("?start=2026-11-23T09:00", "bad_pair"),
        ("?start=yesterday&end=2026-11-23T09:00", "bad_moment"),
        ("?start=2026-11-23T09:00&end=2026-11-23T09:00", "bad_order"),
        ("?start=0001-01-01T00:00&end=2026-11-23T09:00", "bad_moment"),
        ("?start=2026-11-23T09:00&end=2300-12-31T23:59", "bad_moment"),
        ("?status=6xx", "bad_status"),
        ("?status=44", "bad_status"),
        ("?client_ip=localhost", "bad_client"),
        ("?client_ip=fe80::1%25eth0", "bad_client"),
        ("?route=%00", "bad_filter"),
        ("?regex=(?=a)", "bad_regex"),
        ("?latency_min=-1", "bad_latency"),
        ("?latency_min=9&latency_max=9", "bad_latency"),
        ("?vs=tomorrow", "bad_vs"),
        ("?vs_start=tomorrow", "bad_vs_start"),
        ("?refresh=1s", "bad_refresh"),
    ],
)
def test_what_cannot_be_meant_is_named_and_falls_back(search: str, key: str) -> None:
    view = view_of(search, COMPLETE, SEOUL)
    assert view.problem is not None
    assert view.problem.key == key
    assert view.whole == Range(COMPLETE - timedelta(hours=1), COMPLETE)


def test_status_filters_are_ranges_of_codes() -> None:
    assert view_of("?status=5xx", COMPLETE, SEOUL).filters.status == (500, 999)
    assert view_of("?status=404", COMPLETE, SEOUL).filters.status == (404, 404)


def test_a_quick_range_replaces_start_and_end_and_the_other_way_round() -> None:
    fixed = {"start": "2026-11-23T09:00", "end": "2026-11-23T10:00", "service": "shop"}
    assert address("/", fixed, last="6h") == "/?last=6h&service=shop"
    assert address("", {"last": "6h"}, start="2026-11-23T09:00", end="2026-11-23T10:00") == (
        "?start=2026-11-23T09:00&end=2026-11-23T10:00"
    )
    assert address("", {"last": "6h"}, last=None) == "?"


def test_filters_on_text_and_latency_are_those_of_the_api() -> None:
    filters = view_of("?text=cart&latency_min=500", COMPLETE, SEOUL).filters
    assert (filters.path_text, filters.latency_ms) == ("cart", (500.0, None))


def test_a_comparison_is_a_kind_or_a_chosen_start() -> None:
    view = view_of("?last=1h&vs=prev", COMPLETE, SEOUL)
    hour = timedelta(hours=1)
    assert view.compared == Range(COMPLETE - 2 * hour, COMPLETE - hour)
    assert view_of("?vs=off", COMPLETE, SEOUL).compared is None
    chosen = view_of("?vs_start=2026-11-20T09:00", COMPLETE, SEOUL)
    start = datetime(2026, 11, 20, tzinfo=UTC)
    assert chosen.compared == Range(start, start + hour)
    assert chosen.link(vs="week") == "?vs=week"


def test_a_time_that_the_clock_shows_twice_keeps_its_offset() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    twice = datetime(2024, 10, 27, 1, 30, tzinfo=UTC)
    assert moment_text(twice, berlin) == "2024-10-27T02:30+01:00"
    assert moment_text(twice + timedelta(hours=2), berlin) == "2024-10-27T04:30"


@given(st.dictionaries(st.sampled_from(PARAMETERS), st.text(min_size=1, max_size=40)))
def test_an_address_reads_back_as_what_it_was_made_from(parameters: dict[str, str]) -> None:
    stripped = {name: text.strip() for name, text in parameters.items() if text.strip()}
    if "last" in stripped:
        stripped = {name: text for name, text in stripped.items() if name not in ("start", "end")}
    query = address("", stripped, service=stripped.get("service"))
    assert parameters_of(query) == stripped


@given(st.text(max_size=60))
def test_any_text_is_an_address(search: str) -> None:
    assert view_of(f"?{search}", COMPLETE, SEOUL).whole.start < COMPLETE


def test_the_way_back_to_data_covers_its_last_day_or_all_of_it() -> None:
    end = datetime(2015, 5, 20, 21, 5, 59, tzinfo=UTC)
    assert around(Range(end - timedelta(days=3), end), SEOUL) == {
        "start": "2015-05-20T06:06",
        "end": "2015-05-21T06:06",
    }
    assert around(Range(end, end), SEOUL) == {"start": "2015-05-21T06:05", "end": "2015-05-21T06:06"}


def test_the_way_back_to_data_is_found_where_the_clock_is_set_back() -> None:
    new_york = ZoneInfo("America/New_York")
    # From 01:10 to 01:20 on the clock, for the second time.
    stored = Range(datetime(2025, 11, 2, 6, 10, tzinfo=UTC), datetime(2025, 11, 2, 6, 20, tzinfo=UTC))
    shown = view_of(address("", {}, **around(stored, new_york)), COMPLETE, new_york)
    assert shown.whole == Range(stored.start, stored.end + timedelta(minutes=1))
