"""The watch, minute by minute: one process at a time, warm after a restart, and in its pauses over what came late."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from dashapp.insight.finding import Severity
from dashapp.scan.course import Answer, Make, WatchFailed
from dashapp.scan.late import Late, begun
from dashapp.scan.live import WARM, Live, warmed
from sql.connection import DatabaseUnavailable, snapshot
from sql.plan import Range
from sql.watching import LEASE_S, LeaseLost, Queued, Step, WatchStore, spans_with_data

log = logging.getLogger(__name__)

VERSION = 1  # of what is found: raised where the search finds other things than before
# After a longer stop the time since is searched in the background, and the watch goes on with what is new.
MOST_CAUGHT_UP = WARM
_RENEW_S = LEASE_S / 3
# Between looks for rows that came late.
_LOOK_S = 30.0
# Of a round, for what came late.
_LATE_S = 2.0


class Scanner:
    """What one round does; a thread calls it again and again (dashapp.scan.thread)."""

    def __init__(
        self,
        engine: sa.Engine,
        store: WatchStore,
        complete: Callable[[], datetime],
        make: Make,
        answer: Answer,
        *,
        least: Severity | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open nothing yet.

        Args:
            engine: to read with.
            store: to write with.
            complete: the moment up to which the numbers are final.
            make: makes a watch.
            answer: reads what a watch asks for.
            least: the least severity that is told; None tells nothing.
            clock: seconds.
        """
        self._engine = engine
        self._store = store
        self._complete = complete
        self._make = make
        self._answer = answer
        self._least = least
        self._clock = clock
        self._live: Live | None = None
        self._late: Late | None = None
        self._pending: Step | None = None
        self._through: datetime | None = None
        self._broken: datetime | None = None
        self._queue: list[Queued] = []
        self._away = False
        self._leased_until = self._renew_at = self._look_at = float("-inf")

    @property
    def holds(self) -> bool:
        """Whether this process watches."""
        return self._leased_until > self._clock()

    def round(self) -> bool:
        """Go on as far as there is something new; returns whether there is more to do at once.

        Raises:
            DatabaseUnavailable: the database is away. The next round goes on where this one stopped.
        """
        try:
            return self._leased() and self._watch()
        except LeaseLost:
            log.info("another process watches")
            self._forget()
        except WatchFailed as failure:
            # A minute that the search cannot stand must not end it for ever.
            log.exception("a minute is left out: %s", failure)
            if self._through is not None and self._through < failure.after:
                self._through = failure.after
                self._store.keep(Step(VERSION, through=self._through))
            self._live = self._late = None
            self._broken = failure.after
            self._store.note_problem(str(failure))
        except DatabaseUnavailable:
            self._away = True
            raise
        return False

    def stop(self) -> None:
        """Leave the watch to another process."""
        if self.holds:
            self._store.release()
        self._forget()

    def _forget(self) -> None:
        self._live = self._late = self._pending = self._through = self._broken = None
        self._queue = []
        self._leased_until = self._renew_at = self._look_at = float("-inf")

    def _leased(self) -> bool:
        """Take the lease or renew it; whoever takes it anew begins with what is kept."""
        now = self._clock()
        if now < self._renew_at:
            return self.holds
        state = self._store.lease()
        self._renew_at = now + _RENEW_S
        if state is None:
            renew_at = self._renew_at
            self._forget()
            self._renew_at = renew_at
            return False
        if not self.holds:
            self._forget()
            self._renew_at, self._through = now + _RENEW_S, state.through
        self._leased_until = now + LEASE_S
        return True

    def _watch(self) -> bool:
        # What was seen but could not be written; before anything else, for the watch does not go back.
        self._write(None)
        until = self._complete()
        if self._through is None:
            self._begin(until)
        assert self._through is not None
        if self._live is None:
            self._warm(until)
        live = self._live
        assert live is not None
        if self._away:
            # What was to be stored meanwhile may still be on its way.
            live.course.unseen = [*live.course.unseen, Range(live.course.at, until)]
            self._away = False
        if live.course.at < until:
            self._write(live.advance(self._engine, until))
            if live.course.at < until:
                return True
        return self._catch_up_late()

    def _begin(self, until: datetime) -> None:
        """The first time: what is stored already is searched in the background."""
        with snapshot(self._engine) as reading:
            spans = spans_with_data(reading)
        earlier = [Range(each.start, min(each.end, until)) for each in spans if each.start < until]
        self._store.begin(until, VERSION, earlier)
        self._through = until

    def _warm(self, until: datetime) -> None:
        assert self._through is not None
        if until - self._through > MOST_CAUGHT_UP:
            self._store.skip(Range(self._through, until), VERSION)
            self._through = until
        self._live, step = warmed(
            self._engine,
            self._make,
            self._answer,
            self._through,
            version=VERSION,
            least=self._least,
            not_before=self._broken,
            # While nobody watched, perhaps nobody collected either.
            unseen=[Range(self._through, until)],
            alive=self._alive,
        )
        self._write(step)

    def _alive(self) -> None:
        if not self._leased():
            raise LeaseLost

    def _write(self, step: Step | None) -> None:
        if self._pending is not None:
            self._store.keep(self._pending)
            self._pending = None
        if step is not None:
            self._pending = step
            if step.through is not None:
                self._through = step.through
            self._store.keep(step)
            self._pending = None

    def _catch_up_late(self) -> bool:
        """Spend a while on ranges whose rows came late, the newest first; returns whether some are left."""
        assert self._through is not None
        started = self._clock()
        if started >= self._look_at and self._late is None:
            self._queue = self._store.queue_late(self._through)
            self._look_at = started + _LOOK_S
        while self._clock() < started + _LATE_S:
            if self._late is None:
                if not self._queue:
                    return False
                entry, *self._queue = self._queue
                self._late = begun(
                    self._engine,
                    self._make,
                    self._answer,
                    entry,
                    version=VERSION,
                    through=self._through,
                    not_before=self._broken,
                )
                self._alive()
                continue
            step, finished = self._late.advance(self._engine, self._through)
            self._write(step)
            if finished:
                self._end_late(self._late)
        return True

    def _end_late(self, late: Late) -> None:
        log.info("searched %s to %s, which came late", late.queued.start, late.queued.end)
        self._late = None
        assert self._through is not None
        if late.queued.end > self._through - WARM - timedelta(hours=1):
            # The live watch has seen these hours without the rows.
            self._live = None
