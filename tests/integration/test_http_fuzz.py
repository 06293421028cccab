"""Requests that nobody thought of: the server answers, goes on, and its books are right."""

from __future__ import annotations

import http.client
import json
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from ingest_server import admission
from ingest_server.request import SIZE_UNKNOWN
from ingest_server.service import open_service
from ingest_server.settings import IngestSettings
from sql.batch import NOTHING, Receipt
from tests.fuzzed import LINES, MOST_BYTES, Fuzzed, request
from tests.ingest_server import Client, serving

REQUESTS = 1_500
SENDERS = 5
PATIENCE_S = 20.0
# A 5xx of a healthy server would make a shipper send the same for ever.
ANSWERS = {200, 400, 401, 404, 405, 413, 415}


def exchange(port: int, fuzzed: Fuzzed) -> tuple[int, bytes] | None:
    """Send a request, and no more where it is cut; the answer, or None where the server just hung up."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        try:
            connection.sendall(fuzzed.head + fuzzed.body)
            if fuzzed.cut:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has answered already
        answer = http.client.HTTPResponse(connection, method=fuzzed.method)
        try:
            answer.begin()
            return answer.status, answer.read()
        except (http.client.HTTPException, ConnectionError):
            return None


def test_server_answers_whatever_comes_and_its_books_are_right(
    dsn: str, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    settings = IngestSettings(ingest_max_bytes=MOST_BYTES)
    before = sums(connection)
    assert SENDERS * SIZE_UNKNOWN < admission.MOST_BYTES, "or it may say that it is overloaded"
    statuses, receipts, told = Counter[int | None](), NOTHING, 0
    with (
        serving(settings, lambda: open_service(settings, dsn)) as client,
        ThreadPoolExecutor(SENDERS) as senders,
    ):
        for n, (fuzzed, answer) in enumerate(senders.map(lambda n: told_to(client, n), range(REQUESTS))):
            statuses[answer[0] if answer else None] += 1
            if answer is None:
                assert not fuzzed.whole, (n, fuzzed.head[:200])
                continue
            status, body = answer
            assert status in ANSWERS, (n, status, body[:300], fuzzed.head[:200], fuzzed.body[:200])
            if status == 200 and body.startswith(b'{"received"'):
                receipts += Receipt(**json.loads(body))
                told += 1
        assert client.get("/healthz").status == 200
        assert client.get("/readyz").status == 200
        assert client.post("/log/ingest", LINES[0]).status == 200
    receipts += Receipt(1, 1, 0, 0)
    assert {200, 400, 401, 404, 405, 413, 415} <= statuses.keys()
    assert told > REQUESTS / 4
    assert min(receipts.stored, receipts.duplicate, receipts.quarantined) > 50
    assert receipts.received == receipts.stored + receipts.duplicate + receipts.quarantined
    after = sums(connection)
    assert Receipt(*(late - early for late, early in zip(after, before, strict=True))) == receipts


def told_to(client: Client, n: int) -> tuple[Fuzzed, tuple[int, bytes] | None]:
    fuzzed = request(n)
    try:
        return fuzzed, exchange(client.port, fuzzed)
    except TimeoutError:
        pytest.fail(f"no answer to request {n}: {fuzzed.head[:200]!r}")


def sums(connection: psycopg.Connection[tuple[object, ...]]) -> tuple[int, ...]:
    columns = ", ".join(f"coalesce(sum({name}), 0)::int" for name in ("received", "stored", "duplicate", "quarantined"))
    (found,) = connection.execute(f"select {columns} from ingest_ledger".encode()).fetchall()
    return tuple(int(str(n)) for n in found)
