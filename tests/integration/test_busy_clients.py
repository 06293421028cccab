"""Who called much in some hour of a day is what the rows say, before, between and after refreshes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa

from sql.batch import Batch, LogRow
from sql.busy_clients import BusyClient, busy_clients
from sql.connection import connect, reading_engine, snapshot, writing_pool
from sql.plan import Range
from sql.writing import LogWriter
from tests.rows import log_row, moment

# No other test has rows there.
START = datetime(2022, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
END = START + 48 * HOUR
LEAST = 6


@pytest.fixture
def quiet_engine(quiet_dsn: str) -> Iterator[sa.Engine]:
    engine = reading_engine(quiet_dsn)
    yield engine
    engine.dispose()


@pytest.fixture
def quiet_writer(quiet_dsn: str) -> Iterator[LogWriter]:
    with writing_pool(quiet_dsn, max_size=1) as pool:
        yield LogWriter(pool)


def drawn(draw: random.Random, number: int) -> list[LogRow]:
    """Two days of two services; few clients call often, and some have no address."""
    return [
        log_row(
            ts=START + timedelta(hours=draw.uniform(0, 48)),
            service=draw.choice(["busy-a", "busy-b"]),
            client_ip=draw.choice([None, "2001:db8::7", *(f"10.9.0.{int(draw.paretovariate(0.7)) % 250}",) * 3]),
        )
        for _ in range(number)
    ]


def plain(rows: Sequence[LogRow], whole: Range, service: str | None) -> set[BusyClient]:
    counts: Counter[tuple[str, str, datetime]] = Counter()
    for row in rows:
        at = moment(row.ts)
        if row.client_ip is None or not whole.start <= at < whole.end or service not in (None, row.service):
            continue
        counts[row.service, row.client_ip, at.replace(minute=0, second=0, microsecond=0)] += 1
    most: Counter[tuple[str, str, datetime]] = Counter()
    for (name, client, hour), n in counts.items():
        day = hour.replace(hour=0)
        most[name, client, day] = max(most[name, client, day], n)
    return {BusyClient(name, client, day.date(), n) for (name, client, day), n in most.items() if n >= LEAST}


def refresh(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    # Other tests leave buckets of today, which stay stale until they have ended: only the test's own days count.
    left = f"""
        select (select count(*) from touched_minute where minute < '{END}')
             + (select count(*) from stale_bucket where bucket < '{END}')
    """
    for _ in range(200):
        connection.execute("call refresh_touched_minutes()")
        connection.execute("call refresh_stale_buckets(null, '{\"patience\": 0}')")
        if connection.execute(left.encode()).fetchone() == (0,):
            return
    pytest.fail("touched minutes or stale buckets were left over")


def test_busy_clients_are_those_of_the_rows_at_every_stage(
    quiet_dsn: str, quiet_engine: sa.Engine, quiet_writer: LogWriter
) -> None:
    draw = random.Random(20220601)
    rows = drawn(draw, 4_000)
    spans = [Range(START, END), Range(START + 5 * HOUR, START + 29 * HOUR), Range(START, START)]

    def check() -> None:
        for span in spans:
            for service in (None, "busy-b"):
                with snapshot(quiet_engine) as reading:
                    found = busy_clients(reading, span, LEAST, service)
                # Other tests store rows of other services in the same days.
                found = [each for each in found if each.service.startswith("busy-")]
                assert [each.n for each in found] == sorted((each.n for each in found), reverse=True)
                assert set(found) == plain(stored, span, service), (span, service)
                assert len(set(found)) == len(found)

    stored: list[LogRow] = []
    with connect(quiet_dsn) as connection:
        for part in (rows[:2_500], rows[2_500:]):
            quiet_writer.store(Batch("test", "busy-a", part, []))
            stored += part
            check()  # what is new is in the rows alone
            refresh(connection)
            check()
    assert plain(stored, spans[0], None)
