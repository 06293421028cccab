"""Late rows are in every figure at once, whatever the refreshes are doing at that moment."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from dashapp.api import api_blueprint
from dashapp.settings import DashboardSettings
from dashapp.sharing import Shared
from sql.batch import Batch, LogRow
from sql.connection import Reading, connect, reading_engine, snapshot, writing_pool
from sql.filters import Filters
from sql.plan import CLIENT, ENDPOINT, ROUTE, TRAFFIC, Range
from sql.reading import breakdown, pieces_of
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN
from tests.rows import log_row

Connection = psycopg.Connection[tuple[object, ...]]
SERVICE = "late"
# What two refreshes of the same bucket end in; the job's next run repeats it. Marks of a failed run stay.
IN_EACH_OTHERS_WAY = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.ObjectInUse,
    psycopg.errors.UniqueViolation,
    psycopg.errors.ObjectNotInPrerequisiteState,
)
STRESS_SECONDS = float(os.environ.get("STRESS_SECONDS", "60"))


@pytest.fixture
def engine(own_quiet_dsn: str) -> Iterator[sa.Engine]:
    engine = reading_engine(own_quiet_dsn)
    yield engine
    engine.dispose()


@pytest.fixture
def writer(own_quiet_dsn: str) -> Iterator[LogWriter]:
    with writing_pool(own_quiet_dsn, max_size=3) as pool:
        yield LogWriter(pool)


@pytest.fixture
def api(engine: sa.Engine) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(api_blueprint(DashboardSettings(), engine, shared=Shared(seconds=0)))
    return app.test_client()


def ask(api: FlaskClient, path: str, whole: Range, **parameters: str) -> Any:
    span = {"start": whole.start.isoformat(), "end": whole.end.isoformat()}
    answer = api.get(f"/api/stats/{path}?{urlencode(span | parameters)}")
    assert answer.status_code == 200, answer.text
    return answer.json


def recent(api: FlaskClient, **parameters: str) -> Any:
    answer = api.get("/api/stats/recent-logs", query_string=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json


def store(writer: LogWriter, rows: Sequence[LogRow]) -> None:
    # What a file brings does not hold back the moment up to which numbers are final.
    writer.store(Batch("import:late.log", SERVICE, rows, []))


def refresh_all(connection: Connection) -> None:
    connection.execute("call refresh_touched_minutes()")
    connection.execute("call refresh_stale_buckets(null, '{\"patience\": 0}')")


def counts(api: FlaskClient, whole: Range) -> set[int]:
    """The number of requests of a range as each figure says it."""
    usage, errors = ask(api, "usage", whole), ask(api, "errors", whole)
    traffic = ask(api, "traffic", whole, interval="1440")
    return {
        ask(api, "summary", whole)["total"],
        ask(api, "summary", whole, client_ip="10.0.0.1")["total"],
        ask(api, "summary", whole, method="GET", status="2xx")["total"],
        usage["total"],
        sum(endpoint["count"] for endpoint in usage["endpoints"]),
        ask(api, "clients", whole)["clients"][0]["count"],
        ask(api, "endpoints", whole)["total"],
        ask(api, "endpoint-detail", whole, method="GET", route="/api/user/{id}", interval="1440")["total"],
        sum(status["count"] for status in errors["statuses"]),
        sum(bucket["total"] or 0 for bucket in traffic["buckets"]),
    }


def test_late_rows_are_counted_before_and_after_every_step(
    own_quiet_dsn: str, writer: LogWriter, api: FlaskClient
) -> None:
    now = datetime.now(UTC)
    whole = Range(datetime(2015, 1, 1, tzinfo=UTC), now - timedelta(minutes=5))
    stored = 0
    with connect(own_quiet_dsn) as connection:
        for first in (
            now - timedelta(hours=2),  # the live log, so that the watermark is near
            now - timedelta(hours=26),  # yesterday
            datetime(2015, 5, 17, 10, 5, tzinfo=UTC),  # a backfill
            datetime(2015, 5, 17, 10, 5, 59, 999_999, tzinfo=UTC),  # once more into what was just refreshed
            datetime(2015, 5, 18, tzinfo=UTC) - timedelta(microseconds=1),
            now - timedelta(hours=2, minutes=1),
        ):
            for refreshed in (False, True):
                store(writer, [log_row(ts=first - timedelta(seconds=20 * i), service=SERVICE) for i in range(7)])
                stored += 7
                assert counts(api, whole) == {stored}, (first, refreshed)
                connection.execute("call refresh_touched_minutes()")
                assert counts(api, whole) == {stored}, (first, refreshed)
                if refreshed:
                    refresh_all(connection)
                    assert counts(api, whole) == {stored}, first
        assert connection.execute("select count(*) from touched_minute").fetchone() == (0,)


def test_a_backfill_is_in_the_live_log_at_once(own_quiet_dsn: str, writer: LogWriter, api: FlaskClient) -> None:
    store(writer, [log_row(service=SERVICE, path="/live", ts=datetime.now(UTC))])
    with connect(own_quiet_dsn) as connection:
        refresh_all(connection)
    cursor = recent(api)["cursor"]
    store(writer, [log_row(service=SERVICE, path="/old", ts=datetime(2015, 5, 17, tzinfo=UTC))])
    assert [row["path"] for row in recent(api, after=cursor)["logs"]] == ["/old"]


# ---- everything at once ----


@dataclass
class Strain:
    """Threads that work until they are told to stop; what they met is counted, what they should not is kept."""

    dsn: str
    stop: threading.Event = field(default_factory=threading.Event)
    done: Counter[str] = field(default_factory=Counter)
    failures: list[BaseException] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self, name: str, step: Callable[[random.Random], None], pause_s: float = 0.0) -> None:
        draw = random.Random(name)

        def run() -> None:
            while not self.stop.is_set():
                try:
                    step(draw)
                    self.done[name] += 1
                except IN_EACH_OTHERS_WAY as error:
                    self.done[f"{name}: {type(error).__name__}"] += 1
                except BaseException as error:
                    self.failures.append(error)
                    self.stop.set()
                self.stop.wait(draw.uniform(0, 2 * pause_s))

        self.threads.append(threading.Thread(target=run, name=name))
        self.threads[-1].start()

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(timeout=60)


PLACES = [
    (datetime(2015, 5, 17, tzinfo=UTC), timedelta(days=3)),
    (datetime(2015, 5, 17, 10, tzinfo=UTC), timedelta(minutes=30)),  # many into few buckets
    (datetime(2015, 7, 1, tzinfo=UTC), timedelta(days=12)),
]


def places() -> list[Range]:
    """Where rows arrive: years ago, yesterday, and in the hours and minutes that end while the test runs."""
    now = datetime.now(UTC)
    recent = [Range(now - age, now - timedelta(minutes=1)) for age in (timedelta(hours=30), timedelta(minutes=20))]
    return [*(Range(start, start + length) for start, length in PLACES), *recent]


def moment_in(draw: random.Random, span: Range) -> datetime:
    moment = span.start + draw.random() * (span.end - span.start)
    return moment.replace(second=0, microsecond=0) if draw.random() < 0.2 else moment


def late_rows(draw: random.Random) -> list[LogRow]:
    place = draw.choice(places())
    moments = [moment_in(draw, place) for _ in range(draw.choice([1, 1, 2, 3]))]
    return [
        log_row(
            ts=draw.choice(moments),
            service=SERVICE,
            method=draw.choice(["GET", "POST"]),
            path="/p",
            route=f"/r{draw.randrange(3)}",
            status=draw.choice([200, 200, 301, 404, 503]),
            latency_ms=draw.choice([None, 1.5, draw.uniform(0, 900)]),
            client_ip=draw.choice([None, "10.0.0.1", "10.0.0.2"]),
        )
        for _ in range(draw.choice([1, 5, 40, 100]))  # by statement and by COPY
    ]


def asked_range(draw: random.Random) -> Range:
    kind = draw.random()
    everything = Range(datetime(2015, 5, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1))
    if kind < 0.3:
        return everything
    place = draw.choice(places())
    around = Range(place.start - timedelta(days=1), place.end + timedelta(days=1))
    one, other = sorted((moment_in(draw, around), moment_in(draw, around)))
    if kind < 0.7:  # whole hours
        one, other = one.replace(minute=0, second=0, microsecond=0), other.replace(minute=0, second=0, microsecond=0)
        other += timedelta(hours=1)
    return Range(one, other + timedelta(microseconds=1))


BREAKDOWNS: list[tuple[Filters, tuple[str, ...], str]] = [
    (Filters(), (), "true"),
    (Filters(service=SERVICE), ("status",), "true"),
    (Filters(route="/r1"), (), "route = '/r1'"),
    (Filters(), ("method", "route"), "true"),
    (Filters(), ("client_ip",), "true"),
    (Filters(client_ip="10.0.0.2"), (), "client_ip = '10.0.0.2'"),
    (Filters(route="/r2", status=(500, 999)), (), "route = '/r2' and status >= 500"),
    (Filters(status=(404, 404)), ("route",), "status = 404"),
]
POLICIES = """
select job_id from timescaledb_information.jobs where proc_name = 'policy_refresh_continuous_aggregate'
"""
TRUTH = """
select count(*), count(*) filter (where status >= 500), count(latency_ms),
    coalesce(sum(round(latency_ms * 1000)::bigint), 0)::bigint, max(latency_ms), coalesce(sum(bytes), 0)::bigint
from access_log where ts >= :low and ts < :high and {condition}
"""


def check(reading: Reading, draw: random.Random, used: Counter[str]) -> None:
    """A figure and a scan of the rows, of one snapshot."""
    whole = asked_range(draw)
    filters, by, condition = draw.choice(BREAKDOWNS)
    cells = breakdown(reading, whole, filters, by)
    found = (
        sum(cell.n for cell in cells),
        sum(cell.classes[4] for cell in cells),
        sum(cell.n_lat for cell in cells),
        sum(cell.us for cell in cells),
        max((cell.mx for cell in cells if cell.mx is not None), default=None),
        sum(cell.bytes for cell in cells),
    )
    pieces = pieces_of(reading, whole, filters.columns() | {*by})
    used.update(piece.level.view if piece.level else "access_log" for piece in pieces)
    logged = reading.execute(sa.text(TRUTH.format(condition=condition)), {"low": whole.start, "high": whole.end}).one()
    assert found == tuple(logged), (whole, filters, by, pieces)


@pytest.mark.native
@pytest.mark.timeout(STRESS_SECONDS + 120)
@pytest.mark.skipif(not NATIVE_DSN, reason="clients of the embedded server take turns: nothing happens at once there")
def test_no_figure_is_ever_wrong_while_late_rows_and_all_refreshes_meet(
    own_quiet_dsn: str, writer: LogWriter, engine: sa.Engine, api: FlaskClient
) -> None:
    strain, used = Strain(own_quiet_dsn), Counter[str]()
    local, opened = threading.local(), list[Connection]()

    def connection() -> Connection:
        if not hasattr(local, "connection"):
            local.connection = connect(own_quiet_dsn)
            opened.append(local.connection)
        found: Connection = local.connection
        return found

    def write(draw: random.Random) -> None:
        store(writer, late_rows(draw))

    def refresh_minutes(draw: random.Random) -> None:
        window, gap = draw.choice(["1 minute", "10 minutes", "1 day"]), draw.choice(["0", "1 minute", "1 hour"])
        config = f'{{"window": "{window}", "gap": "{gap}", "budget": "200 milliseconds"}}'
        connection().execute(f"call refresh_touched_minutes(null, '{config}')".encode())

    def refresh_buckets(draw: random.Random) -> None:
        gap = draw.choice(["0", "1 minute", "1 hour", "10 days"])
        config = f'{{"patience": 0, "gap": "{gap}", "budget": "2 seconds"}}'
        connection().execute(f"call refresh_stale_buckets(null, '{config}')".encode())

    def run_policy(draw: random.Random) -> None:
        jobs = connection().execute(POLICIES.encode()).fetchall()
        connection().execute(f"call run_job({draw.choice(jobs)[0]})".encode())

    def read(draw: random.Random) -> None:
        with snapshot(engine) as reading:
            check(reading, draw, used)

    def read_api(draw: random.Random) -> None:
        whole = asked_range(draw)
        path, parameter = draw.choice([("summary", {}), ("summary", {"client_ip": "10.0.0.1"}), ("usage", {})])
        scan = "select count(*) from access_log where ts >= %s and ts < %s"
        scan += " and client_ip = '10.0.0.1'" if parameter else ""

        def scanned() -> int:
            row = connection().execute(scan.encode(), (whole.start, whole.end)).fetchone()
            assert row is not None
            return int(str(row[0]))

        between = [scanned(), ask(api, path, whole, **parameter)["total"], scanned()]
        assert between == sorted(between), (path, whole)

    for number in range(2):
        strain.start(f"write {number}", write, 0.1)
        strain.start(f"read {number}", read, 0.02)
    strain.start("refresh minutes", refresh_minutes, 0.05)
    strain.start("refresh buckets", refresh_buckets, 0.05)
    strain.start("policy", run_policy, 0.3)
    strain.start("read api", read_api, 0.02)
    deadline = time.monotonic() + STRESS_SECONDS
    strain.stop.wait(max(0, deadline - time.monotonic()))
    strain.end()
    for each in opened:
        each.close()
    assert strain.failures == [], strain.done
    # It was a test only if every level served.
    levels = {level.view for level in (*TRAFFIC, *ENDPOINT, *ROUTE, *CLIENT)}
    assert levels | {"access_log"} <= set(used)
