from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import get_args

import pytest

from dashapp.insight.finding import CAUSES, KINDS, Evidence, Finding, Kind, Subject, TooLittle, Unit
from dashapp.sentences_findings import (
    amount,
    chance,
    say,
    say_basis,
    say_cause,
    say_improvement,
    say_rich,
    say_too_little,
    tell,
    title,
)
from dashapp.words import LANGUAGES, Words
from tests.unit.dashapp_ui.builders import SEOUL, text_of
from tests.unit.dashapp_ui.finding_examples import CLIENT, ENDPOINT, QUERY, example

KO, EN = Words("ko"), Words("en")
PRESUMES = {"ko": r"보입니다|보이지만|짐작할 수 없습니다", "en": r"probably|may be|does not suggest"}


def texts_of(finding: Finding, words: Words) -> list[str]:
    return [say(finding, words, SEOUL), say_cause(finding, words), say_improvement(finding, words)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "cause"), list(product(KINDS, CAUSES)))
def test_every_kind_and_cause_is_whole_sentences_without_placeholders(kind: Kind, cause: str, language: str) -> None:
    words = Words(language)
    for finding in (example(kind, cause=cause), example(kind, cause=cause, end=None, p=None, effect=None, n=3)):
        for text in texts_of(finding, words):
            assert not re.search(r"[{}]|None|nan|\(\)|  | \.|\u2060", text), text
            assert text.endswith(".")
        assert re.search(PRESUMES[language], say_cause(finding, words))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_rich_and_plain_say_the_same(kind: Kind, language: str) -> None:
    words, finding = Words(language), example(kind)
    assert text_of(say_rich(finding, words, SEOUL)).replace("\u00a0", " ") == tell(finding, words, SEOUL)
    assert title(kind, words)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sentence_says_who_since_when_and_how_much(kind: Kind) -> None:
    finding = example(kind)
    text = say(finding, EN, SEOUL)
    assert "11-23 09:00 to 09:12" in text
    assert any(name in text for name in ("/api/order/checkout", "shop", "203.0.113.4", "10.24.1.0/24", "all services"))
    assert amount(finding.observed or finding.expected, finding.unit, EN).split()[0] in text
    assert f"{finding.n:,}" in text
    open_text = say(replace(finding, end=None), KO, SEOUL)
    assert "11-23 09:00부터" in open_text


def test_an_error_burst_in_both_languages() -> None:
    finding = example("error_burst", end=None)
    assert say(finding, KO, SEOUL) == (
        "POST /api/order/checkout(shop)의 오류율이 11-23 09:00부터 17.10%까지 올랐습니다(평소 0.40%의 43배). "
        "요청 1,234건으로 판단했습니다. 우연만으로 이렇게 될 확률은 100만분의 1 미만입니다."
    )
    assert say(finding, EN, SEOUL) == (
        "The error rate of POST /api/order/checkout (shop) rose to 17.10% from 11-23 09:00 on "
        "(43 times the usual 0.40%). This rests on 1,234 requests. "
        "The probability that chance alone does this is less than one in a million."
    )


def test_few_requests_and_a_likely_chance_are_said() -> None:
    few = example("error_burst", n=12, p=0.04)
    assert say_basis(few, EN) == (
        "This rests on 12 requests only: take it with care. "
        "It may be chance: the probability that chance alone does this is about 4%."
    )
    assert "조심해서" in say_basis(few, KO)
    assert "minutes" in say_basis(example("outage"), EN)


def test_what_goes_together_is_never_called_a_cause() -> None:
    finding = example("error_burst", cause="call", related=Subject(method="GET", route="/api/cart"))
    assert say_cause(finding, EN).startswith("It comes after calls of GET /api/cart, which may be behind it;")
    assert "is no proof" in say_cause(finding, EN)
    assert "증명된 것은 아닙니다" in say_cause(finding, KO)
    surer = replace(finding, facts={"lag": "30 s", "after": "62.0%", "other": "1.1%"})
    assert "after calls of GET /api/cart, 30 s later (62.0% fail after them, 1.1% otherwise)," in say_cause(surer, EN)
    assert "GET /api/cart 호출 뒤에 30 s 지나" in say_cause(surer, KO)
    assert "not proven" in say_cause(replace(finding, related=None), EN)


def test_client_findings_name_address_paths_and_where() -> None:
    text = say(example("scanner", facts={"paths": "/.env, /wp-login.php"}), EN, SEOUL)
    assert "203.0.113.4 asked for 312 paths that do not exist at service shop" in text
    assert "such as /.env, /wp-login.php." in text
    many = example("credential_guessing", subject=replace(ENDPOINT, service=None))
    assert "Logins from several clients were refused 412 times at POST /api/order/checkout" in say(many, EN, SEOUL)
    assert say(example("client_volume", subject=replace(CLIENT, service=None)), KO, SEOUL).startswith(
        "203.0.113.4에서 11-23 09:00 – 09:12에 요청 4,100건이 왔습니다"
    )


def test_hours_of_the_search_are_told_on_the_clock_of_the_viewer() -> None:
    finding = example("latency_band", facts={"measure": "p95", "hours": "20:00"})
    assert "day after day at 05:00, to 412 ms" in say(finding, EN, SEOUL)
    assert "The p95 latency of" in say(finding, EN, SEOUL)


def test_a_share_of_one_class_of_errors_is_not_called_the_error_rate() -> None:
    numbers = (Evidence("server_errors", 25, "requests", QUERY),)
    finding = example("error_burst", evidence=numbers)
    assert say(finding, EN, SEOUL).startswith("The 5xx rate of POST /api/order/checkout (shop) rose")
    assert "의 5xx 비율이" in say(finding, KO, SEOUL)


def test_too_little_says_how_many_there_are() -> None:
    little = TooLittle(Subject(service="shop"), "latency", 10, 50)
    assert "not enough data: n = 10" in say_too_little(little, EN).lower()
    assert "데이터가 부족합니다: n = 10" in say_too_little(little, KO)


def test_chances_are_worded_by_their_size() -> None:
    assert [chance(p, EN) for p in (0.0, 5e-5, 5e-4, 0.004, 0.2)] == [
        "less than one in a million",
        "less than one in 10,000",
        "less than one in 1,000",
        "about 0.40%",
        "about 20%",
    ]


@pytest.mark.parametrize("unit", get_args(Unit))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_unit_has_an_amount(unit: Unit, language: str) -> None:
    assert re.match(r"\D*[\d.]+", amount(0.5, unit, Words(language)))
