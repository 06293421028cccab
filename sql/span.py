"""From when to when there is data."""

from __future__ import annotations

import sqlalchemy as sa

from sql.connection import Reading
from sql.plan import Range

# Days that hold the first and the last request of what is asked for. The days of the aggregate know them, and what it
# lacks is listed, though not by service: then the search goes on from there.
_DAYS = sa.text("""
with days as (
    select min(bucket) as first, max(bucket) as last from traffic_1d
    where cast(:service as text) is null or service = :service
), listed as (
    select
        least(
            (select min(bucket) from stale_bucket where view = 'traffic_1d'),
            (select min(minute) from touched_minute)
        ) as first,
        greatest(
            (select max(bucket) + interval '1 day' from stale_bucket where view = 'traffic_1d'),
            (select max(minute) + interval '1 minute' from touched_minute)
        ) as last
), span as (
    select least(days.first, listed.first) as low, greatest(days.last + interval '1 day', listed.last) as high,
        days.first + interval '1 day' as first_end, days.last as last_start
    from days, listed
)
select low, coalesce(first_end, high), coalesce(last_start, low), high,
    (select nullif(raw_from, '-infinity') from log_horizon)
from span
""")
# Bounds that are constants let the planner leave chunks out; with a year of them it would need longer than the search.
_ENDS = """
select least(
    (select ts from access_log where ts >= :low and ts < :first_end {of_service} order by ts limit 1),
    (
        select bucket from traffic_1m
        where bucket >= :low and bucket < :first_end and bucket < :rows_from {of_service}
        order by bucket limit 1
    )
), (select ts from access_log where ts >= :last_start and ts < :high {of_service} order by ts desc limit 1)
"""
_ENDS_OF_ALL = sa.text(_ENDS.format(of_service=""))
_ENDS_OF_SERVICE = sa.text(_ENDS.format(of_service="and service = :service"))


def data_span(reading: Reading, service: str | None = None) -> Range | None:
    """First and last moment with a stored request, of one service or of all; None while there is none.

    Where the rows of the first requests are no longer kept, their minute is the first moment.
    """
    return reading.once(("span", service), lambda: _span(reading, service))


def _span(reading: Reading, service: str | None) -> Range | None:
    low, first_end, last_start, high, rows_from = reading.execute(_DAYS, {"service": service}).one()
    if low is None:
        return None
    bounds = {"low": low, "first_end": first_end, "last_start": last_start, "high": high, "rows_from": rows_from}
    if service is None:
        first, last = reading.execute(_ENDS_OF_ALL, bounds).one()
    else:
        first, last = reading.execute(_ENDS_OF_SERVICE, bounds | {"service": service}).one()
    return None if first is None else Range(first, last or first)
