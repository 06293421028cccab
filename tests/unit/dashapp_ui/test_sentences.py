from __future__ import annotations

from datetime import timedelta

import pytest

from dashapp import sentences
from dashapp.words import Words
from sql.plan import Range
from tests.unit.dashapp_ui.builders import SEOUL, START, endpoint, summary_of, text_of, traffic_of

KO, EN = Words("ko"), Words("en")


def whole(minutes: int) -> Range:
    return Range(START, START + timedelta(minutes=minutes))


def test_the_peak_of_a_short_range_is_a_bucket() -> None:
    traffic = traffic_of([10, 10, 40, 20])
    assert text_of(sentences.say_peak(traffic, whole(4), SEOUL, KO)) == (
        "요청은 09:02에 가장 많았고 평균보다 100% 많습니다(40건)."
    )
    assert text_of(sentences.say_peak(traffic, whole(4), SEOUL, EN)) == (
        "Requests peaked at 09:02, 100% above the average (40 requests)."
    )


def test_the_peak_of_a_long_range_is_an_hour_by_its_rate() -> None:
    totals = [10] * 36 + [20] * 5  # 6 hours, then 50 minutes of the next at twice the rate
    peak = sentences.peak_of(traffic_of(totals, minutes=10), whole(410), SEOUL)
    assert peak is not None
    assert peak.start == START + timedelta(hours=6)
    assert peak.total == 100
    said = text_of(sentences.say_peak(traffic_of(totals, minutes=10), whole(410), SEOUL, EN))
    assert said.endswith("(100 requests in 50 min).")


def test_an_even_course_is_called_even_and_a_short_one_is_not_judged() -> None:
    assert "고르게" in text_of(sentences.say_peak(traffic_of([10, 10, 10]), whole(3), SEOUL, KO))
    assert sentences.say_peak(traffic_of([10, 20]), whole(2), SEOUL, KO) == []
    assert sentences.say_peak(traffic_of([0, 0, 0, None]), whole(4), SEOUL, KO) == []


def test_unknown_buckets_do_not_lower_the_average() -> None:
    peak = sentences.peak_of(traffic_of([10, None, None, 10, 20]), whole(5), SEOUL)
    assert peak is not None
    assert peak.above_mean == pytest.approx(0.5)


def test_the_worst_endpoint_is_named_with_its_counts() -> None:
    endpoints = [
        endpoint("/once", 1, server=1),
        endpoint("/checkout", 265, server=41),
        endpoint("/login", 100, client=90),
    ]
    worst = sentences.most_failing(endpoints)
    assert worst is not None
    assert sentences.failing_level(worst) == "high"
    text = text_of(sentences.say_failing(worst, summary_of(366, 90, 42), "GET /checkout", KO))
    assert text == "GET /checkout의 5xx 비율이 15.47%로 가장 높습니다(265건 중 41건, 전체 5xx의 97.62%)."


def test_client_errors_alone_are_no_server_fault() -> None:
    worst = sentences.most_failing([endpoint("/login", 100, client=90)])
    assert worst is None
    assert sentences.failing_level(worst) == "low"
    assert text_of(sentences.say_failing(worst, summary_of(100, 90), None, EN)).startswith("No endpoint")
