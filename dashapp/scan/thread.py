"""The thread in which the watch runs, beside the viewers of the dashboard."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from sql.connection import DatabaseUnavailable

log = logging.getLogger(__name__)

TICK_S = 5.0
_AWAY_S = 10.0
# After a piece the thread rests for so many times what it took: viewers come first.
_RESTS = 1.0


class Rounds:
    """A thread that does a round, again at once while there is more to do, and survives what goes wrong."""

    def __init__(self, name: str, work: Callable[[], bool], *, tick_s: float = TICK_S) -> None:
        """Begin nothing yet; `work` returns whether there is more to do."""
        self._name = name
        self._work = work
        self._tick_s = tick_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Ask the thread to end and wait for its round."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        wait_s, away = 0.0, False
        while not self._stop.wait(wait_s):
            started = time.monotonic()
            try:
                more = self._work()
            except DatabaseUnavailable as error:
                if not away:
                    log.warning("%s waits: %s", self._name, error)
                wait_s, away = _AWAY_S, True
                continue
            except Exception:  # it must outlive whatever goes wrong in a round
                log.exception("%s: a round failed", self._name)
                wait_s = _AWAY_S
                continue
            if away:
                log.info("%s goes on", self._name)
            away = False
            wait_s = (time.monotonic() - started) * _RESTS if more else self._tick_s
