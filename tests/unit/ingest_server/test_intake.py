"""When a body is known again, and what becomes of each record of it."""

from __future__ import annotations

from datetime import UTC, datetime

from ingest_server.body import items
from ingest_server.intake import Origin, identity, normalise

NOW = datetime(2026, 5, 2, tzinfo=UTC)
ORIGIN = Origin("web@10.0.0.1", "shop")
FIELDS = b'"timestamp":"2026-05-01T10:15:30Z","method":"GET","path":"/a","status":200'
PLAIN = b"{" + FIELDS + b"}"
WITH_ID = b'{"_id":"1",' + FIELDS + b"}"
WITH_OTHER_ID = b'{"_id":"2",' + FIELDS + b"}"


def known_as(body: bytes, origin: Origin = ORIGIN, key: str | None = None) -> bytes | None:
    return identity(body, list(items(body)), origin, key)


def test_identity_is_none_where_two_equal_bodies_can_both_be_honest() -> None:
    assert known_as(PLAIN) is None
    assert known_as(PLAIN + b"\n" + WITH_ID) is None
    assert known_as(WITH_ID + b"\ngarbage") is None
    assert known_as(PLAIN, key="") is None


def test_identity_of_records_with_ids_is_that_of_the_body() -> None:
    body = WITH_ID + b"\n" + WITH_OTHER_ID
    assert known_as(body) is not None
    assert known_as(body) == known_as(body)
    assert known_as(body) != known_as(WITH_ID)
    assert known_as(body) != known_as(WITH_OTHER_ID + b"\n" + WITH_ID)


def test_identity_of_records_with_ids_does_not_depend_on_the_sender_but_on_the_service() -> None:
    assert known_as(WITH_ID) == known_as(WITH_ID, Origin("web@10.0.0.2", "shop"))
    assert known_as(WITH_ID) != known_as(WITH_ID, Origin("web@10.0.0.1", "other"))


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


def test_normalise_sorts_records_into_rows_and_refusals() -> None:
    future = PLAIN.replace(b"2026-05-01", b"2099-05-01")
    body = b"\n".join([PLAIN, b"garbage", future, b'{"a":nan}', WITH_ID, b'{"service":"cart",' + FIELDS + b"}"])
    batch = normalise(items(body), ORIGIN, NOW, b"identity")
    assert (batch.source, batch.service, batch.identity) == ("web@10.0.0.1", "shop", b"identity")
    assert [row.service for row in batch.rows] == ["shop", "shop", "cart"]
    assert [each.record for each in batch.quarantined] == [b"garbage", future, b'{"a":nan}']
    reasons = [each.reason for each in batch.quarantined]
    assert reasons[0] == "the line fits no known log format"
    assert reasons[1].startswith("timestamp is more than a day in the future")
    assert reasons[2].startswith("not JSON")
