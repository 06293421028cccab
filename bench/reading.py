"""Figures from the aggregates against the same sums over the rows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice

import sqlalchemy as sa

from bench.report import report
from demo.model import ndjson, requests
from ingest_server.intake import Origin, open_intake, take_in
from ingest_server.settings import IngestSettings
from sql.connection import Reading, connect, reading_engine, snapshot, writing_pool
from sql.filters import Filters
from sql.freshness import freshness
from sql.plan import Range
from sql.reading import breakdown
from sql.writing import LogWriter

BATCH_RECORDS = 1_000
BASELINE_RECORDS = 1_000
DAYS = 7
RUNS = 7
SEED = 1
SCAN = (
    "select status / 100, count(*), sum(cast(round(latency_ms * 1000) as bigint)), sum(latency_sketch(latency_ms)) "
    "from access_log where ts >= :start and ts < :end group by 1"
)


def measure(dsn: str) -> None:
    """Load a week of demo traffic, refresh, read; print each."""
    end = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
    whole = Range(end - timedelta(days=DAYS), end)
    with writing_pool(dsn, max_size=1) as pool:
        _ingest(dsn, LogWriter(pool), whole)
    _refresh(dsn, whole)
    _read(dsn, whole)


def _ingest(dsn: str, writer: LogWriter, whole: Range) -> None:
    """Bodies through the ingest server's own code, against a statement for each record."""
    made = requests(whole.start, whole.end, SEED)
    bodies = [ndjson(records) for records in iter(lambda: list(islice(made, BATCH_RECORDS)), [])]
    origin, intake = Origin("bench", "bench"), open_intake(IngestSettings(), writer)
    started = time.perf_counter()
    stored = sum(take_in(body, origin, intake, writer).stored for body in bodies)
    rate = stored / (time.perf_counter() - started)
    with connect(dsn) as connection:
        connection.execute("create table bench_row (ts timestamptz, path text, status smallint, latency_ms float8)")
        started = time.perf_counter()
        for i in range(BASELINE_RECORDS):
            connection.execute("insert into bench_row values (now(), %s, %s, %s)", (f"/{i}", 200, 1.0))
        baseline = BASELINE_RECORDS / (time.perf_counter() - started)
    report("ingest without HTTP, 1,000 records a body", rate, "records/s", baseline, "one INSERT a record")


def _refresh(dsn: str, whole: Range) -> None:
    with connect(dsn) as connection:
        started = time.perf_counter()
        engine = reading_engine(dsn)
        while True:
            connection.execute("call refresh_touched_minutes()")
            connection.execute("call refresh_stale_buckets(null, '{\"patience\": 0}')")
            with snapshot(engine) as reading:
                if not freshness(reading, whole).touched:
                    break
        engine.dispose()
        seconds = time.perf_counter() - started
        started = time.perf_counter()
        connection.execute(SCAN.replace(":start", "%s").replace(":end", "%s").encode(), (whole.start, whole.end))
        scan = time.perf_counter() - started
    report("refresh of all aggregates after the load", seconds, "s", scan, "one scan of its rows")


def _read(dsn: str, whole: Range) -> None:
    """Figures from the aggregates against the same sums over the rows."""
    engine = reading_engine(dsn)
    ragged = Range(whole.start + timedelta(seconds=13), whole.end - timedelta(seconds=17))
    edges = [whole.start + timedelta(hours=i) for i in range(1, DAYS * 24)]
    figures: dict[str, Callable[[Reading], object]] = {
        "summary, 7 days": lambda c: breakdown(c, ragged, Filters()),
        "traffic by hour, 7 days": lambda c: breakdown(c, ragged, Filters(), edges=edges),
        "endpoint table, 7 days": lambda c: breakdown(c, ragged, Filters(), ["method", "route"]),
    }
    with snapshot(engine) as reading:
        baseline = _median_ms(lambda: reading.execute(sa.text(SCAN), {"start": ragged.start, "end": ragged.end}).all())
        for name, figure in figures.items():
            took = _median_ms(lambda figure=figure: figure(reading))  # type: ignore[misc]
            report(name, took, "ms", baseline, "a scan of the rows")
    engine.dispose()


def _median_ms(call: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)
