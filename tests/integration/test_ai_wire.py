"""What goes over the wire to a model's server, and what becomes of every way in which it can fail."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.ai.openai_server import Answer, openai_server
from dashapp.ai.faults import ModelFault
from dashapp.ai.model_client import Dialect, ModelClient, ModelSettings
from dashapp.ai.reply import schema

KEY = "sk-secret-abcdef123456"
MESSAGES = [{"role": "user", "content": "한글 evidence"}]
GOOD = '{"summary": "", "root_cause": null, "insights": []}'


def settings(url: str | None, **more: Any) -> ModelSettings:
    return replace(ModelSettings(KEY, url, "gpt-4o-mini", 0.0, 500, 5.0, retries=0), **more)


def asked(
    script: Callable[[dict[str, Any]], Answer], **more: Any
) -> tuple[list[dict[str, Any]], list[dict[str, str]], Any]:
    """What a server got, and the answer or the fault."""
    with openai_server(script) as server:
        client = ModelClient(settings(server.url, **more))
        try:
            outcome: Any = client.answer(MESSAGES, schema())
        except ModelFault as fault:
            outcome = fault
        finally:
            client.close()
    return server.requests, server.headers, outcome


def streamed(script: Callable[[dict[str, Any]], Answer], tools: list[dict[str, Any]] | None = None) -> tuple[str, Any]:
    """The text as it came, and the answer or the fault."""
    parts: list[str] = []
    with openai_server(script) as server:
        client = ModelClient(settings(server.url))
        try:
            outcome: Any = client.stream(MESSAGES, tools or [], on_text=parts.append)
        except ModelFault as fault:
            outcome = fault
        finally:
            client.close()
    return "".join(parts), outcome


def test_a_request_holds_the_schema_the_limits_and_the_key_in_its_header_alone() -> None:
    requests, headers, said = asked(lambda _: Answer(text=GOOD))
    (request,) = requests
    assert said.text == GOOD
    assert (said.tokens.input, said.tokens.output) == (
        len(json.dumps(MESSAGES, ensure_ascii=False)) // 4,
        len(GOOD) // 4,
    )
    assert request["model"] == "gpt-4o-mini"
    assert request["temperature"] == 0.0
    assert request["max_completion_tokens"] == 500
    assert request["messages"] == MESSAGES
    sent = request["response_format"]
    assert sent["type"] == "json_schema"
    assert sent["json_schema"]["strict"] is True
    assert headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in json.dumps(request)


def test_the_schema_is_one_that_strict_output_takes() -> None:
    def look(part: Any) -> None:
        if isinstance(part, dict):
            if part.get("type") == "object":
                assert part["additionalProperties"] is False
                assert sorted(part["required"]) == sorted(part["properties"])
            assert not {"maxLength", "maxItems", "default"} & {*part} - {*part.get("properties", {})}
            for each in part.values():
                look(each)
        elif isinstance(part, list):
            for each in part:
                look(each)

    look(schema())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(status=401, error={"message": f"Incorrect API key provided: {KEY}"}), "wrong_key"),
        (Answer(status=403, error={"message": "no"}), "forbidden"),
        (Answer(status=404, error={"message": "The model does not exist", "code": "model_not_found"}), "unknown_model"),
        (Answer(status=400, error={"message": "bad thing"}), "bad_request"),
        (Answer(status=429, error={"message": "slow down"}), "rate_limited"),
        (Answer(status=429, error={"message": "no money", "code": "insufficient_quota"}), "no_quota"),
        (Answer(status=500, error={"message": "oh"}), "server_error"),
        (Answer(status=503, raw="<html>down</html>"), "server_error"),
        (Answer(status=504, raw=""), "timeout"),
        (Answer(text=GOOD[:20], finish="length"), "cut_off"),
        (Answer(text=""), "empty"),
        (Answer(text="", refusal="I will not"), "refusal"),
        (Answer(text="x", finish="content_filter"), "refusal"),
        (Answer(raw="this is no JSON"), "not_json"),
        (Answer(raw="[1, 2]"), "not_json"),
        (Answer(raw='{"choices": []}'), "empty"),
        (Answer(raw='{"hello": 1}'), "not_json"),
    ],
)
def test_every_fault_has_its_name(answer: Answer, reason: str) -> None:
    _, _, fault = asked(lambda _: answer)
    assert isinstance(fault, ModelFault), fault
    assert fault.reason == reason


def test_a_server_that_does_not_answer_in_time() -> None:
    _, _, fault = asked(lambda _: Answer(text=GOOD, delay_s=1.0), timeout_s=0.3)
    assert fault.reason == "timeout"


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(ModelFault) as found:
        ModelClient(settings(f"http://127.0.0.1:{port}/v1")).answer(MESSAGES, schema())
    assert found.value.reason == "no_network"


def test_a_busy_server_is_asked_again() -> None:
    answers = iter([Answer(status=429, headers={"Retry-After": "0"}), Answer(text=GOOD)])
    requests, _, said = asked(lambda _: next(answers), retries=1)
    assert said.text == GOOD
    assert len(requests) == 2


def test_what_a_server_does_not_know_is_left_out_and_remembered() -> None:
    def old(body: dict[str, Any]) -> Answer:
        if "max_completion_tokens" in body:
            return Answer(status=400, error={"message": "unknown field max_completion_tokens"})
        if "temperature" in body:
            return Answer(status=400, error={"message": "temperature is not supported with this model"})
        if body["response_format"]["type"] == "json_schema":
            return Answer(status=400, error={"message": "response_format json_schema is not supported"})
        return Answer(text=GOOD)

    dialect = Dialect()
    with openai_server(old) as server:
        for _ in range(2):
            client = ModelClient(settings(server.url), dialect)
            assert client.answer(MESSAGES, schema()).text == GOOD
            assert not client.has_structured_output
            client.close()
    assert len(server.requests) == 5  # three refusals, and then it knows
    assert server.requests[-1]["response_format"] == {"type": "json_object"}
    assert server.requests[-1]["max_tokens"] == 500


def test_a_server_that_refuses_for_ever_is_not_asked_for_ever() -> None:
    requests, _, fault = asked(
        lambda _: Answer(status=400, error={"message": "temperature max_tokens response_format"})
    )
    assert fault.reason == "bad_request"
    assert len(requests) <= 8


def test_text_streams_word_by_word_with_its_tokens() -> None:
    text, said = streamed(lambda _: Answer(text="오류는 없습니다. All is said."))
    assert text.strip() == "오류는 없습니다. All is said."
    assert said.text == text
    assert said.tokens.input > 0
    assert said.calls == ()


def test_tools_are_called_with_whole_arguments() -> None:
    tool = {"type": "function", "function": {"name": "traffic", "parameters": {}}}
    _, said = streamed(lambda _: Answer(calls=[("traffic", {"a": 1}), ("clients", {})]), [tool])
    assert [(call.name, json.loads(call.arguments)) for call in said.calls] == [("traffic", {"a": 1}), ("clients", {})]


def test_without_usage_tokens_are_estimated() -> None:
    _, said = streamed(lambda _: Answer(text="some words", usage=False))
    assert said.tokens.output >= 2


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_stream_that_breaks_says_so_and_keeps_what_came(after: int) -> None:
    text, fault = streamed(lambda _: Answer(text="one two three four five", cut_after=after))
    assert isinstance(fault, ModelFault)
    assert fault.reason == "broken_stream"
    assert "one two three four five".startswith(text.strip())


def test_a_stream_that_is_cut_off() -> None:
    _, fault = streamed(lambda _: Answer(text="one two", finish="length"))
    assert fault.reason == "cut_off"


def test_a_server_that_closes_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def close() -> None:
            connection, _ = listener.accept()
            connection.close()

        threading.Thread(target=close, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        with pytest.raises(ModelFault) as found:
            ModelClient(settings(url)).answer(MESSAGES, schema())
    assert found.value.reason == "no_network"


def test_the_sdk_is_imported_only_when_a_model_is_asked() -> None:
    code = (
        "import sys\n"
        "from dashapp.app import create_app\n"
        "from dashapp.settings import DashboardSettings\n"
        "from sql.connection import reading_engine\n"
        "app = create_app(DashboardSettings(_env_file=None, openai_api_key='sk-x'), reading_engine('postgresql://nowhere'))\n"
        "assert app.server.test_client().get('/healthz').status_code == 200\n"
        "assert 'openai' not in sys.modules and 'httpx2' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
