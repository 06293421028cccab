"""What is left of a whole reply: nothing is worse, and nobody surer, than the search that it rests on."""

from __future__ import annotations

from typing import Any

import pytest

from dashapp.ai.checking.judge import judge, uncovered
from dashapp.ai.reply import Reply
from dashapp.ai.result import Result
from tests.packs import LIST, PAY, Known

KNOWN, QUIET = Known(), Known(findings=False)


def judged(known: Known = KNOWN, **given: Any) -> Result:
    reply = {"summary": "", "root_cause": None, "insights": []} | given
    return judge(Reply.model_validate_json(known.fill(_json(reply, known))), known.pack)


def _json(reply: dict[str, Any], known: Known) -> str:
    for part in [*reply["insights"], *filter(None, [reply["root_cause"]])]:
        part["evidence"] = [known.ids.get(name, name) for name in part["evidence"]]
    return Reply.model_validate(reply).model_dump_json()


def insight(**given: Any) -> dict[str, Any]:
    usual = {
        "endpoint": PAY, "title": "결제 실패", "key_figures": f"{PAY}의 오류율은 15.5%[rate]입니다.",
        "cause": "배포가 원인으로 보입니다.", "evidence": ["rate"], "improvement": "되돌립니다.", "severity": "high",
    }  # fmt: skip
    return usual | given


def cause(**given: Any) -> dict[str, Any]:
    usual = {
        "text": f"{PAY} 실패는 배포 때문으로 보입니다.", "confidence": "high", "evidence": ["rate"],
        "reasons": [f"{PAY}의 오류율은 15.5%[rate]입니다."], "improvements": ["되돌립니다."],
    }  # fmt: skip
    return usual | given


def test_a_true_insight_stays_whole() -> None:
    found = judged(insights=[insight()])
    assert (len(found.insights), found.removed, found.confirmed) == (1, [], 1)
    assert (found.insights[0].severity, found.verdict) == ("high", "high")


def test_nothing_is_worse_than_its_finding_or_its_figures() -> None:
    users = insight(endpoint=LIST, title="목록", key_figures=f"{LIST}의 p95는 110 ms[users_p95]입니다.",
                    evidence=["users_p95"])  # fmt: skip
    found = judged(insights=[users])
    assert (found.insights[0].severity, found.insights[0].severity_claimed) == ("low", "high")
    assert judged(QUIET, insights=[insight()]).insights[0].severity == "medium"  # 15.5 % of 265 calls


def test_nobody_is_surer_than_the_search() -> None:
    assert judged(root_cause=cause()).root_cause.confidence == "high"  # type: ignore[union-attr]
    assert judged(QUIET, root_cause=cause()).root_cause.confidence == "low"  # type: ignore[union-attr]
    one_false = cause(reasons=[f"{PAY}의 오류율은 25.5%[rate]입니다."])
    found = judged(root_cause=one_false)
    assert found.root_cause is not None
    assert (found.root_cause.confidence, found.root_cause.reasons) == ("low", [])
    assert [each.fault for each in found.removed] == ["number"]


@pytest.mark.parametrize(
    "given",
    [{"endpoint": "GET /api/unknown"}, {"evidence": ["e999"], "key_figures": ""}, {"endpoint": LIST}],
)  # fmt: skip
def test_an_insight_without_evidence_is_none(given: dict[str, Any]) -> None:
    found = judged(insights=[insight(**given)])
    assert found.insights == []
    assert found.removed


def test_a_cause_without_evidence_is_none() -> None:
    assert judged(root_cause=cause(evidence=[], text="배포 때문으로 보입니다.", reasons=[])).root_cause is None


def test_what_the_search_found_may_not_be_left_out() -> None:
    assert [each.kind for each in uncovered(KNOWN.pack, [])] == ["error_burst"]
    assert uncovered(KNOWN.pack, judged(insights=[insight()]).insights) == []
    assert uncovered(QUIET.pack, []) == []
