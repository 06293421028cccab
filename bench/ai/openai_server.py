"""A server that speaks OpenAI's chat completions on loopback and answers by a script."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What is sent back.

    Attributes:
        text: content of the message.
        calls: tools that it calls instead, by name, with their arguments.
        status, error: where it is no answer.
        raw: the whole body as it stands.
        finish: finish_reason.
        delay_s: wait before anything is sent; the same between the chunks of a stream.
        cut_after: so many chunks of a stream, then the connection breaks.
    """

    text: str = ""
    calls: Sequence[tuple[str, dict[str, Any]]] = ()
    status: int = 200
    error: dict[str, Any] | None = None
    raw: str | None = None
    finish: str | None = None
    refusal: str | None = None
    delay_s: float = 0.0
    cut_after: int | None = None
    usage: bool = True
    headers: dict[str, str] = field(default_factory=dict)


Script = Callable[[dict[str, Any]], Answer]


@dataclass
class Server:
    """Its address, what came, and its script, which a test may change."""

    script: Script
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def openai_server(script: Script) -> Iterator[Server]:
    """Serve until the block ends."""
    server = Server(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.requests.append(body)
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            answer = server.script(body)
            time.sleep(answer.delay_s)
            if answer.status == 200 and answer.raw is None and body.get("stream"):
                self._stream(answer, body)
                return
            text = answer.raw if answer.raw is not None else json.dumps(whole(answer, body))
            if answer.status != 200 and answer.raw is None:
                text = json.dumps({"error": answer.error or {"message": "failed"}})
            self._send(answer, text.encode())

        def _send(self, answer: Answer, body: bytes) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def _stream(self, answer: Answer, body: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.close_connection = True
            self.end_headers()
            for place, chunk in enumerate(chunks(answer, body)):
                if answer.cut_after is not None and place >= answer.cut_after:
                    return
                self.wfile.write(f"data: {chunk}\n\n".encode())
                self.wfile.flush()
                time.sleep(answer.delay_s)
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def whole(answer: Answer, body: dict[str, Any]) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": answer.refusal}
    if answer.calls:
        message["tool_calls"] = _calls(answer)
    made = _head(body, "chat.completion")
    made["choices"] = [{"index": 0, "message": message, "finish_reason": answer.finish or _finish(answer)}]
    if answer.usage:
        made["usage"] = usage_of(body, answer)
    return made


def chunks(answer: Answer, body: dict[str, Any]) -> Iterator[str]:
    """The parts of a stream: words of the text, or the calls of tools, then why it ends, then what it took."""

    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        made = _head(body, "chat.completion.chunk")
        made["choices"] = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return json.dumps(made)

    yield chunk({"role": "assistant", "content": ""})
    if answer.calls:
        for place, call in enumerate(_calls(answer)):
            yield chunk({"tool_calls": [{"index": place, **call}]})
    for word in answer.text.split(" ") if answer.text else ():
        yield chunk({"content": f"{word} "})
    yield chunk({}, answer.finish or _finish(answer))
    if answer.usage and body.get("stream_options", {}).get("include_usage"):
        made = _head(body, "chat.completion.chunk")
        yield json.dumps(made | {"choices": [], "usage": usage_of(body, answer)})


def usage_of(body: dict[str, Any], answer: Answer) -> dict[str, int]:
    """Tokens, at four characters each."""
    sent = len(json.dumps(body["messages"], ensure_ascii=False)) // 4
    came = max(1, len(answer.text) // 4)
    return {"prompt_tokens": sent, "completion_tokens": came, "total_tokens": sent + came}


def _head(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "scripted", "object": kind, "created": 0, "model": body["model"]}


def _finish(answer: Answer) -> str:
    return "tool_calls" if answer.calls else "stop"


def _calls(answer: Answer) -> list[dict[str, Any]]:
    return [
        {"id": f"call-{place}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for place, (name, arguments) in enumerate(answer.calls)
    ]
