from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dashapp.components.pattern_facts import busy_hours, say_fact
from dashapp.components.segment_tables import methods_table, networks_table
from dashapp.sentences_patterns import pattern_facts
from dashapp.stats.methods import MethodFigures
from dashapp.stats.networks import NetworkFigures, Networks
from dashapp.stats.patterns import Hour, WeekHour, ranked_hours, week_of
from dashapp.stats.tally import Latency, Tally
from dashapp.view import View, view_of
from dashapp.words import Words
from sql.plan import Range
from sql.sketch import SLOTS
from tests.plain import slot_of
from tests.unit.dashapp_ui.builders import LATENCY, SEOUL, components_of, text_of

WORDS = Words("en")
MONDAY = datetime(2026, 11, 22, 15, tzinfo=UTC)  # 00:00 in Seoul
HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")


def view() -> View:
    return view_of("?last=7d&service=shop", MONDAY + timedelta(days=7), SEOUL)


def hours_of(counts: list[tuple[int, int]], latencies: dict[int, list[float]] | None = None) -> list[Hour]:
    """Hours one after the other with their requests and their errors."""
    found = []
    for i, (n, errors) in enumerate(counts):
        timed = (latencies or {}).get(i, [])
        sketch = np.zeros(SLOTS + 2, dtype=np.int64)
        for latency in timed:
            sketch[slot_of(latency)] += 1
        tally = Tally(
            n=n, client_errors=errors, n_lat=len(timed), us=round(sum(timed) * 1000), mx=max(timed, default=None)
        )
        tally.sketch = sketch if timed else None
        found.append(Hour(MONDAY + i * HOUR, MONDAY + (i + 1) * HOUR, tally))
    return found


def said(hours: list[Hour]) -> dict[str, str]:
    return {fact.key: WORDS(fact.key, **fact.values) for fact in pattern_facts(week_of(hours, SEOUL), WORDS)}


def test_a_week_has_its_busiest_hours_its_weekend_and_its_errors_in_words() -> None:
    counts = [
        (100 if day >= 5 else 400 if 9 <= hour < 12 else 200, 60 if hour == 14 and day < 5 else 0)
        for day, hour in product(range(7), range(24))
    ]
    sentences = said(hours_of(counts))
    total = sum(n for n, _ in counts)
    share = (5 * 3 * 400 + 2 * 3 * 100) / total
    assert sentences["say_window"].startswith(f"Of the day, 09:00 – 12:00 takes {share * 100:.2f}% of all requests")
    assert "12.50%" in sentences["say_window"]
    weekdays = (5 * 3 * 400 + 5 * 21 * 200) / 120
    assert f"Weekends have {100 / weekdays * 100:,.0f}%" in sentences["say_weekend"]
    inside = sum(n for i, (n, _) in enumerate(counts) if 12 <= i % 24 < 15)
    rate = f"an error rate of {300 / inside * 100:.2f}%"
    assert sentences["say_error_hours"].startswith("100.00% of all errors fall into 12:00 – 15:00")
    assert rate in sentences["say_error_hours"]


def test_even_days_are_called_even_and_few_errors_do_not_concentrate() -> None:
    sentences = said(hours_of([(100, 0)] * 23 + [(100, 5)]))
    assert "spread evenly" in sentences["say_window_even"]
    assert sentences.keys().isdisjoint({"say_error_hours", "say_weekend", "say_slow_hour"})
    assert "Mon 23:00 (5, an error rate of 5.00%)" in sentences["say_failing_hour"]


def test_windows_are_not_compared_below_a_day_and_nothing_below_two_hours() -> None:
    assert said(hours_of([(100, 30)] * 23)).keys() == {"say_busiest", "say_failing_hour"}
    assert said(hours_of([(100, 0)])) == {"say_too_short": "The range is too short to compare hours."}
    assert said([]) == {"say_too_short": "The range is too short to compare hours."}


def test_the_slowest_hour_is_named_where_it_is_clearly_slower() -> None:
    usual, slow = [100.0] * 120, [100.0] * 100 + [900.0] * 20
    sentences = said(hours_of([(120, 0)] * 3, {0: usual, 1: slow, 2: usual}))
    assert sentences["say_slow_hour"].startswith("Latency is highest on Mon 01:00")
    assert "say_slow_hour" not in said(hours_of([(120, 0)] * 3, dict.fromkeys(range(3), usual)))
    assert "say_slow_hour" not in said(hours_of([(99, 0)] * 3, {0: usual[:99], 1: slow[:99], 2: usual[:99]}))


def test_the_hour_that_comes_twice_is_one_cell_and_that_which_is_left_out_none() -> None:
    autumn = datetime(2026, 11, 1, 4, tzinfo=UTC)  # 00:00 in New York, where the clock goes back at 02:00
    hours = [Hour(autumn + i * HOUR, autumn + (i + 1) * HOUR, Tally(n=10 + i)) for i in range(4)]
    week = {(each.weekday, each.hour): each for each in week_of(hours, NEW_YORK)}
    assert (week[6, 1].total, week[6, 1].covered, week[6, 1].mean) == (11 + 12, 2 * HOUR, 11.5)
    assert (week[6, 0].total, week[6, 2].total, week[6, 3].total) == (10, 13, None)


def test_ranked_hours_are_whole_and_in_one_list_only() -> None:
    hours = hours_of([(5, 0), (9, 0), (1, 0), (7, 0), (3, 0)])
    hours[1] = replace(hours[1], end=hours[1].start + HOUR / 2)
    busiest, quietest = ranked_hours(hours, 3)
    assert [hour.tally.n for hour in busiest] == [7, 5]
    assert [hour.tally.n for hour in quietest] == [1, 3]
    assert ranked_hours(hours[:1], 3) == ([], [])


def test_times_lead_to_their_hours() -> None:
    hours = hours_of([(5, 0), (9, 1)])
    (fact, *_) = pattern_facts(week_of(hours, SEOUL), WORDS)
    links = [node.href for node in components_of(say_fact(fact, view(), SEOUL, WORDS)) if hasattr(node, "href")]
    assert links[0] == "?start=2026-11-23T01:00&end=2026-11-23T02:00&service=shop"
    shown = busy_hours(hours, view(), SEOUL, WORDS)
    assert "11-23 Mon 01:00911.11%" in text_of(shown)
    assert text_of(busy_hours([], view(), SEOUL, WORDS)) == WORDS("no_whole_hour")


def test_segments_filter_and_add_up() -> None:
    found = [NetworkFigures("10.24.1.0/24", 3, 60, 0.6, 1, 5, 12.0), NetworkFigures("<b>", 1, 30, 0.3, 0, 0, None)]
    table = networks_table(Networks(found, 5, 100, 60, 30, 10), view(), WORDS)
    text = text_of(table)
    assert "Internal 60.00%" in text
    assert "No address 10.00%" in text
    assert "3 more networks" in text
    links = [node.href for node in components_of(table) if hasattr(node, "href")]
    assert links[0] == "?last=7d&service=shop&client_ip=10.24.1.0/24"
    assert [node.className for node in components_of(table) if getattr(node, "className", "") == "n bad"] == ["n bad"]


@pytest.mark.parametrize("compared", [True, False])
def test_methods_are_compared_where_there_is_a_comparison(compared: bool) -> None:
    now = [MethodFigures("GET", 150, 0.75, 0, 0, LATENCY), MethodFigures("PUT", 50, 0.25, 0, 0, Latency())]
    before = [MethodFigures("GET", 100, 1.0, 0, 0, LATENCY)]
    table = methods_table(now, now, before if compared else None, view(), WORDS, against="vs last week")
    text = text_of(table)
    assert ("vs last week" in text) is compared
    assert ("+50%" in text) is compared
    assert "75.00%" in text


def test_the_latest_of_several_mondays_is_where_a_cell_leads() -> None:
    hours = [Hour(MONDAY + i * timedelta(days=7), MONDAY + i * timedelta(days=7) + HOUR, Tally(n=i)) for i in range(3)]
    monday: WeekHour = week_of(hours, SEOUL)[0]
    start = MONDAY + timedelta(days=14)
    assert monday.latest == Range(start, start + HOUR)
    assert (monday.total, monday.mean) == (3, 1)
