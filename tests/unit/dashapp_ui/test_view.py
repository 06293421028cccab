from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashapp.view import PARAMETERS, address, around, parameters_of, view_of
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
