"""The slowest requests and the most frequent clients are those of a plain sort, whatever the aggregates hold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from sql.batch import Batch, LogRow
from sql.clients import newest_clients, top_clients
from sql.connection import Reading, connect, reading_engine, snapshot, writing_pool
from sql.filters import Filters
from sql.plan import Range
from sql.slowest import slowest_requests
from sql.writing import LogWriter
from tests.rows import log_row, moment

Connection = psycopg.Connection[tuple[object, ...]]
# Days in which no other test has rows.
START = datetime(2019, 2, 10, tzinfo=UTC)
DAYS = 12
SERVICES = ("slow-a", "slow-b")
JOBS = (
    "call refresh_touched_minutes()",
    "call refresh_stale_buckets(null, '{\"patience\": 0}')",
)
QUESTIONS = 25


@pytest.fixture
def quiet_engine(quiet_dsn: str) -> Iterator[sa.Engine]:
    engine = reading_engine(quiet_dsn)
    yield engine
    engine.dispose()


@pytest.fixture
def quiet_writer(quiet_dsn: str) -> Iterator[LogWriter]:
    with writing_pool(quiet_dsn, max_size=1) as pool:
        yield LogWriter(pool)


@pytest.fixture
def quiet_connection(quiet_dsn: str) -> Iterator[Connection]:
    with connect(quiet_dsn) as connection:
        yield connection


def refresh(connection: Connection) -> None:
    left = (
        "select (select count(*) from touched_minute where minute < now() - interval '80 seconds') + "
        "(select count(*) from stale_bucket join aggregate_level using (view) "
        "where bucket + width < now() - interval '80 seconds')"
    )
    while connection.execute(left.encode()).fetchone() != (0,):
        for job in JOBS:
            connection.execute(job.encode())


def drawn_rows(draw: random.Random, number: int, first: float = 0, last: float = DAYS) -> list[LogRow]:
    """Many equal latencies, some in the same microsecond, and many clients of which few call often."""
    rows = []
    for _ in range(number):
        ts = START + timedelta(days=draw.uniform(first, last))
        route = draw.choice(["/a", "/b", "/c"])
        rows.append(
            log_row(
                ts=ts if draw.random() < 0.7 else ts.replace(minute=0, second=0, microsecond=0),
                service=draw.choice(SERVICES),
                method=draw.choice(["GET", "POST"]),
                path=f"{route}/{draw.randrange(50)}",
                route=route,
                status=draw.choice([200, 200, 200, 404, 500]),
                latency_ms=draw.choice([None, 60_000.0, draw.lognormvariate(3, 1), draw.lognormvariate(4, 2)]),
                client_ip=draw.choice([None, f"10.1.0.{int(draw.paretovariate(0.6)) % 250}", "10.1.0.1"]),
            )
        )
    return rows


def matching(rows: Sequence[LogRow], whole: Range, filters: Filters) -> list[LogRow]:
    def fits(row: LogRow) -> bool:
        low, high = filters.status or (0, 999)
        least, limit = filters.latency_ms or (None, None)
        within = filters.latency_ms is None or (
            row.latency_ms is not None
            and (least is None or row.latency_ms >= least)
            and (limit is None or row.latency_ms < limit)
        )
        equal = all(
            getattr(filters, name) in (None, getattr(row, name)) for name in ("service", "method", "route", "client_ip")
        )
        return within and equal and low <= row.status <= high and (filters.path_text or "") in row.path

    return [row for row in rows if whole.start <= moment(row.ts) < whole.end and fits(row)]


def drawn_question(draw: random.Random) -> tuple[Range, Filters]:
    first, last = sorted(draw.uniform(-0.5, DAYS + 0.5) for _ in range(2))
    start, end = (START + timedelta(days=days) for days in (first, last))
    if draw.random() < 0.4:
        start, end = start.replace(hour=0, minute=0, second=0, microsecond=0), end + timedelta(days=1)
    filters = Filters(
        service=draw.choice([None, None, "slow-a"]),
        method=draw.choice([None, None, None, "GET"]),
        route=draw.choice([None, None, None, "/a"]),
        status=draw.choice([None, None, None, (500, 999), (404, 404)]),
        client_ip=draw.choice([None, None, None, "10.1.0.1"]),
        path_text=draw.choice([None, None, None, None, "/1"]),
        latency_ms=draw.choice([None, None, None, (30.0, None), (None, 100.0), (10.0, 60_000.0)]),
    )
    return Range(start, end), filters


def slowest_of(rows: Sequence[LogRow], most: int) -> list[tuple[float, datetime]]:
    found = [(row.latency_ms, moment(row.ts)) for row in rows if row.latency_ms is not None]
    return sorted(found, key=lambda each: (-each[0], -each[1].timestamp()))[:most]


def check_slowest(engine: sa.Engine, rows: Sequence[LogRow], draw: random.Random) -> None:
    for _ in range(QUESTIONS):
        whole, filters = drawn_question(draw)
        most = draw.choice([1, 3, 20])
        with snapshot(engine) as reading:
            found = slowest_requests(reading, whole, filters, most)
        expected = slowest_of(matching(rows, whole, filters), most)
        assert [(each.latency_ms, each.ts) for each in found] == expected, (whole, filters, most)


def check_clients(engine: sa.Engine, rows: Sequence[LogRow], draw: random.Random) -> None:
    for _ in range(QUESTIONS):
        whole, filters = drawn_question(draw)
        most = draw.choice([1, 5, 1_000])
        with snapshot(engine) as reading:
            found = top_clients(reading, whole, filters, most)
        counts = Counter(row.client_ip for row in matching(rows, whole, filters) if row.client_ip is not None)
        expected = sorted(counts.items(), key=lambda each: (-each[1], str(each[0])))
        assert [cell.n for cell in found.cells] == [n for _, n in expected[:most]], (whole, filters, most)
        assert {str(cell.keys[0]): cell.n for cell in found.cells}.items() <= dict(expected).items()
        assert found.more == (len(expected) > most)


def test_slowest_requests_and_clients_equal_a_plain_sort_at_every_stage(
    quiet_writer: LogWriter, quiet_connection: Connection, quiet_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Lists as short as these make the search look again, and fall back.
    monkeypatch.setattr("sql.clients._FEWEST_LISTED", 3)
    monkeypatch.setattr("sql.clients._MOST_LISTED", 50)
    draw = random.Random(20230210)
    rows = drawn_rows(draw, 2_000)
    quiet_writer.store(Batch("test", "slow-a", rows, []))
    check_slowest(quiet_engine, rows, draw)
    check_clients(quiet_engine, rows, draw)
    refresh(quiet_connection)
    check_slowest(quiet_engine, rows, draw)
    check_clients(quiet_engine, rows, draw)
    late = drawn_rows(draw, 60, 3, 4)
    slow = [row._replace(latency_ms=1e6) if i % 20 == 0 else row for i, row in enumerate(late)]
    quiet_writer.store(Batch("test", "slow-a", slow, []))
    rows += slow
    check_slowest(quiet_engine, rows, draw)
    check_clients(quiet_engine, rows, draw)
    quiet_connection.execute("call refresh_touched_minutes()")  # the coarser levels are stale now
    check_slowest(quiet_engine, rows, draw)
    check_clients(quiet_engine, rows, draw)


def test_slowest_requests_read_few_rows_of_a_long_range(
    quiet_writer: LogWriter, quiet_connection: Connection, quiet_engine: sa.Engine
) -> None:
    draw = random.Random(1)
    rows = [
        log_row(ts=START + timedelta(days=20 + i / 300), service="slow-c", latency_ms=draw.uniform(1, 100))
        for i in range(3_000)
    ]
    quiet_writer.store(Batch("test", "slow-c", rows, []))
    refresh(quiet_connection)
    whole = Range(START + timedelta(days=20), START + timedelta(days=30))
    with snapshot(quiet_engine) as reading:
        found = slowest_requests(reading, whole, Filters(service="slow-c"), 5)
    assert [(each.latency_ms, each.ts) for each in found] == slowest_of(rows, 5)
    assert reading.rows_read < 300


def test_slowest_requests_of_dropped_rows_are_left_out_and_said(
    quiet_writer: LogWriter, quiet_connection: Connection, quiet_engine: sa.Engine
) -> None:
    start = START + timedelta(days=40)
    rows = [log_row(ts=start + timedelta(hours=i), service="slow-d", latency_ms=1_000.0 - i) for i in range(48)]
    quiet_writer.store(Batch("test", "slow-d", rows, []))
    refresh(quiet_connection)
    kept_from = start + timedelta(hours=24)
    whole = Range(start, start + timedelta(hours=48))
    quiet_connection.execute("update log_horizon set raw_from = %s", (kept_from,))
    try:
        with snapshot(quiet_engine) as reading:
            found = slowest_requests(reading, whole, Filters(service="slow-d"), 3)
    finally:
        quiet_connection.execute("update log_horizon set raw_from = '-infinity'")
    assert [each.latency_ms for each in found] == [976.0, 975.0, 974.0]
    assert reading.lost == {Range(start, kept_from)}


def test_newest_clients_stop_after_so_many_rows(quiet_writer: LogWriter, quiet_engine: sa.Engine) -> None:
    start = START + timedelta(days=50)
    rows = [
        log_row(
            ts=start + timedelta(seconds=i),
            service="slow-e",
            route="/x" if i % 2 else "/y",
            status=500 if i == 99 else 200,
            client_ip=None if i == 97 else f"10.2.0.{i % 4}",
        )
        for i in range(100)
    ]
    quiet_writer.store(Batch("test", "slow-e", rows, []))
    whole = Range(start, start + timedelta(hours=1))

    def newest(reading: Reading, scanned: int, **filters: Any) -> Any:
        return newest_clients(reading, whole, Filters(**filters), most=10, scanned=scanned)

    with snapshot(quiet_engine) as reading:
        everything = newest(reading, 1_000, route="/x")
        some = newest(reading, 10, route="/x")
        nothing = newest(reading, 10, route="/z")
    assert everything.since is None
    assert [(c.client_ip, c.count, c.errors) for c in everything.clients] == [
        ("10.2.0.3", 25, 1),
        ("10.2.0.1", 24, 0),
        (None, 1, 0),
    ]
    assert some.since == start + timedelta(seconds=90)
    assert sum(c.count for c in some.clients) == 5
    assert nothing.clients == []
