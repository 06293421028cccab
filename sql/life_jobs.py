"""Hand the settings of the life of data to the job that acts on them."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from sql.connection import DatabaseUnavailable, explain, is_embedded
from sql.settings import LifeSettings

# Any fixed number: the processes of a server all hand over at their start, and two changes of a job collide.
_LOCK_KEY = 7_306_021_144_512_338
# Clients of the embedded server wait for each other, so a run converts a chunk or two and leaves the rest.
_EMBEDDED_BUDGET = "1 second"
_HAND_OVER = """
select alter_job(job_id, config => %(config)s::jsonb) from timescaledb_information.jobs
where proc_name = 'age_data' and config is distinct from %(config)s::jsonb
"""
_CHUNK_HOURS = """
select set_chunk_time_interval('access_log', make_interval(hours => %(hours)s))
from timescaledb_information.dimensions
where hypertable_schema = 'public' and hypertable_name = 'access_log'
and time_interval <> make_interval(hours => %(hours)s)
"""


def hand_over(connection: psycopg.Connection[Any], settings: LifeSettings) -> None:
    """Give the database's job the settings, if it does not have them yet; new chunks get their width.

    Raises:
        DatabaseUnavailable: it has not got them.
    """
    config: dict[str, float | str] = {
        "columnstore_after_days": settings.columnstore_after_days,
        "keep_log_days": settings.keep_log_days,
        "keep_log_gb": settings.keep_log_gb,
        "keep_figures_days": settings.keep_figures_days,
    }
    if is_embedded(connection):
        config["budget"] = _EMBEDDED_BUDGET
    try:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
            connection.execute(_HAND_OVER, {"config": json.dumps(config)})
            connection.execute(_CHUNK_HOURS, {"hours": settings.chunk_hours})
    except psycopg.Error as error:
        raise DatabaseUnavailable(explain(error)) from error


def hand_over_through(pool: ConnectionPool[psycopg.Connection[Any]], settings: LifeSettings) -> None:
    """Do it on a connection of a pool.

    Raises:
        DatabaseUnavailable: the database is away, or has not got them.
    """
    try:
        with pool.connection(timeout=2) as connection:
            hand_over(connection, settings)
    except PoolTimeout as error:
        raise DatabaseUnavailable("the database cannot be reached") from error
    except psycopg.Error as error:
        raise DatabaseUnavailable(explain(error)) from error
