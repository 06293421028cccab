"""What `doctor` says about what is stored: engine, sizes, columnstore, jobs, lag, and what is kept for how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from accessboard.finding import Finding
from sql.connection import reading_engine, snapshot
from sql.life import AGING, REFRESHING, Job, Storage, Stored, storage

# A chunk waits for quiet minutes and for its turn. Those of aggregates that an earlier version made are wider.
PATIENCE, WIDEST = timedelta(days=2), timedelta(days=10)
LAG = timedelta(minutes=30)
MOST_MINUTES = 60
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def storage_findings(dsn: str) -> Iterator[Finding]:
    """Yield the findings about what is stored.

    Raises:
        DatabaseUnavailable: it cannot be read.
    """
    engine = reading_engine(dsn)
    try:
        with snapshot(engine) as reading:
            found = storage(reading)
    finally:
        engine.dispose()
    yield from findings_of(found)


def findings_of(found: Storage) -> Iterator[Finding]:
    """Yield what the storage means. Pure."""
    versions = found.versions
    engine = "embedded" if versions.embedded else "native"
    yield Finding("timescaledb", True, f"{versions.timescaledb} on PostgreSQL {versions.postgresql}, {engine}")
    yield Finding("database size", True, f"{size(found.database_bytes)}, of these {size(_figures(found))} aggregates")
    yield _log(found)
    for each in found.aggregates:
        yield Finding(f"aggregate {each.name}", True, _stored(each))
    yield _columnstore(found)
    yield _kept(found)
    yield _horizon(found)
    yield _lag(found)
    yield from _jobs(found)


def size(number: int) -> str:
    """A number of bytes in words."""
    for factor, unit in _UNITS:
        if number >= factor:
            return f"{number / factor:.1f} {unit}"
    return f"{number} bytes"


def _figures(found: Storage) -> int:
    return sum(each.bytes for each in found.aggregates)


def _stored(each: Stored) -> str:
    words = f"{size(each.bytes)} in {each.chunks:,} chunks"
    if each.columnar and each.ratio is not None:
        words += f", {each.columnar:,} in the columnstore: "
        words += f"{size(each.before)} became {size(each.after)} ({each.ratio:.1f}x)"
    if each.watermark is not None:
        words += f"; refreshed up to {_moment(each.watermark)}"
    return words


def _log(found: Storage) -> Finding:
    """The bound is held by dropping whole chunks, and never the last hours: these may be larger than it."""
    log, most = found.log, found.keeping.keep_log_gb * 1e9
    words = _stored(log)
    if most and log.bytes > most and log.chunks <= 2:
        return Finding(
            "log", False, f"{words}; a single chunk is over KEEP_LOG_GB: set CHUNK_HOURS lower, or the bound higher"
        )
    return Finding("log", True, words)


def _columnstore(found: Storage) -> Finding:
    days = found.keeping.columnstore_after_days
    if not days:
        return Finding("columnstore", True, "off (COLUMNSTORE_AFTER_DAYS=0): the log takes about 7 times the room")
    due = found.read_at - timedelta(days=days) - PATIENCE
    waiting = [
        each.name
        for each in (found.log, *found.aggregates)
        if not each.columnar and each.oldest is not None and each.oldest + max(each.chunk_width, WIDEST) < due
    ]
    quiet = not found.lag.minutes and not found.lag.buckets
    if waiting and quiet and found.aging is not None and not found.aging.converted:
        return Finding(
            "columnstore",
            False,
            f"nothing of {', '.join(waiting)} is in it though it is {days:g} days old: see the finding on job {AGING}",
        )
    return Finding("columnstore", True, f"after {days:g} days")


def _kept(found: Storage) -> Finding:
    keeping = found.keeping
    log = f"{keeping.keep_log_days:g} days" if keeping.keep_log_days else "for ever"
    if keeping.keep_log_gb:
        log += f", at most {keeping.keep_log_gb:g} GB ({found.log.bytes / (keeping.keep_log_gb * 1e9):.0%} used)"
    figures = f"{keeping.keep_figures_days:g} days" if keeping.keep_figures_days else "for ever"
    words = f"rows {log}; figures {figures}; chunks of {keeping.chunk_hours:g} h"
    return Finding("kept", True, f"{words}; change it with KEEP_LOG_DAYS, KEEP_LOG_GB, KEEP_FIGURES_DAYS")


def _horizon(found: Storage) -> Finding:
    horizon = found.horizon
    if horizon.announced_from is None:
        return Finding("horizon", True, "records of any age are taken")
    words = f"records before {_moment(horizon.announced_from)} go into quarantine"
    if horizon.rows_from is not None:
        words += f"; rows before {_moment(horizon.rows_from)} are dropped, their figures stay"
    if horizon.figures_from is not None:
        words += f", from {_moment(horizon.figures_from)} on"
    return Finding("horizon", True, words)


def _lag(found: Storage) -> Finding:
    """Readers stay exact without the jobs, but get slower with all that is left over."""
    lag, late = found.lag, found.read_at - LAG
    words = f"{lag.minutes:,} minutes and {lag.buckets:,} longer buckets wait for their refresh"
    if lag.oldest_minute is not None:
        words += f", from {_moment(lag.oldest_minute)} on"
    overdue = lag.stale_since is not None and lag.stale_since < late
    if overdue or lag.minutes > MOST_MINUTES:
        return Finding("lag", False, f"{words}: right unless an import is running; else see the findings on jobs")
    return Finding("lag", True, words)


def _jobs(found: Storage) -> Iterator[Finding]:
    for job in found.jobs:
        subject = f"job {job.id} {job.name}" + (f" of {job.view}" if job.view else "")
        yield Finding(subject, *_job(job, found))


def _job(job: Job, found: Storage) -> tuple[bool, str]:
    where = "accessboard's log" if found.versions.embedded else "the database's log"
    ran = "has not run yet" if job.last_success is None else f"last success {_moment(job.last_success)}"
    if job.last_failure is not None:
        ran += f", last failure {_moment(job.last_failure)}"
    if job.failing:
        return False, f"{ran}: {job.error or f'see {where}'}; it is tried again every {job.every}"
    if job.paused:
        return False, f"{ran}; paused: `select alter_job({job.id}, scheduled => true)` in the database resumes it"
    late = found.read_at - 3 * job.every - LAG
    if job.last_success is not None and job.last_success < late and job.name in (*REFRESHING, AGING):
        advice = "`accessboard up` runs it" if found.versions.embedded else "are background workers running?"
        return False, f"{ran}, though due every {job.every}: {advice}"
    if job.name == AGING and found.aging is not None:
        aging = found.aging
        ran += f"; {aging.converted:,} chunks converted, {aging.dropped:,} dropped"
        if aging.problem is not None:
            return False, f"{ran}; {aging.problem}: it is tried again every {job.every}"
    return True, ran


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
