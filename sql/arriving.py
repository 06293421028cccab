"""Read how arrivals went over time: the ledger by bucket, refused requests, and how steadily each source sends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from sql.connection import Reading
from sql.plan import Range


class ArrivedInBucket(NamedTuple):
    """Records that arrived in one bucket, by what became of them."""

    slot: int
    stored: int
    duplicate: int
    quarantined: int


class Activity(NamedTuple):
    """When a source sent for a service: its first and last arrival, and in how many minutes there was one."""

    source: str
    service: str
    first_arrival: datetime
    last_arrival: datetime
    minutes: int


# Buckets by their starts; the ledger is by minutes, which never lie in two of them.
_SLOT = "width_bucket(minute, cast(:starts as timestamptz[])) - 1"
_BUCKETS = f"""
select {_SLOT} as slot, sum(stored)::bigint, sum(duplicate)::bigint, sum(quarantined)::bigint
from ingest_ledger
where minute >= :low and minute < :high {{conditions}}
group by 1
"""
_REFUSED = f"""
select {_SLOT} as slot, sum(requests)::bigint
from ingest_refusal
where minute >= :low and minute < :high
group by 1
"""
_ACTIVITY = """
select source, service, min(first_arrival), max(last_arrival), count(distinct minute)
from ingest_ledger
where minute >= :low {conditions}
group by 1, 2
order by 4 desc, 1, 2
limit :most
"""
# The first of each by its index.
_BEGIN = "select least((select min(minute) from ingest_ledger), (select min(minute) from ingest_refusal))"


def arrived_by_bucket(
    reading: Reading, span: Range, starts: Sequence[datetime], *, service: str | None = None
) -> list[ArrivedInBucket]:
    """Sum the ledger of a range of whole minutes by buckets that begin at `starts`; without those of nothing."""
    bounds = {"low": span.start, "high": span.end, "starts": list(starts)}
    return [ArrivedInBucket(*row) for row in reading.execute(*_of_service(_BUCKETS, bounds, service))]


def refused_by_bucket(reading: Reading, span: Range, starts: Sequence[datetime]) -> dict[int, int]:
    """Count refused requests by bucket; their services nobody has read."""
    bounds = {"low": span.start, "high": span.end, "starts": list(starts)}
    return {row[0]: row[1] for row in reading.execute(sa.text(_REFUSED), bounds)}


def activity(reading: Reading, since: datetime, *, service: str | None = None, most: int) -> list[Activity]:
    """Return how the sources sent since a moment, the latest arrival first."""
    return [Activity(*row) for row in reading.execute(*_of_service(_ACTIVITY, {"low": since, "most": most}, service))]


def ledger_begin(reading: Reading) -> datetime | None:
    """The first minute of which anything is known; None while nothing has arrived."""
    moment: datetime | None = reading.execute(sa.text(_BEGIN)).scalar_one()
    return moment


def _of_service(
    statement: str, bounds: dict[str, object], service: str | None
) -> tuple[sa.TextClause, dict[str, object]]:
    if service is None:
        return sa.text(statement.format(conditions="")), bounds
    return sa.text(statement.format(conditions="and service = :service")), bounds | {"service": service}
