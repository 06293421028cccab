"""Run the database's jobs where it cannot do so itself.

The embedded server has no background workers: no TimescaleDB scheduler and no autovacuum. This thread
stands in for both with the same jobs and schedules that a native server runs by itself.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any

import psycopg

from sql.connection import connect, explain, first_line

log = logging.getLogger(__name__)

# Clients of the embedded server wait for each other, so a run must be short. A refresh has a fixed price
# there that outweighs the rows between two touched minutes, so they are not told apart.
_SHORT_RUNS = json.dumps({"window": "6 hours", "gap": "6 hours", "budget": "300 milliseconds"})
_SHORTENED = ["refresh_touched_minutes", "refresh_stale_buckets"]
# A native server takes this down itself; see timescaledb_information.job_stats.
_SUCCEEDED = """
insert into job_run (job_id, last_success) values (%s, clock_timestamp())
on conflict (job_id) do update set last_success = excluded.last_success
"""
_FAILED = """
insert into job_run (job_id, last_failure, error) values (%s, clock_timestamp(), %s)
on conflict (job_id) do update set last_failure = excluded.last_failure, error = excluded.error
"""
_VACUUM_EVERY_S = 600.0
_VACUUMED = (
    "touched_minute",
    "stale_bucket",
    "job_run",
    "ingest_batch",
    "quarantine",
    "finding",
    "watched",
    "watch_state",
    "alert",
    "alert_delivery",
)
_TICK_S = 0.5


class JobScheduler:
    """A thread that runs every job of ours when it is due."""

    def __init__(self, dsn: str) -> None:
        """Remember the address; nothing is opened before `start`."""
        self._dsn = dsn
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job-scheduler", daemon=True)
        self._due: dict[int, float] = {}
        self._vacuum_due = time.monotonic() + _VACUUM_EVERY_S

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end and wait for the run under way."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(self._dsn) as connection:
                    _shorten_runs(connection)
                    while not self._stop.wait(_TICK_S):
                        self._run_due(connection)
            except Exception as error:  # the thread must outlive whatever the database does
                log.warning("jobs: %s; trying again", explain(error))
                self._stop.wait(5)

    def _run_due(self, connection: psycopg.Connection[Any]) -> None:
        # Jobs below 1000 are TimescaleDB's own (telemetry among them).
        jobs = connection.execute(
            "select job_id, extract(epoch from schedule_interval)::float8 from timescaledb_information.jobs "
            "where job_id >= 1000 and scheduled order by job_id"
        ).fetchall()
        for job_id, interval_s in jobs:
            if time.monotonic() < self._due.get(job_id, 0.0) or self._stop.is_set():
                continue
            self._due[job_id] = time.monotonic() + interval_s
            try:
                connection.execute(f"call run_job({int(job_id)})".encode())
                connection.execute(_SUCCEEDED, (job_id,))
            except psycopg.OperationalError:
                raise  # the connection is gone, and with it the other jobs
            except psycopg.Error as error:
                log.warning("job %s: %s", job_id, explain(error))
                connection.execute(_FAILED, (job_id, first_line(error)))
        if time.monotonic() >= self._vacuum_due:
            for table in _VACUUMED:
                connection.execute(f"vacuum (analyze) {table}".encode())
            connection.execute("analyze access_log")
            self._vacuum_due = time.monotonic() + _VACUUM_EVERY_S


def _shorten_runs(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        "select alter_job(job_id, config => %s::jsonb) from timescaledb_information.jobs where proc_name = any(%s)",
        (_SHORT_RUNS, _SHORTENED),
    )
