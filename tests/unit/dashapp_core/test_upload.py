"""From an uploaded file to the pieces that go to the ingest server, and who may upload."""

from __future__ import annotations

import gzip
import random
import threading
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from werkzeug.datastructures import Headers

from dashapp import ingest_client, log_pieces
from dashapp.ingest_address import UNKNOWN_HOST, ingest_address, target_of
from dashapp.ingest_client import IngestAddress, IngestClient, IngestFailed
from dashapp.log_pieces import BrokenFile, FileTooLarge, Piece, pieces_of
from dashapp.settings import DashboardSettings
from dashapp.upload_access import MARK, Allowed, from_our_page, why_not
from dashapp.upload_receipt import UploadReceipt, receipt_of
from ingest_server import file_piece

MUCH = 10**9


def blocks_of(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def lines_of(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


# ---- pieces ----


def test_pieces_are_cut_as_the_import_cuts_them() -> None:
    assert log_pieces.LINES_A_PIECE == file_piece.LINES_A_PIECE


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_pieces_are_whole_lines_and_all_of_the_file(monkeypatch: pytest.MonkeyPatch, packed: bool) -> None:
    monkeypatch.setattr(log_pieces, "LINES_A_PIECE", 3)
    rng = random.Random(1)
    for _ in range(60):
        data = b"\n".join(b"x" * rng.randrange(9) for _ in range(rng.randrange(20))) + rng.choice([b"", b"\n"])
        sent = gzip.compress(data) if packed else data
        pieces = list(pieces_of(blocks_of(sent, rng.randrange(1, 12)), most_bytes=MUCH))
        assert b"".join(piece.body for piece in pieces) == data
        offset = 0
        for piece in pieces:
            assert piece.offset == offset
            offset += len(piece.body)
        assert all(len(lines_of(piece.body)) == 3 for piece in pieces[:-1])
        assert all(piece.body.endswith(b"\n") for piece in pieces[:-1])


def test_gzip_streams_one_after_the_other_are_one_file() -> None:
    sent = gzip.compress(b"a\n") + gzip.compress(b"b\n") + b"\0\0\0"
    (piece,) = pieces_of(blocks_of(sent, 7), most_bytes=MUCH)
    assert piece == Piece(0, b"a\nb\n")


@pytest.mark.parametrize("spoil", [lambda b: b[:-9], lambda b: b[:20] + b"\xff" + b[21:]], ids=["cut", "changed"])
def test_a_damaged_gzip_stream_is_an_error(spoil: Any) -> None:
    sent = spoil(gzip.compress(bytes(range(256)) * 40))
    with pytest.raises(BrokenFile):
        list(pieces_of(blocks_of(sent, 64), most_bytes=MUCH))


def test_the_bound_is_of_the_unpacked_file() -> None:
    bomb = gzip.compress(b"\n" * 1_000_000)
    with pytest.raises(FileTooLarge):
        list(pieces_of([bomb], most_bytes=999_999))
    assert sum(len(piece.body) for piece in pieces_of([bomb], most_bytes=1_000_000)) == 1_000_000


def test_long_lines_end_a_piece_early_and_an_endless_one_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_pieces, "MOST_PIECE_BYTES", 10)
    data = b"a" * 7 + b"\n" + b"b" * 7 + b"\n" + b"c" * 45
    pieces = [piece.body for piece in pieces_of(blocks_of(data, 4), most_bytes=MUCH)]
    assert b"".join(pieces) == data
    assert all(len(piece) <= 24 for piece in pieces)


def test_memory_does_not_grow_with_the_file() -> None:
    line = b'1.2.3.4 - - [01/May/2026:10:15:30 +0000] "GET /a HTTP/1.1" 200 1\n'
    packed = gzip.compress(line * 1_000_000)
    tracemalloc.start()
    size = sum(len(piece.body) for piece in pieces_of(blocks_of(packed, 65_536), most_bytes=MUCH))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 1_000_000 * len(line)
    assert peak < 4_000_000


# ---- who may ----

HERE = {"Host": "localhost:8050"}


@pytest.mark.parametrize(
    ("allowed", "address", "headers", "why"),
    [
        ("local", "127.0.0.1", HERE, None),
        ("local", "::ffff:127.0.0.1", {"Host": "[::1]:8050"}, None),
        ("local", "127.0.0.1", {"Host": "127.0.0.1"}, None),
        ("local", "10.0.0.7", HERE, "elsewhere"),
        ("local", None, HERE, "elsewhere"),
        ("local", "127.0.0.1", {**HERE, "X-Forwarded-For": "10.0.0.7"}, "proxy"),
        ("local", "127.0.0.1", {**HERE, "forwarded": "for=10.0.0.7"}, "proxy"),
        ("local", "127.0.0.1", {"Host": "evil.example:8050"}, "name"),
        ("local", "127.0.0.1", {"Host": "127.0.0.1@evil.example"}, "name"),
        ("local", "127.0.0.1", {"Host": "LOCALHOST:8050"}, None),
        ("local", "127.0.0.1", {"Host": "[::1"}, "name"),
        ("local", "127.0.0.1", {"Host": "[evil.example]:8050"}, "name"),
        ("local", "127.0.0.1", {}, "name"),
        ("all", "10.0.0.7", {"Host": "logs.example"}, None),
        ("off", "127.0.0.1", HERE, "off"),
    ],
)
def test_who_may_upload(allowed: Allowed, address: str | None, headers: dict[str, str], why: str | None) -> None:
    assert why_not(allowed, address, Headers(headers)) == why


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({MARK: "1", "Origin": "http://localhost:8050"}, True),
        ({MARK: "1", "Origin": "http://localhost:8050", "Sec-Fetch-Site": "same-origin"}, True),
        ({MARK: "1", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://localhost:8050"}, False),
        ({MARK: "1"}, False),
        ({MARK: "1", "Origin": "http://localhost:8051"}, False),
        ({MARK: "1", "Origin": "http://evil.example"}, False),
        ({MARK: "1", "Origin": "null"}, False),
        ({MARK: "1", "Origin": "http://[::1"}, False),
        ({MARK: "1", "Origin": "null", "Host": ""}, False),
        ({MARK: "1", "Origin": "http://localhost:8050", "Sec-Fetch-Site": "cross-site"}, False),
        ({MARK: "1", "Origin": "http://localhost:8050", "Sec-Fetch-Site": "same-site"}, False),
    ],
)
def test_only_our_own_pages_send_files(headers: dict[str, str], ours: bool) -> None:
    assert from_our_page(Headers(HERE | headers)) is ours


# ---- where the ingest server is ----


def settings(**given: Any) -> DashboardSettings:
    return DashboardSettings(**given)


@pytest.mark.parametrize(
    ("given", "url", "told"),
    [
        ({}, "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ({"ingest_bind": "0.0.0.0:9000"}, "http://127.0.0.1:9000", "http://logs.local:9000"),
        ({"ingest_bind": "[::]:9000"}, "http://127.0.0.1:9000", "http://logs.local:9000"),
        ({"ingest_bind": "10.1.1.1:9000"}, "http://10.1.1.1:9000", "http://10.1.1.1:9000"),
        ({"ingest_url": "https://in.example/"}, "https://in.example", "https://in.example:443"),
        ({"ingest_url": "http://ingest:8000", "ingest_bind": "0.0.0.0:8000"}, "http://ingest:8000", "http://logs.local:8000"),
    ],
)  # fmt: skip
def test_addresses(given: dict[str, str], url: str, told: str) -> None:
    assert ingest_address(settings(**given)).url == url
    assert target_of(settings(**given), "logs.local:8050").url == told


@pytest.mark.parametrize("host", [None, "", "a b", "a\nHost x", "${TOKEN}", "<b>", "[", "a@b c"])
def test_a_host_header_that_is_no_name_does_not_get_into_a_configuration(host: str | None) -> None:
    assert target_of(settings(ingest_bind="0.0.0.0:8000"), host).host in (UNKNOWN_HOST, "b")


def test_the_first_token_goes_to_the_ingest_server_and_is_never_shown() -> None:
    given = settings(ingest_tokens=" , first, second")
    assert ingest_address(given).token == "first"
    assert target_of(given, None).token
    assert "first" not in repr(given)


def test_an_ingest_url_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="no address"):
        settings(ingest_url="ingest:8000")


# ---- the client ----


class Ingest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: ClassVar[list[tuple[int, bytes]]] = []
    seen: ClassVar[list[tuple[str, dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        status, answer = self.answers.pop(0)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def ingest() -> Iterator[str]:
    Ingest.answers, Ingest.seen = [], []
    server = HTTPServer(("127.0.0.1", 0), Ingest)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


OK = (200, b'{"received":1,"stored":1,"duplicate":0,"quarantined":0,"quarantined_by_kind":{},"first":null,"last":null}')


def test_the_client_says_place_name_service_and_token(ingest: str) -> None:
    Ingest.answers[:] = [OK, OK]
    with IngestClient(IngestAddress(ingest, "secret"), name="접속 로그.log", service="a&b") as client:
        assert client.send(Piece(0, b"x\n"))["stored"] == 1
        client.send(Piece(2, b"y\n"))
    path, headers, body = Ingest.seen[1]
    assert (path, body) == ("/log/ingest?service=a%26b", b"y\n")
    assert headers["x-file-offset"] == "2"
    assert headers["x-file-name"] == "%EC%A0%91%EC%86%8D%20%EB%A1%9C%EA%B7%B8.log"
    assert headers["authorization"] == "Bearer secret"


def test_the_client_waits_for_a_server_that_is_busy(ingest: str) -> None:
    waited: list[float] = []
    Ingest.answers[:] = [(503, b"{}"), (503, b"no json"), OK]
    with IngestClient(IngestAddress(ingest, None), name="a", service="b", wait=waited.append) as client:
        client.send(Piece(0, b"x\n"))
    assert waited == [1, 2]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((401, b'{"error":{"code":"unauthorized","message":"no token"}}'), "ingest_token"),
        ((413, b"{}"), "ingest_too_large"),
        ((500, b"<html>"), "ingest_refused"),
        ((200, b'{"something":"else"}'), "ingest_refused"),
    ],
)
def test_the_client_says_why_nothing_was_taken(ingest: str, answer: tuple[int, bytes], code: str) -> None:
    Ingest.answers[:] = [answer]
    with (
        IngestClient(IngestAddress(ingest, None), name="a", service="b") as client,
        pytest.raises(IngestFailed) as failed,
    ):
        client.send(Piece(0, b"x\n"))
    assert failed.value.code == code


def test_a_server_that_is_away_is_tried_and_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    address = IngestAddress("http://127.0.0.1:1", None)
    with (
        IngestClient(address, name="a", service="b", wait=waited.append) as client,
        pytest.raises(IngestFailed) as failed,
    ):
        client.send(Piece(0, b"x\n"))
    assert failed.value.code == "ingest_away"
    assert tuple(waited) == ingest_client.WAITS_S


# ---- the receipt ----


def test_receipts_of_pieces_add_up() -> None:
    total = UploadReceipt(name="a.log", service="web")
    counts = {"received": 3, "stored": 1, "duplicate": 1, "quarantined": 1, "quarantined_by_kind": {"no_path": 1}}
    total.add({**counts, "first": "2026-05-01T00:00:00+00:00", "last": "2026-05-02T00:00:00+00:00"})
    total.add({**counts, "first": "2026-04-01T00:00:00+00:00", "last": "2026-04-02T00:00:00+00:00"})
    total.add({"received": 0, "stored": 0, "duplicate": 0, "quarantined": 0, "first": None, "last": None})
    assert (total.received, total.quarantined_by_kind) == (6, {"no_path": 2})
    assert f"{total.first:%m-%d} {total.last:%m-%d}" == "04-01 05-02"
    assert receipt_of(total.model_dump(mode="json")) == total


@pytest.mark.parametrize("data", [None, [], {"name": "a"}, {"name": "a", "service": "b", "received": -1}])
def test_what_is_no_receipt_is_none(data: object) -> None:
    assert receipt_of(data) is None
