"""Sources that are behind: what they still have to send cannot be counted yet."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from sql.connection import Reading

# Whoever sends sends about once a minute, or is not sending now.
_RECENTLY = timedelta(seconds=60)
# Further behind is a backfill, which has its own time; an import from a file always is one.
_BACKFILL = timedelta(days=1)
_OLDEST_NEWEST = sa.text("""
select min(newest) from (
    select max(last_ts) as newest from ingest_batch
    where received_at > now() - :recently and stored > 0 and source not like 'import:%'
    group by source
) as sources
where newest < :settled and newest > :settled - :backfill
""")


_REPLAYED = sa.text("""
select coalesce(pg_last_xact_replay_timestamp(), (select checkpoint_time from pg_control_checkpoint()))
where pg_is_in_recovery()
""")


def replayed_to(reading: Reading) -> datetime | None:
    """The moment whose state a replica shows at least; None where the database is no replica.

    It is the time of the last commit that was replayed. While anybody watches, the primary commits every few seconds.
    """
    moment: datetime | None = reading.execute(_REPLAYED).scalar_one_or_none()
    return moment


def lagging_since(reading: Reading, settled: datetime) -> datetime | None:
    """Newest moment known of the source that is furthest behind; None while no source is.

    A source is behind if everything it sent in the last minute happened before `settled`, up to which an answer
    would otherwise be final: a shipper that works off what it held back.
    """
    row = reading.execute(_OLDEST_NEWEST, {"settled": settled, "recently": _RECENTLY, "backfill": _BACKFILL})
    moment: datetime | None = row.scalar_one()
    return moment
