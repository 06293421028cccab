"""The events that reading is measured on: thirty days of three services, made inside the database.

A daily curve; 400 (method, route) by Zipf 1.0; 12 statuses; lognormal latencies, half a percent without one;
20,000 clients by Zipf 0.9; a batch a minute. The random numbers are seeded, so the same number of events is the
same data, but for the days it lies in.
"""

from __future__ import annotations

import math
import random
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import psycopg

from sql.plan import MINUTE

DAYS = 30
MINUTES_A_DAY = 1440
SERVICES = ("shop", "auth", "pay")
ENDPOINTS, CLIENTS, AGENTS = 400, 20_000, 60
ENDPOINT_ZIPF, CLIENT_ZIPF = 1.0, 0.9
STATUS_PERMILLE = {
    200: 820, 201: 40, 204: 20, 302: 15, 304: 35, 400: 10, 401: 10, 403: 5, 404: 30, 500: 8, 502: 4, 503: 3,
}  # fmt: skip
# A drawn number is looked up instead of calculated: a Zipf draw costs as much as an index into an array.
SLOTS = 262_144
SEED = 7


class Endpoint(NamedTuple):
    """One (method, route); its latency is lognormal around `typical_ms`."""

    service: str
    method: str
    route: str
    typical_ms: float


def endpoints() -> list[Endpoint]:
    """Every endpoint, the most called first; half of the routes end in an id."""
    random_ = random.Random(SEED)  # noqa: S311
    found = []
    for rank in range(ENDPOINTS):
        route = f"/api/{random_.choice(('order', 'item', 'user', 'cart', 'report'))}/r{rank:x}"
        found.append(
            Endpoint(
                SERVICES[rank % len(SERVICES)],
                random_.choice(("GET", "GET", "GET", "POST", "PUT", "DELETE")),
                route + ("/{id}" if rank % 2 else ""),
                random_.lognormvariate(math.log(25), 0.8),
            )
        )
    return found


def zipf_lookup(things: int, exponent: float) -> list[int]:
    """Ranks from 1, each in as many of SLOTS places as its share by Zipf's law, but for rounding."""
    sums = list(accumulate(1 / rank**exponent for rank in range(1, things + 1)))
    ends = [round(SLOTS * part / sums[-1]) for part in sums]
    return [rank for rank, (low, high) in enumerate(pairwise([0, *ends]), 1) for _ in range(high - low)]


def minute_counts(events: int, minutes: int) -> list[int]:
    """Events of each minute: whole numbers along a daily curve that add up to `events`."""
    weights = (1 - 0.7 * math.cos(math.tau * minute / MINUTES_A_DAY) for minute in range(minutes))
    sums = list(accumulate(weights))
    ends = [round(events * part / sums[-1]) for part in sums]
    return [high - low for low, high in pairwise([0, *ends])]


_STATUSES = [status for status, permille in STATUS_PERMILLE.items() for _ in range(permille)]
_INSERT = f"""
insert into access_log (ts, service, method, path, route, status, latency_ms, bytes, client_ip, user_agent, referer,
                        attributes, record_key, batch_id)
select ts, service, method, replace(route, '{{id}}', item::text), route, status,
    case when chance >= 0.005 then round(typical_ms * exp(0.7 * spread) * 1000) / 1000 end,
    size, '10.0.0.0'::inet + client,
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/' || 90 + mod(client, {AGENTS}) || '.0 Safari/537.36',
    case when chance > 0.8 then 'https://www.example.com/' || mod(client, 200) end,
    case when chance > 0.95 then jsonb_build_object('host', 'web-' || mod(client, 8), 'cache', 'MISS') end,
    md5(batch_id || ':' || number)::uuid, batch_id
from (
    select %(first_batch)s::bigint + no - 1 as batch_id, number,
        date_trunc('milliseconds',
            %(start)s::timestamptz + (no - 1 + (number - random()) / n) * interval '1 minute') as ts,
        (%(endpoints)s::int[])[1 + floor(random() * {SLOTS})::int] as endpoint,
        (%(clients)s::int[])[1 + floor(random() * {SLOTS})::int] as client,
        (%(statuses)s::smallint[])[1 + floor(random() * {len(_STATUSES)})::int] as status,
        random_normal() as spread, random() as chance, floor(random() * 1000000)::int as item,
        floor(200 + 60000 * random() ^ 3)::bigint as size
    from unnest(%(counts)s::int[]) with ordinality as minute (n, no), generate_series(1, n) as number
    offset 0
) as drawn
join unnest(%(service)s::text[], %(method)s::text[], %(route)s::text[], %(typical_ms)s::float8[])
    with ordinality as known (service, method, route, typical_ms, endpoint) using (endpoint)
"""
# What the ingest server leaves beside the rows: names, a receipt a batch, the ledger, the minutes to refresh.
_NAMES = """
with given as (select * from unnest(%(service)s::text[], %(route)s::text[]) as name (service, route)),
    services as (insert into service (name) select distinct service from given on conflict do nothing)
insert into route (service, name) select distinct service, route from given on conflict do nothing
"""
_BATCHES = """
insert into ingest_batch (id, received_at, source, service, received, stored, duplicate, quarantined, bytes,
                          first_ts, last_ts)
overriding system value
select %(first_batch)s::bigint + no - 1, minute + interval '1 minute', 'bench', 'shop', n, n, 0, 0, n * 300::bigint,
    minute, minute + interval '1 minute'
from unnest(%(counts)s::int[]) with ordinality as given (n, no),
    lateral (select %(start)s::timestamptz + (no - 1) * interval '1 minute' as minute) as of_batch
where n > 0
"""
_TOUCHED = """
insert into touched_minute (minute)
select %(start)s::timestamptz + (no - 1) * interval '1 minute'
from unnest(%(counts)s::int[]) with ordinality as given (n, no) where n > 0
"""
_LEDGER = """
insert into ingest_ledger (minute, source, service, kind, received, stored, duplicate, quarantined, bytes,
                           first_arrival, last_arrival, lag_s, lag_max_s, summed)
select bucket, 'bench', service, '', sum(n), sum(n), 0, 0, sum(n) * 300, bucket, bucket + interval '59 seconds',
    sum(n) * 2, 5, true
from traffic_1m group by bucket, service
"""


def load(connection: psycopg.Connection[Any], events: int, end: datetime) -> None:
    """Insert the events of the thirty days before a whole minute, a transaction a day."""
    connection.execute("select setseed(%s)", (1 / SEED,))
    load_minutes(connection, minute_counts(events, DAYS * MINUTES_A_DAY), end)


def load_minutes(connection: psycopg.Connection[Any], counts: list[int], end: datetime) -> None:
    """Insert so many events in each of the minutes before a whole one."""
    known = endpoints()
    shape: dict[str, Any] = {
        name: [getattr(endpoint, name) for endpoint in known] for name in ("service", "method", "route", "typical_ms")
    } | {
        "endpoints": zipf_lookup(ENDPOINTS, ENDPOINT_ZIPF),
        "clients": zipf_lookup(CLIENTS, CLIENT_ZIPF),
        "statuses": _STATUSES,
    }
    connection.execute(_NAMES.encode(), shape)
    last: Any = connection.execute("select coalesce(max(id), 0) from ingest_batch").fetchone()
    for first in range(0, len(counts), MINUTES_A_DAY):
        piece = counts[first : first + MINUTES_A_DAY]
        start = end - (len(counts) - first) * MINUTE
        _load_piece(connection, shape | {"counts": piece, "start": start, "first_batch": last[0] + 1 + first})
    connection.execute("select setval('ingest_batch_id_seq', %s)", (last[0] + len(counts),))


def _load_piece(connection: psycopg.Connection[Any], values: dict[str, Any]) -> None:
    with connection.transaction():
        for statement in (_INSERT, _BATCHES, _TOUCHED):
            connection.execute(statement.encode(), values)


def write_ledger(connection: psycopg.Connection[Any]) -> None:
    """Write the ledger of the loaded events, from the aggregates: to be called when these are built."""
    connection.execute(_LEDGER.encode())
