"""The ledger beside the log: refused requests, its totals, and keeping it and the quarantine small."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from sql.connection import DatabaseUnavailable, explain

MOST_REFUSING_SOURCES = 1_000  # addresses of strangers: their number is not ours to choose
OTHER_SOURCES = "(others)"
_TIDY_LOCK = 7_306_021_144_512_337

_WRITE_REFUSALS = """
insert into ingest_refusal (minute, source, reason, requests, last_arrival)
select date_trunc('minute', clock_timestamp()), source, reason, requests, clock_timestamp()
from unnest(%s::text[], %s::text[], %s::bigint[]) as part (source, reason, requests)
"""
_SUM_UP = """
with gone as (
    delete from ingest_ledger where not summed and minute < date_trunc('minute', now()) - interval '2 minutes'
    returning *
)
insert into ingest_ledger (minute, source, service, kind, received, stored, duplicate, quarantined, bytes,
                           first_arrival, last_arrival, lag_s, lag_max_s, summed)
select minute, source, service, kind, sum(received), sum(stored), sum(duplicate), sum(quarantined), sum(bytes),
    min(first_arrival), max(last_arrival), sum(lag_s), max(lag_max_s), true
from gone group by minute, source, service, kind
"""
_DROP_QUARANTINED = """
delete from quarantine where received_at < now() - %(days)s * interval '1 day'
    or id <= (select id from quarantine order by id desc offset %(most)s limit 1)
"""
# A batch is remembered for the sake of its identity; the newest are what the live log starts from.
_FORGET_BATCHES = """
delete from ingest_batch as batch
where received_at < now() - %(days)s * interval '1 day'
    and id < (select id from ingest_batch order by id desc offset 1000 limit 1)
    and not exists (select from quarantine where batch_id = batch.id)
"""
_TOTALS = """
select source, service, kind, sum(received)::bigint, sum(stored)::bigint, sum(duplicate)::bigint,
    sum(quarantined)::bigint, sum(bytes)::bigint, max(last_arrival), sum(lag_s)
from ingest_ledger group by 1, 2, 3 order by 1, 2, 3
"""
_REFUSALS = "select reason, sum(requests)::bigint from ingest_refusal group by 1 order by 1"


@dataclass(frozen=True, slots=True)
class Limits:
    """What is kept, and for how long."""

    quarantine_records: int = 100_000
    quarantine_days: float = 30
    identity_days: float = 30


class Total(NamedTuple):
    """Sums over all minutes; `kind` is empty for readable records, else the reason of quarantine."""

    source: str
    service: str
    kind: str
    received: int
    stored: int
    duplicate: int
    quarantined: int
    bytes: int
    last_arrival: datetime
    lag_s: float


class Ledger:
    """Counts refused requests in memory until `flush`; reads and tidies the rest. For several threads."""

    def __init__(self, pool: ConnectionPool[psycopg.Connection[Any]]) -> None:
        """Use the connections of `pool`, which the caller closes."""
        self._pool = pool
        self._refusals: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def refused(self, source: str, reason: str) -> None:
        """Count a request that was turned away whole."""
        with self._lock:
            if len(self._refusals) >= MOST_REFUSING_SOURCES and (source, reason) not in self._refusals:
                source = OTHER_SOURCES
            self._refusals[source, reason] += 1

    def flush(self) -> None:
        """Write what was counted.

        Raises:
            DatabaseUnavailable: it was not written, and is still counted.
        """
        with self._lock:
            counted, self._refusals = self._refusals, Counter()
        if not counted:
            return
        try:
            with self._connection() as connection:
                columns = zip(*((source, reason, n) for (source, reason), n in counted.items()), strict=True)
                connection.execute(_WRITE_REFUSALS, [list(column) for column in columns])
        except DatabaseUnavailable:
            with self._lock:
                self._refusals.update(counted)
            raise

    def tidy(self, limits: Limits) -> None:
        """Sum up minutes that are over, drop what is beyond the limits. One process at a time does it.

        Raises:
            DatabaseUnavailable: it was not done.
        """
        with self._connection() as connection, connection.transaction():
            if connection.execute("select pg_try_advisory_xact_lock(%s)", (_TIDY_LOCK,)).fetchone() != (True,):
                return
            connection.execute(_SUM_UP)
            connection.execute(
                _DROP_QUARANTINED, {"days": limits.quarantine_days, "most": max(0, limits.quarantine_records)}
            )
            connection.execute(_FORGET_BATCHES, {"days": limits.identity_days})

    def totals(self) -> tuple[list[Total], dict[str, int]]:
        """Return the sums of the ledger, and refused requests by reason; those still in memory included.

        Raises:
            DatabaseUnavailable: they cannot be read.
        """
        with self._connection() as connection, connection.transaction():
            totals = [Total(*row) for row in connection.execute(_TOTALS)]
            refusals = Counter({reason: int(n) for reason, n in connection.execute(_REFUSALS)})
        with self._lock:
            for (_, reason), n in self._refusals.items():
                refusals[reason] += n
        return totals, dict(refusals)

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            with self._pool.connection(timeout=2) as connection:
                yield connection
        except PoolTimeout as error:
            raise DatabaseUnavailable("the database cannot be reached") from error
        except psycopg.Error as error:
            raise DatabaseUnavailable(explain(error)) from error
