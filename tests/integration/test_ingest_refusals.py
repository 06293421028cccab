"""Who may send, how much, and what is answered while nothing can be stored."""

from __future__ import annotations

import base64
import gzip
import logging
import zlib
from collections.abc import Callable, Iterator
from typing import Any, cast

import cramjam
import psycopg
import pytest
from psycopg_pool import ConnectionPool
from pydantic import SecretStr

from ingest_server.admission import Admission
from ingest_server.intake import Intake, open_intake
from ingest_server.route import RouteRules
from ingest_server.route_book import RouteBook
from ingest_server.service import IngestService, open_service
from ingest_server.settings import IngestSettings
from sql.connection import DatabaseUnavailable, writing_pool
from sql.ledger import Ledger
from sql.writing import LogWriter
from tests.ingest_server import PACK, Answer, Client, Sender, answer_on, checked, half_sent, record, refusals, serving

Count = Callable[[str], int]
MIB = 2**20
FAR = {"X-Forwarded-For": "203.0.113.9"}  # believed of this machine only: a proxy on it tells who is behind


# ---- who may send ----


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


ALLOWED = [
    pytest.param({"Authorization": "Bearer one"}, id="bearer"),
    pytest.param({"Authorization": "bearer two"}, id="bearer in small letters"),
    pytest.param({"X-API-Key": "two"}, id="key"),
    pytest.param({"Authorization": basic("alice", "one")}, id="basic"),
    pytest.param({"Authorization": basic("", "two")}, id="basic without a user"),
    pytest.param({"Authorization": "Bearer one"} | FAR, id="from afar"),
]
REFUSED = [
    pytest.param({}, id="nothing"),
    pytest.param({"Authorization": "Bearer three"}, id="wrong bearer"),
    pytest.param({"Authorization": "Bearer "}, id="empty bearer"),
    pytest.param({"Authorization": "Bearer one,two"}, id="the whole setting"),
    pytest.param({"Authorization": "one"}, id="no scheme"),
    pytest.param({"Authorization": "Digest one"}, id="another scheme"),
    pytest.param({"Authorization": "Basic !!!"}, id="broken basic"),
    pytest.param({"Authorization": basic("one", "three")}, id="token as the user"),
    pytest.param({"X-API-Key": "three"}, id="wrong key"),
    pytest.param({"X-API-Key": "ON\u00c9"}, id="key that is no ASCII"),
    pytest.param({"X-API-Key": ""}, id="empty key"),
]


@pytest.fixture(scope="module")
def guarded(dsn: str) -> Iterator[Client]:
    """A server with two tokens, which takes bodies of up to 1 MiB."""
    settings = IngestSettings(ingest_tokens=SecretStr("one, two"), ingest_max_bytes=MIB)
    with serving(settings, lambda: open_service(settings, dsn)) as client:
        yield client


@pytest.mark.parametrize("headers", ALLOWED)
def test_with_tokens_whoever_has_one_may_send(guarded: Client, service: str, headers: dict[str, str]) -> None:
    assert Sender(guarded, service).receipt(record("/a"), headers=headers) == (1, 1, 0, 0)


@pytest.mark.parametrize("headers", REFUSED)
def test_with_tokens_nobody_else_may_send(guarded: Client, service: str, count: Count, headers: dict[str, str]) -> None:
    before = refusals(guarded).get("bad_token", 0)
    answer = Sender(guarded, service).send(record("/a"), headers=headers)
    assert answer.status == 401
    assert "one" not in answer.error.replace("one of", "")
    assert count("ingest_batch") == 0
    assert refusals(guarded)["bad_token"] > before


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.1", "2001:db8::1", "nonsense"])
def test_without_tokens_nobody_behind_a_proxy_may_send(sender: Sender, count: Count, address: str) -> None:
    assert sender.send(record("/a"), headers={"X-Forwarded-For": address}).status == 401
    assert sender.send(record("/a"), headers={"X-Forwarded-For": f"127.0.0.1, {address}"}).status == 401
    assert count("access_log") == 0


def test_no_token_gets_into_a_log_line(guarded: Client, service: str, caplog: pytest.LogCaptureFixture) -> None:
    secret = "pa55-w0rd-of-somebody"
    with caplog.at_level(logging.DEBUG):
        for headers in (
            {"Authorization": f"Bearer {secret}"},
            {"Authorization": basic("alice", secret)},
            {"X-API-Key": secret},
            {"Idempotency-Key": secret, "Authorization": "Bearer one"},
            {"Authorization": "Bearer one", "Content-Encoding": "gzip"},
        ):
            Sender(guarded, service).send(record("/a"), headers=headers)
    assert secret not in caplog.text
    assert base64.b64encode(f"alice:{secret}".encode()).decode() not in caplog.text
    assert "Bearer" not in caplog.text


# ---- token before size before body: none of these requests has a body yet ----

HEAD = "POST /log/ingest HTTP/1.1\nHost: x"


def test_who_may_not_send_is_told_before_the_body(guarded: Client) -> None:
    for length in (100, 10 * MIB, 2**40):
        with half_sent(guarded, f"{HEAD}\nAuthorization: Bearer no\nContent-Length: {length}") as connection:
            assert checked(answer_on(connection)).status == 401


def test_who_sends_too_much_is_told_before_the_body(guarded: Client) -> None:
    before = refusals(guarded).get("too_large", 0)
    with half_sent(guarded, f"{HEAD}\nX-API-Key: one\nContent-Length: {MIB + 1}") as connection:
        answer = checked(answer_on(connection))
    assert answer.status == 413
    assert "1 MiB" in answer.error
    assert refusals(guarded)["too_large"] > before


# ---- how much ----


def bombs(size: int) -> dict[str, bytes]:
    return {name: pack(bytes(size)) for name, pack in PACK.items() if name != "identity"} | {
        "zstd of nothing but zeros": bytes(cramjam.zstd.compress(bytes(size), 19)),
        "gzip in deflate": zlib.compress(gzip.compress(bytes(size))),
    }


@pytest.mark.parametrize("name", sorted(bombs(1)))
def test_a_bomb_is_too_large(guarded: Client, service: str, count: Count, name: str) -> None:
    encoding = {"gzip in deflate": "gzip, deflate"}.get(name, name.partition(" ")[0])
    answer = Sender(guarded, service).send(
        bombs(2 * MIB)[name], headers={"X-API-Key": "one", "Content-Encoding": encoding}
    )
    assert answer.status == 413
    assert count("ingest_batch") == 0


def test_a_body_that_grows_like_no_log_is_too_large(sender: Sender, count: Count) -> None:
    packed = gzip.compress(bytes(20 * MIB))
    assert 250 * len(packed) < 20 * MIB
    assert sender.send(packed, headers={"Content-Encoding": "gzip"}).status == 413
    assert count("ingest_batch") == 0


def test_a_body_up_to_the_limit_is_taken_and_no_byte_more(guarded: Client, service: str) -> None:
    sender, line, key = Sender(guarded, service), record("/a"), {"X-API-Key": "one"}
    assert sender.receipt(line + b" " * (MIB - len(line)), headers=key) == (1, 1, 0, 0)
    assert sender.send(line + b" " * (MIB - len(line) + 1), headers=key).status == 413
    packed = gzip.compress(line + b" " * (MIB - len(line) + 1))
    assert sender.send(packed, headers=key | {"Content-Encoding": "gzip"}).status == 413


def test_a_chunked_body_is_counted_as_it_comes(guarded: Client, service: str, count: Count) -> None:
    sender, key = Sender(guarded, service), {"X-API-Key": "one"}
    chunks = [record(f"/{i}") + b"\n" for i in range(50)]
    assert sender.receipt(iter(chunks), headers=key) == (50, 50, 0, 0)
    assert sender.send(iter([b" " * 65536] * 17), headers=key).status == 413
    assert count("ingest_batch") == 1


def test_an_unknown_compression_is_refused_and_counted(guarded: Client, service: str) -> None:
    before = refusals(guarded).get("unknown_encoding", 0)
    headers = {"X-API-Key": "two", "Content-Encoding": "br"}
    answer = Sender(guarded, service).send(record("/a"), headers=headers)
    assert answer.status == 415
    assert "gzip" in answer.error
    assert refusals(guarded)["unknown_encoding"] > before


# ---- when it cannot store ----


class Failing:
    """A writer that fails in a given way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def store_all(self, _batches: Any) -> Any:
        raise self._error

    def check(self) -> None:
        raise self._error


def no_routes() -> list[tuple[str, str]]:
    return []


def serving_with(writer: Any, pool: ConnectionPool[psycopg.Connection[Any]], **options: Any) -> Any:
    settings = IngestSettings()
    intake = Intake(RouteBook(RouteRules.default(), 1000, no_routes))
    make = lambda: IngestService(intake, writer, Ledger(pool), most_bytes=settings.ingest_max_bytes, **options)  # noqa: E731
    return serving(settings, make)


@pytest.fixture(scope="module")
def pool(dsn: str) -> Iterator[ConnectionPool[psycopg.Connection[Any]]]:
    with writing_pool(dsn, max_size=2) as pool:
        yield cast("ConnectionPool[psycopg.Connection[Any]]", pool)


def assert_try_again(answer: Answer) -> None:
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Traceback" not in answer.body.decode()
    assert 'File "' not in answer.body.decode()


def test_a_database_that_is_away_makes_it_ask_again_later(closed_port_dsn: str, service: str) -> None:
    settings = IngestSettings()

    def make_service() -> IngestService:
        away = ConnectionPool(closed_port_dsn, min_size=0, max_size=1, timeout=0.3, open=True)
        writer = LogWriter(away)
        return IngestService(
            open_intake(settings, writer), writer, Ledger(away), most_bytes=MIB, on_close=lambda: away.close(0)
        )

    with serving(settings, make_service) as client:
        for body in (record("/a"), b"garbage"):
            answer = Sender(client, service).send(body)
            assert_try_again(answer)
            assert "send it again" in answer.error
        assert_try_again(client.get("/readyz"))
        assert_try_again(client.get("/metrics"))
        assert client.get("/healthz").status == 200


def test_a_long_reason_is_kept_short(pool: Any, service: str) -> None:
    with serving_with(Failing(DatabaseUnavailable("x" * 5000)), pool) as client:
        assert_try_again(Sender(client, service).send(record("/a")))
        assert refusals(client)["cannot_store"] >= 1


def test_an_unforeseen_fault_is_told_to_the_log_only(pool: Any, service: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), serving_with(Failing(RuntimeError("secret words of ours")), pool) as client:
        answer = Sender(client, service).send(record("/a"))
    assert_try_again(answer)
    assert "secret" not in answer.body.decode()
    assert answer.error.split("number ")[1].split(")")[0] in caplog.text
    assert "secret words of ours" in caplog.text


# ---- too much at once ----


@pytest.mark.parametrize("bounds", [(1, 10**9), (100, 1000)], ids=["requests", "bytes"])
def test_what_has_no_room_is_sent_away_at_once(
    pool: Any, writer: LogWriter, service: str, bounds: tuple[int, int]
) -> None:
    with serving_with(writer, pool, admission=Admission(*bounds)) as client:
        sender, body = Sender(client, service), record("/a").ljust(900)
        head = f"POST /log/ingest?service={service} HTTP/1.1\nHost: x\nContent-Length: {len(body)}"
        with half_sent(client, head, body[:10]) as held:
            assert_try_again(sender.send(record("/b").ljust(200)))
            assert_try_again(sender.send(record("/b").ljust(200)))
            assert client.get("/healthz").status == 200
            assert client.get("/readyz").status == 200
            assert client.get("/log/ingest").status == 405
            assert refusals(client)["overload"] >= 2
            held.sendall(body[10:])
            assert checked(answer_on(held)).json["stored"] == 1
        assert sender.receipt(record("/b")) == (1, 1, 0, 0)  # there is room again


def test_a_client_that_leaves_gives_its_room_back(pool: Any, writer: LogWriter, service: str) -> None:
    with serving_with(writer, pool, admission=Admission(1)) as client:
        with half_sent(client, f"{HEAD}\nContent-Length: 100", b"{"):
            assert_try_again(Sender(client, service).send(record("/a")))
        answer = Sender(client, service).send(record("/a"))
        while answer.status == 503:
            answer = Sender(client, service).send(record("/a"))
        assert answer.status == 200
