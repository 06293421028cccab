"""What an ingest process does beside: hand over settings, write down refusals, keep the ledger and quarantine small."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from sql.connection import DatabaseUnavailable
from sql.ledger import Ledger, Limits

log = logging.getLogger(__name__)

FLUSH_EVERY_S = 5.0
TIDY_EVERY_S = 60.0


class Housekeeping:
    """A thread; a database that is away only delays it."""

    def __init__(self, ledger: Ledger, limits: Limits, at_start: Callable[[], None] = lambda: None) -> None:
        """Start nothing yet; `at_start` is done first, as soon as the database is there."""
        self._ledger = ledger
        self._at_start = at_start
        self._limits = limits
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End it; refusals counted until now are written if they can be."""
        self._stop.set()
        self._thread.join()
        self._try(self._ledger.flush)

    def _run(self) -> None:
        tidy_at = time.monotonic() + TIDY_EVERY_S
        started = self._try(self._at_start)
        while not self._stop.wait(FLUSH_EVERY_S):
            started = started or self._try(self._at_start)
            self._try(self._ledger.flush)
            if time.monotonic() >= tidy_at:
                self._try(lambda: self._ledger.tidy(self._limits))
                tidy_at = time.monotonic() + TIDY_EVERY_S

    @staticmethod
    def _try(work: Callable[[], None]) -> bool:
        try:
            work()
        except DatabaseUnavailable as error:
            log.debug("housekeeping waits: %s", error)
            return False
        return True
