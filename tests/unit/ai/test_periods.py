"""The period that a question names."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dashapp.ai.asking.periods import period_of

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 25, 5, 30, tzinfo=UTC)  # Wednesday, 14:30 in Seoul


@pytest.mark.parametrize(
    ("question", "start", "end"),
    [
        ("지난주에 에러가 가장 많았던 API는?", "11-16 00:00", "11-23 00:00"),
        ("last week, which endpoint failed most?", "11-16 00:00", "11-23 00:00"),
        ("어제 오후 9시쯤 느렸던 이유는?", "11-24 20:30", "11-24 22:00"),
        ("어제 21시에 느렸던 이유는?", "11-24 21:00", "11-24 22:00"),
        ("why was it slow yesterday around 9 pm?", "11-24 20:30", "11-24 22:00"),
        ("errors last Tuesday", "11-24 00:00", "11-25 00:00"),
        ("errors last Wednesday", "11-18 00:00", "11-19 00:00"),
        ("지난주 화요일 트래픽", "11-17 00:00", "11-18 00:00"),
        ("오늘 오류", "11-25 00:00", "11-25 14:30"),
        ("이번 주 요청 수", "11-23 00:00", "11-25 14:30"),
        ("지난달 요청 수", "10-01 00:00", "11-01 00:00"),
        ("최근 30분 동안 가장 느린 API", "11-25 14:00", "11-25 14:30"),
        ("지난 3시간", "11-25 11:30", "11-25 14:30"),
        ("past 2 days", "11-23 14:30", "11-25 14:30"),
        ("the last hour", "11-25 13:30", "11-25 14:30"),
        ("그저께 새벽", "11-23 00:00", "11-23 06:00"),
        ("yesterday morning", "11-24 06:00", "11-24 12:00"),
        ("11월 20일 오전 10시 30분에 무슨 일이?", "11-20 10:20", "11-20 10:40"),
        ("2026-11-20 에 오류", "11-20 00:00", "11-21 00:00"),
        ("what happened on Nov 20?", "11-20 00:00", "11-21 00:00"),
        ("어제 9시부터 11시까지", "11-24 09:00", "11-24 11:00"),
        ("yesterday from 9 pm to 11 pm", "11-24 21:00", "11-24 23:00"),
        ("어제 오후 2시부터 4시까지", "11-24 14:00", "11-24 16:00"),
        ("21시에 느렸던 이유는?", "11-24 21:00", "11-24 22:00"),  # today's is still to come
        ("13시에 느렸던 이유는?", "11-25 13:00", "11-25 14:00"),
        ("14:10에 무슨 일이 있었나", "11-25 14:00", "11-25 14:20"),
    ],
)  # fmt: skip
def test_periods_are_those_of_the_viewers_calendar(question: str, start: str, end: str) -> None:
    period = period_of(question, NOW, SEOUL)
    assert period is not None
    assert [f"{each.astimezone(SEOUL):%m-%d %H:%M}" for each in (period.whole.start, period.whole.end)] == [start, end]


@pytest.mark.parametrize(
    "question", ["가장 느린 API는?", "which endpoint fails?", "내일 트래픽은?", "", "상태 코드 500은 왜?"]
)
def test_without_a_time_there_is_none(question: str) -> None:
    assert period_of(question, NOW, SEOUL) is None


def test_the_words_of_the_question_are_remembered() -> None:
    period = period_of("어제 오류", NOW, SEOUL)
    assert period is not None
    assert period.relative == {"어제"}


def test_a_day_may_have_23_or_25_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    period = period_of("2026-10-25 errors", NOW, berlin)
    assert period is not None
    assert (period.whole.end - period.whole.start).total_seconds() == 25 * 3600
