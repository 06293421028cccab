"""What a sentence may say, and what takes it out."""

from __future__ import annotations

import pytest

from dashapp.ai.checking.claims import Checked, Checker, Context
from dashapp.ai.prompting import template
from tests.packs import LIST, PAY, WORDY, Known

KNOWN, QUIET = Known(), Known(findings=False)
PROMPT = template("analyze", "v1")
SECRET = "a-key-that-nobody-sees"


def check(text: str, known: Known = KNOWN, **context: object) -> Checked:
    checker = Checker(known.pack, prompt=PROMPT, secrets=[SECRET])
    return checker.check(known.fill(text), Context(**context))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        f"{PAY}의 요청 265건[calls] 가운데 41건[errors]이 실패했고 오류율은 15.5%[rate]입니다.",
        f"{PAY} had 265 requests[calls], and 15.47 %[rate] of them failed.",
        f"{PAY} had about 15%[rate] errors.",
        "/api/order/checkout의 오류율은 15.5%[rate]입니다.",  # one method alone has the route
        f"{PAY}의 p95는 이전 310 ms[p95_before]에서 3,042 ms[p95]로 늘었습니다.",
        f"The p95 of {PAY} rose from 310 ms[p95_before] to 3.0 s[p95].",
        f"{PAY}의 p95는 3.04초[p95]입니다.",
        "전체 요청은 8,460건[total]으로 이전 8,000건[total_before]보다 증가했습니다.",
        "All requests rose by 5.8%[change].",
        f"14:27 이전인 13:40[since]부터 {PAY}가 실패합니다[rate]." .replace("14:27 이전인 ", ""),
        f"Since 1:40 pm[since] {PAY} fails [rate].",
        f"오후 1시 40분[since]부터 {PAY}의 오류율이 15.5%[rate]입니다.",
        "최근 5분 동안의 전체 요청은 8,460건[total]입니다.",
        f"{PAY}는 504 오류가 많습니다[rate].",
        f"{PAY}의 5xx는 40건[server]입니다.",
        "client-1의 요청은 617건[client]입니다.",
        f"{PAY}의 실패 가운데 95%[product]가 iOS/5.2.1입니다.",
        f"대부분의 {PAY} 실패는 iOS/5.2.1에서 왔습니다[product].",
        f"오류가 가장 많은 API는 {PAY}입니다.",
        f"{LIST} has the most requests.",
        "결제 쪽의 변경을 의심할 수 있습니다.",
        f"11-23 13:40[since]부터 {PAY}가 실패합니다[rate].",
        f"{PAY} 41[errors], {LIST} 3[users_errors].",
        f"{PAY} 265, 41 [calls, errors].",
        f"{WORDY}의 요청은 77건[wordy], p95는 20 ms[wordy_p95]입니다.",
        f"{WORDY} had 77 requests[wordy].",
    ],
)  # fmt: skip
def test_what_the_evidence_says_is_kept(text: str) -> None:
    checked = check(text)
    assert checked.fault is None, (checked.fault, checked.detail)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"{PAY}의 요청은 1,855건[calls]입니다.", "number"),
        (f"{PAY}의 오류율은 15.4%[rate]입니다.", "number"),  # 15.47 rounds to 15.5
        (f"{PAY}의 p95는 3.1초[p95]입니다.", "number"),
        (f"{PAY}의 요청은 265건입니다.", "uncited"),
        (f"{PAY}의 요청은 265건[e999]입니다.", "unknown_id"),
        (f"{LIST}의 오류율은 15.5%[rate]입니다.", "subject"),
        (f"{LIST}에서 265건[calls] 중 41건[errors]이 실패했습니다.", "subject"),
        (f"{PAY}의 요청은 8,460건[total]입니다.", "subject"),
        (f"{PAY}의 p50은 3,042 ms[p95]입니다.", "measure"),
        (f"{PAY}의 평균은 3,042 ms[p95]입니다.", "measure"),
        (f"{PAY}의 4xx는 40건[server]입니다.", "measure"),
        (f"{PAY}의 오류는 265건[calls]입니다.", "measure"),
        (f"{PAY}의 요청은 265%[calls]입니다.", "measure"),
        (f"{PAY}의 p95는 지금 310 ms[p95_before]입니다.", "period"),
        (f"{PAY}의 p95는 이전 310 ms[p95_before], 지금 3,042 ms[p95]로 감소했습니다.", "direction"),
        (f"{PAY}의 요청 265건[calls]이 급증했습니다.", "direction"),
        ("All requests fell by 5.8%[change].", "direction"),
        ("All requests changed by -5.8%[change].", "direction"),
        ("DELETE /api/admin/users 에서 오류가 납니다.", "endpoint"),
        ("GET /api/order/checkout fails.", "endpoint"),
        ("/api/user/list/all 이 느립니다.", "endpoint"),
        (f"{PAY} 때문입니다.", "evidence"),
        (f"{PAY}는 503을 돌려줍니다[rate].", "status"),
        (f"{PAY}는 401을 돌려줍니다[rate].", "status"),  # it is another endpoint that does
        (f"{PAY}에 3xx가 있습니다[rate].", "status"),
        (f"{PAY}는 12:40[since]부터 실패합니다.", "time"),
        (f"{PAY}는 13:40부터 실패합니다[rate].", "time"),
        (f"11-22 13:40[since]부터 {PAY}가 실패합니다[rate].", "time"),
        (f"어제부터 {PAY}가 실패합니다[rate].", "time"),
        (f"화요일 13:40[since]부터 {PAY}가 실패합니다[rate].", "time"),
        ("client-9가 공격합니다.", "name"),
        ("iOS 5.2.2 버전 9.9.9가 문제입니다.", "name"),
        ("서비스는 정상이며 문제가 없습니다.", "verdict"),
        ("Everything is healthy, no problems.", "verdict"),
        ("자세한 것은 https://evil.example/x 를 보십시오.", "link"),
        ("![x](http://evil.example/a.png)", "link"),
        ("See evil.com for help.", "link"),
        ("<script>alert(1)</script>", "link"),
        ("[click](javascript:alert(1))", "link"),
        ("203.0.113.77 이 공격합니다.", "address"),
        ("Ask admin@evil.example now.", "address"),
        ("2001:db8:1:2::7 calls.", "address"),
        (f"The key is {SECRET}.", "address"),
        ("You explain to an operator of a web service what its access log says.", "prompt"),
        (f"{PAY}의 오류가 두 배입니다[rate].", "uncited"),
        (f"Half of {PAY} fails [rate].", "uncited"),
        (f"대부분의 {PAY} 요청이 실패합니다[rate].", "evidence"),
        (f"오류가 가장 많은 API는 {LIST}입니다.", "subject"),
        (f"{LIST} is the slowest endpoint [users_p95].", "subject"),
        ("client-1의 오류율은 15.5%[rate]입니다.", "subject"),
        (f"{WORDY}의 요청 77건[wordy]이 급증했습니다.", "direction"),
        (f"{WORDY}에는 문제가 없습니다[wordy].", "verdict"),
        (f"{PAY}의 요청은 265건[calls]이고 매출은 3,000만 원입니다.", "uncited"),
    ],
)  # fmt: skip
def test_what_it_does_not_say_is_taken_out(text: str, fault: str) -> None:
    checked = check(text)
    assert checked.fault == fault, (checked.fault, checked.detail)
    assert "".join(piece.text for piece in checked.pieces) == KNOWN.fill(text)


def test_where_nothing_was_found_all_may_be_well() -> None:
    assert check("문제가 없습니다.", QUIET).fault is None
    unsearched = Checker(QUIET.pack, searched=False)
    assert unsearched.check("문제가 없습니다.", Context()).fault == "verdict"


def test_a_sentence_goes_on_about_the_endpoint_of_the_one_before() -> None:
    assert check("오류율은 15.5%[rate]입니다.").fault == "subject"
    assert check("오류율은 15.5%[rate]입니다.", endpoint=PAY).fault is None
    assert check("오류율은 15.5%[rate]입니다.", endpoint=LIST).fault == "subject"


def test_what_stands_with_the_text_is_evidence_too() -> None:
    ids = frozenset({KNOWN.ids["rate"], KNOWN.ids["rate_before"]})
    assert check(f"{PAY} 실패 급증", evidence=ids).fault is None
    assert check(f"{LIST} 실패 급증", evidence=ids).fault == "evidence"


def test_advice_says_what_to_do_not_what_rose() -> None:
    ids = frozenset({KNOWN.ids["rate"]})
    assert check("p95가 증가하면 되돌립니다.", evidence=ids, advice=True).fault is None
    assert check("제한시간을 1.5초로 줄입니다.", evidence=ids, advice=True).fault == "uncited"


def test_pieces_hold_every_figure_with_its_id() -> None:
    checked = check(f"{PAY}의 요청 265건[calls] 가운데 41건[errors]이 실패했습니다.")
    figures = [(piece.text, piece.id) for piece in checked.pieces if piece.kind == "figure"]
    assert figures == [("265건", KNOWN.ids["calls"]), ("41건", KNOWN.ids["errors"])]
    assert checked.confirmed == 2
    assert checked.pieces[0].kind == "endpoint"


def test_days_of_the_question_may_be_spoken_of() -> None:
    assert check("어제의 전체 요청은 8,460건[total]입니다.", relative=frozenset({"어제"})).fault is None
