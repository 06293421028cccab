"""What the doctor says about what is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from accessboard.doctor_storage import findings_of, size
from accessboard.finding import Finding
from sql.life import AGING, Aging, Horizon, Job, Keeping, Lag, Storage, Stored, Versions

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LOG = Stored("access_log", 2_500_000_000, 9, 2, 800_000_000, 100_000_000, NOW - 9 * DAY, NOW, None, DAY, None)
LEVEL = Stored("traffic_1m", 40_000, 3, 0, 0, 0, NOW - 3 * DAY, NOW, MINUTE, DAY, NOW - MINUTE)
REFRESH = Job(1001, "refresh_touched_minutes", None, timedelta(seconds=5), False, NOW - MINUTE, None, None)
AGE = Job(1002, AGING, None, timedelta(minutes=10), False, NOW - 8 * MINUTE, None, None)
WELL = Storage(
    read_at=NOW,
    versions=Versions("17.5", "2.23.0", True),
    database_bytes=2_600_000_000,
    log=LOG,
    aggregates=(LEVEL,),
    keeping=Keeping(7, 0, 50, 0, 24),
    horizon=Horizon(None, None, None, None, None),
    lag=Lag(2, NOW - 3 * MINUTE, 1, NOW - timedelta(hours=1), NOW - 2 * MINUTE),
    jobs=(REFRESH, AGE),
    aging=Aging(NOW - 8 * MINUTE, timedelta(seconds=3), 1, 0, None),
)


def said(found: Storage) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings_of(found)}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (2_540_000, "2.5 MB"),
        (3e9, "3.0 GB"),
        (4e12, "4000.0 GB"),
    ],
)
def test_sizes_are_in_words(number: float, words: str) -> None:
    assert size(int(number)) == words


def test_a_database_that_is_well_has_no_fault_and_every_figure() -> None:
    findings = said(WELL)
    assert all(finding.fine for finding in findings.values())
    assert findings["timescaledb"].words == "2.23.0 on PostgreSQL 17.5, embedded"
    assert findings["log"].words == "2.5 GB in 9 chunks, 2 in the columnstore: 800.0 MB became 100.0 MB (8.0x)"
    assert findings["aggregate traffic_1m"].words == "40.0 kB in 3 chunks; refreshed up to 2026-05-20 11:59 UTC"
    assert "rows for ever, at most 50 GB (5% used); figures for ever" in findings["kept"].words
    assert findings["lag"].words.startswith("2 minutes and 1 longer buckets wait")
    assert "last success 2026-05-20 11:59 UTC" in findings["job 1001 refresh_touched_minutes"].words


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (replace(REFRESH, last_failure=NOW, error="deadlock detected"), "deadlock detected"),
        (replace(REFRESH, last_failure=NOW), "accessboard's log"),
        (replace(REFRESH, paused=True), "alter_job(1001, scheduled => true)"),
        (replace(REFRESH, last_success=NOW - DAY), "`accessboard up` runs it"),
    ],
    ids=["failed", "failed silently", "paused", "not run"],
)
def test_a_job_that_does_not_run_is_a_fault(job: Job, words: str) -> None:
    finding = said(replace(WELL, jobs=(job,)))["job 1001 refresh_touched_minutes"]
    assert not finding.fine
    assert words in finding.words


def test_a_failure_before_the_last_success_is_over() -> None:
    job = replace(REFRESH, last_failure=NOW - DAY)
    finding = said(replace(WELL, jobs=(job,)))["job 1001 refresh_touched_minutes"]
    assert finding.fine
    assert "last failure 2026-05-19" in finding.words


def test_what_the_aging_job_could_not_do_is_a_fault() -> None:
    aging = Aging(NOW, timedelta(seconds=1), 0, 0, "dropping: lock timeout")
    finding = said(replace(WELL, aging=aging))[f"job 1002 {AGING}"]
    assert not finding.fine
    assert "dropping: lock timeout: it is tried again every 0:10:00" in finding.words


@pytest.mark.parametrize(
    ("lag", "fine"),
    [
        (Lag(0, None, 0, None, None), True),
        (Lag(60, NOW - DAY, 5, NOW - DAY, NOW - 20 * MINUTE), True),
        (Lag(61, NOW - DAY, 0, None, None), False),
        (Lag(0, None, 1, NOW - DAY, NOW - 40 * MINUTE), False),
    ],
)
def test_lag_is_a_fault_once_nobody_seems_to_work_on_it(lag: Lag, fine: bool) -> None:
    assert said(replace(WELL, lag=lag))["lag"].fine is fine


def test_old_rows_outside_the_columnstore_are_a_fault_where_nothing_else_waits() -> None:
    old = replace(LOG, columnar=0, oldest=NOW - 30 * DAY)
    idle = replace(WELL, log=old, lag=Lag(0, None, 0, None, None), aging=Aging(NOW, MINUTE, 0, 0, None))
    assert not said(idle)["columnstore"].fine
    assert "access_log" in said(idle)["columnstore"].words
    assert said(replace(idle, lag=WELL.lag))["columnstore"].fine
    assert said(replace(idle, aging=WELL.aging))["columnstore"].fine
    assert said(replace(idle, keeping=replace(WELL.keeping, columnstore_after_days=0)))["columnstore"].fine


def test_a_bound_below_one_chunk_is_a_fault() -> None:
    found = replace(WELL, log=replace(LOG, chunks=2), keeping=replace(WELL.keeping, keep_log_gb=2))
    assert not said(found)["log"].fine
    assert "CHUNK_HOURS" in said(found)["log"].words


def test_the_horizon_is_told() -> None:
    horizon = Horizon(NOW - 3 * DAY, NOW, NOW - 4 * DAY, NOW - 9 * DAY, NOW)
    words = said(replace(WELL, horizon=horizon))["horizon"].words
    assert words == (
        "records before 2026-05-17 12:00 UTC go into quarantine; rows before 2026-05-16 12:00 UTC are dropped, "
        "their figures stay, from 2026-05-11 12:00 UTC on"
    )
