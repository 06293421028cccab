"""Read what arrived: the ledger by source, service and minute, refused requests, the quarantine, the routes kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from sql.batch import OTHER_ROUTES
from sql.connection import Reading
from sql.plan import Range


class LedgerSum(NamedTuple):
    """Sums of a range of minutes; `kind` is empty for readable records, else the reason of quarantine."""

    source: str
    service: str
    kind: str
    received: int
    stored: int
    duplicate: int
    quarantined: int
    bytes: int
    first_arrival: datetime
    last_arrival: datetime
    lag_s: float
    lag_max_s: float


class LedgerMinute(NamedTuple):
    """What arrived in one minute from one source for one service."""

    minute: datetime
    source: str
    service: str
    received: int
    stored: int
    duplicate: int
    quarantined: int
    bytes: int


class Refusal(NamedTuple):
    """Requests of one source that were turned away whole for one reason."""

    source: str
    reason: str
    requests: int
    last_arrival: datetime


class QuarantinedRecord(NamedTuple):
    """One quarantined record; `record` is its beginning, `kept` bytes of it are stored, `size` came."""

    id: int
    received_at: datetime
    source: str
    service: str
    kind: str
    reason: str
    size: int
    kept: int
    record: bytes


class RouteCount(NamedTuple):
    """How many routes are kept, and whether others were summed as OTHER_ROUTES."""

    kept: int
    capped: bool


_SUMS = """
    sum(received)::bigint, sum(stored)::bigint, sum(duplicate)::bigint, sum(quarantined)::bigint, sum(bytes)::bigint
"""
_LEDGER = f"""
select source, service, kind, {_SUMS}, min(first_arrival), max(last_arrival), sum(lag_s), max(lag_max_s)
from ingest_ledger
where minute >= :low and minute < :high {{conditions}}
group by 1, 2, 3
order by 1, 2, 3
"""
_MINUTES = f"""
select minute, source, service, {_SUMS}
from ingest_ledger
where minute >= :low and minute < :high {{conditions}}
group by 1, 2, 3
order by 1 desc, 2, 3
limit :most
"""
_RECEIVED = """
select source, service, sum(received)::bigint
from ingest_ledger
where minute >= :low {conditions}
group by 1, 2
"""
_REFUSALS = """
select source, reason, sum(requests)::bigint as requests, max(last_arrival), sum(sum(requests)) over ()
from ingest_refusal
where minute >= :low and minute < :high {conditions}
group by 1, 2
order by 3 desc, 1, 2
limit :most
"""
_QUARANTINED = """
select held.id, held.received_at, source, service, kind, reason, coalesce(size, octet_length(record)),
    octet_length(record), substring(record from 1 for :most_bytes)
from quarantine as held join ingest_batch as batch on batch.id = held.batch_id
where held.id < :before {conditions}
order by held.id desc
limit :most
"""
_NEWEST_ID = 2**63 - 1


def ledger(reading: Reading, span: Range, *, source: str | None = None, service: str | None = None) -> list[LedgerSum]:
    """Sum what arrived in a range of whole minutes by source, service and kind."""
    rows = _read(reading, _LEDGER, {"low": span.start, "high": span.end}, source=source, service=service)
    return [LedgerSum(*row) for row in rows]


def ledger_minutes(
    reading: Reading, span: Range, *, source: str | None = None, service: str | None = None, most: int
) -> list[LedgerMinute]:
    """Return the ledger of each minute, the newest first."""
    bounds = {"low": span.start, "high": span.end, "most": most}
    return [LedgerMinute(*row) for row in _read(reading, _MINUTES, bounds, source=source, service=service)]


def received_since(
    reading: Reading, since: datetime, *, source: str | None = None, service: str | None = None
) -> dict[tuple[str, str], int]:
    """Count the records that arrived from a minute on, by source and service."""
    rows = _read(reading, _RECEIVED, {"low": since}, source=source, service=service)
    return {(row[0], row[1]): row[2] for row in rows}


def refusals(reading: Reading, span: Range, *, source: str | None = None, most: int) -> tuple[list[Refusal], int]:
    """Sum refused requests by source and reason, most first, and all of them; their services nobody has read."""
    rows = _read(reading, _REFUSALS, {"low": span.start, "high": span.end, "most": most}, source=source)
    return [Refusal(*row[:-1]) for row in rows], int(rows[0][-1]) if rows else 0


def quarantined(
    reading: Reading,
    *,
    kind: str | None = None,
    source: str | None = None,
    before: int | None = None,
    most: int,
    most_bytes: int,
) -> list[QuarantinedRecord]:
    """Return quarantined records, newest first, of each at most so many bytes; `before` is the last id of a page."""
    bounds = {"before": before or _NEWEST_ID, "most": most, "most_bytes": most_bytes}
    return [QuarantinedRecord(*row) for row in _read(reading, _QUARANTINED, bounds, kind=kind, source=source)]


def quarantined_kinds(reading: Reading) -> dict[str, int]:
    """Count the records in quarantine by reason."""
    rows = reading.execute(sa.text("select kind, count(*) from quarantine group by 1 order by 2 desc, 1"))
    return {row[0]: row[1] for row in rows}


def last_arrival(reading: Reading) -> datetime | None:
    """When records came last; None while none has."""
    # The newest minute first: a scan of the index instead of the table.
    newest = "select max(last_arrival) from ingest_ledger where minute = (select max(minute) from ingest_ledger)"
    moment: datetime | None = reading.execute(sa.text(newest)).scalar_one()
    return moment


def route_count(reading: Reading, service: str | None = None) -> RouteCount:
    """Count the routes kept, of one service or of all."""
    statement = "select count(*) filter (where name <> :other), count(*) filter (where name = :other) from route"
    if service is not None:
        statement += " where service = :service"
    row = reading.execute(sa.text(statement), {"other": OTHER_ROUTES, "service": service}).one()
    return RouteCount(row[0], row[1] > 0)


def _read(reading: Reading, statement: str, bounds: dict[str, Any], **equal: str | None) -> list[Any]:
    """Run a statement with a condition for every given column that must equal a value."""
    given = {name: value for name, value in equal.items() if value is not None}
    conditions = " ".join(f"and {name} = :{name}" for name in given)
    return list(reading.execute(sa.text(statement.format(conditions=conditions)), bounds | given))
