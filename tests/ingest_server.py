"""The ingest server's HTTP side on a real socket of this process, and a client for it."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import cramjam
import uvicorn
from prometheus_client.parser import text_string_to_metric_families

from accessboard.asgi import IngestWorker
from ingest_server.app import IngestApp
from ingest_server.service import IngestService
from ingest_server.settings import IngestSettings

TIMEOUT_S = 30.0
PACK: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "snappy": lambda body: bytes(cramjam.snappy.compress_raw(body)),
    "zstd": lambda body: bytes(cramjam.zstd.compress(body)),
}


def record(path: str, **fields: Any) -> bytes:
    """A readable record as JSON."""
    usual = {"timestamp": "2024-06-02T10:15:30Z", "method": "GET", "path": path, "status": 200}
    return json.dumps(usual | fields).encode()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The sentence of a refusal."""
        return str(self.json["error"]["message"])


class Client:
    """Sends each request on a connection of its own."""

    def __init__(self, port: int) -> None:
        self.port = port

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)

    def open(self) -> socket.socket:
        """A connection without HTTP."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)

    def send(self, method: str, path: str, data: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request; an iterable as `data` goes out in chunks."""
        connection = self.connect()
        try:
            return exchange(connection, method, path, data, headers)
        finally:
            connection.close()

    def post(self, path: str, data: Any, headers: Mapping[str, str] | None = None) -> Answer:
        return self.send("POST", path, data, headers)

    def get(self, path: str) -> Answer:
        return self.send("GET", path)


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    data: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send one request on a connection that may be used again."""
    connection.request(method, path, body=data, headers=dict(headers or {}))
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read())


class Sender:
    """Sends logs for one service, and checks what every answer must be."""

    def __init__(self, client: Client, service: str) -> None:
        self.client = client
        self.service = service

    def send(
        self,
        body: Any,
        *,
        method: str = "POST",
        path: str = "/log/ingest",
        query: str | dict[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        query = {"service": self.service} if query is None else query
        encoded = query if isinstance(query, str) else urlencode(query)
        return checked(self.client.send(method, f"{path}?{encoded}" if encoded else path, body, headers))

    def receipt(self, body: Any, **options: Any) -> tuple[int, int, int, int]:
        answer = self.send(body, **options)
        assert answer.status == 200, answer.body
        return receipt_of(answer)


def checked(answer: Answer) -> Answer:
    """Fluent Bit gives up on an answer of 4 KB, and a receipt must add up."""
    assert len(answer.body) < 1024
    assert answer.headers["Content-Type"] == "application/json"
    if answer.status == 200:
        assert set(answer.json) == {"received", "stored", "duplicate", "quarantined"}
        received, *parts = receipt_of(answer)
        assert received == sum(parts)
    else:
        assert set(answer.json) == {"error"}
        assert set(answer.json["error"]) == {"code", "message"}
    return answer


def receipt_of(answer: Answer) -> tuple[int, int, int, int]:
    said = answer.json
    return said["received"], said["stored"], said["duplicate"], said["quarantined"]


@contextmanager
def serving(settings: IngestSettings, make_service: Callable[[], IngestService]) -> Iterator[Client]:
    """Serve as a worker process does, on a free port, until the block ends."""
    app = IngestApp(settings, make_service)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, **IngestWorker.CONFIG_KWARGS)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while not server.started:
            assert thread.is_alive(), "the server ended"
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.005)
        yield Client(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(TIMEOUT_S)
        assert not thread.is_alive(), "the server does not end"


@contextmanager
def half_sent(client: Client, head: str, body: bytes = b"") -> Iterator[socket.socket]:
    """A connection on which a request line, headers and perhaps a part of the body went out."""
    with client.open() as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        yield connection


def answer_on(connection: socket.socket) -> Answer:
    """Wait for an answer on a connection."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return Answer(response.status, response.headers, response.read())


def is_closed(connection: socket.socket) -> bool:
    """Wait until the other side says something or closes; whether it closed."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def refusals(client: Client) -> dict[str, float]:
    """Refused requests by reason, as the metrics say."""
    return {labels["reason"]: value for labels, value in samples(client, "accessboard_refused_requests_total")}


def samples(client: Client, name: str) -> list[tuple[dict[str, str], float]]:
    """Labels and values of a metric."""
    text = client.get("/metrics").body.decode()
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    ]
