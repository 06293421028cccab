"""POST /log/ingest as Fluent Bit and curl see it: what is kept, what is answered."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import zlib
from collections.abc import Callable, Iterator
from typing import Any, cast

import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg_pool import ConnectionPool
from pydantic import SecretStr
from werkzeug.test import TestResponse

from ingest_server import body as body_module
from ingest_server.app import create_app
from ingest_server.settings import IngestSettings
from sql.connection import DatabaseUnavailable
from sql.writing import Batch, LogWriter

Connection = psycopg.Connection[tuple[object, ...]]
Count = Callable[[str], int]
ALL = {"received", "stored", "duplicate", "quarantined"}


class Sender:
    """A client of the ingest server that sends for one service and checks what every answer must be."""

    def __init__(self, client: FlaskClient, service: str) -> None:
        self._client = client
        self._service = service

    def send(self, body: bytes, *, method: str = "POST", path: str = "/log/ingest", **options: Any) -> TestResponse:
        query = options.pop("query", {"service": self._service})
        answer = self._client.open(path, method=method, data=body, query_string=query, **options)
        assert len(answer.data) < 1024
        assert answer.content_type == "application/json"
        if answer.status_code == 200:
            receipt = answer.get_json()
            assert set(receipt) == ALL
            assert receipt["received"] == receipt["stored"] + receipt["duplicate"] + receipt["quarantined"]
        else:
            assert set(answer.get_json()) == {"error"}
            assert set(answer.get_json()["error"]) == {"code", "message"}
        return answer

    def receipt(self, body: bytes, **options: Any) -> tuple[int, int, int, int]:
        answer = self.send(body, **options)
        assert answer.status_code == 200, answer.get_json()
        said = answer.get_json()
        return said["received"], said["stored"], said["duplicate"], said["quarantined"]


def client_of(writer: LogWriter, tokens: str = "") -> FlaskClient:
    return create_app(IngestSettings(ingest_tokens=SecretStr(tokens)), writer).test_client()


@pytest.fixture
def sender(writer: LogWriter, service: str) -> Sender:
    return Sender(client_of(writer), service)


def record(path: str, **fields: Any) -> bytes:
    usual = {"timestamp": "2024-06-02T10:15:30Z", "method": "GET", "path": path, "status": 200}
    return json.dumps(usual | fields).encode()


def stored_paths(connection: Connection, service: str) -> list[object]:
    rows = connection.execute("select path from access_log where service = %s order by path", (service,))
    return [row[0] for row in rows]


def quarantined(connection: Connection, service: str) -> list[tuple[object, ...]]:
    return connection.execute(
        "select reason, record from quarantine join ingest_batch on ingest_batch.id = batch_id "
        "where service = %s order by quarantine.id",
        (service,),
    ).fetchall()


COMBINED = b'1.2.3.4 - - [02/Jun/2024:10:15:30 +0000] "GET /b HTTP/1.1" 200 1 "-" "curl"'
PLAIN = b"2024-06-02T10:15:30Z GET /b 200 5ms"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" + record("/a") + b"," + record("/b") + b"]", id="array"),
        pytest.param(record("/a") + b"\n" + record("/b") + b"\n", id="json_lines"),
        pytest.param(record("/a") + record("/b"), id="json_stream"),
        pytest.param(record("/a") + b"\n" + COMBINED, id="json and combined lines"),
        pytest.param(record("/a") + b"\n" + PLAIN, id="json and plain lines"),
        pytest.param(
            b"[" + json.dumps({"date": 1717323330.5, "log": COMBINED.decode()}).encode() + b"," + record("/a") + b"]",
            id="raw line in a record",
        ),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/x-ndjson", "text/plain", None])
def test_ingest_stores_every_kind_of_body_whatever_it_is_called(
    sender: Sender, connection: Connection, service: str, body: bytes, content_type: str | None
) -> None:
    assert sender.receipt(body, content_type=content_type) == (2, 2, 0, 0)
    assert stored_paths(connection, service) == ["/a", "/b"]


def test_ingest_stores_one_object(sender: Sender, connection: Connection, service: str) -> None:
    assert sender.receipt(record("/a")) == (1, 1, 0, 0)
    assert stored_paths(connection, service) == ["/a"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("path", ["/log/ingest", "/log/ingest/"])
def test_ingest_takes_both_methods_and_both_spellings(sender: Sender, method: str, path: str) -> None:
    assert sender.receipt(record("/a"), method=method, path=path) == (1, 1, 0, 0)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
def test_ingest_undoes_a_compression(sender: Sender, connection: Connection, service: str, encoding: str) -> None:
    body = record("/a") + b"\n" + record("/b")
    packed = {"gzip": gzip.compress(body), "deflate": zlib.compress(body), "identity": body}[encoding]
    assert sender.receipt(packed, headers={"Content-Encoding": encoding}) == (2, 2, 0, 0)
    assert stored_paths(connection, service) == ["/a", "/b"]


@pytest.mark.parametrize(
    ("query", "headers", "fields", "expected"),
    [
        pytest.param("query", "tag", "field", "field", id="record first"),
        pytest.param("query", "tag", None, "query", id="then the query"),
        pytest.param(None, "tag", None, "tag", id="then the tag"),
        pytest.param(None, None, None, "default", id="then the default"),
        pytest.param("query", None, "-", "query", id="a dash names none"),
    ],
)
@pytest.mark.parametrize("header", ["X-Fluent-Tag", "X-Tag"])
def test_ingest_finds_the_service(
    sender: Sender,
    connection: Connection,
    service: str,
    header: str,
    query: str | None,
    headers: str | None,
    fields: str | None,
    expected: str,
) -> None:
    own = {name: f"{service}-{name}" for name in ("query", "tag", "field")} | {"-": "-"}
    path = f"/{service}"
    sender.send(
        record(path, **({"service": own[fields]} if fields else {})),
        query={"service": own[query]} if query else {},
        headers={header: own[headers]} if headers else {},
    )
    rows = connection.execute("select service from access_log where path = %s", (path,)).fetchall()
    assert rows == [(own.get(expected, expected),)]


def test_ingest_names_the_source_by_tag_and_address(sender: Sender, connection: Connection, service: str) -> None:
    sender.send(record("/a"), headers={"X-Fluent-Tag": "nginx.access"})
    sender.send(record("/a"))
    rows = connection.execute("select source from ingest_batch where service = %s order by id", (service,)).fetchall()
    assert rows == [("nginx.access@127.0.0.1",), ("127.0.0.1",)]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        pytest.param("a%00b", "a\ufffdb", id="NUL"),
        pytest.param("%EC%9D%B4%EB%A6%84", "이름", id="korean"),
        pytest.param("x" * 5000, "x" * 200, id="long"),
        pytest.param("%FF", "%FF", id="no UTF-8"),
    ],
)
def test_ingest_takes_any_service_name(
    sender: Sender, connection: Connection, service: str, query: str, name: str
) -> None:
    path = f"/{service}"
    assert sender.receipt(record(path), query=f"service={query}") == (1, 1, 0, 0)
    assert connection.execute("select service from access_log where path = %s", (path,)).fetchall() == [(name,)]


# ---- what is broken ----


def test_ingest_quarantines_bad_records_and_keeps_their_neighbours(
    sender: Sender, connection: Connection, service: str
) -> None:
    bad = [b'{"date":1.0,"nan":-nan}', b'{"path":"/no-time","method":"GET","status":200}', b'{7:"v"}']
    body = b"[" + b",".join([record("/a"), bad[0], bad[1], record("/b"), bad[2]]) + b"]"
    assert sender.receipt(body) == (5, 2, 0, 3)
    assert stored_paths(connection, service) == ["/a", "/b"]
    found = quarantined(connection, service)
    assert [row[1] for row in found] == bad
    assert str(found[0][0]).startswith("not JSON")
    assert found[1][0] == "timestamp is missing"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"complete garbage", id="text"),
        pytest.param(b"\x92\x92\xd7\x00eS\xf1\x00\x07[\xcd\x15\x80\x83", id="msgpack"),
        pytest.param(b"{" * 5000, id="brackets"),
        pytest.param(b"[" * 100_000, id="deep brackets"),
        pytest.param(b'{"a":' * 100_000, id="deep object"),
        pytest.param(b"\x00\xff\xfe", id="bytes"),
        pytest.param(record("/a", extra=1)[:-1], id="cut off"),
        pytest.param(record("/a", timestamp=10**400), id="a number without bounds"),
        pytest.param(
            b'{"log":"1.1.1.1 - - [01/Jan/0001:00:00:00 +1000] \\"GET / HTTP/1.1\\" 200 1"}', id="before the calendar"
        ),
        pytest.param(b'{"log":' + json.dumps('{"a":' * 50_000).encode() + b"}", id="deep line in a record"),
    ],
)
def test_ingest_quarantines_garbage_byte_for_byte_with_200(
    sender: Sender, connection: Connection, service: str, body: bytes
) -> None:
    assert sender.receipt(body) == (1, 0, 0, 1)
    assert [row[1] for row in quarantined(connection, service)] == [body]


def test_ingest_survives_a_record_nested_deeper_than_the_database_can_take(
    sender: Sender, connection: Connection, service: str
) -> None:
    deep = record("/deep")[:-1] + b',"x":' + b'{"a":' * 900 + b"1" + b"}" * 901
    received, stored, _, refused = sender.receipt(b"[" + record("/a") + b"," + deep + b"]")
    assert (received, stored + refused) == (2, 2)
    assert "/a" in stored_paths(connection, service)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(gzip.compress(record("/a"))[:-10], "in the middle of its gzip stream", id="cut off"),
        pytest.param(record("/a"), "the body is no gzip stream", id="not compressed"),
        pytest.param(b"", None, id="empty"),
    ],
)
def test_ingest_quarantines_a_broken_compression_whole(
    sender: Sender, connection: Connection, service: str, body: bytes, words: str | None
) -> None:
    receipt = sender.receipt(body, headers={"Content-Encoding": "gzip"})
    assert receipt == ((1, 0, 0, 1) if words else (0, 0, 0, 0))
    assert [row[1] for row in quarantined(connection, service)] == ([body] if words else [])


@pytest.mark.parametrize("body", [b"", b"  \n ", b"[]", gzip.compress(b"")], ids=["nothing", "blanks", "array", "gzip"])
def test_ingest_of_nothing_stores_nothing(sender: Sender, count: Count, body: bytes) -> None:
    headers = {"Content-Encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
    assert sender.receipt(body, headers=headers) == (0, 0, 0, 0)
    assert count("ingest_batch") == 0


@pytest.mark.parametrize("encoding", ["br", "zstd", "snappy", "x" * 3000])
def test_ingest_refuses_an_unknown_compression(sender: Sender, count: Count, encoding: str) -> None:
    answer = sender.send(record("/a"), headers={"Content-Encoding": encoding})
    assert answer.status_code == 415
    assert count("ingest_batch") == 0


def test_ingest_refuses_a_bomb(sender: Sender, count: Count) -> None:
    bomb = gzip.compress(b" " * (body_module.MOST_DECODED_BYTES + 1), compresslevel=1)
    answer = sender.send(bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 413
    assert "64 MiB" in answer.get_json()["error"]["message"]
    assert count("ingest_batch") == 0


def test_ingest_refuses_a_body_over_the_limit(writer: LogWriter, service: str) -> None:
    app = create_app(IngestSettings(), writer)
    assert app.config["MAX_CONTENT_LENGTH"] == body_module.MOST_DECODED_BYTES
    app.config["MAX_CONTENT_LENGTH"] = 1000
    sender = Sender(app.test_client(), service)
    assert sender.send(b" " * 1000).status_code == 200
    assert sender.send(b" " * 1001).status_code == 413


def test_ingest_takes_the_largest_chunk_of_fluent_bit(sender: Sender, connection: Connection, service: str) -> None:
    line = record("/a", filler="\u00e9" * 1200)
    body = b"\n".join([line] * 1700)
    assert len(body) > 12_000_000
    assert sender.receipt(body) == (1700, 1700, 0, 0)


# ---- once and only once ----


def test_ingest_of_one_idempotency_key_stores_once(sender: Sender, connection: Connection, service: str) -> None:
    headers = {"Idempotency-Key": f"key-{service}"}
    assert sender.receipt(record("/a"), headers=headers) == (1, 1, 0, 0)
    assert sender.receipt(record("/a"), headers=headers) == (1, 0, 1, 0)
    assert sender.receipt(record("/a"), headers={"Idempotency-Key": f"other-{service}"}) == (1, 1, 0, 0)
    # A key that a client sends with everything costs it nothing.
    assert sender.receipt(record("/b"), headers=headers) == (1, 1, 0, 0)
    assert stored_paths(connection, service) == ["/a", "/a", "/b"]


def test_ingest_of_a_batch_with_ids_stores_once(sender: Sender, connection: Connection, service: str) -> None:
    body = record("/a", _id=f"{service}-1") + b"\n" + record("/b", _id=f"{service}-2")
    assert sender.receipt(body) == (2, 2, 0, 0)
    assert sender.receipt(body) == (2, 0, 2, 0)
    assert sender.receipt(gzip.compress(body), headers={"Content-Encoding": "gzip"}) == (2, 0, 2, 0)
    assert stored_paths(connection, service) == ["/a", "/b"]


def test_ingest_of_a_repeated_batch_with_bad_records_says_duplicate_for_all(sender: Sender) -> None:
    body = record("/a", _id="1") + b"\n" + record("/b", _id="2", status="bad")
    assert sender.receipt(body) == (2, 1, 0, 1)
    assert sender.receipt(body) == (2, 0, 2, 0)


def test_ingest_of_equal_bodies_without_ids_stores_both(sender: Sender) -> None:
    assert sender.receipt(record("/a")) == sender.receipt(record("/a")) == (1, 1, 0, 0)


# ---- who may send ----


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


ALLOWED = [
    pytest.param({"Authorization": "Bearer one"}, id="bearer"),
    pytest.param({"Authorization": "bearer two"}, id="bearer in small letters"),
    pytest.param({"X-API-Key": "two"}, id="key"),
    pytest.param({"Authorization": basic("alice", "one")}, id="basic"),
    pytest.param({"Authorization": basic("", "two")}, id="basic without a user"),
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


@pytest.mark.parametrize("headers", ALLOWED)
@pytest.mark.parametrize("address", ["127.0.0.1", "203.0.113.9"])
def test_ingest_with_tokens_serves_who_has_one(
    writer: LogWriter, service: str, headers: dict[str, str], address: str
) -> None:
    sender = Sender(client_of(writer, "one, two"), service)
    options = {"headers": headers, "environ_overrides": {"REMOTE_ADDR": address}}
    assert sender.receipt(record("/a"), **options) == (1, 1, 0, 0)


@pytest.mark.parametrize("headers", REFUSED)
def test_ingest_with_tokens_refuses_who_has_none(
    writer: LogWriter, service: str, count: Count, headers: dict[str, str]
) -> None:
    answer = Sender(client_of(writer, "one, two"), service).send(record("/a"), headers=headers)
    assert answer.status_code == 401
    assert "one" not in answer.get_json()["error"]["message"].replace("one of", "")
    assert count("ingest_batch") == 0


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("127.0.0.1", 200),
        ("127.8.8.8", 200),
        ("::1", 200),
        ("203.0.113.9", 401),
        ("10.0.0.1", 401),
        ("2001:db8::1", 401),
        ("", 401),
    ],
)
def test_ingest_without_tokens_serves_this_machine_only(
    writer: LogWriter, service: str, count: Count, address: str, status: int
) -> None:
    answer = Sender(client_of(writer), service).send(record("/a"), environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == status
    assert count("access_log") == (1 if status == 200 else 0)


def test_ingest_without_tokens_does_not_believe_a_forwarded_address(writer: LogWriter, service: str) -> None:
    answer = Sender(client_of(writer), service).send(
        record("/a"),
        headers={"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
        environ_overrides={"REMOTE_ADDR": "203.0.113.9"},
    )
    assert answer.status_code == 401


# ---- when it cannot store ----


class Failing:
    """A writer that fails in a given way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def store(self, batch: Batch) -> None:
        raise self._error

    def check(self) -> None:
        raise self._error


def failing_client(error: Exception) -> FlaskClient:
    return client_of(cast("LogWriter", Failing(error)))


@pytest.fixture
def away_client(closed_port_dsn: str) -> Iterator[FlaskClient]:
    with ConnectionPool(closed_port_dsn, min_size=0, max_size=1, timeout=0.5, open=True) as pool:
        yield client_of(LogWriter(pool))


def assert_try_again(answer: TestResponse) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert len(answer.data) < 1024
    text = answer.get_data(as_text=True)
    assert "Traceback" not in text
    assert 'File "' not in text


def test_ingest_asks_to_try_again_while_the_database_is_away(away_client: FlaskClient, service: str) -> None:
    answer = Sender(away_client, service).send(record("/a"))
    assert_try_again(answer)
    assert "send it again" in answer.get_json()["error"]["message"]
    assert_try_again(away_client.get("/readyz"))
    assert away_client.get("/healthz").status_code == 200


def test_ingest_keeps_a_long_reason_short(service: str) -> None:
    answer = Sender(failing_client(DatabaseUnavailable("x" * 5000)), service).send(record("/a"))
    assert_try_again(answer)


def test_ingest_asks_to_try_again_after_an_unforeseen_fault_and_keeps_it_to_the_log(
    service: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = Sender(failing_client(RuntimeError("secret words of ours")), service).send(record("/a"))
    assert_try_again(answer)
    assert "secret" not in answer.get_data(as_text=True)
    number = answer.get_json()["error"]["message"].split("number ")[1].split(")")[0]
    assert number in caplog.text
    assert "secret words of ours" in caplog.text


def test_readyz_and_healthz_answer_where_all_is_well(writer: LogWriter) -> None:
    client = client_of(writer)
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/log/ingest", 405), ("POST", "/nowhere", 404), ("GET", "/", 404)]
)
def test_other_addresses_get_a_short_error(writer: LogWriter, method: str, path: str, status: int) -> None:
    answer = client_of(writer).open(path, method=method)
    assert answer.status_code == status
    assert len(answer.data) < 1024
    assert set(answer.get_json()["error"]) == {"code", "message"}
