"""A row that goes by binary COPY is the row that goes by statement."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sql.batch import Batch, LogRow, Receipt
from sql.copy_format import CopyEncoder
from sql.storing import store_by_copy, store_by_statement, utc_micros
from tests.conftest import NATIVE_DSN
from tests.integration.conftest import RowMaker
from tests.rows import micros, moment

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(not NATIVE_DSN, reason="the embedded server takes no COPY; set TEST_DATABASE_URL"),
]
MOST_KEPT = 1_048_576
OPTIONAL: dict[str, Any] = {
    "latency_ms": 0.1,
    "bytes": 2**61,
    "client_ip": "10.0.0.1",
    "user_agent": "Mozilla/5.0 “따옴표” 😀",
    "referer": "https://예시.한국/?q=1",
    "attributes": json.dumps({"키": [1, 2.5, None, "😀"], "b": {"c": True}}, ensure_ascii=False),
    "record_key": b"",
}
COLUMNS = """
ts, service, method, path, route, status, latency_ms, bytes, client_ip::text, family(client_ip), masklen(client_ip),
user_agent, referer, attributes::text, record_key::text
"""


def stored(
    connection: psycopg.Connection[Any], rows: list[LogRow], service: str, *, copy: bool
) -> list[tuple[Any, ...]]:
    """Store rows, read them back, and undo it."""
    batch = Batch("test", service, rows, [])
    with connection.transaction(force_rollback=True):
        if copy:
            receipts = store_by_copy(connection, [batch], CopyEncoder(), now_us=utc_micros, most_kept=MOST_KEPT)
        else:
            receipts = store_by_statement(connection, [batch], prepare=False, most_kept=MOST_KEPT)
        assert receipts == [Receipt(len(rows), len(rows), 0, 0)]
        select = f'select {COLUMNS} from access_log where service = %s order by path collate "C"'
        return connection.execute(select.encode(), (service,)).fetchall()


def both_ways(connection: psycopg.Connection[Any], rows: list[LogRow], service: str) -> list[tuple[Any, ...]]:
    by_copy = stored(connection, rows, service, copy=True)
    assert by_copy == stored(connection, rows, service, copy=False)
    assert len(by_copy) == len(rows)
    return by_copy


def test_every_combination_of_nulls(connection: psycopg.Connection[Any], service: str, make_row: RowMaker) -> None:
    rows = []
    for n, given in enumerate(itertools.product((False, True), repeat=len(OPTIONAL))):
        columns = {name: value if there else None for (name, value), there in zip(OPTIONAL.items(), given, strict=True)}
        if columns["record_key"] is not None:
            columns["record_key"] = n.to_bytes(16, "big")
        rows.append(make_row(path=f"/{n:03}", **columns))
    found = both_ways(connection, rows, service)
    for row, (
        ts,
        name,
        method,
        path,
        route,
        status,
        latency,
        size,
        address,
        _,
        _,
        agent,
        referer,
        attributes,
        key,
    ) in zip(rows, found, strict=True):
        assert (moment(row.ts), *row[1:8]) == (ts, name, method, path, route, status, latency, size)
        assert (row.client_ip and f"{row.client_ip}/32", row.user_agent, row.referer) == (address, agent, referer)
        assert (row.attributes and json.loads(row.attributes)) == (attributes and json.loads(attributes))
        assert row.record_key == (key and bytes.fromhex(key.replace("-", "")))


def test_addresses(connection: psycopg.Connection[Any], service: str, make_row: RowMaker) -> None:
    addresses = ["0.0.0.0", "255.255.255.255", "127.0.0.1", "::", "::1", "2001:db8::ff", "fe80::1", "::ffff:10.0.0.1"]  # noqa: S104
    rows = [make_row(path=f"/{n:03}", client_ip=address) for n, address in enumerate(addresses)]
    found = both_ways(connection, rows, service)
    expected = [(f"{one}/128", 6, 128) if ":" in one else (f"{one}/32", 4, 32) for one in addresses]
    assert [row[8:11] for row in found] == expected


def test_moments(connection: psycopg.Connection[Any], service: str, make_row: RowMaker) -> None:
    moments = [
        datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2000, 1, 1, tzinfo=UTC),
        datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=UTC),
        datetime(2100, 1, 1, 0, 0, 0, 123_457, tzinfo=UTC),
        *(datetime(1999, 3, 1, tzinfo=UTC) + timedelta(microseconds=7**n) for n in range(15)),
    ]
    found = both_ways(connection, [make_row(path=f"/{n:03}", ts=ts) for n, ts in enumerate(moments)], service)
    assert [row[0] for row in found] == moments
    assert [micros(row[0]) for row in found] == [micros(ts) for ts in moments]


def test_texts_and_numbers_at_their_edges(
    connection: psycopg.Connection[Any], service: str, make_row: RowMaker
) -> None:
    text = "/\\.\t\r\n'\"{}%s \x01\x7f한글 \u202e😀"
    rows = [
        make_row(path="/000", route="", user_agent="", referer="", latency_ms=0.0, bytes=0, status=100),
        make_row(path="/001" + text, route=text, user_agent=text, referer=text, method="PROPFIND", status=999),
        make_row(path="/002", latency_ms=5e-324, bytes=2**63 - 1),
        make_row(
            path="/003", latency_ms=999_999_999_999.9999, attributes=json.dumps({text: text, "n": 10**30, "f": 0.1})
        ),
        make_row(path="/004" + "x" * 8000, user_agent="한" * 4096, attributes="[]"),
    ]
    found = both_ways(connection, rows, service)
    columns = [(*row[1:8], row[11], row[12]) for row in found]
    assert columns == [(*row[1:8], row.user_agent, row.referer) for row in rows]
    assert json.loads(found[3][13]) == {text: text, "n": 10**30, "f": 0.1}
