"""When two records, or two bodies, are one: where it is certain, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ingest_server.identity import KEY_BYTES, body_identity, key_fields, record_key
from sql.batch import LogRow
from tests.rows import log_row

SOURCE = "web@10.0.0.1"
PLACE = {"file": "/var/log/access.log", "offset": 1200}
HOST = {"source_host": "web-1"}
ID = {"_id": "a-1"}
BODY = b'{"path":"/a"}'


def key_of(record: Mapping[str, Any], row: LogRow | None = None, source: str = SOURCE) -> bytes | None:
    fields = key_fields(record.keys())
    return None if fields is None else record_key(record, fields, row or log_row(), source)


def test_key_fields_are_none_where_nothing_can_make_a_record_unique() -> None:
    assert key_fields(["path", "status"]) is None
    assert key_fields(["file", "source_host"]) is None
    assert key_fields(["offset", "source_host"]) is None
    assert key_fields(["id", "request_id"]) is None


@pytest.mark.parametrize("file", ["file", "filename", "file_path", "filepath", "log.file.path"])
@pytest.mark.parametrize("offset", ["offset", "file_offset", "log.offset"])
def test_key_is_found_under_the_names_that_shippers_use(file: str, offset: str) -> None:
    assert key_of({file: "/a.log", offset: 7}) == key_of({"file": "/a.log", "offset": 7}) is not None


def test_key_has_the_length_of_its_column() -> None:
    for record in (PLACE | HOST, PLACE, ID):
        key = key_of(record)
        assert key is not None
        assert len(key) == KEY_BYTES == 16
        assert key == key_of(dict(record))


def test_place_with_a_host_wins_over_the_id() -> None:
    both = PLACE | HOST | ID
    assert key_of(both) == key_of(PLACE | HOST)
    assert key_of(both) == key_of(both | {"_id": "another"})
    assert key_of(both) != key_of(both | {"offset": 1201})


def test_place_with_a_host_does_not_depend_on_the_sender() -> None:
    assert key_of(PLACE | HOST, source="web@10.0.0.2") == key_of(PLACE | HOST)


def test_id_wins_over_a_place_without_a_host() -> None:
    both = PLACE | ID
    assert key_of(both) == key_of(ID)
    assert key_of(both) == key_of(both | {"offset": 1201})
    assert key_of(both) == key_of(both | {"source_host": ""})
    assert key_of(both, source="web@10.0.0.2") == key_of(both)


def test_place_without_a_host_is_that_of_its_sender() -> None:
    assert key_of(PLACE) is not None
    assert key_of(PLACE) == key_of(PLACE | {"source_host": None}) == key_of(PLACE | {"source_host": ""})
    assert key_of(PLACE) != key_of(PLACE, source="web@10.0.0.2")
    assert key_of(PLACE) != key_of(PLACE | {"source_host": SOURCE})


def test_two_hosts_have_two_records() -> None:
    assert key_of(PLACE | HOST) != key_of(PLACE | {"source_host": "web-2"})


def test_two_files_and_two_offsets_have_two_records() -> None:
    assert len({key_of(PLACE | HOST | {"file": name, "offset": at}) for name in "ab" for at in range(5)}) == 10


def test_place_keeps_its_parts_apart() -> None:
    one = key_of({"file": "a", "offset": "11", "source_host": "h"})
    assert one != key_of({"file": "a1", "offset": "1", "source_host": "h"})
    assert one != key_of({"file": "a", "offset": "1", "source_host": "h1"})


def test_offset_as_text_is_the_same_place() -> None:
    assert key_of(PLACE | HOST | {"offset": "1200"}) == key_of(PLACE | HOST)


@pytest.mark.parametrize(
    "changed",
    [
        *({"path": "/other"}, {"status": 500}, {"method": "POST"}, {"bytes": 346}, {"latency_ms": 12.6}),
        *(
            {"client_ip": "10.0.0.2"},
            {"user_agent": "curl/9"},
            {"referer": "/"},
            {"attributes": "{}"},
            {"service": "b"},
        ),
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_another_line_at_the_same_offset_after_a_rotation_is_another_record(changed: dict[str, Any]) -> None:
    assert key_of(PLACE | HOST, log_row(**changed)) != key_of(PLACE | HOST, log_row())
    assert key_of(PLACE, log_row(**changed)) != key_of(PLACE, log_row())


def test_place_does_not_depend_on_the_route() -> None:
    """One process may have room for a route when another already calls it {other}."""
    assert key_of(PLACE | HOST, log_row(route="{other}")) == key_of(PLACE | HOST, log_row(route="/api/user/{id}"))


def test_id_belongs_to_its_service() -> None:
    assert key_of(ID, log_row(service="shop")) != key_of(ID, log_row(service="cart"))
    assert key_of(ID, log_row(service="shop")) == key_of(ID, log_row(service="shop", path="/another", status=500))


def test_id_may_be_a_number() -> None:
    assert key_of({"_id": 17}) == key_of({"_id": "17"}) is not None
    assert key_of({"_id": 0}) is not None


@pytest.mark.parametrize("given", ["", None, True, 1.5, [], {"a": 1}])
def test_id_that_is_none_makes_nothing_unique(given: object) -> None:
    assert key_of({"_id": given}) is None


@pytest.mark.parametrize("changed", [{"file": ""}, {"file": None}, {"file": 5}, {"offset": None}, {"offset": "x"}])
@pytest.mark.parametrize("offset", [True, 1.5, "", "-1"])
def test_place_that_is_none_leaves_it_to_the_id(changed: dict[str, Any], offset: object) -> None:
    for broken in (changed, {"offset": offset}):
        assert key_of(PLACE | HOST | broken) is None
        assert key_of(PLACE | HOST | ID | broken) == key_of(ID)


def test_key_of_text_that_utf_8_has_no_bytes_for() -> None:
    assert key_of({"_id": "\ud83d"}) is not None
    assert key_of(PLACE | {"source_host": "\udc80"}) is not None


KEYED, PLAIN = log_row(record_key=b"k" * 16), log_row()


def identity(
    body: bytes = BODY,
    source: str = SOURCE,
    service: str = "shop",
    rows: tuple[LogRow, ...] = (),
    key: str | None = None,
) -> bytes | None:
    return body_identity(body, source, service, rows, key)


def test_body_is_unique_only_where_all_of_its_rows_are() -> None:
    assert identity() is None
    assert identity(rows=(PLAIN,)) is None
    assert identity(rows=(KEYED, PLAIN)) is None
    assert identity(rows=(KEYED, KEYED)) is not None
    assert identity(rows=(KEYED,)) == identity(rows=(KEYED, KEYED))  # the body says how many
    assert identity(rows=(KEYED,)) != identity(rows=(KEYED,), body=BODY + b"\n")


def test_body_of_unique_rows_belongs_to_its_sender_and_service() -> None:
    assert identity(rows=(KEYED,)) != identity(rows=(KEYED,), source="web@10.0.0.2")
    assert identity(rows=(KEYED,)) != identity(rows=(KEYED,), service="cart")


def test_body_with_a_key_is_the_key_the_body_and_the_service() -> None:
    known = identity(key="k", rows=(PLAIN,))
    assert known is not None
    assert known == identity(key="k") == identity(key="k", rows=(KEYED,)) == identity(key="k", source="10.0.0.9")
    assert known != identity(key="k", body=BODY + b" ")
    assert known != identity(key="l")
    assert known != identity(key="k", service="cart")


def test_body_with_an_empty_key_has_none() -> None:
    assert identity(key="") is None
    assert identity(key="", rows=(KEYED,)) == identity(rows=(KEYED,))


def test_body_keeps_its_parts_apart() -> None:
    assert identity(service="sk", key="ey") != identity(service="s", key="key")
    assert identity(key="k", body=b"ab") != identity(key="ka", body=b"b")
    assert identity(key=SOURCE) != identity(rows=(KEYED,))
