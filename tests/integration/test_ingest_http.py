"""POST /log/ingest as Fluent Bit and curl see it: what is kept, what is answered."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import psycopg
import pytest

from tests.ingest_server import PACK, Sender, record

Connection = psycopg.Connection[tuple[object, ...]]
Count = Callable[[str], int]


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
    assert sender.receipt(body, headers={"Content-Type": content_type} if content_type else {}) == (2, 2, 0, 0)
    assert stored_paths(connection, service) == ["/a", "/b"]


def test_ingest_stores_one_object(sender: Sender, connection: Connection, service: str) -> None:
    assert sender.receipt(record("/a")) == (1, 1, 0, 0)
    assert stored_paths(connection, service) == ["/a"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("path", ["/log/ingest", "/log/ingest/"])
def test_ingest_takes_both_methods_and_both_spellings(sender: Sender, method: str, path: str) -> None:
    assert sender.receipt(record("/a"), method=method, path=path) == (1, 1, 0, 0)


@pytest.mark.parametrize("encoding", sorted(PACK))
def test_ingest_undoes_a_compression(sender: Sender, connection: Connection, service: str, encoding: str) -> None:
    body = record("/a") + b"\n" + record("/b")
    assert sender.receipt(PACK[encoding](body), headers={"Content-Encoding": encoding}) == (2, 2, 0, 0)
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
        pytest.param("%FF", "\ufffd", id="no UTF-8"),
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
        pytest.param(b"\xff\x00\xfe", id="bytes"),
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


@pytest.mark.parametrize("encoding", ["br", "gzip, br", "gzip, gzip, gzip", "x" * 3000])
def test_ingest_refuses_an_unknown_compression(sender: Sender, count: Count, encoding: str) -> None:
    answer = sender.send(record("/a"), headers={"Content-Encoding": encoding})
    assert answer.status == 415
    assert count("ingest_batch") == 0


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


def test_ingest_of_known_ids_in_bodies_cut_otherwise_stores_what_is_new(
    sender: Sender, connection: Connection, service: str
) -> None:
    lines = [record(f"/{i}", _id=f"{service}-{i}") for i in range(6)]
    assert sender.receipt(b"\n".join(lines[:4])) == (4, 4, 0, 0)
    assert sender.receipt(b"\n".join(lines[2:])) == (4, 2, 2, 0)
    assert sender.receipt(b"[" + b",".join(reversed(lines)) + b"]") == (6, 0, 6, 0)
    assert sender.receipt(b"\n".join([lines[0], lines[0], record("/new", _id=f"{service}-new")] * 2)) == (6, 1, 5, 0)
    assert stored_paths(connection, service) == [*(f"/{i}" for i in range(6)), "/new"]


def test_ingest_knows_a_line_by_its_place_and_a_rotated_file_by_its_line(sender: Sender) -> None:
    def line(path: str, offset: int, **fields: str) -> bytes:
        return record(path, file="/var/log/a.log", offset=offset, **fields)

    assert sender.receipt(line("/a", 0) + line("/a", 90)) == (2, 2, 0, 0)
    assert sender.receipt(line("/a", 90) + line("/a", 180)) == (2, 1, 1, 0)
    assert sender.receipt(line("/rotated", 0)) == (1, 1, 0, 0)
    assert sender.receipt(line("/a", 0, source_host="one") + line("/a", 0, source_host="two")) == (2, 2, 0, 0)
    tagged = {"X-Fluent-Tag": "another sender"}
    assert sender.receipt(line("/a", 0), headers=tagged) == (1, 1, 0, 0)
    assert sender.receipt(line("/a", 0, source_host="one"), headers=tagged) == (1, 0, 1, 0)


def test_ingest_of_equal_bodies_without_ids_stores_both(sender: Sender) -> None:
    assert sender.receipt(record("/a")) == sender.receipt(record("/a")) == (1, 1, 0, 0)
