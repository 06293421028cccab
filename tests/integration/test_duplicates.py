"""A record with a key is stored once, however often and in whatever company it comes; the ledger agrees."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import psycopg
import pytest

from sql import writing
from sql.batch import NOTHING, Batch, LogRow, Quarantined, Receipt
from sql.storing import UNNEST_ROWS
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN
from tests.rows import USUAL_MOMENT, micros

Connection = psycopg.Connection[tuple[object, ...]]
MakeRow = Callable[..., LogRow]
Count = Callable[[str], int]
REFUSED = Quarantined("unreadable", "broken", b"x")


def check_the_books(connection: Connection, service: str) -> Receipt:
    """What the ledger, the batches and the tables say of a service is one thing; returns it."""
    counts = "coalesce(sum({}), 0)::bigint"
    columns = ", ".join(counts.format(name) for name in ("received", "stored", "duplicate", "quarantined", "bytes"))
    sums = [
        connection.execute(f"select {columns} from {table} where service = %s".encode(), (service,)).fetchone()
        for table in ("ingest_ledger", "ingest_batch")
    ]
    assert sums[0] == sums[1]
    assert sums[0] is not None
    total = Receipt(*(int(str(value)) for value in sums[0][:4]))
    assert total.received == total.stored + total.duplicate + total.quarantined
    tables = connection.execute(
        "select (select count(*) from access_log where service = %(service)s), (select count(*) from quarantine join "
        "ingest_batch as batch on batch.id = batch_id where service = %(service)s)",
        {"service": service},
    ).fetchone()
    assert tables == (total.stored, total.quarantined)
    return total


def key_of(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=16).digest()


@pytest.fixture
def keyed(service: str, make_row: MakeRow) -> Callable[[range], list[LogRow]]:
    """Rows of which each number has a key and a moment of its own."""

    def rows(numbers: range) -> list[LogRow]:
        first = micros(USUAL_MOMENT)
        return [make_row(ts=first + n, path=f"/{n}", record_key=key_of(f"{service} {n}")) for n in numbers]

    return rows


Keyed = Callable[[range], list[LogRow]]
SIZES = pytest.mark.parametrize("number", [1, 10, 200], ids=["one", "a few", "many"])


@SIZES
def test_a_record_that_is_twice_in_a_body_is_stored_once(
    writer: LogWriter, connection: Connection, service: str, keyed: Keyed, number: int
) -> None:
    rows = keyed(range(number)) * 2
    assert writer.store(Batch("t", service, rows, [REFUSED])) == Receipt(2 * number + 1, number, number, 1)
    assert check_the_books(connection, service).stored == number


@SIZES
def test_records_are_known_again_in_bodies_cut_otherwise(
    writer: LogWriter, connection: Connection, service: str, keyed: Keyed, number: int
) -> None:
    total = NOTHING
    draw = random.Random(5)
    for _ in range(8):
        start = draw.randrange(number)
        total += writer.store(Batch("t", service, keyed(range(start, number)), [], size=17))
        assert check_the_books(connection, service) == total
    total += writer.store(Batch("t", service, keyed(range(number)), []))
    assert total.stored == number
    assert check_the_books(connection, service) == total


def test_records_without_a_key_are_never_duplicates(
    writer: LogWriter, connection: Connection, service: str, make_row: MakeRow, keyed: Keyed
) -> None:
    rows = [*keyed(range(3)), *(make_row() for _ in range(3))]
    assert writer.store(Batch("t", service, rows, [])) == Receipt(6, 6, 0, 0)
    assert writer.store(Batch("t", service, rows, [])) == Receipt(6, 3, 3, 0)
    assert check_the_books(connection, service).stored == 9


def test_one_key_at_two_moments_is_two_records(
    writer: LogWriter, connection: Connection, service: str, make_row: MakeRow
) -> None:
    rows = [make_row(ts=micros(USUAL_MOMENT) + n, record_key=key_of(service)) for n in (0, 1, 10**12)]
    assert writer.store(Batch("t", service, rows, [])) == Receipt(3, 3, 0, 0)
    check_the_books(connection, service)


def test_quarantined_records_of_a_body_without_an_identity_are_kept_each_time(
    writer: LogWriter, connection: Connection, service: str, keyed: Keyed
) -> None:
    batch = Batch("t", service, keyed(range(2)), [REFUSED])
    assert writer.store(batch) + writer.store(batch) == Receipt(6, 2, 2, 2)
    check_the_books(connection, service)


@pytest.mark.parametrize("number", [50, 600], ids=["by statement", "by copy where there is one"])
def test_the_same_records_from_four_threads_are_stored_once_each(
    writer: LogWriter, connection: Connection, service: str, keyed: Keyed, number: int
) -> None:
    start, receipts = threading.Barrier(4), list[Receipt]()

    def run(seed: int) -> None:
        draw = random.Random(seed)
        start.wait()
        at = 0
        while at < number:
            size = draw.randrange(1, number)
            rows = keyed(range(at, min(number, at + size)))
            draw.shuffle(rows)
            receipts.append(writer.store(Batch("t", service, rows, [])))
            at += size

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = sum(receipts, NOTHING)
    assert (total.received, total.stored, total.duplicate) == (4 * number, number, 3 * number)
    assert check_the_books(connection, service) == total
    found = connection.execute("select count(distinct path) from access_log where service = %s", (service,)).fetchone()
    assert found == (number,)


def test_a_group_of_batches_with_the_same_records_adds_up(
    writer: LogWriter, connection: Connection, service: str, keyed: Keyed
) -> None:
    first = Batch("t", service, keyed(range(100)), [REFUSED], service.encode(), 10)
    second = Batch("u", service, keyed(range(50, 150)), [], None, 20)
    receipts = writer.store_all([first, second, first, Batch("t", service, [], [REFUSED], None, 1), second])
    assert [receipt.received for receipt in receipts] == [101, 100, 101, 1, 100]
    assert sum(receipts, NOTHING) == Receipt(403, 150, 251, 2)
    assert receipts[2] == Receipt(101, 0, 101, 0)
    assert check_the_books(connection, service) == sum(receipts, NOTHING)


def test_a_batch_of_several_statements_is_known_again(
    writer: LogWriter, connection: Connection, service: str, keyed: Keyed
) -> None:
    number = 2 * UNNEST_ROWS + 5_000
    batch = Batch("t", service, keyed(range(number)), [REFUSED], service.encode(), 3)
    assert writer.store(batch) == Receipt(number + 1, number, 0, 1)
    assert writer.store(batch) == Receipt(number + 1, 0, number + 1, 0)
    other = Batch("t", service, keyed(range(number - 10, number + 10)), [])
    assert writer.store(other) == Receipt(20, 10, 10, 0)
    check_the_books(connection, service)


@pytest.mark.skipif(not NATIVE_DSN, reason="the embedded server has no COPY")
def test_copy_and_statement_store_the_same(
    writer: LogWriter, connection: Connection, service: str, make_row: MakeRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, optional = random.Random(11), ("latency_ms", "bytes", "client_ip", "user_agent", "referer", "attributes")
    values = {
        "latency_ms": [0.0, 1e-7, 12.345678901234567, 9.9e11],
        "bytes": [0, 2**61],
        "client_ip": ["10.0.0.1", "2001:db8::1", "::ffff:1.2.3.4"],
        "user_agent": ["", "한글 😀", "\\N \\. \t\n"],
        "referer": ['"', "é"],
        "attributes": ['{"a": [1, 2.50, "\\u00e9"]}', '{"b": 1e400}'],
    }
    rows = [
        make_row(
            ts=draw.choice([micros(datetime(1990, 1, 1, tzinfo=UTC)), micros(USUAL_MOMENT), 4_102_444_800_000_001]) + n,
            status=draw.choice([100, 200, 999]),
            record_key=draw.choice([None, draw.randbytes(16)]),
            **{name: draw.choice([None, *values[name]]) for name in optional},  # type: ignore[misc]
        )
        for n in range(500)
    ]
    stored = []
    for threshold, name in ((1, f"{service}-copy"), (10**9, f"{service}-statement")):
        monkeypatch.setattr(writing, "COPY_FROM_ROWS", threshold)
        own = [
            row._replace(service=name, record_key=row.record_key and row.record_key[:15] + bytes([threshold % 7]))
            for row in rows
        ]
        assert writer.store(Batch("t", name, own, [REFUSED], None, 5)) == Receipt(501, 500, 0, 1)
        check_the_books(connection, name)
        stored.append(everything(connection, name))
    assert stored[0] == stored[1]


def everything(connection: Connection, service: str) -> tuple[Sequence[object], ...]:
    rows = connection.execute(
        "select ts, method, path, route, status, latency_ms, bytes, client_ip::text, user_agent, referer, "
        "attributes::text, record_key is null from access_log where service = %s order by ts",
        (service,),
    ).fetchall()
    batches = connection.execute(
        "select source, received, stored, duplicate, quarantined, bytes, first_ts, last_ts from ingest_batch "
        "where service = %s",
        (service,),
    ).fetchall()
    ledger = connection.execute(
        "select source, kind, received, stored, duplicate, quarantined, bytes, lag_s > 0, lag_max_s > 0 "
        "from ingest_ledger where service = %s order by kind",
        (service,),
    ).fetchall()
    return rows, batches, ledger
