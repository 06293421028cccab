from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest

from dashapp.components.finding_panel import Look, in_depth, panel, said, time_link
from dashapp.components.findings import bands_of, finding_history, finding_rows, ordered
from dashapp.insight.finding import KINDS, Evidence, Kind, Subject
from dashapp.pages.findings import choose, chosen
from dashapp.stats.known_findings import Found
from dashapp.view import view_of
from dashapp.words import Words
from tests.unit.dashapp_ui.builders import SEOUL, START, components_of, text_of
from tests.unit.dashapp_ui.finding_examples import QUERY, example

KO, EN = Words("ko"), Words("en")
COMPLETE = START + timedelta(minutes=30)
MINUTE = timedelta(minutes=1)


def look_at(search: str = "?last=1h&lang=en", complete: datetime = COMPLETE, zone: ZoneInfo = SEOUL) -> Look:
    return Look(view_of(search, complete, zone), complete, zone, EN)


def links_of(node: object) -> dict[str, str]:
    return {text_of(each): unquote(each.href) for each in components_of(node) if hasattr(each, "href")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_panel_has_certainty_cause_improvement_evidence_and_ways_on(kind: Kind) -> None:
    shown = panel(example(kind, **({"n": 12} if kind == "canary_lost" else {})), look_at())
    text = text_of(shown)
    sure = "12 test records" if kind == "canary_lost" else "less than one in a million"
    for part in (sure, "Presumed cause", "Improvement", "Evidence", "See the requests"):
        assert part in text
    assert QUERY in links_of(shown).values()
    assert any(
        href.startswith("/logs?start=2026-11-23T09:00&end=2026-11-23T09:12") for href in links_of(shown).values()
    )


def test_each_number_is_a_link_to_its_query_and_an_unknown_name_is_still_shown() -> None:
    numbers = (Evidence("error_rate", 0.171, "share", QUERY), Evidence("pool_waits", 7, "requests", QUERY + "&x=1"))
    shown = panel(example("error_burst", evidence=numbers, facts={"user_agent": "<b>zgrab</b>"}), look_at())
    links = links_of(shown)
    assert links["17.10%"] == QUERY
    assert links["7 requests"] == QUERY + "&x=1"
    assert "pool waits" in text_of(shown)
    assert "<b>zgrab</b>" in text_of(shown)


def test_one_click_filters_by_the_subject_unless_that_is_filtered_already() -> None:
    finding = example("error_burst", subject=Subject(service="shop", network="10.24.1.0/24"))
    links = links_of(panel(finding, look_at()))
    assert links["Show only this"] == "?last=1h&service=shop&client_ip=10.24.1.0/24&lang=en"
    filtered = look_at("?last=1h&service=shop&client_ip=10.24.1.0/24&lang=en")
    assert "Show only this" not in links_of(panel(finding, filtered))
    assert "Show only this" not in links_of(panel(replace(finding, subject=Subject()), look_at()))


def test_what_fails_leads_to_all_of_its_range_and_to_what_its_failures_share() -> None:
    finding, look = example("error_burst"), look_at()
    (link,) = links_of(said(finding, look, leads=True)).values()
    assert link == "/endpoints?last=1h&service=shop&method=POST&route=/api/order/checkout&among=failed&lang=en"
    assert "among" not in in_depth(example("latency_tail"), look)
    (link,) = links_of(said(example("scanner"), look, leads=True)).values()
    assert link == "?start=2026-11-23T09:00&end=2026-11-23T09:12&service=shop&client_ip=203.0.113.4&lang=en"


def test_one_that_lasts_reaches_to_what_is_final() -> None:
    finding = example("error_burst", end=None)
    assert "start=2026-11-23T09:00&end=2026-11-23T09:30" in unquote(time_link(finding, look_at()))
    rows = text_of(finding_rows(Found([finding]), look_at()))
    assert "Ongoing" in rows
    assert "since 09:00, 30 min" in rows


def test_the_worst_is_first_and_what_lasts_before_what_is_over() -> None:
    over = example("error_burst")
    lasting = example("latency_shift", end=None, score=1.0)
    low = example("latency_band", severity="low", score=99.0)
    assert ordered([low, over, lasting]) == [lasting, over, low]


def test_a_long_list_says_where_the_rest_is() -> None:
    found = [example(kind) for kind in KINDS]
    shown = finding_rows(Found(found), look_at(), all_at="/findings?last=1h")
    assert f"{len(KINDS) - 5} more" in text_of(shown)
    assert links_of(shown)["See all"] == "/findings?last=1h"
    assert text_of(finding_rows(Found([]), look_at())) == "Nothing differs from the usual."
    assert text_of(finding_rows(Found([]), look_at(), of=10)) == "Not enough data: n = 10 (100 needed)."


def test_what_was_not_watched_is_said_to_be_compared_coarsely() -> None:
    coarse = "Of this, 99% was searched minute by minute; the rest is a coarse comparison with the time before."
    found = Found([example("error_burst")], watched=0.999)
    for shown in (finding_rows(found, look_at()), finding_history(found, look_at())):
        assert coarse in text_of(shown)
    assert text_of(finding_rows(Found([], watched=0.0), look_at())) == (
        "Nothing unusual was found. "
        "This was not searched minute by minute: it is a coarse comparison with the time before."
    )
    assert "coarse" not in text_of(finding_rows(replace(found, watched=None), look_at()))


def test_the_history_has_a_row_for_each_and_says_each_sentence_once() -> None:
    found = [example(kind) for kind in KINDS]
    shown = finding_history(Found(found), look_at())
    assert sum(node.__class__.__name__ == "Details" for node in components_of(shown)) == len(KINDS)
    assert text_of(shown).count("asked for 312 paths") == 1


def test_state_and_kind_of_the_address_choose() -> None:
    found = [example("error_burst"), example("error_burst", end=None), example("scanner")]
    for search, n in (("", 3), ("?state=open", 1), ("?state=closed", 2), ("?kind=scanner", 1), ("?kind=x&state=y", 3)):
        assert len(choose(found, *chosen(view_of(search, COMPLETE, SEOUL)))) == n


def test_bands_are_of_the_worst_that_begin_in_the_range_and_have_a_time() -> None:
    whole = view_of("?last=1h", COMPLETE, SEOUL).whole
    found = [
        example("error_burst"),
        example("scanner"),  # at the same time
        example("latency_drift"),
        example("latency_shift", severity="low"),
        example("outage", start=whole.start - 60 * MINUTE, end=whole.start - 30 * MINUTE),
        example("latency_tail", start=whole.start, end=whole.end),
        example("traffic_drop", start=START + 20 * MINUTE, end=None),
    ]
    bands = bands_of(found, whole, SEOUL, EN, COMPLETE)
    assert [(band.start - START, band.end - START) for band in bands] == [
        (20 * MINUTE, 30 * MINUTE),
        (timedelta(), 12 * MINUTE),
    ]
    assert bands[1].label == "09:00 error burst"
