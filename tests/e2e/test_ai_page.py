"""The AI page in a browser: the button, what it says of its source, questions, the history."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from bench.ai.faithful import faithful_script
from bench.ai.openai_server import Answer, Script, Server, openai_server
from sql.ai_history import AiStore
from sql.batch import Batch
from sql.plan import MINUTE
from sql.writing import LogWriter
from tests.e2e.axe import violations
from tests.e2e.pages import Served, served, wait_until
from tests.rows import log_row
from tests.trouble import END, trouble

pytestmark = pytest.mark.browser

SERVICE = "ai-page-shop"
HOSTILE = '<img src=x onerror="document.body.dataset.hacked=1">'
ROOT = "/api/stats/ai-insights"


@pytest.fixture(scope="module")
def stored(writer: LogWriter) -> None:
    hostile = [
        log_row(ts=END - MINUTE, service=SERVICE, path="/x", route=f"/{HOSTILE}", status=500, user_agent=HOSTILE)
        for _ in range(40)
    ]
    writer.store(Batch("test", SERVICE, [*trouble(SERVICE), *hostile], []))


class Desk:
    def __init__(self, page: Served, server: Server, browser: Any) -> None:
        self.page, self.server, self.browser = page, server, browser

    def open(self, **parameters: str) -> None:
        query = {"lang": "en", "refresh": "off", "last": "5m", "service": SERVICE} | parameters
        text = "&".join(f"{name}={value}" for name, value in query.items())
        self.browser.server_url = f"{self.page.url}/ai?{text}"
        self.browser.wait_for_element("#ai-usage .cost", timeout=20)

    def analyze(self, said: str) -> None:
        self.browser.find_element("#ai-analyze").click()
        wait_until(self.browser, lambda: said in self.text("#ai-head") + self.text("#ai-result"))
        wait_until(self.browser, lambda: self.browser.find_element("#ai-analyze").is_enabled())

    def text(self, selector: str) -> str:
        return str(self.browser.driver.execute_script(
            "var e = document.querySelector(arguments[0]); return e ? e.innerText : ''", selector))  # fmt: skip

    def ask(self, question: str) -> None:
        self.browser.find_element("#ai-question").send_keys(question)
        self.browser.find_element("#ai-ask").click()
        wait_until(self.browser, lambda: self.browser.find_element("#ai-ask").is_enabled())

    def said(self) -> list[Any]:
        """What the console said, but for the statuses that are meant."""
        return [each for each in self.browser.get_logs() if not re.search(r"status of (429|50\d|409)", each["message"])]


Open = Callable[..., Desk]


@pytest.fixture
def desk(
    stored: None, engine: sa.Engine, dsn: str, dash_br: Any, connection: psycopg.Connection[Any]
) -> Iterator[Open]:  # fmt: skip
    connection.execute("truncate ai_analysis")
    with ExitStack() as stack:
        store = stack.enter_context(closing(AiStore.open(dsn)))

        def start(script: Script = faithful_script, *, now: datetime = END + MINUTE, **settings: Any) -> Desk:
            server = stack.enter_context(openai_server(script))
            given: dict[str, Any] = {
                "settle_seconds": 60,
                "openai_api_key": "sk-x-123456789",
                "openai_base_url": server.url,
                "ai_retries": 0,
            }
            page = stack.enter_context(served(engine, now, ai=store, **given | settings))
            return Desk(page, server, dash_br)

        yield start


def test_the_button_shows_a_checked_analysis_whose_figures_lead_to_their_pages(desk: Open, dash_br: Any) -> None:
    opened = desk()
    opened.open()
    assert "No analysis has been made yet" in opened.text("#ai-result")
    assert opened.server.requests == []
    opened.analyze("figures confirmed")
    latest = opened.page.get(f"{ROOT}/latest")
    assert latest["source"] == "model"
    assert f"All {latest['confirmed']} figures confirmed" in opened.text("#ai-head")
    assert "POST /api/pay" in opened.text("#ai-result")
    assert latest["root_cause"]["confidence"] in opened.text(".conf").lower()
    assert "$0.00" in opened.text("#ai-usage")
    assert opened.text("#ai-count") == "1"
    assert violations(dash_br.driver) == []
    figure = dash_br.find_element("#ai-result .ai-summary .ev")
    number, key = figure.text, figure.find_element("xpath", "..").get_attribute("data-id")
    value = latest["evidence"][key]["value"]
    assert number.startswith(f"{value:,.0f}")
    summary = opened.page.get(latest["evidence"][key]["query"])
    assert summary["total"] == value
    figure.click()
    wait_until(
        dash_br, lambda: "service=" + SERVICE in dash_br.driver.current_url and "/ai" not in dash_br.driver.current_url
    )
    dash_br.wait_for_contains_text("#overview-requests", f"{value:,.0f}", timeout=20)
    assert opened.said() == []


def test_unchanged_data_keeps_the_result_and_says_so(desk: Open) -> None:
    opened = desk()
    opened.open()
    opened.analyze("figures confirmed")
    opened.analyze("The model was not called")
    assert len(opened.server.requests) == 1
    assert "Unchanged" in opened.text("#ai-head")
    assert "POST /api/pay" in opened.text("#ai-result")
    assert "the data are as before" in opened.text("#ai-history")
    assert opened.said() == []


def test_a_spent_budget_lets_the_rules_serve(desk: Open) -> None:
    opened = desk(max_daily_cost=0)
    opened.open()
    opened.analyze("budget ($0.00 a day) is spent")
    assert "Budget" in opened.text("#ai-head")
    assert "figures found by rules" in opened.text("#ai-head")
    assert "POST /api/pay" in opened.text("#ai-result")
    assert opened.server.requests == []
    assert opened.said() == []


def test_without_a_key_the_page_works_and_says_whose_result_it_is(desk: Open) -> None:
    opened = desk(openai_api_key=None)
    opened.open()
    opened.analyze("OPENAI_API_KEY is not set")
    assert "Rule-based" in opened.text("#ai-head")
    opened.browser.find_element("#ai-test").click()
    wait_until(opened.browser, lambda: "OPENAI_API_KEY is not set" in opened.text("#ai-test-result"))
    assert opened.said() == []


def test_a_server_that_is_away_is_named_and_the_rules_serve(desk: Open) -> None:
    opened = desk(openai_base_url="http://127.0.0.1:9/v1")
    opened.open()
    opened.analyze("cannot be reached")
    assert "Failed" in opened.text("#ai-head")
    assert "What the rules find is shown instead" in opened.text("#ai-result")
    assert opened.said() == []


def test_a_running_analysis_is_cancelled(desk: Open, dash_br: Any) -> None:
    opened = desk(lambda _: Answer(text="{}", delay_s=4))
    opened.open()
    dash_br.find_element("#ai-analyze").click()
    wait_until(dash_br, lambda: dash_br.find_element("#ai-cancel").is_displayed() and opened.server.requests)
    assert "analysing" in opened.text("#ai-running")
    dash_br.find_element("#ai-cancel").click()
    wait_until(dash_br, lambda: "Cancelled" in opened.text("#ai-history"))
    wait_until(dash_br, lambda: not dash_br.find_element("#ai-cancel").is_displayed())
    assert opened.said() == []


def test_a_question_is_answered_with_a_chart_and_remembered(desk: Open, dash_br: Any) -> None:
    opened = desk()
    opened.open()
    opened.ask("Which API has the most errors in the last 10 minutes?")
    wait_until(dash_br, lambda: "The API with the most errors is POST /login" in opened.text("#ai-thread"))
    assert opened.text("#ai-live") == ""
    bars = [row.text.replace("\n", " ") for row in dash_br.find_elements("#ai-thread .qr")]
    usage = opened.page.get(f"/api/stats/usage?last=15m&service={SERVICE}")["endpoints"]
    login = next(each for each in usage if each["route"] == "/login")
    assert bars[0] == f"POST /login {login['count']}"
    assert "endpoints" in dash_br.find_element("#ai-thread details").get_attribute("textContent")
    opened.ask("And the second one?")
    wait_until(dash_br, lambda: len(dash_br.find_elements("#ai-thread .me")) == 2)
    assert len(opened.server.requests[2]["messages"]) == 4
    assert violations(dash_br.driver) == []
    dash_br.find_element("#ai-new").click()
    wait_until(dash_br, lambda: not dash_br.find_elements("#ai-thread .me"))
    assert opened.said() == []


def test_an_answer_streams_before_it_is_whole(desk: Open, dash_br: Any) -> None:
    def slow(body: dict[str, Any]) -> Answer:
        answer = faithful_script(body)
        return Answer(text=f"{answer.text} {answer.text}", delay_s=0.25) if answer.text else answer

    opened = desk(slow)
    opened.open()
    dash_br.find_element("#ai-question").send_keys("Which API has the most errors?")
    dash_br.find_element("#ai-ask").click()
    wait_until(dash_br, lambda: "POST /login" in opened.text("#ai-live"))
    assert not dash_br.find_element("#ai-ask").is_enabled()
    wait_until(dash_br, lambda: dash_br.find_element("#ai-ask").is_enabled())
    assert opened.said() == []


def test_an_entry_opens_runs_again_and_is_compared(desk: Open, dash_br: Any) -> None:
    opened = desk()
    opened.open()
    opened.analyze("figures confirmed")
    dash_br.find_element("#ai-window option[value='15']").click()
    opened.analyze("figures confirmed")
    wait_until(dash_br, lambda: opened.text("#ai-count") == "2")
    dash_br.find_elements("#ai-history .hi")[-1].click()
    wait_until(dash_br, lambda: bool(dash_br.find_elements("#ai-entry .ai-whole[open]")))
    kept = dash_br.find_element("#ai-entry").get_attribute("textContent")
    first = opened.page.get(f"{ROOT}/history")["history"][-1]
    whole = opened.page.get(f"{ROOT}/history/{first['id']}")
    assert whole["sent"][0][1]["content"][:200] in kept
    assert json.loads(whole["reply"][0])["summary"] in kept
    dash_br.find_element(f"#ai-compare option[value='{first['id'] + 1}']").click()
    wait_until(dash_br, lambda: len(dash_br.find_elements(".ai-beside > div")) == 2)
    dash_br.find_element("[data-act='ai-feedback'][data-value='1']").click()
    wait_until(dash_br, lambda: opened.page.get(f"{ROOT}/history/{first['id']}")["feedback"] == 1)
    wait_until(dash_br, lambda: bool(dash_br.find_elements("[data-act='ai-feedback'][aria-pressed='true']")))
    field = dash_br.find_element("#ai-rerun-model")
    field.clear()
    field.send_keys("gpt-4.1-mini")
    dash_br.find_element("[data-act='ai-rerun']").click()
    wait_until(dash_br, lambda: "gpt-4.1-mini" in opened.text("#ai-head"))
    assert opened.page.get(f"{ROOT}/latest")["rerun_of"] == first["id"]
    assert opened.said() == []


def test_the_connection_test_names_the_fault(desk: Open, dash_br: Any) -> None:
    answers = iter([Answer(status=401, error={"message": "no such key"})])
    opened = desk(lambda body: next(answers, None) or faithful_script(body))
    opened.open()
    dash_br.find_element("#ai-test").click()
    wait_until(dash_br, lambda: "refused the API key" in opened.text("#ai-test-result"))
    dash_br.find_element("#ai-test").click()
    wait_until(dash_br, lambda: "Connected" in opened.text("#ai-test-result"))
    assert opened.said() == []


def test_names_of_strangers_are_text_in_both_languages(desk: Open, dash_br: Any) -> None:
    opened = desk()
    for language, word in (("ko", "모델"), ("en", "Model")):
        opened.open(lang=language)
        opened.analyze(word)
    assert HOSTILE in dash_br.find_element("#ai-result").get_attribute("textContent")
    assert not dash_br.find_elements("#ai-page img, #ai-page script")
    assert dash_br.driver.execute_script("return document.body.dataset.hacked || null") is None
    assert opened.said() == []
