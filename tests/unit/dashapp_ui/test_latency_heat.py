from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from dashapp.figures.latency_heat import class_name, latency_heat_figure
from dashapp.stats.latency_heat import MOST_CLASSES, LatencyClass, latency_heat
from dashapp.stats.tally import Latency
from dashapp.stats.traffic import Traffic, TrafficBucket
from dashapp.words import Words
from sql.sketch import SLOTS, Sketch
from tests.plain import slot_of
from tests.unit.dashapp_ui.builders import LATENCY, SEOUL, START

WORDS = Words("en")


def sketch_of(latencies: Sequence[float]) -> Sketch:
    sketch = np.zeros(SLOTS + 2, dtype=np.int64)
    for latency in latencies:
        sketch[slot_of(latency)] += 1
    return sketch


def series(buckets: Sequence[Sequence[float] | None]) -> Traffic:
    """Buckets of a minute with these latencies; None is unknown."""
    found = []
    for i, latencies in enumerate(buckets):
        start = START + timedelta(minutes=i)
        if latencies is None:
            found.append(TrafficBucket(start))
        else:
            sketch = sketch_of(latencies) if latencies else None
            latency = LATENCY if latencies else Latency()
            found.append(TrafficBucket(start, len(latencies), 0, {}, latency, sketch))
    return Traffic(1, found)


@pytest.mark.parametrize(("low", "high"), [(5, 900), (0.2, 40), (0.01, 2_000_000), (110, 130), (3, 60_000)])
def test_classes_hold_every_request_once_and_where_a_plain_count_has_it(low: float, high: float) -> None:
    draw = random.Random(1)
    events = [
        [math.exp(draw.uniform(math.log(low), math.log(high))) for _ in range(draw.randrange(60))] for _ in "12345"
    ]
    heat = latency_heat(series([*events, None]))
    assert len(heat.classes) <= MOST_CLASSES
    assert heat.counts[-1] is None
    for one, other in pairwise(heat.classes):
        assert one.high_ms == pytest.approx(other.low_ms)
    for latencies, counts in zip(events, heat.counts, strict=False):
        bounds = [each.bounds for each in heat.classes]
        plain = [sum((a is None or x >= a) and (b is None or x < b) for x in latencies) for a, b in bounds]
        assert counts == plain
        assert sum(plain) == len(latencies)


def test_a_class_stays_where_it_is_when_more_requests_come() -> None:
    before = latency_heat(series([[100.0, 200.0]])).classes
    after = latency_heat(series([[100.0, 200.0, 150.0], [230.0, 90.0]])).classes
    assert {(each.low_ms, each.high_ms) for each in before} <= {(each.low_ms, each.high_ms) for each in after}


def test_without_latencies_there_is_nothing_to_draw() -> None:
    heat = latency_heat(series([[], None, []]))
    assert (heat.classes, heat.counts) == ([], [[], None, []])
    assert latency_heat_figure(series([[], None, []]), SEOUL, WORDS).data == ()
    assert latency_heat_figure(Traffic(1, []), SEOUL, WORDS).data == ()


def heat_of(figure: Any) -> Any:
    return next(trace for trace in figure.data if trace.type == "heatmap")


def test_an_unknown_bucket_is_hatched_and_one_without_requests_is_zero() -> None:
    figure = latency_heat_figure(series([[100.0] * 9, None, [], [300.0]]), SEOUL, WORDS)
    rows = [list(row) for row in heat_of(figure).z]
    assert {row[1] for row in rows} == {None}
    assert {row[2] for row in rows} == {0}
    assert sum(row[0] for row in rows) == 3  # the square root of nine
    assert [list(trace.x) for trace in figure.data if trace.name == "gap"] == [["2026-11-23T09:01:30"]]
    assert [sum(column) for column in zip(*figure.layout.meta["values"], strict=True) if None not in column] == [
        9,
        0,
        1,
    ]


def test_lines_have_a_halo_and_break_where_nothing_is_known() -> None:
    figure = latency_heat_figure(series([[9.0], None, [9.0], [9.0]]), SEOUL, WORDS, percentiles=("p50", "p90"))
    names = [trace.name for trace in figure.data if trace.type == "scatter"]
    assert names == ["p50 halo", "p50", "p90 halo", "p90"]
    line = next(trace for trace in figure.data if trace.name == "p50")
    assert list(line.y) == [80.0, None, 80.0, 80.0]
    assert line.connectgaps is False
    assert list(line.marker.size) == [4, 0, 0, 0]


def test_a_cell_leads_to_its_latencies_and_says_what_it_counts() -> None:
    figure = latency_heat_figure(series([[100.0, 101.0]]), SEOUL, WORDS)
    heat = heat_of(figure)
    (row,) = heat.meta["rows"]
    assert float(row["latency_min"]) < 100 < 101 < float(row["latency_max"])
    assert heat.customdata[0][0].startswith("11-23 09:00 – 09:01<br>")
    assert heat.customdata[0][0].endswith("<b>2 requests</b>")
    assert list(heat.x) == ["2026-11-23T09:00:00", "2026-11-23T09:01:00"]
    assert figure.layout.yaxis.type == "log"


@pytest.mark.parametrize(
    ("latencies", "name"),
    [
        (LatencyClass(93.4, 183.9), "93 – 184 ms"),
        (LatencyClass(7_000, 14_000), "7,000 ms – 14.0 s"),
        (LatencyClass(0.1, 0.2, open_below=True), "< 0.2 ms"),
        (LatencyClass(400_000, 600_000, open_above=True), "≥ 400.0 s"),
    ],
)
def test_names_of_classes(latencies: LatencyClass, name: str) -> None:
    assert class_name(latencies) == name


def test_colours_are_roles_and_a_figure_of_300_buckets_stays_small() -> None:
    draw = random.Random(2)
    buckets = [[draw.lognormvariate(5, 1) for _ in range(40)] for _ in range(300)]
    text = json.dumps(latency_heat_figure(series(buckets), SEOUL, WORDS).to_dict(), default=str)
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b", text)
    assert len(text) < 900_000
