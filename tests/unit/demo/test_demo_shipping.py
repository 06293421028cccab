from __future__ import annotations

import gzip
import hashlib
import http.server
import json
import logging
import random
import re
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from demo.incidents import QUIET
from demo.live import Flow, run_live
from demo.model import Request, requests
from demo.shipper import RETRY_BASE_S, RETRY_CAP_S, Shipper, keeps, retry_wait_s
from demo.wire import chunk, compressed, headers, line

END = datetime(2026, 9, 16, 12, 0, tzinfo=UTC)


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)


@dataclass
class Received:
    request_line: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Sink:
    """A loopback server that keeps what arrives as it came and answers as it is told."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)
    arrived: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def sink() -> Iterator[Sink]:
    kept = Sink()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.received.append(Received(self.requestline, self.headers.items(), body))
            kept.connections.add(self.client_address[1])
            self.send_response(kept.answers.pop(0) if kept.answers else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
            kept.arrived.set()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        kept.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


def some_requests(count: int) -> list[Request]:
    found = list(requests(END - timedelta(minutes=20), END, 9, plan=QUIET))
    assert len(found) >= count
    return found[:count]


def shipper_to(sink: Sink, token: str | None = None) -> Shipper:
    return Shipper(sink.url, token, chance_of(1))


def test_a_line_begins_with_the_date_and_ends_with_the_id() -> None:
    [one] = some_requests(1)
    written = line(one)
    assert written.endswith(b'"}\n')
    assert written.count(b"\n") == 1
    fields = json.loads(written)
    assert next(iter(fields)) == "date"
    assert list(fields)[-1] == "_id"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", fields["date"])
    assert uuid.UUID(fields["_id"]).version == 4
    assert "timestamp" not in fields
    assert b": " not in written.replace(one.user_agent.encode(), b"")


def test_other_than_ascii_is_escaped() -> None:
    [one] = some_requests(1)
    strange = Request(**{**{name: getattr(one, name) for name in one.__struct_fields__}, "user_agent": "운동 é"})
    assert line(strange).isascii()
    assert json.loads(line(strange))["user_agent"] == "운동 é"


def test_the_gzip_member_has_the_header_without_time_and_system() -> None:
    body = b'{"a":1}\n' * 50
    packed = compressed(body)
    assert packed[:10] == bytes.fromhex("1f8b08000000000000ff")
    assert gzip.decompress(packed) == body
    assert packed == compressed(body)


def test_headers_come_in_the_order_of_fluent_bit() -> None:
    content = chunk("demo.shop-api", some_requests(2))
    assert headers(content, "127.0.0.1:8000", None) == [
        ("Host", "127.0.0.1:8000"),
        ("Content-Length", str(len(content.body))),
        ("Content-Type", "application/x-ndjson"),
        ("X-Fluent-Tag", "demo.shop-api"),
        ("Content-Encoding", "gzip"),
        ("User-Agent", "Fluent-Bit"),
        ("Connection", "keep-alive"),
    ]


def test_a_delivery_looks_like_one_of_fluent_bit(sink: Sink) -> None:
    shipper = shipper_to(sink, token="local")
    shipper.offer(chunk("demo.auth-api", some_requests(3)), 0.0)
    shipper.flush(0.0)
    shipper.close()
    [got] = sink.received
    assert got.request_line == "POST /log/ingest HTTP/1.1"
    assert [name for name, _ in got.headers] == [
        "Host",
        "Content-Length",
        "Content-Type",
        "X-Fluent-Tag",
        "Content-Encoding",
        "User-Agent",
        "Authorization",
        "Connection",
    ]
    assert dict(got.headers)["Host"] == sink.url.removeprefix("http://")
    assert dict(got.headers)["Authorization"] == "Bearer local"
    text = gzip.decompress(got.body)
    assert text.count(b"\n") == 3
    assert text.endswith(b"\n")
    assert [json.loads(part)["_id"] for part in text.splitlines()] == [one.id for one in some_requests(3)]
    assert shipper.sent.delivered == 3


def test_connections_are_kept_alive(sink: Sink) -> None:
    shipper = shipper_to(sink)
    for second in range(3):
        shipper.offer(chunk("demo.shop-api", some_requests(1)), second)
        shipper.flush(second)
    shipper.close()
    assert len(sink.received) == 3
    assert len(sink.connections) == 1


@pytest.mark.parametrize("status", [503, 500, 429, 408, 206, 302])
def test_a_retry_sends_the_same_bytes_later(sink: Sink, status: int) -> None:
    sink.answers = [status, 204]
    shipper = shipper_to(sink)
    shipper.offer(chunk("demo.shop-api", some_requests(5)), 0.0)
    shipper.flush(0.0)
    shipper.flush(1.0 + RETRY_BASE_S - 0.1)
    assert len(sink.received) == 1
    assert shipper.pending() == 5
    shipper.flush(1.0 + RETRY_CAP_S)
    shipper.close()
    first, second = sink.received
    assert hashlib.sha256(first.body).digest() == hashlib.sha256(second.body).digest()
    assert first.headers == second.headers
    assert (shipper.sent.delivered, shipper.sent.dropped, shipper.sent.retries, shipper.pending()) == (5, 0, 1, 0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 415])
def test_a_refusal_drops_the_chunk_and_says_so(sink: Sink, status: int, caplog: pytest.LogCaptureFixture) -> None:
    sink.answers = [status]
    shipper = shipper_to(sink)
    shipper.offer(chunk("demo.shop-api", some_requests(4)), 0.0)
    with caplog.at_level(logging.ERROR):
        shipper.flush(0.0)
    shipper.flush(1_000.0)
    shipper.close()
    assert len(sink.received) == 1
    assert (shipper.sent.delivered, shipper.sent.dropped, shipper.pending()) == (0, 4, 0)
    assert f"HTTP {status}: 4 records" in caplog.text


def test_new_chunks_overtake_one_that_waits(sink: Sink) -> None:
    sink.answers = [503]
    shipper = shipper_to(sink)
    shipper.offer(chunk("demo.first", some_requests(1)), 0.0)
    shipper.flush(0.0)
    shipper.offer(chunk("demo.second", some_requests(1)), 1.0)
    shipper.flush(1.0)
    shipper.flush(1_000.0)
    shipper.close()
    assert [dict(got.headers)["X-Fluent-Tag"] for got in sink.received] == ["demo.first", "demo.second", "demo.first"]


def test_a_server_that_is_away_costs_nothing(sink: Sink, unused_port: int) -> None:
    shipper = Shipper(f"http://127.0.0.1:{unused_port}", chance=chance_of(1))
    shipper.offer(chunk("demo.shop-api", some_requests(2)), 0.0)
    shipper.flush(0.0)
    assert shipper.pending() == 2
    shipper.url = sink.url
    shipper.flush(1_000.0)
    shipper.close()
    assert shipper.sent.delivered == 2


@pytest.fixture
def unused_port() -> int:
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        return server.server_port


def test_a_full_backlog_gives_up_its_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = chunk("demo.a", some_requests(3)), chunk("demo.b", some_requests(3))
    monkeypatch.setattr("demo.shipper.BACKLOG_BYTES", len(first.body) + len(second.body) - 1)
    shipper = Shipper("http://127.0.0.1:9")
    shipper.offer(first, 0.0)
    shipper.offer(second, 0.0)
    assert (shipper.sent.dropped, shipper.pending()) == (3, 3)


def test_which_answers_keep_a_chunk() -> None:
    assert not any(keeps(status) for status in range(200, 206))
    assert all(keeps(status) for status in (206, 301, 308, 408, 429, 500, 503, 599))
    assert not any(keeps(status) for status in (400, 401, 403, 404, 409, 413, 415, 422))


def test_waits_grow_and_stay_bounded() -> None:
    chance = chance_of(3)
    first = [retry_wait_s(1, chance) for _ in range(200)]
    late = [retry_wait_s(30, chance) for _ in range(200)]
    assert all(1 + RETRY_BASE_S <= wait <= 1 + 2 * RETRY_BASE_S for wait in first)
    assert all(1 + RETRY_BASE_S <= wait <= 1 + RETRY_CAP_S for wait in late)
    assert max(late) > max(first)


def test_a_path_in_the_url_is_kept(sink: Sink) -> None:
    shipper = Shipper(sink.url + "/other/place?service=x")
    shipper.offer(chunk("demo.shop-api", some_requests(1)), 0.0)
    shipper.flush(0.0)
    shipper.close()
    assert sink.received[0].request_line == "POST /other/place?service=x HTTP/1.1"


def test_a_flow_gives_each_request_once_and_in_time() -> None:
    start = END - timedelta(minutes=10)
    flow = Flow(requests(start, END, 9, plan=QUIET))
    middle = start + timedelta(minutes=4)
    first, none, rest = flow.until(middle), flow.until(middle), flow.until(END)
    assert none == []
    assert first + rest == list(requests(start, END, 9, plan=QUIET))
    assert all(datetime.fromisoformat(one.timestamp) < middle for one in first)
    assert flow.until(END + timedelta(days=1)) == []


def test_live_traffic_runs_until_it_is_stopped(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.live.FLUSH_S", 0.02)
    stop = threading.Event()
    # A start in the past: the first flush has something to send whatever the hour.
    start = datetime.now(UTC) - timedelta(minutes=5)
    thread = threading.Thread(target=run_live, args=(sink.url, stop), kwargs={"seed": 1, "start": start})
    thread.start()
    assert sink.arrived.wait(30)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    tags = {dict(got.headers)["X-Fluent-Tag"] for got in sink.received}
    assert tags <= {"demo.shop-api", "demo.auth-api", "demo.report-api"}
    for got in sink.received:
        services = {json.loads(one)["service"] for one in gzip.decompress(got.body).splitlines()}
        assert services == {dict(got.headers)["X-Fluent-Tag"].removeprefix("demo.")}
