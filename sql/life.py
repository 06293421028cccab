"""What is stored, how large it is, how long it stays, and whether the jobs that see to it run.

Read in a few statements over TimescaleDB's own views; `doctor`, the page and the API show the same value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sql.connection import Reading

LOG = "access_log"
AGING = "age_data"  # the job that converts and drops
REFRESHING = ("refresh_touched_minutes", "refresh_stale_buckets")


@dataclass(frozen=True, slots=True)
class Versions:
    """Of the server; `embedded` where it is the one that this program brings."""

    postgresql: str
    timescaledb: str
    embedded: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """The log or an aggregate: its size on disk with indexes, and its chunks.

    `before` and `after` are the sizes of the chunks in the columnstore before and after their conversion; they
    do not count rows that came later. `oldest` and `newest` are the borders of the chunks, `width` that of a
    bucket (None for the log), `watermark` the end of the newest bucket that was ever refreshed.
    """

    name: str
    bytes: int
    chunks: int
    columnar: int
    before: int
    after: int
    oldest: datetime | None
    newest: datetime | None
    width: timedelta | None
    chunk_width: timedelta
    watermark: datetime | None

    @property
    def ratio(self) -> float | None:
        """How many times smaller the columnstore is; None while nothing is in it."""
        return self.before / self.after if self.after else None


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept for how long, as the database's job has it; 0: never, for ever, unbounded."""

    columnstore_after_days: float
    keep_log_days: float
    keep_log_gb: float
    keep_figures_days: float
    chunk_hours: float


@dataclass(frozen=True, slots=True)
class Horizon:
    """From which moment on things are kept; None: from the beginning.

    Older records are refused from `announced_from` on, since `announced_at`. Rows are there from `rows_from` on and
    may be gone before it, since `settled_at`; figures are there from `figures_from` on.
    """

    announced_from: datetime | None
    announced_at: datetime | None
    rows_from: datetime | None
    figures_from: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the database. `view` is the aggregate of a policy; `error` is that of the last run, if it failed."""

    id: int
    name: str
    view: str | None
    every: timedelta
    paused: bool
    last_success: datetime | None
    last_failure: datetime | None
    error: str | None

    @property
    def failing(self) -> bool:
        """Whether the last run failed."""
        return self.last_failure is not None and (self.last_success is None or self.last_failure > self.last_success)


@dataclass(frozen=True, slots=True)
class Lag:
    """What the aggregates do not hold yet: minutes that wait for their refresh, and buckets of coarser levels."""

    minutes: int
    oldest_minute: datetime | None
    buckets: int
    oldest_bucket: datetime | None
    stale_since: datetime | None


@dataclass(frozen=True, slots=True)
class Aging:
    """The last run of the job that converts and drops: what it did, and what it could not do, in one sentence."""

    finished_at: datetime
    took: timedelta
    converted: int
    dropped: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class Storage:
    """All of it at one moment. `aggregates` are in the order in which they are refreshed."""

    read_at: datetime
    versions: Versions
    database_bytes: int
    log: Stored
    aggregates: tuple[Stored, ...]
    keeping: Keeping
    horizon: Horizon
    lag: Lag
    jobs: tuple[Job, ...]
    aging: Aging | None


# The embedded server was made by Emscripten.
_VERSIONS = """
select clock_timestamp(), current_setting('server_version'), extversion, version() ~ 'emcc',
    pg_database_size(current_database())
from pg_extension where extname = 'timescaledb'
"""
_STORED = """
with stored as (
    select 'access_log' as name, 0 as ordinal, null::interval as width, 'public' as schema, 'access_log' as hypertable
    union all
    select view, ordinal, width, materialization_hypertable_schema, materialization_hypertable_name
    from aggregate_level
    join timescaledb_information.continuous_aggregates on view_schema = 'public' and view_name = view
)
select name, size.bytes, chunks.n, chunks.columnar, stats.before, stats.after, chunks.oldest, chunks.newest, width,
    time_interval, case when ordinal > 0 and watermark > 0 then _timescaledb_functions.to_timestamp(watermark) end
from stored
join _timescaledb_catalog.hypertable on schema_name = schema and table_name = hypertable
join timescaledb_information.dimensions on hypertable_schema = schema and hypertable_name = hypertable
cross join lateral (select format('%I.%I', schema, hypertable)::regclass as stored_in) as place
cross join lateral (
    select coalesce(sum(total_bytes), 0)::bigint as bytes from hypertable_detailed_size(stored_in)
) as size
cross join lateral (
    select count(*) as n, count(*) filter (where is_compressed) as columnar, min(range_start) as oldest,
        max(range_end) as newest
    from timescaledb_information.chunks as chunk
    where chunk.hypertable_schema = schema and chunk.hypertable_name = hypertable
) as chunks
cross join lateral (
    select coalesce(sum(before_compression_total_bytes), 0)::bigint as before,
        coalesce(sum(after_compression_total_bytes), 0)::bigint as after
    from chunk_columnstore_stats(stored_in)
) as stats
cross join lateral (
    select case when ordinal > 0 then _timescaledb_functions.cagg_watermark(hypertable.id) end as watermark
) as mark
order by ordinal
"""
_KEEPING = "select config from timescaledb_information.jobs where proc_name = :name"
_CHUNK_HOURS = """
select (extract(epoch from time_interval) / 3600)::float8 from timescaledb_information.dimensions
where hypertable_schema = 'public' and hypertable_name = 'access_log'
"""
_HORIZON = """
select nullif(announced_from, '-infinity'), case when announced_from > '-infinity' then announced_at end,
    nullif(raw_from, '-infinity'), nullif(figures_from, '-infinity'), nullif(settled_at, '-infinity')
from log_horizon
"""
# A minute is left alone for a while, and a bucket until it has ended.
_LAG = """
select * from (
    select count(distinct minute), min(minute) from touched_minute where minute < now() - interval '75 seconds'
) as minutes, (
    select count(*), min(bucket), min(since) from stale_bucket join aggregate_level using (view)
    where bucket + width <= now() - interval '75 seconds'
) as buckets
"""
# A native server knows when its jobs ran; for the embedded one its scheduler writes it down.
_JOBS = """
select job_id, job.proc_name, job.hypertable_name, schedule_interval, not scheduled,
    greatest(nullif(last_successful_finish, '-infinity'), last_success),
    greatest(case when last_run_status = 'Failed' then last_run_started_at end, last_failure),
    coalesce(case when last_run_status = 'Failed' then (
        select err_message from timescaledb_information.job_errors as failed
        where failed.job_id = job.job_id order by start_time desc limit 1
    ) end, error)
from timescaledb_information.jobs as job
left join timescaledb_information.job_stats using (job_id)
left join job_run using (job_id)
where job_id >= 1000
order by job_id
"""
_AGING = "select finished_at, took, converted, dropped, problem from data_aging"


def storage(reading: Reading) -> Storage:
    """Read all of it, in a handful of statements that look at no rows of the log."""
    moment, postgresql, timescaledb, embedded, size = reading.execute(sa.text(_VERSIONS)).one()
    stored = [Stored(*row) for row in reading.execute(sa.text(_STORED))]
    return Storage(
        read_at=moment,
        versions=Versions(postgresql, timescaledb, embedded),
        database_bytes=size,
        log=stored[0],
        aggregates=tuple(stored[1:]),
        keeping=keeping(reading),
        horizon=horizon(reading),
        lag=Lag(*reading.execute(sa.text(_LAG)).one()),
        jobs=tuple(_job(row) for row in reading.execute(sa.text(_JOBS))),
        aging=next((Aging(*row) for row in reading.execute(sa.text(_AGING))), None),
    )


def keeping(reading: Reading) -> Keeping:
    """Read the settings as the database's job has them; before any were handed over, what it does without."""
    config: Mapping[str, Any] = reading.execute(sa.text(_KEEPING), {"name": AGING}).scalar_one() or {}
    return Keeping(
        columnstore_after_days=config.get("columnstore_after_days", 7),
        keep_log_days=config.get("keep_log_days", 0),
        keep_log_gb=config.get("keep_log_gb", 0),
        keep_figures_days=config.get("keep_figures_days", 0),
        chunk_hours=reading.execute(sa.text(_CHUNK_HOURS)).scalar_one(),
    )


def horizon(reading: Reading) -> Horizon:
    """Read from which moment on things are kept."""
    return Horizon(*reading.execute(sa.text(_HORIZON)).one())


def _job(row: Sequence[Any]) -> Job:
    job = Job(*row)
    return job if job.failing else replace(job, error=None)
