"""The AI routes: analyses, questions, the budget, the history, and every failure by its name."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from bench.ai.faithful import faithful_script
from bench.ai.openai_server import Answer, Script, Server, openai_server
from dashapp.ai.calling import limits_of
from dashapp.app import create_app
from dashapp.settings import DashboardSettings
from sql.ai_history import AiStore, Begun, Limits
from sql.batch import Batch
from sql.plan import MINUTE
from sql.writing import LogWriter
from tests.trouble import END, trouble

ROOT = "/api/stats/ai-insights"
SERVICE = "ai-shop"
KEY = "sk-secret-abcdef123456"
FIVE = {"minutes": 5, "service": SERVICE}
QUESTION = {"question": "오류가 가장 많은 API는?", "last": "5m", "service": SERVICE}


@dataclass
class Desk:
    client: FlaskClient
    server: Server

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        answer = self.client.post(f"{ROOT}{path}", json=body)
        assert answer.status_code == status, answer.get_data(as_text=True)[:500]
        assert KEY not in answer.get_data(as_text=True)
        return answer.get_json()

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(f"{ROOT}{path}")
        assert answer.status_code == status
        return answer.get_json()


Open = Callable[..., Desk]


@pytest.fixture(scope="module")
def stored(writer: LogWriter) -> None:
    writer.store(Batch("test", SERVICE, trouble(SERVICE), []))


@pytest.fixture
def store(dsn: str) -> Iterator[AiStore]:
    store = AiStore.open(dsn)
    yield store
    store.close()


@pytest.fixture
def desk(stored: None, engine: sa.Engine, store: AiStore, connection: psycopg.Connection[Any]) -> Iterator[Open]:
    """Opens a dashboard with a scripted model; the history is empty."""
    connection.execute("truncate ai_analysis")
    servers = []

    def start(script: Script = faithful_script, *, now: datetime = END + MINUTE, **settings: Any) -> Desk:
        opened = openai_server(script)
        server = opened.__enter__()
        servers.append(opened)
        given = {"settle_seconds": 60, "openai_api_key": KEY, "openai_base_url": server.url, "ai_retries": 0} | settings
        read = DashboardSettings(_env_file=None, **given)  # type: ignore[call-arg, arg-type]
        return Desk(create_app(read, engine, now=lambda: now, ai=store).server.test_client(), server)

    yield start
    for each in servers:
        each.__exit__(None, None, None)


def test_an_analysis_is_checked_paid_for_and_kept(desk: Open) -> None:
    opened = desk()
    made = opened.post("/analyze", FIVE)
    assert (made["source"], made["state"], made["reason"]) == ("model", "done", None)
    assert made["summary"].startswith("전체 요청 700[")
    assert made["root_cause"]["text"]
    assert {each["endpoint"] for each in made["insights"]} >= {"POST /api/pay"}
    assert made["removed"] == []
    figure = made["evidence"][made["insights"][0]["evidence"][0]]
    assert figure["query"].startswith("/api/stats/")
    assert made["model"] == "gpt-4o-mini"
    tokens = made["tokens"]
    assert made["cost_usd"] == pytest.approx((tokens["input"] * 0.15 + tokens["output"] * 0.60) / 1e6)
    assert opened.get("/latest") == made
    (line,) = opened.get("/history?limit=5")["history"]
    assert line["id"] == made["id"]
    whole = opened.get(f"/history/{made['id']}")
    assert whole["sent"][0][0]["role"] == "system"
    assert whole["reply"][0] == json.dumps(json.loads(whole["reply"][0]), ensure_ascii=False)
    assert opened.get("/history")["daily_cost"] == pytest.approx(made["cost_usd"])


def test_what_is_sent_names_no_client(desk: Open) -> None:
    opened = desk()
    opened.post("/analyze", FIVE)
    sent = json.dumps(opened.server.requests, ensure_ascii=False)
    assert "client-1" in sent
    assert "203.0.113.77" not in sent
    assert "10.2." not in sent


def test_unchanged_data_asks_nobody(desk: Open) -> None:
    opened = desk()
    first = opened.post("/analyze", FIVE)
    again = opened.post("/analyze", FIVE)
    assert len(opened.server.requests) == 1
    assert (again["source"], again["data_unchanged"], again["same_as"]) == ("unchanged", True, first["id"])
    assert again["summary"] == first["summary"]
    assert again["last_analysis_time"] == first["created_at"]
    assert again["cost_usd"] is None
    assert opened.post("/analyze", FIVE | {"minutes": 4})["source"] == "model"
    assert opened.post("/analyze", FIVE | {"lang": "en"})["source"] == "model"


def test_a_failed_analysis_is_no_reason_to_call_data_unchanged(desk: Open) -> None:
    answers = iter([Answer(status=500), Answer(status=500)])
    opened = desk(lambda body: next(answers, None) or faithful_script(body))
    opened.post("/analyze", FIVE, 502)
    opened.post("/analyze", FIVE, 502)
    assert opened.post("/analyze", FIVE)["source"] == "model"


def test_without_a_key_the_rules_serve_under_their_name(desk: Open) -> None:
    opened = desk(openai_api_key=None)
    made = opened.post("/analyze", FIVE)
    assert (made["source"], made["reason"], made["model"]) == ("rules", "no_key", None)
    assert made["insights"][0]["source"] == "rules"
    assert made["insights"][0]["endpoint"] == "POST /api/pay"
    assert made["cost_usd"] is None
    assert opened.server.requests == []
    assert opened.post("/test", {}, 503)["error"]["code"] == "no_key"
    answer = opened.post("/ask", QUESTION)
    assert (answer["source"], answer["reason"], answer["answer_kind"]) == ("rules", "no_key", "rules")


def test_without_requests_nobody_is_asked(desk: Open) -> None:
    opened = desk()
    made = opened.post("/analyze", {"minutes": 5, "service": "nobody"})
    assert (made["source"], made["reason"], made["insights"]) == ("rules", "no_data", [])
    assert opened.server.requests == []


@pytest.mark.parametrize(
    ("answer", "reason", "status"),
    [
        (Answer(status=401, error={"message": f"bad key {KEY}"}), "wrong_key", 502),
        (Answer(status=429), "rate_limited", 503),
        (Answer(status=500), "server_error", 502),
        (Answer(text="{", finish="length"), "cut_off", 502),
        (Answer(text=""), "empty", 502),
        (Answer(text="no JSON at all"), "not_json", 502),
        (Answer(text='{"summary": "x"}'), "bad_shape", 502),
        (Answer(text="", refusal="no"), "refusal", 502),
        (Answer(text="{}", delay_s=1.5), "timeout", 504),
    ],
)
def test_a_failure_has_a_status_a_reason_and_what_the_rules_found(
    desk: Open, answer: Answer, reason: str, status: int
) -> None:  # fmt: skip
    opened = desk(lambda _: answer, ai_timeout_s=0.5 if reason == "timeout" else 30)
    body = opened.post("/analyze", FIVE, status)
    assert body["error"]["code"] == reason
    assert body["analysis"]["source"] == "rules"
    assert body["analysis"]["insights"][0]["source"] == "rules"
    (line,) = opened.get("/history")["history"]
    assert (line["state"], line["reason"]) == ("failed", reason)
    wanted = 2 if reason in ("cut_off", "empty", "not_json", "bad_shape") else 1
    assert len(opened.server.requests) == wanted


def test_a_reply_that_cannot_be_used_is_asked_for_once_more_with_the_error(desk: Open) -> None:
    answers = iter([Answer(text='{"summary": 5}')])
    opened = desk(lambda body: next(answers, None) or faithful_script(body))
    made = opened.post("/analyze", FIVE)
    assert (made["source"], made["calls"]) == ("model", 2)
    repair = opened.server.requests[1]["messages"]
    assert repair[-2] == {"role": "assistant", "content": '{"summary": 5}'}
    assert "summary" in repair[-1]["content"]
    assert made["tokens"]["input"] > 0
    assert len(made["reply"]) == 2


def test_the_budget_is_kept_across_restarts_and_new_at_midnight(desk: Open) -> None:
    dear = {"ai_prices": {"gpt-4o-mini": (100.0, 100.0)}}
    opened = desk(**dear, max_daily_cost=5.0)
    spent = opened.post("/analyze", FIVE)["cost_usd"]
    again = desk(**dear, max_daily_cost=spent + 0.5)  # a call may cost more than what is left
    body = again.post("/analyze", FIVE | {"minutes": 4}, 429)
    assert body["error"]["code"] == "budget"
    assert (body["analysis"]["source"], body["analysis"]["reason"], body["analysis"]["state"]) == (
        "rules",
        "budget",
        "refused",
    )
    assert again.server.requests == []
    assert again.post("/ask", QUESTION, 429)["error"]["code"] == "budget"
    assert again.post("/test", {}, 429)["error"]["code"] == "budget"


def test_the_day_is_the_viewers(store: AiStore, desk: Open, connection: psycopg.Connection[Any]) -> None:
    desk()
    late = datetime(2031, 3, 4, 14, 50, tzinfo=UTC)  # 23:50 in Seoul
    entry = store.begin(Begun("test", "token-of-today", late, "", "ko"))
    connection.execute("update ai_analysis set cost_usd = 0.9, calls = 1 where id = %s", (entry,))
    other = store.begin(Begun("test", "token-of-later", late, "", "ko"))
    settings = DashboardSettings(_env_file=None)  # type: ignore[call-arg]
    assert store.reserve(other, Decimal("0.2"), limits_of(settings, late)) == "budget"
    assert store.reserve(other, Decimal("0.2"), limits_of(settings, late + timedelta(minutes=20))) is None


def test_two_at_once_cannot_spend_the_same_dollar(store: AiStore, desk: Open) -> None:
    desk()
    limits = Limits(END, END - timedelta(hours=1), Decimal(1), 100)
    entries = [store.begin(Begun("test", f"at-once-token-{n}", END, "", "ko")) for n in range(6)]
    results: list[str | None] = []
    threads = [
        threading.Thread(target=lambda entry=entry: results.append(store.reserve(entry, Decimal("0.4"), limits)))
        for entry in entries
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["None", "None", *["budget"] * 4]


def test_a_model_without_a_price_is_asked_and_its_tokens_are_counted(desk: Open) -> None:
    made = desk(openai_model="home-grown").post("/analyze", FIVE)
    assert made["cost_usd"] is None
    assert made["tokens"]["input"] > 0


def test_too_many_a_minute_are_refused(desk: Open) -> None:
    opened = desk(ai_calls_per_minute=1)
    opened.post("/analyze", FIVE)
    assert opened.post("/analyze", FIVE | {"minutes": 4}, 429)["error"]["code"] == "per_minute"


def test_a_running_analysis_can_be_taken_back(desk: Open) -> None:
    opened = desk(lambda _: Answer(text="{}", delay_s=3.0))
    found: list[Any] = []
    token = {"token": "token-to-cancel"}
    thread = threading.Thread(target=lambda: found.append(opened.post("/analyze", FIVE | token, 409)))
    thread.start()
    deadline = time.monotonic() + 10
    while not opened.post("/cancel", token)["cancelled"] and time.monotonic() < deadline:
        time.sleep(0.05)
    thread.join(10)
    assert found[0]["error"]["code"] == "cancelled"
    assert found[0]["analysis"]["state"] == "cancelled"
    assert opened.post("/cancel", token) == {"cancelled": False}


def test_an_entry_runs_again_on_its_evidence_with_another_model(desk: Open) -> None:
    opened = desk()
    first = opened.post("/analyze", FIVE)
    again = opened.post(f"/history/{first['id']}/rerun", {"model": "gpt-4.1-mini", "prompt_version": "v1"})
    assert (again["rerun_of"], again["model"], again["source"]) == (first["id"], "gpt-4.1-mini", "model")
    assert again["summary"] == first["summary"]
    assert opened.server.requests[0]["messages"] == opened.server.requests[1]["messages"]
    opened.post(f"/history/{first['id']}/rerun", {"prompt_version": "v999"}, 400)
    opened.post("/history/999999999/rerun", {}, 404)


def test_thumbs_and_filters_and_the_export(desk: Open) -> None:
    opened = desk()
    first = opened.post("/analyze", FIVE)
    opened.post("/analyze", FIVE)
    opened.post(f"/history/{first['id']}/feedback", {"value": 1})
    assert opened.get(f"/history/{first['id']}")["feedback"] == 1
    opened.post(f"/history/{first['id']}/feedback", {"value": 0})
    assert opened.get(f"/history/{first['id']}")["feedback"] is None
    opened.post(f"/history/{first['id']}/feedback", {"value": 7}, 400)
    opened.post("/history/999999999/feedback", {"value": 1}, 404)
    assert [each["source"] for each in opened.get("/history?source=unchanged")["history"]] == ["unchanged"]
    page = opened.get("/history?limit=1")
    assert [each["source"] for each in opened.get(f"/history?before={page['next_before']}")["history"]] == ["model"]
    lines = opened.client.get(f"{ROOT}/history/export").get_data(as_text=True).splitlines()
    assert [json.loads(line)["source"] for line in lines] == ["unchanged", "model"]
    assert opened.get("/history/999999999", 404)["error"]["code"] == "not_found"


def test_nothing_yet(desk: Open) -> None:
    opened = desk()
    assert opened.get("/latest", 404)["error"]["code"] == "not_found"
    assert opened.get("/history")["history"] == []


def test_a_question_is_answered_by_tools_and_cites(desk: Open) -> None:
    opened = desk()
    made = opened.post("/ask", QUESTION)
    assert made["source"] == "model"
    assert made["answer"].startswith("오류가 가장 많은 API는 POST /login입니다.")
    assert [each["name"] for each in made["tools"]] == ["endpoints"]
    assert made["chart"]["bars"][0]["label"] == "POST /login"
    assert made["chart"]["bars"][0]["value"] == 300
    assert made["removed"] == []
    tool = opened.server.requests[1]["messages"][-1]
    assert tool["content"].startswith("<evidence>")


def test_a_question_names_its_own_period(desk: Open) -> None:
    made = desk().post("/ask", QUESTION | {"question": "최근 10분 동안 오류가 가장 많은 API는?"})
    assert datetime.fromisoformat(made["end"]) - datetime.fromisoformat(made["start"]) == timedelta(minutes=10)
    assert made["chart"]["bars"][0]["value"] == 300


def test_an_answer_streams_tools_and_sentences(desk: Open) -> None:
    opened = desk()
    answer = opened.client.post(f"{ROOT}/ask", json=QUESTION, headers={"Accept": "text/event-stream"})
    assert answer.mimetype == "text/event-stream"
    events = [
        line.removeprefix("event: ") for line in answer.get_data(as_text=True).splitlines() if line.startswith("event")
    ]
    assert events == ["period", "tool", "sentence", "sentence", "done"]


def test_a_conversation_remembers_what_was_said_without_its_ids(desk: Open) -> None:
    opened = desk()
    thread = {"thread": "a-thread-of-ours"}
    opened.post("/ask", QUESTION | thread)
    opened.post("/ask", QUESTION | thread | {"question": "그리고 두 번째는?"})
    second = opened.server.requests[2]["messages"]
    assert [each["role"] for each in second] == ["system", "user", "assistant", "user"]
    assert "오류는 300" in second[2]["content"]
    assert "[e" not in second[2]["content"]


def test_what_the_log_cannot_answer_is_refused(desk: Open) -> None:
    made = desk(lambda _: Answer(text="파리는 프랑스의 수도입니다.")).post(
        "/ask", QUESTION | {"question": "프랑스의 수도는?"}
    )
    assert (made["answer_kind"], made["answer"]) == ("not_in_logs", "")


def test_false_sentences_of_an_answer_are_taken_out(desk: Open) -> None:
    def script(body: dict[str, Any]) -> Answer:
        answer = faithful_script(body)
        if not answer.text:
            return answer
        return Answer(text=f"{answer.text} POST /login의 오류는 9,999[e2]입니다. 서버는 정상입니다.")

    made = desk(script).post("/ask", QUESTION)
    assert [each["fault"] for each in made["removed"]] == ["number", "verdict"]
    assert "9,999" not in made["answer"]


def test_an_answer_that_breaks_off_keeps_what_was_checked(desk: Open) -> None:
    def script(body: dict[str, Any]) -> Answer:
        answer = faithful_script(body)
        words = len(answer.text.split(" "))
        return answer if not answer.text else Answer(text=f"{answer.text} 그리고 더 있습니다.", cut_after=words + 2)

    body = desk(script).post("/ask", QUESTION, 502)
    assert body["error"]["code"] == "broken_stream"
    assert body["analysis"]["source"] == "model"
    assert "POST /login" in body["analysis"]["answer"]


def test_a_server_without_tools_gets_what_most_questions_need(desk: Open) -> None:
    def script(body: dict[str, Any]) -> Answer:
        if "tools" in body:
            return Answer(status=400, error={"message": "tools are not supported"})
        text = str(body["messages"])
        assert "<evidence>" in text
        return Answer(text="POST /login has the most errors.")

    made = desk(script).post("/ask", QUESTION)
    assert made["answer"] == "" or "POST /login" in made["answer"]
    assert [each["name"] for each in made["tools"]] == ["traffic", "endpoints", "statuses", "findings"]


def test_a_tool_that_is_called_wrongly_says_how(desk: Open) -> None:
    def script(body: dict[str, Any]) -> Answer:
        last = body["messages"][-1]
        if last["role"] == "user":
            unknown = {"endpoint": "GET /nope", "service": None, "status": None}
            return Answer(calls=[("endpoints", {"sort": "secrets"}), ("drop_table", {}), ("traffic", unknown)])
        return Answer(text="모릅니다.")

    opened = desk(script)
    made = opened.post("/ask", QUESTION)
    assert [bool(each["problem"]) for each in made["tools"]] == [True, True, True]
    replies = [each["content"] for each in opened.server.requests[1]["messages"] if each["role"] == "tool"]
    assert all(each.startswith("error: ") for each in replies)


@pytest.mark.parametrize("name", ["traffic", "endpoints", "statuses", "slowest", "clients", "compare", "what_changed",
                                  "findings", "log_samples"])  # fmt: skip
def test_every_tool_finds_something_and_hides_who_called(desk: Open, name: str) -> None:
    given: dict[str, dict[str, Any]] = {
        "endpoints": {"sort": "p95", "limit": 3}, "slowest": {"limit": 3}, "clients": {"limit": 3},
        "compare": {"against": "prev"}, "what_changed": {"against": "prev"}, "log_samples": {"limit": 3},
    }  # fmt: skip
    more = given.get(name, {})

    def script(body: dict[str, Any]) -> Answer:
        if body["messages"][-1]["role"] == "user":
            return Answer(calls=[(name, {"endpoint": None, "service": None, "status": None} | more)])
        return Answer(text="확인했습니다.")

    opened = desk(script)
    made = opened.post("/ask", QUESTION)
    assert [(each["name"], each["problem"]) for each in made["tools"]] == [(name, None)]
    found = opened.server.requests[1]["messages"][-1]["content"]
    assert "[e1]" in found
    assert "203.0.113" not in found
    assert "10.2." not in found


@pytest.mark.parametrize(
    "body",
    [{"minutes": 0}, {"minutes": "5"}, {"minutes": True}, {"minutes": 10**9}, {"status": "banana"}, {"lang": "fr"}, [1],
     {"start": "x", "end": "y"}, {"token": "short"}, {"regex": "("}, {"search": "?regex=("}],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(desk: Open, body: Any) -> None:
    assert desk().post("/analyze", body, 400)["error"]["code"] == "bad_parameter"


@pytest.mark.parametrize(
    "body", [{}, {"question": ""}, {"question": " "}, {"question": "x" * 501}, {"question": "a\x00b"}]
)
def test_no_question_is_no_question(desk: Open, body: Any) -> None:
    assert desk().post("/ask", body, 400)["error"]["code"] == "bad_parameter"


def test_only_json_is_taken_so_that_no_other_site_can_ask(desk: Open) -> None:
    answer = desk().client.post(f"{ROOT}/analyze", data='{"minutes": 5}', content_type="text/plain")
    assert answer.status_code == 400


def test_where_nothing_can_be_taken_down_nothing_is_asked(stored: None, engine: sa.Engine) -> None:
    settings = DashboardSettings(_env_file=None, openai_api_key=KEY)  # type: ignore[call-arg, arg-type]
    client = create_app(settings, engine, now=lambda: END).server.test_client()
    answer = client.post(f"{ROOT}/analyze", json=FIVE)
    assert answer.status_code == 503
    assert answer.get_json()["error"]["code"] == "database_unavailable"
