"""Fill a stretch of the past with demo traffic, through the ingest server's own code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from demo.incidents import Plan
from demo.model import RATE_PER_S, Request, ndjson, requests
from ingest_server.intake import Intake, Origin, take_in
from sql.batch import NOTHING, Receipt
from sql.writing import LogWriter

BATCH_RECORDS = 5_000
WHOLE_DAY = timedelta(days=1)
# A shorter gap is what live traffic leaves between two of its flushes anyway.
SHORTEST_GAP = timedelta(seconds=5)
ORIGIN = Origin(source="demo", service="demo")


def missing_range(newest: datetime | None, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the range to fill so that the last 24 hours are whole, or None where they are already.

    Args:
        newest: Time of the newest stored record; None in an empty database.
        now: The current moment.
    """
    start = now - WHOLE_DAY
    if newest is not None:
        # The newest record itself is there: begin right behind it.
        start = max(start, newest + timedelta(microseconds=1))
    return (start, now) if now - start >= SHORTEST_GAP else None


def backfill(
    intake: Intake,
    writer: LogWriter,
    start: datetime,
    end: datetime,
    *,
    seed: int,
    on_progress: Callable[[int], None],
    rate: float = RATE_PER_S,
    plan: Plan | None = None,
) -> Receipt:
    """Store the traffic of `[start, end)`, oldest first, and return the sum of the receipts.

    Args:
        intake: Makes rows of the records.
        writer: Where to.
        start: First moment.
        end: Moment after the last one.
        seed: Which traffic.
        on_progress: Told after every batch how many records have been handed over so far.
        rate: Mean requests per second of a working day.
        plan: Incidents; by default those that somebody who looks at `end` should find.

    Raises:
        DatabaseUnavailable: what was stored before stays; `missing_range` finds the rest.
    """
    total = NOTHING
    for batch in _batches(requests(start, end, seed, rate=rate, plan=plan)):
        total += take_in(ndjson(batch), ORIGIN, intake, writer)
        on_progress(total.received)
    return total


def _batches(records: Iterator[Request]) -> Iterator[list[Request]]:
    while batch := list(islice(records, BATCH_RECORDS)):
        yield batch
