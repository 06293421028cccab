"""A model that does as it is told: it writes down what the evidence says, with the ids, and nothing else.

It knows the evidence only as a model does, from the text that is sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from bench.ai.openai_server import Answer

_FINDING = re.compile(
    r"finding (?P<severity>\w+) (?P<kind>\w+): (?P<where>.+?), since (?P<since>\S+ \S+\[e\d+\]) "
    r"(?P<until>lasts|to \S+ \S+\]),"
    r" (?P<measure>\S+) (?P<observed>.+?\[e\d+\]) where (?P<usual>.+?\[e\d+\]) is usual"
)
_ENDPOINT = re.compile(
    r"^endpoint (?P<name>.+?): requests (?P<requests>\S+), errors (?P<errors>\S+) \((?P<rate>\S+)\)(?P<rest>.*)"
)
_P95 = re.compile(r"p95 (?P<now>[^,;]+?\[e\d+\]).*?; before .*?p95 (?P<before>[^,;]+?\[e\d+\])")
_TOTALS = re.compile(r"^all requests: requests (?P<requests>\S+), errors (?P<errors>\S+) \((?P<rate>\S+)\)")
_IDS = re.compile(r"\[(e\d+)\]")


def evidence_lines(body: dict[str, Any]) -> list[str]:
    """The lines of evidence in a request."""
    text = "\n".join(str(message["content"]) for message in body["messages"] if message["role"] != "assistant")
    return [
        line
        for part in re.findall(r"<evidence[^>]*>\n(.*?)\n</evidence>", text, re.DOTALL)
        for line in part.split("\n")
    ]


def is_korean(body: dict[str, Any]) -> bool:
    """Whether the answer is to be in Korean."""
    return "Answer in Korean" in str(body["messages"][0]["content"])


def faithful_reply(body: dict[str, Any]) -> str:
    """The JSON of a reply."""
    return json.dumps(faithful(evidence_lines(body), korean=is_korean(body)), ensure_ascii=False)


def faithful(lines: Sequence[str], *, korean: bool) -> dict[str, Any]:
    """A reply as an object."""
    totals = next((found for line in lines if (found := _TOTALS.match(line))), None)
    findings = [(line, found) for line in lines if (found := _FINDING.match(line))]
    endpoints = {found["name"]: found for line in lines if (found := _ENDPOINT.match(line))}
    insights = [_insight(line, found, korean) for line, found in findings[:6]]
    insights += [_of_endpoint(found, korean) for found in endpoints.values()][: max(0, 3 - len(insights))]
    if totals is None:
        summary = ""
    elif korean:
        summary = f"전체 요청 {totals['requests']} 가운데 오류는 {totals['errors']}, 오류율은 {totals['rate']}입니다."
    else:
        summary = f"All requests were {totals['requests']}, errors {totals['errors']}, a rate of {totals['rate']}."
    return {"summary": summary, "root_cause": _cause(*findings[0], korean) if findings else None, "insights": insights}


def _insight(line: str, found: re.Match[str], korean: bool) -> dict[str, Any]:
    endpoint = _endpoint_of(found["where"])
    subject = endpoint or ("전체" if korean else "All requests")
    ids = _IDS.findall(line)
    if korean:
        figures = f"{subject}: {found['since']}부터 {found['observed']}, 평소 {found['usual']}입니다."
        cause, advice, title = "한쪽에서 생긴 문제로 보입니다.", "최근에 바뀐 것을 되돌려 보십시오.", f"{subject} 이상"
    else:
        figures = f"{subject}: since {found['since']} it is {found['observed']}, usually {found['usual']}."
        cause, advice, title = "Something behind it seems broken.", "Undo what was changed last.", f"{subject} deviates"
    return {
        "endpoint": endpoint, "title": title, "key_figures": figures, "cause": cause, "evidence": ids,
        "improvement": advice, "severity": found["severity"],
    }  # fmt: skip


def _of_endpoint(found: re.Match[str], korean: bool) -> dict[str, Any]:
    name = found["name"]
    latency = _P95.search(found["rest"])
    if korean:
        figures = f"{name}의 요청은 {found['requests']}, 오류율은 {found['rate']}입니다."
        figures += f" {name}의 p95는 이전 {latency['before']}, 지금 {latency['now']}입니다." if latency else ""
        title, cause, advice = f"{name} 현황", "오류가 있는 요청을 확인해야 합니다.", "로그를 확인하십시오."
    else:
        figures = f"{name} had requests {found['requests']}, an error rate of {found['rate']}."
        figures += f" The p95 of {name} was {latency['before']} before, it is {latency['now']} now." if latency else ""
        title, cause, advice = f"State of {name}", "The failed requests tell more.", "Look at the log."
    return {
        "endpoint": name, "title": title, "key_figures": figures, "cause": cause, "evidence": _IDS.findall(figures),
        "improvement": advice, "severity": "low",
    }  # fmt: skip


def _cause(line: str, found: re.Match[str], korean: bool) -> dict[str, Any]:
    subject = _endpoint_of(found["where"]) or ("전체 요청" if korean else "All requests")
    ids = _IDS.findall(line)
    if korean:
        text = f"{subject}: {found['observed']}(평소 {found['usual']})인 원인은 최근 변경으로 보입니다."
        reasons, advice = [f"{subject}: {found['since']}부터 그렇습니다."], ["최근 변경을 확인하십시오."]
    else:
        text = f"{subject}: {found['observed']} where {found['usual']} is usual; a recent change seems to be behind it."
        reasons, advice = [f"{subject}: it has been so since {found['since']}."], ["Check what was changed last."]
    return {"text": text, "confidence": "high", "evidence": ids, "reasons": reasons, "improvements": advice}


def _endpoint_of(where: str) -> str | None:
    found = re.match(r"endpoint (\S+ \S+|endpoint-\d+)", where)
    return found[1].rstrip(",") if found else None


def faithful_script(body: dict[str, Any]) -> Answer:
    """Answers everything: an analysis, a question by the tool of endpoints, a test of the connection."""
    if body.get("stream"):
        return _turn(body)
    if "analysis" in json.dumps(body.get("response_format", {})):
        return Answer(text=faithful_reply(body))
    return Answer(text='{"ok": true}')


_ROW = re.compile(r"^(?P<name>[A-Z]+ /\S*|endpoint-\d+): requests (?P<requests>\S+), errors (?P<errors>\S+),")


def _turn(body: dict[str, Any]) -> Answer:
    """Ask for the endpoints by errors, then say which has the most."""
    if body["messages"][-1]["role"] != "tool":
        given = {"endpoint": None, "service": None, "status": None, "sort": "errors", "limit": 5}
        return Answer(calls=[("endpoints", given)])
    rows = [found for line in body["messages"][-1]["content"].split("\n") if (found := _ROW.match(line))]
    if not rows:
        return Answer(text="로그에 없습니다.")
    name, requests, errors = rows[0]["name"], rows[0]["requests"], rows[0]["errors"]
    if "in Korean" in str(body["messages"][0]["content"]):
        text = f"오류가 가장 많은 API는 {name}입니다. {name}의 오류는 {errors}, 요청은 {requests}입니다."
    else:
        text = f"The API with the most errors is {name}. {name} had errors {errors} in requests {requests}."
    return Answer(text=text)
