"""A written number is the figure, as precisely as it is written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dashapp.ai.checking.dates import names_date
from dashapp.ai.checking.numbers import fits, is_time
from dashapp.ai.checking.scanning import Scanner
from dashapp.ai.evidence import Figure, Unit
from tests.packs import SEOUL, Known

SCANNER = Scanner(Known().pack)


def figure(value: float, unit: Unit) -> Figure:
    return Figure("e1", value, unit, "x", "", "now", "", "")


@pytest.mark.parametrize(
    ("written", "value", "unit"),
    [
        ("15.5%", 41 / 265, "share"), ("15 %", 41 / 265, "share"), ("15.47 percent", 41 / 265, "share"),
        ("100%", 0.998, "share"), ("3,042 ms", 3042.4, "ms"), ("3.04초", 3042.4, "ms"), ("3초", 3042.4, "ms"),
        ("1.2만 건", 12_345, "count"), ("12k requests", 12_345, "count"), ("12,345", 12_345, "count"),
        ("+31%", 0.31, "change"), ("31%", -0.31, "change"), ("−31%", -0.31, "change"), ("2.5%p", 0.025, "points"),
        ("6.4배", 6.44, "times"), ("6.4x", 6.44, "times"), ("90분", 90, "minutes"), ("1.5시간", 90, "minutes"),
        ("0.5%", 0.0045, "share"),  # a half may be rounded either way
    ],
)  # fmt: skip
def test_it_is_the_figure(written: str, value: float, unit: Unit) -> None:
    assert fits(SCANNER.scan(written)[0].groups, figure(value, unit)) is None


@pytest.mark.parametrize(
    ("written", "value", "unit", "fault"),
    [
        ("15.4%", 41 / 265, "share", "number"), ("0.155", 41 / 265, "share", "measure"),
        ("3,042", 3042.4, "ms", "measure"), ("3.1초", 3042.4, "ms", "number"), ("3,043 ms", 3042.4, "ms", "number"),
        ("12,346", 12_345, "count", "number"), ("12만", 12_345, "count", "number"),
        ("-31%", 0.31, "change", "direction"), ("+31%", -0.31, "change", "direction"),
        ("-15.5%", 41 / 265, "share", "number"), ("6.4%", 6.44, "times", "measure"), ("7배", 6.44, "times", "number"),
    ],
)  # fmt: skip
def test_it_is_another(written: str, value: float, unit: Unit, fault: str) -> None:
    assert fits(SCANNER.scan(written)[0].groups, figure(value, unit)) == fault


@pytest.mark.parametrize(
    ("written", "true"),
    [
        ("13:40", True), ("오후 1시 40분", True), ("1:40 pm", True), ("13:41", False), ("1:40", False),
        ("오전 1시 40분", False), ("13시", False), ("1시", False),
    ],
)  # fmt: skip
def test_a_time_of_day_is_the_viewers(written: str, true: bool) -> None:
    at = datetime(2026, 11, 23, 4, 40, tzinfo=UTC).timestamp()
    assert is_time(written, figure(at, "time"), SEOUL) is true


@pytest.mark.parametrize(
    ("written", "true"),
    [
        ("11-23", True), ("2026-11-23", True), ("11월 23일", True), ("2026년 11월 23일", True), ("Nov 23", True),
        ("23rd November 2026", True), ("월요일", True), ("Monday", True),
        ("11-24", False), ("2025-11-23", False), ("화요일", False), ("Sunday", False), ("Dec 23", False),
    ],
)  # fmt: skip
def test_a_date_is_one_of_the_evidence(written: str, true: bool) -> None:
    assert names_date(written, [datetime(2026, 11, 23, tzinfo=SEOUL).date()]) is true
