"""Every figure equals a plain computation over the same rows: before, between and after refreshes."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
import sqlalchemy as sa

from dashapp.stats.patterns import read_hours, week_of
from dashapp.stats.summary import summary
from dashapp.stats.traffic import traffic
from dashapp.time_range import bucket_starts
from sql.batch import Batch, LogRow
from sql.connection import connect, reading_engine, snapshot, writing_pool
from sql.filters import Filters
from sql.freshness import freshness
from sql.plan import CLIENT, ENDPOINT, ROUTE, TRAFFIC, Range
from sql.reading import breakdown
from sql.sketch import FIELD_DIGITS
from sql.span import data_span
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN
from tests.plain import KEYS, drawn_rows, plain_breakdown, slot_of, stored_breakdown
from tests.rows import moment

Connection = psycopg.Connection[tuple[object, ...]]
MakeRow = Callable[..., LogRow]

# Five days over the clock change of New York (10 March 2024); no other test has rows there.
START = datetime(2024, 3, 8, tzinfo=UTC)
DAYS = 5
ZONES = [ZoneInfo(name) for name in ("UTC", "Asia/Seoul", "Asia/Kolkata", "America/New_York")]


# ---- random questions ----

Question = tuple[Range, Filters, tuple[str, ...], list[datetime]]


def drawn_moment(draw: random.Random) -> datetime:
    moment = START + timedelta(seconds=draw.uniform(-86_400, (DAYS + 1) * 86_400))
    width = draw.choice(["day", "hour", "minute", "second", "none"])
    zeros: dict[str, dict[str, int]] = {
        "day": {"hour": 0, "minute": 0, "second": 0, "microsecond": 0},
        "hour": {"minute": 0, "second": 0, "microsecond": 0},
        "minute": {"second": 0, "microsecond": 0},
        "second": {"microsecond": 0},
        "none": {},
    }
    return moment.replace(**zeros[width])  # type: ignore[arg-type]


def drawn_question(draw: random.Random, rows: Sequence[LogRow]) -> Question:
    one, other = drawn_moment(draw), drawn_moment(draw)
    whole = Range(min(one, other), max(one, other) + timedelta(microseconds=1))
    sample = draw.choice(rows)
    status = draw.choice([(sample.status, sample.status), (400, 499), (500, 999)])
    columns: dict[str, Any] = {
        "service": sample.service,
        "method": sample.method,
        "route": sample.route,
        "client_ip": sample.client_ip,
    }
    chosen = {name: value for name, value in columns.items() if draw.random() < 0.2}
    filters = Filters(
        **chosen,
        status=status if draw.random() < 0.2 else None,
        path_text=draw.choice(["ITEM/1", "_", "%", sample.path]) if draw.random() < 0.05 else None,
        path_regex=draw.choice(["^/shop/.*[13]$", r"page\d\d", "none"]) if draw.random() < 0.05 else None,
        latency_ms=draw.choice([(10.0, None), (None, 0.0015), (1.0, 500.0)]) if draw.random() < 0.1 else None,
    )
    by = tuple(draw.sample(KEYS, draw.choice([0, 1, 1, 1, 2, 3])))
    edges: list[datetime] = []
    if draw.random() < 0.6:
        minutes = draw.choice([10, 30, 60, 180, 1440])
        edges = bucket_starts(whole, minutes, draw.choice(ZONES))[1:]
    elif draw.random() < 0.3:
        edges = sorted(drawn_moment(draw) for _ in range(3))
    return whole, filters, by, edges


def check_figures(engine: sa.Engine, rows: Sequence[LogRow], draw: random.Random, number: int = 40) -> None:
    everything = Range(START - timedelta(days=1), START + timedelta(days=DAYS + 1))
    questions: list[Question] = [(everything, Filters(), (), []), (everything, Filters(), KEYS, [])]
    questions += [drawn_question(draw, rows) for _ in range(number)]
    with snapshot(engine) as connection:
        for name in ("exact-a", "exact-b", "exact-c"):
            moments = [moment(row.ts) for row in rows if row.service == name]
            assert data_span(connection, name) == Range(min(moments), max(moments))
    for whole, filters, by, edges in questions:
        with snapshot(engine) as connection:
            found = stored_breakdown(connection, whole, filters, by, edges)
        assert found == plain_breakdown(rows, whole, filters, by, edges), (whole, filters, by, edges)


# ---- the tests ----


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
    for _ in range(500):
        connection.execute("call refresh_touched_minutes()")
        connection.execute("call refresh_stale_buckets(null, '{\"patience\": 0}')")
        left = connection.execute(
            "select (select count(*) from touched_minute where minute < now() - interval '80 seconds') + "
            "(select count(*) from stale_bucket join aggregate_level using (view) "
            "where bucket + width < now() - interval '80 seconds')"
        ).fetchone()
        if left == (0,):
            return
    pytest.fail("touched minutes or stale buckets were left over")


def check_levels(connection: Connection) -> None:
    """Each level, bucket by bucket, is what the log sums to."""
    # endpoint_1m keeps the last day only, and these are of years ago.
    for level in {*TRAFFIC, *ENDPOINT, *ROUTE, *CLIENT} - {ENDPOINT[0]}:
        keys = ", ".join(level.columns)
        width = f"interval '{level.width.total_seconds()} seconds'"
        sums = (
            "count(*)::numeric, count(latency_ms)::numeric, sum(round(latency_ms * 1000)::bigint)::numeric, "
            "max(latency_ms), sum(bytes)::numeric, sum(latency_sketch(latency_ms))"
        )
        where = "{0} >= '2024-03-07' and {0} < '2024-03-15'"
        direct = (
            f"select time_bucket({width}, ts), {keys}, {sums} from access_log where {where.format('ts')} "
            f"group by time_bucket({width}, ts), {keys}"
        )
        kept = (
            f"select bucket, {keys}, n::numeric, n_lat::numeric, us::numeric, mx, bytes::numeric, sketch "
            f"from {level.view} where {where.format('bucket')}"
        )
        differences = connection.execute(
            f"(({direct}) except ({kept})) union all (({kept}) except ({direct}))".encode()
        ).fetchall()
        assert differences == [], level.view


def test_breakdown_equals_the_log_at_every_stage(
    quiet_engine: sa.Engine, quiet_writer: LogWriter, quiet_connection: Connection
) -> None:
    draw = random.Random(20240308)
    rows = drawn_rows(draw, 3_000, START, timedelta(days=DAYS))
    rows += drawn_rows(draw, 300, START + timedelta(hours=30), timedelta(minutes=5))
    for part in (rows[:2_000], rows[2_000:]):
        quiet_writer.store(Batch("test", "exact", part, []))
    check_figures(quiet_engine, rows, draw)  # nothing is refreshed

    refresh(quiet_connection)
    check_levels(quiet_connection)
    check_figures(quiet_engine, rows, draw)  # everything is refreshed

    late = drawn_rows(draw, 60, START, timedelta(days=DAYS)) + drawn_rows(
        draw, 5, START - timedelta(hours=3), timedelta(1)
    )
    quiet_writer.store(Batch("test", "exact", late, []))
    rows += late
    check_figures(quiet_engine, rows, draw)  # late rows beside refreshed ones

    quiet_connection.execute(
        'call refresh_touched_minutes(null, \'{"window": "1 hour", "budget": "1 microsecond"}\'::jsonb)'
    )
    check_figures(quiet_engine, rows, draw, 15)  # some of the late ones are refreshed

    refresh(quiet_connection)
    check_levels(quiet_connection)
    check_figures(quiet_engine, rows, draw)
    with snapshot(quiet_engine) as reading:
        fresh = freshness(reading, Range(START - timedelta(days=1), START + timedelta(days=DAYS + 1)))
        assert fresh.touched == []
        assert set(fresh.stale) <= {"endpoint_1m"}


def test_breakdown_equals_the_log_of_the_same_moment_while_rows_arrive_and_jobs_run(
    quiet_dsn: str, quiet_engine: sa.Engine, quiet_writer: LogWriter, service: str
) -> None:
    draw = random.Random(11)
    first, stop = datetime(2023, 8, 1, tzinfo=UTC), threading.Event()
    failures: list[Exception] = []

    def write() -> None:
        while not stop.is_set():
            rows = [row._replace(service=service) for row in drawn_rows(draw, 20, first, timedelta(hours=30))]
            quiet_writer.store(Batch("test", service, rows, []))

    def run_jobs() -> None:
        with connect(quiet_dsn) as connection:
            while not stop.is_set():
                connection.execute(
                    'call refresh_touched_minutes(null, \'{"window": "6 hours", "budget": "200 milliseconds"}\'::jsonb)'
                )

    def refresh_coarser_levels() -> None:
        with connect(quiet_dsn) as connection:
            while not stop.is_set():
                connection.execute(
                    'call refresh_stale_buckets(null, \'{"patience": 0, "budget": "200 milliseconds"}\'::jsonb)'
                )

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in (write, run_jobs, refresh_coarser_levels)]
    for thread in threads:
        thread.start()
    totals = []
    try:
        for number in range(60 if NATIVE_DSN else 12):  # clients of the embedded server take turns
            by = [("status",), ("route", "status"), ("method",)][number % 3]
            whole = Range(first + timedelta(minutes=number), first + timedelta(hours=29, seconds=number))
            with snapshot(quiet_engine) as connection:
                cells = breakdown(connection, whole, Filters(service=service), by)
                logged = connection.execute(
                    sa.text(
                        "select count(*), coalesce(sum(round(latency_ms * 1000)::bigint), 0) from access_log "
                        "where service = :service and ts >= :low and ts < :high"
                    ),
                    {"service": service, "low": whole.start, "high": whole.end},
                ).one()
            assert (sum(cell.n for cell in cells), sum(cell.us for cell in cells)) == tuple(logged)
            totals.append(logged[0])
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
    assert failures == []
    assert totals[-1] > totals[0]


@pytest.mark.parametrize("zone", ZONES, ids=lambda zone: zone.key)
@pytest.mark.parametrize("minutes", [30, 60, 180, 1440])
def test_traffic_buckets_follow_the_clock_of_the_viewer(
    quiet_engine: sa.Engine, quiet_writer: LogWriter, service: str, zone: ZoneInfo, minutes: int
) -> None:
    draw = random.Random(minutes)  # over another clock change of New York, 12 March 2023
    rows = [
        row._replace(service=service)
        for row in drawn_rows(draw, 200, datetime(2023, 3, 10, tzinfo=UTC), timedelta(days=5))
    ]
    quiet_writer.store(Batch("test", service, rows, []))
    first = datetime(2023, 3, 11, tzinfo=zone).astimezone(UTC)
    whole = Range(first, datetime(2023, 3, 14, tzinfo=zone).astimezone(UTC))
    with snapshot(quiet_engine) as connection:
        series = traffic(
            connection,
            whole,
            Filters(service=service),
            minutes=minutes,
            zone=zone,
            complete=whole.end + timedelta(days=1),
        ).buckets
        total = summary(connection, whole, Filters(service=service), whole.end).total
    expected: dict[datetime, int] = {}
    for row in rows:
        if whole.start <= moment(row.ts) < whole.end:
            midnight = moment(row.ts).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
            width = timedelta(minutes=minutes)
            start = midnight.astimezone(UTC) if minutes == 1440 else first + (moment(row.ts) - first) // width * width
            expected[start] = expected.get(start, 0) + 1
    assert {bucket.start: bucket.total for bucket in series if bucket.total} == expected
    assert sum(bucket.total or 0 for bucket in series) == total == sum(expected.values())
    if minutes == 1440:
        assert [bucket.start.astimezone(zone).strftime("%d %H:%M") for bucket in series] == [
            "11 00:00",
            "12 00:00",
            "13 00:00",
        ]


@pytest.mark.parametrize("zone", ZONES, ids=lambda zone: zone.key)
def test_week_hours_sum_the_log_by_the_clock_of_the_viewer(
    quiet_engine: sa.Engine, quiet_writer: LogWriter, service: str, zone: ZoneInfo
) -> None:
    draw = random.Random(9)
    start = datetime(2023, 4, 3, 7, 20, tzinfo=UTC)
    rows = [row._replace(service=service) for row in drawn_rows(draw, 400, start, timedelta(days=9))]
    quiet_writer.store(Batch("test", service, rows, []))
    complete = start + timedelta(days=8, minutes=25)
    whole = Range(start - timedelta(days=30), start + timedelta(days=30))
    with snapshot(quiet_engine) as connection:
        hours = read_hours(connection, whole, Filters(service=service), zone=zone, complete=complete)
    cells = week_of(hours, zone)
    assert [(cell.weekday, cell.hour) for cell in cells] == [(day, hour) for day in range(7) for hour in range(24)]
    known: dict[tuple[int, int], list[LogRow]] = {}
    for row in rows:
        if moment(row.ts) < complete:
            local = moment(row.ts).astimezone(zone)
            known.setdefault((local.weekday(), local.hour), []).append(row)
    assert {(cell.weekday, cell.hour): cell.total for cell in cells if cell.total} == {
        place: len(group) for place, group in known.items()
    }
    for cell in cells:
        group = known.get((cell.weekday, cell.hour), [])
        assert (cell.errors or 0) == sum(row.status >= 400 for row in group)
        latencies = [round(row.latency_ms * 1000) for row in group if row.latency_ms is not None]
        assert cell.mean_ms == (pytest.approx(sum(latencies) / len(latencies) / 1000) if latencies else None)
    # The first row of these begins the known time; all 168 hours lie in eight days.
    first = moment(min(row.ts for row in rows)).replace(second=0, microsecond=0)
    assert sum((cell.covered for cell in cells), timedelta(0)) == complete - first
    assert all(cell.total is not None for cell in cells)


def test_week_hours_without_a_known_hour_are_null(quiet_engine: sa.Engine) -> None:
    with snapshot(quiet_engine) as connection:
        whole = Range(START, START + timedelta(days=9))
        cells = week_of(
            read_hours(connection, whole, Filters(service="nobody"), zone=ZONES[0], complete=START), ZONES[0]
        )
    assert len(cells) == 168
    assert {(cell.total, cell.errors, cell.mean_ms, cell.mean) for cell in cells} == {(None, None, None, None)}


def test_data_span_of_nobody_is_none(quiet_engine: sa.Engine) -> None:
    with snapshot(quiet_engine) as connection:
        assert data_span(connection, "nobody") is None


def test_breakdown_of_sums_beyond_a_bigint(
    quiet_engine: sa.Engine, quiet_writer: LogWriter, service: str, make_row: MakeRow
) -> None:
    moment = datetime(1991, 1, 1, tzinfo=UTC)
    largest = 2**62 - 1
    rows = [make_row(ts=moment, bytes=largest, latency_ms=9.9e11) for _ in range(3)]
    quiet_writer.store(Batch("test", service, rows, []))
    with snapshot(quiet_engine) as connection:
        (cell,) = breakdown(connection, Range(moment, moment + timedelta(days=1)), Filters(service=service))
    assert (cell.n, cell.bytes, cell.mx) == (3, 3 * largest, 9.9e11)


def test_latency_sketch_of_the_database_sorts_into_the_slots_of_the_decoder(quiet_connection: Connection) -> None:
    draw = random.Random(5)
    latencies = [0.0, 1e-6, 0.05, 0.1001, 1.0, 99.9, 602_900.0, 604_000.0, 9e11]
    latencies += [math.exp(draw.uniform(math.log(0.01), math.log(1e6))) for _ in range(500)]
    found = quiet_connection.execute(
        "select latency, latency_sketch(latency)::text from unnest(%s::float8[]) as latency", (latencies,)
    ).fetchall()
    assert [row[1] for row in found] == [str(10 ** (FIELD_DIGITS * slot_of(latency))) for latency in latencies]
    assert quiet_connection.execute("select latency_sketch(null)").fetchone() == (None,)
