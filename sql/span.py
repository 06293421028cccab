"""From when to when there is data."""

from __future__ import annotations

import sqlalchemy as sa

from sql.connection import Reading
from sql.plan import Range

# Where rows are no longer kept the aggregates know the first minute.
_SPAN = sa.text("""
select least(
    (select min(ts) from access_log),
    (select min(bucket) from traffic_1m where bucket < (select raw_from from log_horizon))
), (select max(ts) from access_log)
""")
# No index holds the service. The days of the aggregate and the minutes that it lacks bound the search.
_SERVICE_SPAN = sa.text("""
with bound as (
    select least(
        (select min(bucket) from traffic_1d where service = :service),
        (select min(bucket) from stale_bucket where view = 'traffic_1d'),
        (select min(minute) from touched_minute)
    ) as low, greatest(
        (select max(bucket) + interval '1 day' from traffic_1d where service = :service),
        (select max(bucket) + interval '1 day' from stale_bucket where view = 'traffic_1d'),
        (select max(minute) + interval '1 minute' from touched_minute)
    ) as high
)
select least(
    (select ts from access_log where service = :service and ts >= low and ts < high order by ts limit 1),
    (
        select bucket from traffic_1m where service = :service
        and bucket >= low and bucket < (select raw_from from log_horizon) order by bucket limit 1
    )
), (select ts from access_log where service = :service and ts >= low and ts < high order by ts desc limit 1)
from bound
""")


def data_span(reading: Reading, service: str | None = None) -> Range | None:
    """First and last moment with a stored request, of one service or of all; None while there is none.

    Where the rows of the first requests are no longer kept, their minute is the first moment.
    """
    return reading.once(("span", service), lambda: _span(reading, service))


def _span(reading: Reading, service: str | None) -> Range | None:
    if service is None:
        first, last = reading.execute(_SPAN).one()
    else:
        first, last = reading.execute(_SERVICE_SPAN, {"service": service}).one()
    return None if first is None else Range(first, last or first)
