"""What an ingest process does beside: write down refusals, sum up the ledger, bound the quarantine."""

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

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        """Start nothing yet."""
        self._ledger = ledger
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
        while not self._stop.wait(FLUSH_EVERY_S):
            self._try(self._ledger.flush)
            if time.monotonic() >= tidy_at:
                self._try(lambda: self._ledger.tidy(self._limits))
                tidy_at = time.monotonic() + TIDY_EVERY_S

    @staticmethod
    def _try(work: Callable[[], None]) -> None:
        try:
            work()
        except DatabaseUnavailable as error:
            log.debug("housekeeping waits: %s", error)
