"""What is stored, how large it is, and how long it stays."""

from __future__ import annotations

from dashapp.api.inputs import Context
from dashapp.api.model import Answer, Count, Moment
from dashapp.api.route import Route
from sql.connection import Reading
from sql.life import Aging, Horizon, Job, Keeping, Lag, Stored, Versions, storage


class Storage(Answer):
    """The log and its aggregates on disk, what is kept, how far the aggregates lag, and the database's jobs."""

    read_at: Moment
    versions: Versions
    database_bytes: Count
    log: Stored
    aggregates: tuple[Stored, ...]
    keeping: Keeping
    horizon: Horizon
    lag: Lag
    jobs: tuple[Job, ...]
    aging: Aging | None


def make_storage(reading: Reading, _context: Context) -> Storage:
    """All of it."""
    found = storage(reading)
    return Storage(
        read_at=found.read_at,
        versions=found.versions,
        database_bytes=found.database_bytes,
        log=found.log,
        aggregates=found.aggregates,
        keeping=found.keeping,
        horizon=found.horizon,
        lag=found.lag,
        jobs=found.jobs,
        aging=found.aging,
    )


ROUTES = (Route("/storage", "What is stored, its size, and how long it is kept", make_storage, Storage),)
