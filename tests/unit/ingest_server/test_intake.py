"""What becomes of each record of a body, and when the body is known again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import cast

import pytest

from ingest_server.framing import line_value
from ingest_server.intake import Intake, Origin, take_in, unreadable_body
from ingest_server.route import RouteRules
from ingest_server.route_book import RouteBook
from sql.batch import NOTHING, Batch, Receipt
from sql.connection import DatabaseUnavailable
from sql.writing import LogWriter
from tests.rows import micros

NOW = micros(datetime(2026, 5, 2, tzinfo=UTC))
ORIGIN = Origin("web@10.0.0.1", "shop")
FIELDS = b'"timestamp":"2026-05-01T10:15:30Z","method":"GET","path":"/a/17","status":200'
PLAIN = b"{" + FIELDS + b"}"
WITH_ID = b'{"_id":"1",' + FIELDS + b"}"
WITH_OTHER_ID = b'{"_id":"2",' + FIELDS + b"}"
COMBINED = '1.2.3.4 - - [01/May/2026:10:15:30 +0000] "GET /b HTTP/1.1" 200 1 "-" "curl"'


def no_routes() -> list[tuple[str, str]]:
    return []


INTAKE = Intake(RouteBook(RouteRules.default(), 1000, no_routes))


def batch_of(body: bytes, origin: Origin = ORIGIN, key: str | None = None) -> Batch:
    return INTAKE.batch(body, origin, NOW, idempotency_key=key)


def known_as(body: bytes, origin: Origin = ORIGIN, key: str | None = None) -> bytes | None:
    return batch_of(body, origin, key).identity


def test_batch_sorts_records_into_rows_and_refusals() -> None:
    future = PLAIN.replace(b"2026-05-01", b"2099-05-01")
    body = b"\n".join([PLAIN, b"garbage", future, b'{"a":nan}', WITH_ID, b'{"service":"cart",' + FIELDS + b"}"])
    batch = batch_of(body)
    assert (batch.source, batch.service, batch.size, batch.received) == ("web@10.0.0.1", "shop", len(body), 6)
    assert [row.service for row in batch.rows] == ["shop", "shop", "cart"]
    assert {row.route for row in batch.rows} == {"/a/{id}"}
    assert [each.record for each in batch.quarantined] == [b"garbage", future, b'{"a":nan}']
    assert [each.kind for each in batch.quarantined] == ["unreadable", "in_the_future", "unreadable"]
    reasons = [each.reason for each in batch.quarantined]
    assert reasons[0] == "the line fits no known log format"
    assert reasons[1].startswith("timestamp is more than a day in the future")
    assert reasons[2].startswith("not JSON")


def test_batch_keeps_a_refused_record_as_it_came_wherever_it_stands() -> None:
    bad = b'{ "path" : "/x" ,\t"n":1.50 }'
    for body in (
        b"[" + PLAIN + b" , " + bad + b"]",
        PLAIN + bad,
        bad + b"\r\n" + PLAIN + b"\r\n",
        b'"text"\n' + bad + b"\n" + PLAIN,
    ):
        batch = batch_of(body)
        assert [row.path for row in batch.rows] == ["/a/17"]
        assert [each.record for each in batch.quarantined if each.kind != "unreadable"] == [bad]


def test_batch_keeps_the_bytes_of_a_raw_line_that_is_no_request() -> None:
    bad = json.dumps({"date": 1777630530.0, "log": "hello"}).encode()
    good = json.dumps({"date": 1777630530.0, "log": COMBINED}).encode()
    batch = batch_of(good + b"\n" + bad + b"\n")
    assert [row.path for row in batch.rows] == ["/b"]
    assert [each.record for each in batch.quarantined] == [bad]


@pytest.mark.parametrize("body", [b"", b"  \n", b"[]", b"[ ]\n"])
def test_batch_of_nothing_is_empty(body: bytes) -> None:
    batch = batch_of(body)
    assert (batch.received, batch.identity) == (0, None)


# ---- a body that is known again ----


def test_identity_is_none_where_two_equal_bodies_can_both_be_honest() -> None:
    assert known_as(PLAIN) is None
    assert known_as(PLAIN + b"\n" + WITH_ID) is None
    assert known_as(b"garbage") is None
    assert known_as(PLAIN, key="") is None


def test_identity_of_records_with_ids_is_that_of_the_body() -> None:
    body = WITH_ID + b"\n" + WITH_OTHER_ID
    assert known_as(body) is not None
    assert known_as(body) == known_as(body)
    assert known_as(body) != known_as(WITH_ID)
    assert known_as(body) != known_as(WITH_OTHER_ID + b"\n" + WITH_ID)


def test_records_with_ids_have_the_same_keys_whoever_sends_them_and_others_per_service() -> None:
    def keys(origin: Origin) -> list[bytes | None]:
        return [row.record_key for row in batch_of(WITH_ID + b"\n" + WITH_OTHER_ID, origin).rows]

    assert len(set(keys(ORIGIN))) == 2
    assert keys(ORIGIN) == keys(Origin("web@10.0.0.2", "shop"))
    assert not set(keys(ORIGIN)) & set(keys(Origin("web@10.0.0.1", "other")))


def test_identity_by_key_is_the_service_the_key_and_the_body() -> None:
    assert known_as(PLAIN, key="k") is not None
    assert known_as(PLAIN, key="k") == known_as(PLAIN, key="k")
    assert known_as(PLAIN, key="k") != known_as(PLAIN, key="l")
    assert known_as(PLAIN, Origin("10.0.0.1", "shop"), key="k") == known_as(PLAIN, Origin("10.0.0.2", "shop"), key="k")
    assert known_as(PLAIN, Origin("10.0.0.1", "shop"), key="k") != known_as(PLAIN, Origin("10.0.0.1", "cart"), key="k")
    assert known_as(PLAIN, key="k") != known_as(PLAIN + b" ", key="k")


def test_identity_keeps_its_parts_apart() -> None:
    assert known_as(PLAIN, Origin("a", "sb"), key="c") != known_as(PLAIN, Origin("a", "s"), key="bc")
    assert len({known_as(WITH_ID), known_as(WITH_ID, key=WITH_ID.decode())}) == 2


# ---- the ways around ----


def test_rows_reads_values_of_lines_with_their_own_bytes() -> None:
    lines = [COMBINED.encode(), b"garbage", PLAIN]
    rows, refused = INTAKE.rows(map(line_value, lines), lines.__getitem__, ORIGIN, NOW)
    assert [row.path for row in rows] == ["/b", "/a/17"]
    assert [each.record for each in refused] == [b"garbage"]


def test_unreadable_body_is_one_record_that_nothing_makes_unique() -> None:
    batch = unreadable_body(b"\x1f\x8b", "the body is no gzip stream", ORIGIN)
    assert (batch.received, batch.identity, batch.size) == (1, None, 2)
    assert batch.quarantined[0] == ("unreadable", "the body is no gzip stream", b"\x1f\x8b")


class Kept:
    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def store(self, batch: Batch) -> Receipt:
        self.batches.append(batch)
        return Receipt(batch.received, len(batch.rows), 0, len(batch.quarantined))


def test_take_in_stores_what_a_body_holds_and_nothing_of_an_empty_one() -> None:
    kept = Kept()
    assert take_in(PLAIN + b"\nx", ORIGIN, INTAKE, cast("LogWriter", kept)) == Receipt(2, 1, 0, 1)
    assert take_in(b"\n", ORIGIN, INTAKE, cast("LogWriter", kept)) == NOTHING
    assert len(kept.batches) == 1


def test_batch_is_not_made_while_the_routes_in_use_are_unknown() -> None:
    def away() -> list[tuple[str, str]]:
        raise DatabaseUnavailable("away")

    with pytest.raises(DatabaseUnavailable):
        Intake(RouteBook(RouteRules.default(), 1000, away)).batch(PLAIN, ORIGIN, NOW)
