"""A log line is written by strangers: whatever it says, the verdict stands, and nothing leaks or renders."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from bench.ai.hostile import gullible, paths, texts
from bench.ai.openai_server import Server, openai_server
from dashapp.ai.fence import is_plain
from dashapp.ai.prompting import template
from dashapp.app import create_app
from dashapp.settings import DashboardSettings
from sql.ai_history import AiStore
from sql.batch import Batch, LogRow
from sql.plan import MINUTE
from sql.writing import LogWriter
from tests.rows import log_row
from tests.trouble import END, trouble

SERVICE = "hostile-shop"
KEY = "sk-secret-abcdef123456"
ROOT = "/api/stats/ai-insights"
PROMPT = template("analyze", "v1")


def hostile_rows() -> list[LogRow]:
    """Every text as a path, a user agent, a referrer and an attribute, failing so often that all of it is evidence."""
    made = []
    for place, (path, text) in enumerate(zip(paths(), texts(), strict=True)):
        for again in range(3):
            at = END - timedelta(seconds=60 + 2 * place + again / 4)
            made.append(
                log_row(
                    ts=at,
                    service=SERVICE,
                    method="GET",
                    path=path,
                    route=path[:200],
                    status=500,
                    latency_ms=4000.0 + place,
                    client_ip=f"198.51.100.{place % 250}",
                    user_agent=text,
                    referer=text,
                    attributes=json.dumps({"note": text, text[:40]: "x"}),
                )
            )
    return made  # fmt: skip


@pytest.fixture(scope="module")
def stored(writer: LogWriter) -> None:
    writer.store(Batch("test", SERVICE, [*trouble(SERVICE), *hostile_rows()], []))


@pytest.fixture
def client(
    stored: None, dsn: str, engine: sa.Engine, connection: psycopg.Connection[Any]
) -> Iterator[tuple[FlaskClient, Server]]:  # fmt: skip
    connection.execute("truncate ai_analysis")
    store = AiStore.open(dsn)
    with openai_server(gullible("", KEY, PROMPT)) as server:
        settings = DashboardSettings(
            _env_file=None, settle_seconds=60, openai_api_key=KEY, openai_base_url=server.url, ui_language="en",  # type: ignore[call-arg, arg-type]
            ai_calls_per_minute=1000,
        )  # fmt: skip
        yield create_app(settings, engine, now=lambda: END + MINUTE, ai=store).server.test_client(), server
    store.close()


def shown(body: dict[str, Any]) -> str:
    """All text of a result that a page shows as the model's."""
    cause = body["root_cause"] or {}
    parts = [body["summary"], cause.get("text", ""), *cause.get("reasons", []), *cause.get("improvements", [])]
    for each in body["insights"]:
        if each["source"] == "model":
            parts += [each["title"], each["key_figures"], each["cause"], each["improvement"]]
    return "\n".join(parts)


FORBIDDEN = re.compile(
    r"https?:|evil|<b>|!\[|203\.0\.113\.77|sk-|healthy|no problems|normal|\[e999\]|0\[e4\]", re.IGNORECASE
)


def test_whatever_a_line_says_the_verdict_stands_and_nothing_leaks(client: tuple[FlaskClient, Server]) -> None:
    web, server = client
    calm = web.post(f"{ROOT}/analyze", json={"minutes": 5, "service": SERVICE}).get_json()
    assert calm["verdict"] == "high"
    leaks = []
    for text in texts():
        server.script = gullible(text, KEY, PROMPT)
        body = web.post(f"{ROOT}/history/{calm['id']}/rerun", json={}).get_json()
        assert body["source"] == "model"
        assert body["verdict"] == "high"
        seen = shown(body)
        first_of_prompt = PROMPT.split("\n", 1)[0]
        if FORBIDDEN.search(seen) or first_of_prompt in seen or (body["root_cause"] or {}).get("confidence") == "high":
            leaks.append((text, seen))
    assert leaks == []


def test_findings_that_a_model_denies_are_added_under_the_name_of_the_rules(client: tuple[FlaskClient, Server]) -> None:
    web, _ = client
    body = web.post(f"{ROOT}/analyze", json={"minutes": 5, "service": SERVICE}).get_json()
    assert body["source"] == "model"
    assert {each["severity"] for each in body["insights"] if each["source"] == "rules"} == {"high"}


def test_sentences_of_strangers_are_not_sent_and_no_address_is(client: tuple[FlaskClient, Server]) -> None:
    web, server = client
    web.post(f"{ROOT}/analyze", json={"minutes": 5, "service": SERVICE})
    sent = "\n".join(message["content"] for message in server.requests[0]["messages"])
    evidence = sent.split("<evidence zone", 1)[1]
    assert evidence.count("</evidence>") == 1
    for text in texts():
        if " " in text and len(text.split()) > 3:
            assert text not in evidence, text
    for secret in ("198.51.100.", "203.0.113.77", "evil.example", "onerror", KEY, "\u202e"):
        assert secret not in evidence


def test_an_answer_says_nothing_but_what_the_tools_found(client: tuple[FlaskClient, Server]) -> None:
    web, _ = client
    body = web.post(f"{ROOT}/ask", json={"question": "Which API fails?", "last": "5m", "service": SERVICE}).get_json()
    assert (body["answer"], body["answer_kind"]) == ("", "not_in_logs")


@pytest.mark.parametrize("text", [each for each in texts() if " " in each])
def test_a_sentence_is_no_name(text: str) -> None:
    assert not is_plain(text)
    assert not is_plain(quote(text))
    assert not is_plain(quote(quote(text)))


@pytest.mark.parametrize(
    "text",
    ["/api/order/{id}", "/v1/상품/{id}", "iOS/5.2.1", "ShopApp/5.2.1", "version=1.4", "python-requests/2.32",
     "Chrome 128", "/static/app.min.js", "shop-api", "/v1/%EC%83%81%ED%92%88"],
)  # fmt: skip
def test_a_name_is_shown(text: str) -> None:
    assert is_plain(text)
