"""Read the parts of a page one by one, so that one that fails does not take the others with it."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

import sqlalchemy as sa

from sql.connection import BadPattern, DatabaseUnavailable, Reading, TooSlow, snapshot

Value = TypeVar("Value")
LIMIT_S = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failed:
    """A part that could not be read: the number under which the log tells more, and a key of the catalogue."""

    request: str
    reason: str


class Parts:
    """Reads parts in one snapshot; after one that failed, in a fresh one.

    A part is read by one call, so its figures are of one snapshot whatever happens to the others.
    """

    def __init__(self, engine: sa.Engine, *, seconds: float = LIMIT_S) -> None:
        """Open nothing yet; no statement takes longer than `seconds`, and none begins after them."""
        self._engine = engine
        self._seconds = seconds
        self._open: AbstractContextManager[Reading] | None = None
        self._reading: Reading | None = None
        self._away: Failed | None = None
        self._until = time.monotonic() + seconds

    def __enter__(self) -> Parts:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the snapshot."""
        if self._open is not None:
            self._open.__exit__(kind, error, at)

    def read(self, make: Callable[[Reading], Value]) -> Value | Failed:
        """What `make` reads, or why it could not. Where nothing can be opened, the parts after it are not tried."""
        if self._away is not None:
            return self._away
        if time.monotonic() > self._until:
            return _failed(TooSlow("the parts before it took all the time"))
        try:
            if self._reading is None:
                self._begin()
            assert self._reading is not None
            return make(self._reading)
        except Exception as error:
            opened = self._open is not None
            failed = _failed(self._explained(error))
            if not opened:
                self._away = failed
            self._open = self._reading = None
            return failed

    def _begin(self) -> None:
        opening = snapshot(self._engine, seconds=self._seconds)
        self._reading = opening.__enter__()
        self._open = opening

    def _explained(self, error: Exception) -> Exception:
        """The error as `snapshot` explains it; that ends the snapshot, whose transaction is lost anyway."""
        if self._open is None:
            return error
        try:
            self._open.__exit__(type(error), error, error.__traceback__)
        except Exception as explained:
            return explained
        return error


def _failed(error: Exception) -> Failed:
    request = secrets.token_hex(4)
    if isinstance(error, TooSlow):
        reason = "failed_slow"
    elif isinstance(error, DatabaseUnavailable):
        reason = "failed_away"
    elif isinstance(error, BadPattern):
        reason = "failed_pattern"
    else:
        reason = "failed_other"
    if reason == "failed_other":
        log.error("a part failed, request %s", request, exc_info=error)
    else:
        log.warning("a part failed, request %s: %s", request, error)
    return Failed(request, reason)
