from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote

import pytest

from dashapp.components.analyses import analyses_in_words
from dashapp.components.finding_panel import Look
from dashapp.insight.novelty import Novelty
from dashapp.insight.segments import Segment
from dashapp.parts import Failed
from dashapp.sentences_analyses import (
    Line,
    say_apart,
    say_bottlenecks,
    say_endpoints,
    say_novelties,
    say_statuses,
    say_traffic,
    text_of,
)
from dashapp.stats.analyses import Analyses, BeyondPart, StatusPart, TrafficPart
from dashapp.stats.apart import Apart
from dashapp.stats.bottlenecks import Bottlenecks, Common, SlowEndpoint
from dashapp.stats.clients import Client, Clients
from dashapp.stats.errors import StatusCount, Statuses
from dashapp.stats.known_findings import Found
from dashapp.stats.networks import Networks
from dashapp.stats.novelties import Novel, Novelties
from dashapp.stats.overview import Totals
from dashapp.stats.patterns import Hour
from dashapp.stats.tally import Latency, Tally
from dashapp.stats.usage import Endpoint, Usage
from dashapp.view import view_of
from dashapp.words import LANGUAGES, Words
from sql.plan import Range
from sql.slowest import SlowRequest
from tests.unit.dashapp_ui import builders
from tests.unit.dashapp_ui.builders import LATENCY, SEOUL, START, components_of, endpoint, summary_of, traffic_of
from tests.unit.dashapp_ui.finding_examples import example

EN = Words("en")
HOUR = timedelta(hours=1)
WHOLE = Range(START, START + 8 * HOUR)
NETWORKS = Networks([], 0, 10, 0, 0, 10)


def hours(*errors: int) -> list[Hour]:
    return [Hour(START + i * HOUR, START + (i + 1) * HOUR, Tally(n=100, client_errors=n)) for i, n in enumerate(errors)]


def traffic_part(totals: Sequence[int | None]) -> TrafficPart:
    client = Client("10.0.0.1", 300, 0.25, 0, 0, 0, 0.0, 0, LATENCY)
    total = sum(each or 0 for each in totals)
    return TrafficPart(Totals(summary_of(total), None), traffic_of(totals, 60), [], Clients([client], False, total))


def said(lines: list[Line]) -> str:
    return " ".join(text_of(line, EN) for line in lines)


def statuses_part(classes: dict[str, int], codes: list[tuple[int, int]], used: list[Endpoint]) -> StatusPart:
    total = sum(classes.values())
    found = Statuses(total, classes, [StatusCount(code, n, n / total) for code, n in codes])
    return StatusPart(found, Usage(used, len(used), total), hours(1, 2, 40))


def slow_part(*, timed: bool = True) -> Bottlenecks:
    if not timed:
        return Bottlenecks([], 0, [], [], 0)
    slow = SlowEndpoint("GET", "/slow", 40, 0, 0.0, 40_000.0, 0.3, True, LATENCY)
    busy = SlowEndpoint("GET", "/busy", 4000, 0, 0.0, 90_000.0, 0.6, True, LATENCY)
    request = SlowRequest(START, "shop", "GET", "/slow", "/slow", 200, 900.0, 1, "10.0.0.1", None, None)
    common = [Common("route", "/slow", 18, 0.9, 0.01), Common("client_ip", "10.0.0.1", 12, 0.6, None)]
    return Bottlenecks([slow, busy], 2, [request, replace(request, latency_ms=700.0)], common, 20)


def test_traffic_has_total_trend_peak_trough_and_concentration() -> None:
    text = said(say_traffic(traffic_part([100, 100, 100, 200, 400, 100, 100, 100]), WHOLE, SEOUL, EN, ""))
    assert "The range has 1,200 requests (2.5 a minute on average)." in text
    assert "13:00 has the most (400 requests, 167% above the average)" in text
    assert "the fewest (100 requests, 33% below it)" in text
    assert "are alike (within 0%)" in text
    assert "10.0.0.1, with 25.00% of them (300 requests)" in text


def test_growth_is_told_and_a_short_range_is_not_judged() -> None:
    grown = said(say_traffic(traffic_part([100, 100, 100, 100, 200, 200, 200, 200]), WHOLE, SEOUL, EN, ""))
    assert "Requests grew: the last quarter of the range has 100% more than the first." in grown
    short = say_traffic(traffic_part([100, None]), Range(START, START + 2 * HOUR), SEOUL, EN, "")
    assert [line.key for line in short] == ["r1_total", "r1_client"]


def test_a_piece_of_an_hour_is_not_called_the_quietest() -> None:
    totals: Sequence[int | None] = [20] * 5 + [100] * 36 + [110] * 36 + [5]  # ten minutes each; the ends are cut
    whole = Range(START + timedelta(minutes=10), START + timedelta(minutes=790))
    part = traffic_part([])
    part = replace(part, course=traffic_of([None, *totals], 10), totals=Totals(summary_of(8000), None))
    (line,) = [line for line in say_traffic(part, whole, SEOUL, EN, "") if line.key == "r1_extremes"]
    assert line.values["least_n"] != "5 requests"
    assert line.times["least"].start == START


def test_the_comparison_is_told_with_both_sides() -> None:
    part = traffic_part([100, 100, 100])
    part = replace(part, totals=replace(part.totals, now=summary_of(300), before=summary_of(200)))
    assert "Against the yesterday that is +50% (300, then 200)." in said(
        say_traffic(part, WHOLE, SEOUL, EN, "yesterday")
    )


def test_endpoints_are_told_by_calls_with_their_times() -> None:
    used = Usage([endpoint("/a", 1200), endpoint("/b", 10, latency=Latency())], 9, 2000)
    text = said(say_endpoints(used, EN))
    assert text.startswith("9 endpoints were called. The most calls went to GET /a: 1,200 (50.00% of all), mean 100 ms")
    assert "Next is GET /b: 10." in text
    assert "The 2 with the most calls take 60.50% of all calls." in text


def test_statuses_sum_to_a_hundred_and_errors_are_located() -> None:
    classes = {"2xx": 900, "3xx": 0, "4xx": 80, "5xx": 20}
    used = [endpoint("/login", 100, client=70), endpoint("/pay", 50, client=10, server=20)]
    text = said(say_statuses(statuses_part(classes, [(200, 900), (401, 80), (503, 20)], used), SEOUL, WHOLE, EN))
    assert "90.00% are 2xx, 0.00% 3xx, 8.00% 4xx and 2.00% 5xx." in text
    assert "There are 100 errors (an error rate of 10.00%): 80 of the client (4xx), 20 of the server (5xx)." in text
    assert "The most frequent error is 401 (80, 80.00% of all errors)." in text
    assert "Most errors come from GET /login (70, 70.00% of all errors, an error rate of 70.00%)." in text
    assert "Of server errors alone, most come from GET /pay (20, 100.00% of all 5xx)." in text
    assert "Most errors fall into 11:00 (40, an error rate of 40.00%, 14.33% over the range)." in text


def test_no_errors_and_no_latency_are_said_as_such() -> None:
    text = said(say_statuses(statuses_part({"2xx": 9}, [(200, 9)], [endpoint("/a", 9)]), SEOUL, WHOLE, EN))
    assert "There are no errors (4xx, 5xx)." in text
    assert said(say_bottlenecks(slow_part(timed=False), SEOUL, WHOLE, EN)).startswith("The log has no latency")


def test_bottlenecks_name_the_slowest_the_costliest_and_what_is_shared() -> None:
    text = said(say_bottlenecks(slow_part(), SEOUL, WHOLE, EN))
    assert "The slowest endpoint is GET /slow: mean 100 ms, p50 80 ms, p90 180 ms, p95 244 ms, p99 395 ms" in text
    assert "Of the slow ones, GET /busy takes the most time, 60.00% of all time spent" in text
    assert "The slowest request took 900 ms (GET /slow, 09:00); the slowest 2 all took 700 ms or more." in text
    assert "90.00% of the slowest 20 have route /slow (of all requests: 1.00%)." in text
    assert "60.00% of the slowest 20 have client 10.0.0.1." in text


def unlike() -> tuple[Apart, Novelties]:
    group = Segment("failures", "network", "10.9.9.0/24", 340, 41, 0.1206, 0.012, 0.5, 1e-9, 1e-8, exact=False)
    hour = Segment("slow", "hour", 9, 500, 90, 0.18, 0.03, 0.5, 1e-9, 1e-8, exact=True)
    history = Range(WHOLE.start - timedelta(days=14), WHOLE.start)
    novel = [
        Novel("endpoint", ("GET", "/new"), Novelty("new", ("GET", "/new"), 40, 1e-9)),
        Novel("status", (502,), Novelty("new", (502,), 12, 1e-9)),
        Novel("client_type", ("bot",), Novelty("gone", ("bot",), 7, 1e-9)),
    ]
    return Apart([group, hour], 10_000, 3000, 412.0), Novelties(novel, history, 10_000, drawn=True)


def test_groups_apart_and_what_is_new_or_gone_are_said() -> None:
    apart, novelties = unlike()
    text = said([*say_apart(apart, EN), *say_novelties(novelties, SEOUL, EN)])
    assert "Of the requests with network 10.9.9.0/24, 12.06% failed, against 1.20% of the rest (340 requests)." in text
    assert "with hour 09:00-10:00, 18.00% were slow (412 ms or more), against 3.00% of the rest" in text
    assert "Requests to GET /new came for the first time since" in text
    assert "Answers with status 502 came for the first time since" in text
    assert "did not: bot." in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_five_stand_on_the_page_and_what_they_name_leads_on(language: str) -> None:
    words = Words(language)
    look = Look(view_of("?start=2026-11-23T09:00&end=2026-11-23T17:00", WHOLE.end, SEOUL), WHOLE.end, SEOUL, words)
    read = Analyses(
        traffic_part([100, 100, 400]),
        Usage([endpoint("/a", 1200)], 9, 1200),
        statuses_part({"2xx": 90, "4xx": 10}, [(200, 90), (404, 10)], [endpoint("/a", 100, client=10)]),
        Failed("r-1", "failed_slow"),
        BeyondPart(
            Found([example("error_burst"), example("scanner")]), Networks([], 0, 10, 0, 0, 10), hours(1), *unlike()
        ),
    )
    shown = analyses_in_words(read, look)
    text = builders.text_of(shown)
    assert [f"R{n}" in text for n in range(1, 6)] == [True] * 5
    assert "r-1" in text  # the one that could not be read
    assert words("presumed_cause") in text
    links = {builders.text_of(node): unquote(node.href) for node in components_of(shown) if hasattr(node, "href")}
    assert links["GET /a"] == "/endpoints?start=2026-11-23T09:00&end=2026-11-23T17:00&method=GET&route=/a"
    assert links["10.0.0.1"].endswith("client_ip=10.0.0.1")
    assert links["404"].endswith("status=404")


def test_nothing_found_is_said() -> None:
    look = Look(view_of("", WHOLE.end, SEOUL), WHOLE.end, SEOUL, EN)
    failed = Failed("r-1", "failed_slow")
    for total, watched, text in (
        (10, None, "Not enough data: n = 10 (100 needed)."),
        (500, None, "Nothing differs from the usual."),
        (500, 0.339, "Nothing unusual was found. Of this, 33% was searched minute by minute; the rest is a coarse"),
    ):
        beyond = BeyondPart(
            Found([], watched),
            Networks([], 0, total, 0, 0, total),
            [],
            Apart([], total, 0, None),
            Novelties([], None, 0, drawn=False),
        )
        shown = analyses_in_words(Analyses(failed, failed, failed, failed, beyond), look)
        assert text in builders.text_of(shown)
