"""The sender follows Fluent Bit's rules, and notices a server that does not keep its word."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.chaos.oracle import Oracle, Verdict, verdict_on
from tests.chaos.proxy import HttpProxy, Trouble
from tests.chaos.records import Chunk, Identity, RecordMaker

Answer = Callable[[int], tuple[int, bytes]]


@contextmanager
def server(answer: Answer) -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    """A server that keeps the bodies and answers to the n-th of them what it is told."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = answer(len(bodies))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield ("127.0.0.1", http.server_address[1]), bodies
        http.shutdown()


def receipt(received: int, stored: int | None = None, quarantined: int = 0) -> bytes:
    stored = received if stored is None else stored
    return json.dumps({"received": received, "stored": stored, "duplicate": 0, "quarantined": quarantined}).encode()


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204, 205])
def test_success_ends_a_chunk(status: int) -> None:
    assert verdict_on(status) is Verdict.DONE


@pytest.mark.parametrize("status", [101, 206, 207, 301, 302, 308, 408, 429, 500, 502, 503, 504, 599])
def test_what_is_sent_again(status: int) -> None:
    assert verdict_on(status) is Verdict.RETRY


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 415, 422, 499])
def test_what_throws_data_away(status: int) -> None:
    assert verdict_on(status) is Verdict.DROP


def test_retry_is_byte_identical_until_acknowledged() -> None:
    with server(lambda number: (503, b"") if number < 4 else (200, receipt(3))) as (address, bodies):
        oracle = Oracle(address, seed=1)
        oracle.burst(1, 3)
        oracle.start(producing=False)
        assert oracle.drain(10) == 0
    assert len(bodies) == 4
    assert len(set(bodies)) == 1
    assert oracle.acknowledged == {0, 1, 2}
    assert (oracle.requests, oracle.retries) == (4, 3)


def test_thrown_away_chunk_is_a_complaint_and_not_acknowledged() -> None:
    with server(lambda _number: (400, b"no")) as (address, bodies):
        oracle = Oracle(address, seed=1)
        oracle.burst(1, 3)
        assert oracle.drain(1) == 0
    assert len(bodies) == 1
    assert oracle.dropped == {0, 1, 2}
    assert not oracle.acknowledged
    assert "400 throws 3 records away" in oracle.complaints[0]


@pytest.mark.parametrize("body", [receipt(2), receipt(3, stored=2), receipt(3, stored=2, quarantined=1), b"thanks"])
def test_wrong_receipt_is_a_complaint(body: bytes) -> None:
    with server(lambda _number: (200, body)) as (address, _bodies):
        oracle = Oracle(address, seed=1)
        oracle.burst(1, 3)
    assert len(oracle.complaints) == 1


def test_answer_too_large_for_fluent_bit_is_sent_again() -> None:
    with server(lambda number: (200, b" " * 4096 if number == 1 else receipt(3))) as (address, _bodies):
        oracle = Oracle(address, seed=1)
        oracle.burst(1, 3)
    assert not oracle.acknowledged
    assert oracle.answers["too large"] == 1


@pytest.mark.parametrize("trouble", list(Trouble))
def test_trouble_costs_one_attempt(trouble: Trouble) -> None:
    with server(lambda _number: (204, b"")) as (address, bodies):
        proxy = HttpProxy(address, random.Random(1), patience_s=0.3)
        proxy.start()
        happened = proxy.arm(trouble)
        oracle = Oracle(("127.0.0.1", proxy.port), seed=1, timeout_s=0.3)
        oracle.burst(1, 3)
        assert happened.result(5)
        assert not oracle.acknowledged
        oracle.burst(1, 3)
        assert oracle.acknowledged == {3, 4, 5}
        proxy.stop()
    assert bodies


@pytest.mark.parametrize("identity", list(Identity))
def test_records_are_numbered_and_packed_whole(identity: Identity) -> None:
    maker = RecordMaker(random.Random(1))
    records = maker.records(identity, 50)
    assert [record.number for record in records] == list(range(50))
    for _ in range(20):
        chunk = maker.pack(identity, records)
        assert chunk.records == records
        assert chunk.may_be_cut <= ("Idempotency-Key" not in chunk.headers)
    assert all(json.loads(record.text)["path"] == f"/chaos/{record.number}" for record in records)


def test_cutting_keeps_every_record() -> None:
    maker = RecordMaker(random.Random(1))
    for _ in range(20):
        chunk = maker.pack(Identity.ID, maker.records(Identity.ID, 30))
        assert numbers(maker.cut(chunk)) >= numbers([chunk])


def numbers(chunks: list[Chunk]) -> set[int]:
    return {record.number for chunk in chunks for record in chunk.records}
