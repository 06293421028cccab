"""Up to which moment the numbers are final."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from dashapp.sharing import Shared
from dashapp.time_range import complete_through
from sql.connection import DatabaseUnavailable, refuse_within_a_snapshot, snapshot
from sql.lagging import lagging_since, replayed_to
from sql.plan import MINUTE, floor


class Completeness:
    """Knows the moment: `settle_seconds` ago, or earlier while a source or a replica lags behind; a whole minute."""

    def __init__(self, engine: sa.Engine, settle_seconds: int, now: Callable[[], datetime], shared: Shared) -> None:
        """Ask the database through `engine`, at most once in a moment of `shared`."""
        self._engine = engine
        self._settle_seconds = settle_seconds
        self._now = now
        self._shared = shared

    def through(self) -> datetime:
        """Everything before this moment has arrived, as far as its sources tell. Never call it within a snapshot."""
        refuse_within_a_snapshot()
        settled = complete_through(self._now(), self._settle_seconds)
        return self._shared.get(("completeness", settled), lambda: self._with_lag(settled))

    def _with_lag(self, settled: datetime) -> datetime:
        try:
            with snapshot(self._engine) as reading:
                replayed = replayed_to(reading)
                if replayed is not None:
                    settled = min(settled, complete_through(replayed, self._settle_seconds))
                behind = lagging_since(reading, settled)
        except DatabaseUnavailable:  # the figures will say so themselves
            return settled
        return settled if behind is None else floor(behind, MINUTE)
