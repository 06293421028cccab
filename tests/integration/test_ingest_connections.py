"""The ingest server and connections: kept ones, many at once, slow ones, broken ones; and its metrics."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest

from accessboard import asgi
from ingest_server import request as request_module
from sql.connection import connect
from tests.ingest_server import (
    Client,
    Sender,
    answer_on,
    checked,
    exchange,
    half_sent,
    is_closed,
    receipt_of,
    record,
    refusals,
    samples,
)

Connection = psycopg.Connection[tuple[object, ...]]
Count = Callable[[str], int]
HEAD = "POST /log/ingest HTTP/1.1\nHost: x"


# ---- addresses and methods ----


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PATCH", "OPTIONS", "FOO"])
@pytest.mark.parametrize("path", ["/log/ingest", "/log/ingest/"])
def test_only_post_and_put_bring_logs(server: Client, method: str, path: str) -> None:
    answer = server.send(method, path)
    assert answer.status in (405, 400 if method == "FOO" else 405)
    if answer.status == 405:
        assert answer.headers["Allow"] == "POST, PUT"
        assert answer.body == b"" if method == "HEAD" else checked(answer)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/nowhere"), ("GET", "/"), ("POST", "/log/ingest//"), ("POST", "/log"), ("GET", "/%00")],
)
def test_other_addresses_are_not_found(server: Client, method: str, path: str) -> None:
    assert checked(server.send(method, path)).status == 404


def test_healthz_and_readyz_answer_where_all_is_well(server: Client) -> None:
    for path in ("/healthz", "/readyz"):
        assert (server.get(path).status, server.get(path).json) == (200, {"status": "ok"})


# ---- connections ----


def test_a_kept_connection_takes_a_hundred_requests(server: Client, service: str, count: Count) -> None:
    connection = server.connect()
    for i in range(100):
        path = "/log/ingest" if i % 3 else "/log/ingest/"
        answer = checked(exchange(connection, "POST", f"{path}?service={service}", record(f"/{i}")))
        assert (answer.status, answer.json["stored"]) == (200, 1)
        if i == 0:
            socket = connection.sock
        assert connection.sock is socket
    connection.close()
    assert count("access_log") == 100


def test_a_kept_connection_goes_on_after_refusals(server: Client, service: str) -> None:
    connection = server.connect()
    path = f"/log/ingest?service={service}"
    for headers in ({"Content-Encoding": "br"}, {"X-Forwarded-For": "203.0.113.9"}, {"Content-Encoding": "gzip"}):
        checked(exchange(connection, "POST", path, record("/a"), headers))
        answer = exchange(connection, "POST", path, record("/a"))
        assert (answer.status, receipt_of(answer)) == (200, (1, 1, 0, 0))
    connection.close()


def test_sixty_connections_at_once_are_all_served(server: Client, service: str, count: Count) -> None:
    start, receipts, failures = threading.Barrier(60), [], []

    def run(number: int) -> None:
        body = b"\n".join(record(f"/{number}/{i}") for i in range(20))
        try:
            start.wait()
            receipts.append(Sender(server, service).receipt(body))
        except (OSError, http.client.HTTPException, AssertionError) as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert receipts == [(20, 20, 0, 0)] * 60
    assert count("access_log") == 1200


# ---- what never ends ----


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        pytest.param(b"POST /log/ingest HTTP/1.1\r\n", b"X-More: " + b"x" * 8000 + b"\r\n", id="headers"),
        pytest.param(b"GET /", b"a" * 8000, id="target"),
        pytest.param(b"GET / HTTP/1.1\r\nX-One: ", b"a" * 8000, id="value"),
        pytest.param(b"GET / HTTP/1.1\r\n", b"a" * 8000, id="name"),
    ],
)
def test_what_never_ends_is_cut_before_it_is_much(server: Client, beginning: bytes, piece: bytes) -> None:
    most, sent = 32 * 2**20, 0  # the kernel alone may hold some megabytes
    with server.open() as connection:
        connection.sendall(beginning)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < most:
                connection.sendall(piece)
                sent += len(piece)
    assert sent < most
    assert server.get("/healthz").status == 200


@pytest.mark.parametrize(
    "part", [b"", b"POST /log", b"POST /log/ingest HTTP/1.1\r\nHost: x\r\nX-A:"], ids=["none", "line", "headers"]
)
def test_headers_that_do_not_come_are_not_waited_for(
    server: Client, monkeypatch: pytest.MonkeyPatch, part: bytes
) -> None:
    monkeypatch.setattr(asgi, "HEADERS_TIMEOUT_S", 0.2)
    with server.open() as connection:
        connection.sendall(part)
        assert is_closed(connection)


def test_a_body_that_does_not_come_is_not_waited_for(
    server: Client, service: str, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_module, "BODY_TIMEOUT_S", 0.2)
    body = record("/a")
    with half_sent(server, f"{HEAD}\nContent-Length: {len(body)}", body[:20]) as connection:
        assert checked(answer_on(connection)).status == 408
        assert is_closed(connection)
    assert count("ingest_batch") == 0


def test_a_body_that_breaks_off_is_not_stored(server: Client, service: str, count: Count) -> None:
    whole = record("/a") + b"\n" + record("/b")
    for body in (whole[:-1], whole[: len(record("/a")) + 1], b""):
        head = f"POST /log/ingest?service={service} HTTP/1.1\nHost: x\nContent-Length: {len(whole)}"
        with half_sent(server, head, body):
            pass
    with half_sent(
        server, f"POST /log/ingest?service={service} HTTP/1.1\nHost: x\nTransfer-Encoding: chunked", b"5\r\n{}{}"
    ):
        pass
    # What came later has been stored, so what came before would have been.
    assert Sender(server, service).receipt(record("/c")) == (1, 1, 0, 0)
    assert count("access_log") == 1


def test_noise_on_the_port_is_sent_away(server: Client) -> None:
    for noise in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"\r\n" * 50 + b"hello\r\n\r\n",
        b"\xff" * 999,
    ):
        with server.open() as connection:
            connection.sendall(noise)
            first = connection.recv(12)
            assert first == b"" or first.startswith(b"HTTP/1.1 400")
    assert server.get("/healthz").status == 200


# ---- metrics ----


@pytest.fixture
def sums(dsn: str) -> Iterator[Callable[[str], dict[tuple[object, object], dict[str, int]]]]:
    """Sums of a table of the ledger by source and service."""
    with connect(dsn) as connection:

        def summed(table: str) -> dict[tuple[object, object], dict[str, int]]:
            names = ("received", "stored", "duplicate", "quarantined", "bytes")
            columns = ", ".join(f"sum({name})::bigint" for name in names)
            rows = connection.execute(f"select source, service, {columns} from {table} group by 1, 2".encode())
            return {(row[0], row[1]): dict(zip(names, map(int, map(str, row[2:])), strict=True)) for row in rows}

        yield summed


def test_metrics_say_what_the_ledger_says(
    sender: Sender, sums: Callable[[str], dict[tuple[object, object], dict[str, int]]]
) -> None:
    body = record("/a", _id="1") + b"\n" + record("/b", _id="2") + b"\ngarbage"
    assert sender.receipt(body) == (3, 2, 0, 1)
    assert sender.receipt(record("/a", _id="1")) == (1, 0, 1, 0)
    key = ("127.0.0.1", sender.service)
    ledger = sums("ingest_ledger")[key]
    assert ledger == {
        "received": 4,
        "stored": 2,
        "duplicate": 1,
        "quarantined": 1,
        "bytes": len(body) + len(record("/a", _id="1")),
    }
    for name, value in ledger.items():
        if name != "quarantined":
            unit = "" if name == "bytes" else "_records"
            found = samples(sender.client, f"accessboard_{name}{unit}_total")
            assert ({"source": key[0], "service": key[1]}, value) in found
    labels = {"source": key[0], "service": key[1], "reason": "unreadable"}
    assert (labels, 1) in samples(sender.client, "accessboard_quarantined_records")


def test_metrics_count_what_is_in_work_and_what_was_refused(server: Client) -> None:
    before = refusals(server).get("bad_token", 0)
    with half_sent(server, f"{HEAD}\nContent-Length: 10") as connection:
        while samples(server, "accessboard_requests_in_work") != [({}, 1)]:
            pass
        connection.sendall(b" " * 10)
        assert answer_on(connection).status == 200
    assert samples(server, "accessboard_requests_in_work") == [({}, 0)]
    server.post("/log/ingest", b"", {"X-Forwarded-For": "203.0.113.9"})
    assert refusals(server)["bad_token"] > before
