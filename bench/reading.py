"""`make bench`: one JSON object a line with name, figure, unit, baseline and ratio.

Runs on the embedded database in a folder of its own, or on a database created for it on the server that
TEST_DATABASE_URL names. Machines are noisy: read the ratios.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import sqlalchemy as sa
from psycopg.conninfo import make_conninfo

from accessboard.embedded.database import EmbeddedDatabase
from demo.model import ndjson, requests
from ingest_server.intake import Origin, take_in
from sql.connection import connect, reading_engine, snapshot, writing_pool
from sql.migrate import migrate
from sql.plan import Range
from sql.reading import Filters, breakdown, touched_minutes
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


def main() -> None:
    """Print the figures."""
    with _database() as dsn:
        migrate(dsn)
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
    origin = Origin("bench", "bench")
    started = time.perf_counter()
    stored = sum(take_in(body, origin, writer).stored for body in bodies)
    rate = stored / (time.perf_counter() - started)
    with connect(dsn) as connection:
        connection.execute("create table bench_row (ts timestamptz, path text, status smallint, latency_ms float8)")
        started = time.perf_counter()
        for i in range(BASELINE_RECORDS):
            connection.execute("insert into bench_row values (now(), %s, %s, %s)", (f"/{i}", 200, 1.0))
        baseline = BASELINE_RECORDS / (time.perf_counter() - started)
    _print("ingest, 1,000 records a body, against one INSERT a record", rate, "records/s", baseline, rate / baseline)


def _refresh(dsn: str, whole: Range) -> None:
    with connect(dsn) as connection:
        row = connection.execute(
            "select job_id from timescaledb_information.jobs where proc_name = 'refresh_touched_minutes'"
        ).fetchone()
        assert row is not None
        started = time.perf_counter()
        engine = reading_engine(dsn)
        while True:
            connection.execute(f"call run_job({row[0]})".encode())
            with snapshot(engine) as reader:
                if not touched_minutes(reader, whole):
                    break
        engine.dispose()
        seconds = time.perf_counter() - started
        started = time.perf_counter()
        connection.execute(SCAN.replace(":start", "%s").replace(":end", "%s").encode(), (whole.start, whole.end))
        scan = time.perf_counter() - started
    _print(
        "refresh of all six aggregates after the load, against one scan of its rows", seconds, "s", scan, scan / seconds
    )


def _read(dsn: str, whole: Range) -> None:
    """Figures from the aggregates against the same sums over the rows."""
    engine = reading_engine(dsn)
    ragged = Range(whole.start + timedelta(seconds=13), whole.end - timedelta(seconds=17))
    edges = [whole.start + timedelta(hours=i) for i in range(1, DAYS * 24)]
    figures: dict[str, Callable[[sa.Connection], object]] = {
        "summary, 7 days": lambda c: breakdown(c, ragged, Filters(), ["status_class"]),
        "traffic by hour, 7 days": lambda c: breakdown(c, ragged, Filters(), ["status_class"], edges=edges),
        "endpoint table, 7 days": lambda c: breakdown(c, ragged, Filters(), ["method", "route", "status_class"]),
    }
    with snapshot(engine) as connection:
        baseline = _median_ms(
            lambda: connection.execute(sa.text(SCAN), {"start": ragged.start, "end": ragged.end}).all()
        )
        for name, figure in figures.items():
            took = _median_ms(lambda figure=figure: figure(connection))  # type: ignore[misc]
            _print(f"{name}, against a scan of the rows", took, "ms", baseline, baseline / took)
    engine.dispose()


def _median_ms(call: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def _print(name: str, figure: float, unit: str, baseline: float, ratio: float) -> None:
    values = {
        "name": name,
        "figure": round(figure, 2),
        "unit": unit,
        "baseline": round(baseline, 2),
        "ratio": round(ratio, 2),
    }
    print(json.dumps(values), flush=True)


@contextmanager
def _database() -> Iterator[str]:
    server = os.environ.get("TEST_DATABASE_URL")
    if server is None:
        with tempfile.TemporaryDirectory() as folder:
            database = EmbeddedDatabase(Path(folder))
            database.start()
            try:
                yield database.dsn
            finally:
                database.stop()
        return
    name = f"accessboard_bench_{uuid.uuid4().hex[:12]}"
    with connect(server) as connection:
        connection.execute(f'create database "{name}"'.encode())
    try:
        yield make_conninfo(server, dbname=name)
    finally:
        with connect(server) as connection:
            connection.execute(f'drop database "{name}" with (force)'.encode())


if __name__ == "__main__":
    main()
