"""The statements that store batches: who is known already, the rows, and everything that goes with them.

One statement does all of it for small batches and wherever a record may be there already; a large batch on
a native server goes by COPY between two small statements. Both end in the same CTEs, so that the receipt,
the ledger and the quarantine follow from the same counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import psycopg

from sql.batch import Batch, LogRow, Receipt
from sql.copy_format import COLUMNS, HEADER, ROWS_A_WRITE, TRAILER, CopyEncoder

# Of thousands of rows a batch: these run without a step of the interpreter per row.
_TIME, _SERVICE, _SERVICE_AND_TIME = itemgetter(0), itemgetter(1), itemgetter(1, 0)
UNNEST_ROWS = 10_000  # of one statement on the embedded server, which holds all of it in its memory
_MICROSECONDS_A_MINUTE = 60_000_000

# Batches of this call, numbered; `fresh` are those whose identity is not stored yet. Another transaction may
# store the same identity at this moment: then the insert below fails on the unique index, and is repeated.
_BATCHES = """
with batch as materialized (
    select no, nextval('ingest_batch_id_seq') as id, source, service, identity, received,
        quarantined, size,
        identity is null or not exists (select from ingest_batch as old where old.identity = new.identity) as fresh
    from unnest(%s::int[], %s::text[], %s::text[], %s::bytea[], %s::int[], %s::int[], %s::bigint[])
        as new (no, source, service, identity, received, quarantined, size)
)
"""
_ROW_TYPES = {
    "ts": "bigint",
    "service": "text",
    "method": "text",
    "path": "text",
    "route": "text",
    "status": "smallint",
    "latency_ms": "double precision",
    "bytes": "bigint",
    "client_ip": "text",
    "user_agent": "text",
    "referer": "text",
    "attributes": "text",
    "record_key": "uuid",
}
# Exact: float arithmetic on seconds since 1970 would lose microseconds.
_ROW_VALUES = {name: f"arrived.{name}" for name in _ROW_TYPES} | {
    "ts": "timestamptz 'epoch' + arrived.ts * interval '1 microsecond'",
    "client_ip": "arrived.client_ip::inet",
    "attributes": "arrived.attributes::jsonb",
}
_INSERT_ROWS = f"""
insert into access_log ({", ".join(_ROW_TYPES)}, batch_id)
select {", ".join(_ROW_VALUES.values())}, batch.id
from unnest(%s::int[], {", ".join(f"%s::{kind}[]" for kind in _ROW_TYPES.values())})
    as arrived (no, {", ".join(_ROW_TYPES)})
join batch using (no)
where fresh
on conflict do nothing
returning batch_id, ts, service
"""
_LAG = "extract(epoch from clock_timestamp() - ts)::float8"
_TALLY_OF_ROWS = f"""
, kept as ({_INSERT_ROWS}), tally as (
    select batch_id as id, service, count(*) as stored, min(ts) as first_ts, max(ts) as last_ts,
        sum({_LAG}) as lag_s, max({_LAG}) as lag_max_s
    from kept group by 1, 2
)
"""
# expected: what each batch holds by service and kind ('' for readable records).
_REST = """
, expected as (
    select * from unnest(%s::int[], %s::text[], %s::text[], %s::bigint[], %s::bigint[])
        as part (no, service, kind, n, size)
), outcome as (
    select batch.id, fresh, source, part.service, kind, part.n, part.size,
        case when kind = '' then coalesce(stored, 0) else 0 end as stored,
        case when kind <> '' and fresh then part.n else 0 end as quarantined,
        coalesce(lag_s, 0) as lag_s, coalesce(lag_max_s, 0) as lag_max_s, first_ts, last_ts
    from expected as part join batch using (no)
    left join tally on tally.id = batch.id and tally.service = part.service and kind = ''
), receipt as (
    insert into ingest_batch
        (id, source, service, identity, received, stored, duplicate, quarantined, bytes, first_ts, last_ts)
    overriding system value
    select batch.id, source, batch.service, case when fresh then identity end, received, total.stored,
        received - total.stored - total.quarantined, total.quarantined, size, total.first_ts, total.last_ts
    from batch join (
        select id, sum(stored) as stored, sum(quarantined) as quarantined,
            min(first_ts) as first_ts, max(last_ts) as last_ts
        from outcome group by id
    ) as total using (id)
    returning id, received, stored, duplicate, quarantined
), ledger as (
    insert into ingest_ledger
        (minute, source, service, kind, received, stored, duplicate, quarantined, bytes, lag_s, lag_max_s)
    select date_trunc('minute', clock_timestamp()), source, service, kind, sum(n), sum(stored),
        sum(n - stored - quarantined), sum(quarantined), sum(size), sum(lag_s), max(lag_max_s)
    from outcome group by source, service, kind
), touched as (
    insert into touched_minute (minute)
    select timestamptz 'epoch' + minute * interval '1 minute' from unnest(%s::bigint[]) as minute
    where exists (select from tally)
)
"""
_REFUSED = """
, refused as (
    insert into quarantine (batch_id, kind, reason, record, size)
    select id, kind, reason, record, part.size
    from unnest(%s::int[], %s::text[], %s::text[], %s::bytea[], %s::int[]) as part (no, kind, reason, record, size)
    join batch using (no) where fresh
)
"""
_RECEIPTS = """
select no, receipt.received, stored, duplicate, receipt.quarantined from receipt join batch using (id)
"""
_ONE_STATEMENT = _BATCHES + _TALLY_OF_ROWS + _REST

# Around a COPY the batches have their ids already, and the tally is known.
_NUMBERED = _BATCHES + "select no, id, fresh from batch order by no"
_BATCHES_GIVEN = """
with batch as (
    select * from unnest(%s::int[], %s::bigint[], %s::boolean[], %s::text[], %s::text[], %s::bytea[], %s::int[],
            %s::int[], %s::bigint[])
        as new (no, id, fresh, source, service, identity, received, quarantined, size)
), tally as (
    select id, service, stored, timestamptz 'epoch' + first_us * interval '1 microsecond' as first_ts,
        timestamptz 'epoch' + last_us * interval '1 microsecond' as last_ts, lag_s, lag_max_s
    from unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::float8[], %s::float8[])
        as part (id, service, stored, first_us, last_us, lag_s, lag_max_s)
)
"""
_AFTER_COPY = _BATCHES_GIVEN + _REST
_ROWS_ONLY = (
    "with batch as (select no, id, true as fresh from unnest(%s::int[], %s::bigint[]) as given (no, id))"
    + _TALLY_OF_ROWS
    + "select id, service, stored, first_ts, last_ts, lag_s, lag_max_s from tally"
)
_COPY = f"copy access_log ({', '.join(COLUMNS)}) from stdin (format binary)"


def store_by_statement(
    connection: psycopg.Connection[Any], batches: Sequence[Batch], *, prepare: bool, most_kept: int
) -> list[Receipt]:
    """Store batches in one statement; records that are there already are counted as duplicates."""
    rows = [(no, row) for no, batch in enumerate(batches) for row in batch.rows]
    columns = _columns([row for _, row in rows], len(_ROW_TYPES))
    keys = [None if key is None else key.hex() for key in columns[-1]]
    parameters = (*_batch_columns(batches), [no for no, _ in rows], *columns[:-1], keys)
    return _finish(connection, _ONE_STATEMENT, parameters, batches, prepare=prepare, most_kept=most_kept)


def insert_rows(connection: psycopg.Connection[Any], rows: Sequence[tuple[int, LogRow]]) -> list[Any]:
    """Insert rows, each with the id of a batch that somebody else writes; those that are there already are not.

    Returns id, service, rows inserted, first and last moment, sum and maximum of the seconds since the event.
    """
    columns = _columns([row for _, row in rows], len(_ROW_TYPES))
    keys = [None if key is None else key.hex() for key in columns[-1]]
    numbers, ids = list(range(len(rows))), [batch_id for batch_id, _ in rows]
    return connection.execute(_ROWS_ONLY, (numbers, ids, numbers, *columns[:-1], keys), prepare=False).fetchall()


def store_by_copy(
    connection: psycopg.Connection[Any],
    batches: Sequence[Batch],
    encoder: CopyEncoder,
    *,
    now_us: Callable[[], int],
    most_kept: int,
) -> list[Receipt]:
    """Store batches in one transaction, rows by binary COPY.

    Raises:
        psycopg.errors.UniqueViolation: a record is there already; nothing was stored.
    """
    with connection.transaction():
        numbered = connection.execute(_NUMBERED, _batch_columns(batches), prepare=True).fetchall()
        fresh = [
            (batch, batch_id) for batch, (_, batch_id, is_fresh) in zip(batches, numbered, strict=True) if is_fresh
        ]
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.write(HEADER)
            for batch, batch_id in fresh:
                for start in range(0, len(batch.rows), ROWS_A_WRITE):
                    copy.write(b"".join(encoder.encode(batch.rows[start : start + ROWS_A_WRITE], batch_id)))
            copy.write(TRAILER)
        no, *columns = _batch_columns(batches)
        parameters = (
            no,
            [batch_id for _, batch_id, _ in numbered],
            [is_fresh for _, _, is_fresh in numbered],
            *columns,
            *_tally_columns(fresh, now_us()),
        )
        return _finish(connection, _AFTER_COPY, parameters, batches, prepare=True, most_kept=most_kept)


def _batch_columns(batches: Sequence[Batch]) -> tuple[list[Any], ...]:
    return (
        list(range(len(batches))),
        [batch.source for batch in batches],
        [batch.service for batch in batches],
        [batch.identity for batch in batches],
        [batch.received for batch in batches],
        [len(batch.quarantined) for batch in batches],
        [batch.size for batch in batches],
    )


def _finish(
    connection: psycopg.Connection[Any],
    statement: str,
    parameters: tuple[list[Any], ...],
    batches: Sequence[Batch],
    *,
    prepare: bool,
    most_kept: int,
) -> list[Receipt]:
    """Run a statement with what its last part needs; records are rarely refused, so that part is left out then."""
    parts = [(no, *part) for no, batch in enumerate(batches) for part in _parts(batch)]
    minutes = {ts // _MICROSECONDS_A_MINUTE for batch in batches for ts in map(_TIME, batch.rows)}
    parameters = (*parameters, *_columns(parts, 5), sorted(minutes))
    if refused := [
        (no, one.kind, one.reason, one.record[:most_kept], len(one.record))
        for no, batch in enumerate(batches)
        for one in batch.quarantined
    ]:
        statement += _REFUSED
        parameters = (*parameters, *_columns(refused, 5))
    return _receipts(connection.execute((statement + _RECEIPTS).encode(), parameters, prepare=prepare).fetchall())


def _parts(batch: Batch) -> list[tuple[str, str, int, int]]:
    """Service, kind, records and bytes; the bytes are counted once, with the first part."""
    stored = Counter(map(_SERVICE, batch.rows))
    refused = Counter(one.kind for one in batch.quarantined)
    counts = [(service, "", n) for service, n in stored.items()]
    counts += [(batch.service, kind, n) for kind, n in refused.items()]
    sizes = [batch.size] + [0] * len(counts)
    return [(*count, size) for count, size in zip(counts, sizes, strict=False)]


def _tally_columns(fresh: Iterable[tuple[Batch, int]], now_us: int) -> tuple[list[Any], ...]:
    """By batch and service: stored, first and last moment, sum and maximum of the seconds since the event."""
    tallies = []
    for batch, batch_id in fresh:
        for service, times in _times_by_service(batch.rows).items():
            n, first, last = len(times), min(times), max(times)
            tallies.append((batch_id, service, n, first, last, (n * now_us - sum(times)) / 1e6, (now_us - first) / 1e6))
    return _columns(tallies, 7)


def _times_by_service(rows: Sequence[LogRow]) -> dict[str, list[int]]:
    services = set(map(_SERVICE, rows))
    if len(services) == 1:
        return {services.pop(): list(map(_TIME, rows))}
    times: dict[str, list[int]] = {service: [] for service in services}
    for service, ts in map(_SERVICE_AND_TIME, rows):
        times[service].append(ts)
    return times


def _columns(rows: Sequence[Sequence[Any]], width: int) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True)) or tuple([] for _ in range(width))


def _receipts(answer: list[Any]) -> list[Receipt]:
    return [Receipt(*counts) for _, *counts in sorted(answer)]


def utc_micros() -> int:
    """The current moment in microseconds since 1970."""
    return round(datetime.now(UTC).timestamp() * 1e6)
