"""A batch is in the database whole or not at all, and its receipt says so."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool

from sql.batch import Batch, LogRow, Quarantined, Receipt
from sql.connection import DatabaseUnavailable, writing_pool
from sql.storing import UNNEST_ROWS
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN
from tests.rows import moment

Connection = psycopg.Connection[tuple[object, ...]]
MakeRow = Callable[..., LogRow]
Count = Callable[[str], int]

STORED = """
select ts, service, method, path, route, status, latency_ms, bytes, host(client_ip), user_agent, referer, attributes
from access_log where service = %s order by ts
"""


def ledger(connection: Connection, service: str) -> list[tuple[object, ...]]:
    return connection.execute(
        "select source, received, stored, duplicate, quarantined, first_ts, last_ts from ingest_batch "
        "where service = %s order by id",
        (service,),
    ).fetchall()


def test_store_keeps_rows_as_they_were_given(
    writer: LogWriter, connection: Connection, service: str, make_row: MakeRow
) -> None:
    start = datetime(2024, 5, 1, tzinfo=UTC)
    rows = [
        make_row(ts=start),
        make_row(
            ts=start + timedelta(microseconds=1),
            method="PROPFIND",
            path="/사용자/😀/\"'\\\t\n",
            route="/사용자/{id}",
            status=999,
            latency_ms=0.0001,
            bytes=2**61,
            client_ip="2001:db8::1",
            user_agent="Mozilla/5.0 “따옴표” \\x16",
            referer="https://예시.한국/?a=1",
            attributes=json.dumps({"키": ["값", {"a": None, "b": [1, 2.5, True]}], "emoji": "😀"}, ensure_ascii=False),
        ),
        make_row(
            ts=start + timedelta(microseconds=2),
            status=100,
            latency_ms=None,
            bytes=None,
            client_ip=None,
            user_agent=None,
            attributes="{}",
        ),
        make_row(ts=start + timedelta(microseconds=3), latency_ms=0.0, bytes=0, user_agent="", path="", route=""),
        make_row(ts=start + timedelta(microseconds=4), latency_ms=9.99e11, client_ip="::ffff:10.0.0.1"),
    ]
    assert writer.store(Batch("test", service, rows, [])) == Receipt(5, 5, 0, 0)
    found = connection.execute(STORED, (service,)).fetchall()
    assert found == [
        (moment(row.ts), *row[1:11], None if row.attributes is None else json.loads(row.attributes)) for row in rows
    ]


def test_store_writes_the_ledger_and_the_touched_minutes(
    writer: LogWriter, connection: Connection, service: str, make_row: MakeRow
) -> None:
    first = datetime(2024, 5, 2, 10, 0, 59, 999_999, tzinfo=UTC)
    moments = [first + timedelta(hours=3), first, first + timedelta(microseconds=1)]
    before = connection.execute("select coalesce(max(id), 0) from touched_minute").fetchone()
    assert before is not None
    receipt = writer.store(
        Batch("web@10.0.0.1", service, [make_row(ts=ts) for ts in moments], [Quarantined("unreadable", "broken", b"x")])
    )
    assert receipt == Receipt(4, 3, 0, 1)
    assert ledger(connection, service) == [("web@10.0.0.1", 4, 3, 0, 1, first, moments[0])]
    if not NATIVE_DSN:  # a native server may have refreshed them already
        touched = connection.execute("select minute from touched_minute where id > %s order by minute", before)
        assert [row[0] for row in touched] == [
            datetime(2024, 5, 2, 10, 0, tzinfo=UTC),
            datetime(2024, 5, 2, 10, 1, tzinfo=UTC),
            datetime(2024, 5, 2, 13, 0, tzinfo=UTC),
        ]


def test_store_of_a_known_identity_stores_nothing_and_says_duplicate(
    writer: LogWriter, connection: Connection, service: str, make_row: MakeRow, count: Count
) -> None:
    batch = Batch(
        "test", service, [make_row(), make_row()], [Quarantined("unreadable", "broken", b"x")], service.encode()
    )
    assert writer.store(batch) == Receipt(3, 2, 0, 1)
    assert writer.store(batch) == Receipt(3, 0, 3, 0)
    assert writer.store(batch) == Receipt(3, 0, 3, 0)
    assert [row[1:5] for row in ledger(connection, service)] == [(3, 2, 0, 1), (3, 0, 3, 0), (3, 0, 3, 0)]
    assert [row[5:] for row in ledger(connection, service)][1:] == [(None, None), (None, None)]
    assert (count("access_log"), count("quarantine")) == (2, 1)


def test_store_without_an_identity_stores_equal_batches_twice(
    writer: LogWriter, service: str, make_row: MakeRow, count: Count
) -> None:
    batch = Batch("test", service, [make_row()], [])
    assert writer.store(batch) == writer.store(batch) == Receipt(1, 1, 0, 0)
    assert count("access_log") == 2


def test_store_of_one_identity_by_many_at_once_stores_it_once(
    writer: LogWriter, service: str, make_row: MakeRow, count: Count
) -> None:
    batch = Batch("test", service, [make_row() for _ in range(100)], [], service.encode())
    start, receipts = threading.Barrier(4), []

    def run() -> None:
        start.wait()
        receipts.append(writer.store(batch))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(receipt.stored for receipt in receipts) == [0, 0, 0, 100]
    assert count("access_log") == 100


def test_store_of_more_rows_than_one_statement_takes_loses_none(
    writer: LogWriter, connection: Connection, service: str, make_row: MakeRow
) -> None:
    number = 25_000
    assert number > 2 * UNNEST_ROWS
    start = datetime(2024, 5, 3, tzinfo=UTC)
    rows = [make_row(ts=start + timedelta(seconds=i), path=f"/item/{i}", bytes=i) for i in range(number)]
    assert writer.store(Batch("test", service, rows, [])) == Receipt(number, number, 0, 0)
    found = connection.execute(
        "select count(*), count(distinct path), sum(bytes)::bigint, min(ts), max(ts), count(distinct batch_id), "
        "bool_and(path = '/item/' || bytes and ts = %s + bytes * interval '1 second') from access_log "
        "where service = %s",
        (start, service),
    ).fetchone()
    assert found == (number, number, sum(range(number)), start, moment(rows[-1].ts), 1 if NATIVE_DSN else 3, True)


def test_store_keeps_quarantined_bytes_exactly(writer: LogWriter, connection: Connection, service: str) -> None:
    records = [bytes(range(256)), b"", b"\x00", "한글 \ud83d".encode("utf-8", "surrogatepass"), b"x" * 1_000_000]
    quarantined = [Quarantined(f"kind_{i}", f"reason {i} 이유", record) for i, record in enumerate(records)]
    assert writer.store(Batch("test", service, [], quarantined)) == Receipt(5, 0, 0, 5)
    found = connection.execute(
        "select kind, reason, record, size from quarantine where batch_id = "
        "(select id from ingest_batch where service = %s) order by id",
        (service,),
    ).fetchall()
    assert found == [(*each, len(each.record)) for each in quarantined]
    assert [row[5:] for row in ledger(connection, service)] == [(None, None)]


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"status": 99}, id="status too small"),
        pytest.param({"status": 1000}, id="status too large"),
        pytest.param({"latency_ms": -0.001}, id="negative latency"),
        pytest.param({"latency_ms": math.nan}, id="latency is not a number"),
        pytest.param({"latency_ms": math.inf}, id="infinite latency"),
        pytest.param({"latency_ms": 1e12}, id="latency of years"),
        pytest.param({"attributes": "{broken"}, id="no json"),
        pytest.param({"path": "/a\x00b"}, id="NUL"),
        pytest.param({"method": None}, id="null"),
    ],
)
@pytest.mark.parametrize("number", [3, 150], ids=["a small batch", "a large batch"])
def test_store_puts_a_row_that_the_database_refuses_into_the_quarantine(
    writer: LogWriter,
    connection: Connection,
    service: str,
    make_row: MakeRow,
    count: Count,
    columns: dict[str, Any],
    number: int,
) -> None:
    rows = [make_row(path=f"/{i}") for i in range(number)]
    rows.insert(number // 2, make_row(**columns))
    batch = Batch("test", service, rows, [Quarantined("unreadable", "broken", b"x")], service.encode())
    assert writer.store(batch) == Receipt(number + 2, number, 0, 2)
    assert (count("access_log"), count("ingest_batch"), count("quarantine")) == (number, 1, 2)
    found = connection.execute(
        "select kind, reason from quarantine where kind <> 'unreadable' and batch_id = "
        "(select id from ingest_batch where service = %s)",
        (service,),
    ).fetchall()
    assert [row[0] for row in found] == ["refused_by_database"]
    assert "\n" not in str(found[0][1])
    assert writer.store(batch) == Receipt(number + 2, 0, number + 2, 0)


def test_check_returns_where_a_batch_can_be_stored(writer: LogWriter) -> None:
    writer.check()


@pytest.mark.native
@pytest.mark.skipif(not NATIVE_DSN, reason="the embedded server has no session of its own to set read only")
def test_check_says_that_the_database_takes_no_writes(dsn: str) -> None:
    with writing_pool(make_conninfo(dsn, options="-c default_transaction_read_only=on"), max_size=1) as pool:
        reader = LogWriter(pool)
        with pytest.raises(DatabaseUnavailable, match="takes no writes"):
            reader.check()


def test_store_and_check_of_a_database_that_is_away_say_so(
    closed_port_dsn: str, service: str, make_row: MakeRow
) -> None:
    with ConnectionPool(closed_port_dsn, min_size=0, max_size=1, timeout=0.5, open=True) as pool:
        writer = LogWriter(pool)
        with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
            writer.store(Batch("test", service, [make_row()], []))
        with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
            writer.check()


def test_receipts_add_up() -> None:
    assert Receipt(6, 1, 2, 3) + Receipt(15, 4, 5, 6) == Receipt(21, 5, 7, 9)
