"""The ledger: sums that stay what they are while it is summed up, refusals, and a bounded quarantine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from accessboard.embedded.database import EmbeddedDatabase
from sql import ledger as module
from sql.batch import Batch, Quarantined, Receipt
from sql.connection import DatabaseUnavailable, connect, writing_pool
from sql.ledger import Ledger, Limits
from sql.migrate import migrate
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN, native_database
from tests.rows import log_row, micros

Connection = psycopg.Connection[tuple[object, ...]]
Pool = ConnectionPool[psycopg.Connection[Any]]
ALL_KEPT = Limits(quarantine_records=10**6, quarantine_days=10**4, identity_days=10**4)


@pytest.fixture(scope="module")
def own_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of this module's own: tidying is about everything in it."""
    if NATIVE_DSN:
        for dsn in native_database(NATIVE_DSN):
            migrate(dsn)
            yield dsn
        return
    database = EmbeddedDatabase(tmp_path_factory.mktemp("ledger"))
    database.start()
    migrate(database.dsn)
    yield database.dsn
    database.stop()


@pytest.fixture(scope="module")
def pool(own_dsn: str) -> Iterator[Pool]:
    with writing_pool(own_dsn, max_size=3) as pool:
        yield pool


@pytest.fixture
def books(pool: Pool, own_dsn: str) -> Iterator[Connection]:
    """A connection to empty tables."""
    tables = "ingest_ledger, ingest_refusal, quarantine, ingest_batch, access_log, touched_minute"
    with connect(own_dsn) as connection:
        connection.execute(f"truncate {tables} cascade".encode())
        yield connection


@pytest.fixture
def ledger(pool: Pool) -> Ledger:
    return Ledger(pool)


@pytest.fixture
def store(pool: Pool) -> Callable[..., Receipt]:
    writer = LogWriter(pool)

    def stored(rows: int, refused: int = 0, service: str = "s", source: str = "web", **fields: Any) -> Receipt:
        quarantined = [Quarantined(f"kind{i % 2}", "broken", b"x" * i) for i in range(refused)]
        return writer.store(
            Batch(source, service, [log_row(service=service, **fields) for _ in range(rows)], quarantined, None, 100)
        )

    return stored


def sums(ledger: Ledger) -> tuple[list[tuple[object, ...]], dict[str, int]]:
    """The totals; seconds rounded, since a sum of floats depends on its order."""
    totals, refusals = ledger.totals()
    return [total._replace(lag_s=round(total.lag_s, 2)) for total in totals], refusals


def number(connection: Connection, statement: str) -> int:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return int(str(row[0]))


def age(connection: Connection, table: str, column: str, by: timedelta) -> None:
    connection.execute(f"update {table} set {column} = {column} - %s::interval".encode(), (by,))


# ---- sums ----


def test_a_row_of_the_ledger_says_what_came(books: Connection, ledger: Ledger, store: Callable[..., Receipt]) -> None:
    now = books.execute("select now()").fetchone()
    assert now is not None
    store(3, refused=2, ts=micros(now[0] - timedelta(seconds=100)))  # type: ignore[operator, arg-type]
    totals, refusals = ledger.totals()
    assert refusals == {}
    assert [total[:8] for total in totals] == [
        ("web", "s", "", 3, 3, 0, 0, 100),
        ("web", "s", "kind0", 1, 0, 0, 1, 0),
        ("web", "s", "kind1", 1, 0, 0, 1, 0),
    ]
    assert 300 <= totals[0].lag_s < 1000
    assert totals[1].lag_s == 0


def test_records_of_several_services_in_one_body_are_counted_for_theirs(
    books: Connection, ledger: Ledger, pool: Pool
) -> None:
    rows = [log_row(service=name) for name in "aab"] * 40
    LogWriter(pool).store(Batch("web", "a", rows, [Quarantined("k", "broken", b"x")], None, 50))
    assert [total[1:8] for total in ledger.totals()[0]] == [
        ("a", "", 80, 80, 0, 0, 50),
        ("a", "k", 1, 0, 0, 1, 0),
        ("b", "", 40, 40, 0, 0, 0),
    ]


def test_tidy_keeps_every_sum_and_makes_one_row_of_a_minute(
    books: Connection, ledger: Ledger, store: Callable[..., Receipt]
) -> None:
    for part in range(1, 7):
        store(part, refused=part, service=f"s{part % 2}")
    before = sums(ledger)
    ledger.tidy(ALL_KEPT)
    assert sums(ledger) == before
    assert number(books, "select count(*) from ingest_ledger where summed") == 0  # the minute is young
    age(books, "ingest_ledger", "minute", timedelta(minutes=5))
    rows = number(books, "select count(*) from ingest_ledger")
    for _ in range(2):
        ledger.tidy(ALL_KEPT)
        assert sums(ledger) == before
        assert number(books, "select count(*) from ingest_ledger where not summed") == 0
    minutes = number(books, "select count(distinct (minute, source, service, kind)) from ingest_ledger")
    assert number(books, "select count(*) from ingest_ledger") == minutes < rows
    # What comes now is beside it.
    store(1)
    assert sum(total.stored for total in ledger.totals()[0]) == number(books, "select count(*) from access_log") == 22


def test_tidy_is_done_by_one_process_at_a_time(
    books: Connection, ledger: Ledger, own_dsn: str, store: Callable[..., Receipt]
) -> None:
    if not NATIVE_DSN:
        pytest.skip("the embedded server has one session: nobody else can hold its lock")
    store(0, refused=3)
    with connect(own_dsn) as other:
        other.execute("select pg_advisory_lock(%s)", (module._TIDY_LOCK,))
        ledger.tidy(Limits(0, 0, 0))
        assert number(books, "select count(*) from quarantine") == 3
        other.execute("select pg_advisory_unlock(%s)", (module._TIDY_LOCK,))
    ledger.tidy(Limits(0, 0, 0))
    assert number(books, "select count(*) from quarantine") == 0


# ---- the quarantine ----


@pytest.mark.parametrize("most", [0, 1, 7, 20, 50])
def test_tidy_bounds_the_quarantine_by_number_and_keeps_the_newest(
    books: Connection, ledger: Ledger, store: Callable[..., Receipt], most: int
) -> None:
    store(1, refused=20)
    before = sums(ledger)
    newest = books.execute("select id from quarantine order by id desc limit %s", (most,)).fetchall()
    ledger.tidy(Limits(quarantine_records=most))
    assert books.execute("select id from quarantine order by id desc").fetchall() == newest
    assert len(newest) == min(most, 20)
    assert sums(ledger) == before


def test_tidy_bounds_the_quarantine_by_age(books: Connection, ledger: Ledger, store: Callable[..., Receipt]) -> None:
    store(0, refused=3)
    age(books, "quarantine", "received_at", timedelta(days=2))
    store(0, refused=4)
    ledger.tidy(Limits(quarantine_days=1))
    assert number(books, "select count(*) from quarantine") == 4


def test_tidy_forgets_old_batches_but_for_the_newest_and_those_with_something_in_quarantine(
    books: Connection, ledger: Ledger, store: Callable[..., Receipt]
) -> None:
    store(0, refused=1)
    for _ in range(5):
        store(1)
    books.execute(
        "insert into ingest_batch (source, service, received, stored, duplicate, quarantined) "
        "select 'web', 's', 0, 0, 0, 0 from generate_series(1, 1000)"
    )
    age(books, "ingest_batch", "received_at", timedelta(days=40))
    before = sums(ledger)
    ledger.tidy(Limits())
    assert number(books, "select count(*) from ingest_batch") in (1001, 1002)
    assert number(books, "select count(*) from quarantine") == 1
    assert number(books, "select count(*) from access_log") == 5
    assert sums(ledger) == before


# ---- refused requests ----


def test_refusals_are_counted_at_once_and_written_by_flush(books: Connection, ledger: Ledger, pool: Pool) -> None:
    for _ in range(3):
        ledger.refused("10.0.0.1", "bad_token")
    ledger.refused("10.0.0.2", "too_large")
    assert ledger.totals()[1] == {"bad_token": 3, "too_large": 1}
    assert Ledger(pool).totals()[1] == {}
    ledger.flush()
    ledger.flush()
    assert ledger.totals()[1] == Ledger(pool).totals()[1] == {"bad_token": 3, "too_large": 1}
    rows = books.execute("select source, reason, requests from ingest_refusal order by source").fetchall()
    assert rows == [("10.0.0.1", "bad_token", 3), ("10.0.0.2", "too_large", 1)]


def test_refusals_of_many_strangers_share_a_name(
    books: Connection, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_REFUSING_SOURCES", 5)
    for i in range(50):
        ledger.refused(f"10.0.0.{i}", "bad_token")
    ledger.flush()
    rows = books.execute("select source, requests from ingest_refusal order by requests, source").fetchall()
    assert rows == [*((f"10.0.0.{i}", 1) for i in range(5)), ("(others)", 45)]


def test_refusals_that_cannot_be_written_are_still_counted(closed_port_dsn: str, ledger: Ledger) -> None:
    with ConnectionPool(closed_port_dsn, min_size=0, max_size=1, open=True) as away:
        lost = Ledger(away)
        lost.refused("10.0.0.1", "overload")
        with pytest.raises(DatabaseUnavailable):
            lost.flush()
        lost.refused("10.0.0.1", "overload")
        assert lost._refusals == {("10.0.0.1", "overload"): 2}
