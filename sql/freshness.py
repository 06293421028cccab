"""What the aggregates do not hold yet, and what is no longer kept: read once a snapshot, before any figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from sql.connection import Reading
from sql.plan import MINUTE, Range, few, floor

_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
# endpoint_1m is kept up to date for an hour longer than readers use it: a refresh and a reader need not agree on now.
_UNSETTLED = sa.text("""
select '' as view, minute as low, minute + interval '1 minute' as high, null::timestamptz as rows_from
from (select distinct minute from touched_minute where minute >= :low and minute < :high) as touched
union all
select view, bucket, bucket + width, null from stale_bucket join aggregate_level using (view)
where bucket > :low - interval '1 day' and bucket < :high
union all
select view, null, now() - kept + interval '1 hour', null from aggregate_level where kept is not null
union all
select '', null, null, nullif(raw_from, '-infinity') from log_horizon
""")


@dataclass(frozen=True, slots=True)
class Freshness:
    """Ranges that must be read from finer sources: `touched` from the rows, `stale` by level; sorted and disjoint.

    Rows before `rows_from` may be gone.
    """

    touched: Sequence[Range]
    stale: Mapping[str, Sequence[Range]]
    rows_from: datetime


def freshness(reading: Reading, whole: Range) -> Freshness:
    """Read the freshness of a range; a second figure of the same range takes what the first one read."""
    return reading.once(("freshness", whole), lambda: _freshness(reading, whole))


def _freshness(reading: Reading, whole: Range) -> Freshness:
    touched: list[Range] = []
    stale: dict[str, list[Range]] = {}
    rows_from = _BEGINNING
    for view, low, high, horizon in reading.execute(_UNSETTLED, {"low": floor(whole.start, MINUTE), "high": whole.end}):
        if high is None:
            rows_from = horizon or _BEGINNING
        else:
            (stale.setdefault(view, []) if view else touched).append(Range(low or _BEGINNING, high))
    return Freshness(few(touched), {view: few(ranges) for view, ranges in stale.items()}, rows_from)
