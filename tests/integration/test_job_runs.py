"""The embedded server's jobs leave word of their last runs, as a native server's do."""

from __future__ import annotations

import time

import pytest

from sql.connection import connect, reading_engine, snapshot
from sql.life import Job, storage
from sql.migrate import migrate
from sql.scheduler import JobScheduler
from tests.conftest import NATIVE_DSN

MOST_SECONDS = 60


def jobs_of(dsn: str) -> dict[str, Job]:
    engine = reading_engine(dsn)
    try:
        with snapshot(engine) as reading:
            return {job.name: job for job in storage(reading).jobs}
    finally:
        engine.dispose()


@pytest.mark.skipif(bool(NATIVE_DSN), reason="this is about the jobs of the embedded database")
def test_last_success_and_last_failure_of_a_job_are_known(fresh_dsn: str) -> None:
    migrate(fresh_dsn)
    with connect(fresh_dsn) as connection:
        connection.execute(
            "create procedure fail(job_id integer, config jsonb) language plpgsql as "
            "$$ begin raise exception 'no room'; end $$"
        )
        connection.execute("select add_job('fail', interval '1 second')")
    assert jobs_of(fresh_dsn)["age_data"].last_success is None
    scheduler = JobScheduler(fresh_dsn)
    scheduler.start()
    try:
        deadline = time.monotonic() + MOST_SECONDS
        while (failed := jobs_of(fresh_dsn)["fail"]).last_failure is None:
            assert time.monotonic() < deadline, "the job has not run"
            time.sleep(0.2)
    finally:
        scheduler.stop()
    assert (failed.failing, failed.error, failed.last_success) == (True, "no room", None)
    aged = jobs_of(fresh_dsn)["age_data"]
    assert aged.last_success is not None
    assert (aged.failing, aged.error) == (False, None)
