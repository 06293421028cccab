from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

import dashapp
from dashapp.figures.base import Band
from dashapp.figures.heatmap import week_figure
from dashapp.figures.latency import latency_figure
from dashapp.figures.status_share import status_share_figure
from dashapp.figures.traffic import traffic_figure
from dashapp.stats.patterns import WeekHour, extremes
from dashapp.stats.traffic import Traffic
from dashapp.words import Words
from sql.plan import Range
from tests.unit.dashapp_ui.builders import SEOUL, START, traffic_of

WORDS = Words("ko")
TOKENS = (Path(dashapp.__file__).parent / "assets" / "10-tokens.css").read_text(encoding="utf-8")


def traces(figure: go.Figure, name: str) -> list[Any]:
    return [trace for trace in figure.data if trace.name == name]


def test_unknown_buckets_have_no_bar_but_a_hatch_and_a_real_zero_has_a_bar() -> None:
    figure = traffic_figure(traffic_of([5, None, None, 0, 7]), SEOUL, WORDS)
    (upper,) = [trace for trace in traces(figure, "2xx") if trace.yaxis == "y"]
    assert list(upper.y) == [5, None, None, 0, 7]
    hatched = traces(figure, "gap")
    assert [trace.marker.pattern.shape for trace in hatched] == ["/", "/"]
    assert list(hatched[0].x) == ["2026-11-23T09:02:00"]
    assert list(hatched[0].width) == [120_000]
    assert [note.text for note in figure.layout.annotations].count("데이터 없음") == 1


def test_buckets_that_are_not_final_yet_are_left_out_without_a_hatch() -> None:
    figure = traffic_figure(traffic_of([5, 6, None, None]), SEOUL, WORDS)
    assert list(traces(figure, "2xx")[0].y) == [5, 6]
    assert traces(figure, "gap") == []
    assert figure.layout.xaxis.range[1] == "2026-11-23T09:02:00"


def test_bars_are_stacked_from_success_to_server_error_and_errors_have_their_own_lane() -> None:
    figure = traffic_figure(traffic_of([5, 6]), SEOUL, WORDS)
    bars = [(trace.name, trace.yaxis) for trace in figure.data if trace.type == "bar"]
    assert bars == [("2xx", "y"), ("3xx", "y"), ("4xx", "y"), ("5xx", "y"), ("4xx", "y2"), ("5xx", "y2")]
    assert figure.layout.barmode == "stack"


def test_latency_lines_break_at_gaps_and_lone_points_stay_visible() -> None:
    figure = latency_figure(traffic_of([5, 0, 5, None, 5, 5]), SEOUL, WORDS)
    (line,) = traces(figure, "p95")
    assert list(line.y) == [244.0, None, 244.0, None, 244.0, 244.0]
    assert line.connectgaps is False
    assert list(line.marker.size) == [4, 0, 4, 0, 0, 0]
    assert figure.layout.yaxis.type == "log"
    assert list(traces(figure, "gap")[0].x) == ["2026-11-23T09:03:30"]


def test_figures_of_nothing_can_be_drawn() -> None:
    for totals in ([], [None, None]):
        assert traffic_figure(traffic_of(totals), SEOUL, WORDS).to_dict()
        assert latency_figure(traffic_of(totals), SEOUL, WORDS).to_dict()


def test_names_of_bands_that_begin_close_together_stand_in_two_lines() -> None:
    at = [START + timedelta(minutes=minute) for minute in (5, 6, 50, 55)]
    bands = [Band(moment, moment + timedelta(minutes=2), str(i)) for i, moment in enumerate(at)]
    figure = traffic_figure(traffic_of([5] * 60), SEOUL, WORDS, bands=[bands[2], bands[0], bands[3], bands[1]])
    names = [note for note in figure.layout.annotations if note.text in "0123"]
    assert [(name.text, name.xanchor, name.yshift) for name in names] == [
        ("0", "left", 0),
        ("1", "left", -15),
        ("2", "right", 0),
        ("3", "right", -15),
    ]


def week_of(totals: dict[tuple[int, int], tuple[int, float]]) -> list[WeekHour]:
    """(weekday, hour) -> (requests, hours of the range in it)."""
    hours = []
    for day, hour in product(range(7), range(24)):
        total, covered = totals.get((day, hour), (None, 0.0))
        hours.append(WeekHour(day, hour, total, None, None, timedelta(hours=covered)))
    return hours


def test_unknown_hours_of_the_week_are_hatched_and_a_quiet_one_is_zero() -> None:
    figure = week_figure(week_of({(0, 9): (90, 1), (0, 10): (0, 1), (0, 11): (16, 1)}), WORDS)
    (heat,) = [trace for trace in figure.data if trace.type == "heatmap"]
    assert list(heat.z[0][8:13]) == [None, pytest.approx(90**0.5), 0, 4, None]
    (gap,) = traces(figure, "gap")
    assert sum(gap.width) == 7 * 24 - 3


def test_hours_are_compared_by_their_mean_and_cut_ones_are_left_out() -> None:
    hours = week_of({(0, 9): (50, 1 / 6), (0, 10): (100, 1), (0, 11): (60, 1)})
    assert hours[9].mean == pytest.approx(100)
    found = extremes(hours)
    assert found is not None
    assert (found[0].hour, found[1].hour) == (10, 11)


@pytest.mark.parametrize("totals", [[5, None, 7]])
def test_every_colour_is_a_role_of_the_tokens(totals: list[int | None]) -> None:
    for figure in (traffic_figure(traffic_of(totals), SEOUL, WORDS), latency_figure(traffic_of(totals), SEOUL, WORDS)):
        text = json.dumps(figure.to_dict(), default=str)
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b", text)
        for name in re.findall(r"var\((--ab-[\w-]+)\)", text):
            assert f"{name}:" in TOKENS


def test_an_hour_of_which_too_little_is_known_is_hatched_and_one_without_requests_has_no_rate() -> None:
    hours = week_of({(0, 9): (90, 1), (0, 10): (0, 1), (0, 11): (16, 0.4), (0, 12): (8, 0.5)})
    hours = [replace(hour, errors=None if hour.total is None else 9 if hour.total == 90 else 0) for hour in hours]
    figure = week_figure(hours, Words("en"), what="error_rate", zone=SEOUL)
    (heat,) = [trace for trace in figure.data if trace.type == "heatmap"]
    assert list(heat.z[0][8:14]) == [None, pytest.approx(0.1**0.5), None, None, 0, None]
    assert heat.text[0][9] == "<b>Mon 09:00</b><br>error rate 10.00%<br>9 of 90"
    assert heat.text[0][12].endswith("estimated from 30 min of data")
    assert figure.layout.meta["values"][0][9] == pytest.approx(0.1)
    (gap,) = traces(figure, "gap")
    assert sum(gap.width) == 7 * 24 - 3


def test_a_cell_leads_to_the_latest_of_its_hours() -> None:
    start = START + timedelta(days=7)
    hours = week_of({(0, 9): (90, 2)})
    hours[9] = replace(hours[9], p95_ms=250.0, latest=Range(start, start + timedelta(hours=1)))
    figure = week_figure(hours, WORDS, what="p95", zone=SEOUL)
    (heat,) = [trace for trace in figure.data if trace.type == "heatmap"]
    assert heat.customdata[0][9] == {"start": "2026-11-30T09:00", "end": "2026-11-30T10:00"}
    assert heat.zmax - heat.zmin == pytest.approx(math.log10(2))
    assert (heat.zmin + heat.zmax) / 2 == pytest.approx(heat.z[0][9])  # to be seen, it is no end of the scale


def test_shares_of_statuses_leave_out_what_is_unknown_and_what_had_no_requests() -> None:
    traffic = traffic_of([50, None, 0, 10])
    buckets = [replace(b, classes={"2xx": 40, "3xx": 0, "4xx": 9, "5xx": 1}, errors=10) if b.total == 50 else b
               for b in traffic.buckets]  # fmt: skip
    figure = status_share_figure(Traffic(1, buckets), SEOUL, WORDS, before=Traffic(1, buckets), before_name="last week")
    (upper, lower) = traces(figure, "4xx")
    assert list(upper.y) == list(lower.y) == [18.0, None, None, 0.0]
    assert list(traces(figure, "2xx")[0].y) == [80.0, None, None, 100.0]
    assert traces(figure, "2xx")[0].customdata[0] == "80.00% (40)"
    assert list(traces(figure, "last week")[0].y) == [20.0, None, None, 0.0]
    assert traces(figure, "last week")[0].yaxis == "y2"
    assert [list(gap.x) for gap in traces(figure, "gap")] == [["2026-11-23T09:01:30"]] * 2
    assert status_share_figure(traffic_of([None]), SEOUL, WORDS).to_dict()
    band = Band(traffic.buckets[1].start, traffic.buckets[2].start, "09:01 error burst")
    marked = status_share_figure(traffic, SEOUL, WORDS, bands=[band])
    assert marked.layout.shapes
    assert "09:01 error burst" not in [each.text for each in marked.layout.annotations]
    assert not figure.layout.shapes
