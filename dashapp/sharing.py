"""Viewers who ask the same at the same moment share one answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

Value = TypeVar("Value")

# Shorter than any viewer polls, long enough for fifty of them to meet.
MOMENT_S = 1.0
MOST_ANSWERS = 500


@dataclass(frozen=True, slots=True)
class _Answer:
    made: Future[Any]
    since: float


class Shared:
    """Answers of the last moment, and those being made: the first to ask makes one, the others wait for it.

    An answer is as old as the moment in which its making began; it is handed out for `seconds` after that, and
    to those who came while it was made. A failure is told to everybody who waits, and then forgotten.
    """

    def __init__(self, seconds: float = MOMENT_S, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet."""
        self._seconds = seconds
        self._clock = clock
        self._answers: dict[Hashable, _Answer] = {}
        self._lock = threading.Lock()

    def get(self, question: Hashable, make: Callable[[], Value]) -> Value:
        """Return what `make` returns, or what it returned to somebody who asked the same a moment ago."""
        mine: Future[Value] = Future()
        with self._lock:
            now = self._clock()
            known = self._answers.get(question)
            if known is None or (known.made.done() and now - known.since >= self._seconds):
                self._forget(now)
                self._answers[question] = _Answer(mine, now)
                known = None
        if known is not None:
            value: Value = known.made.result()
            return value
        try:
            mine.set_result(make())
        except BaseException as error:
            mine.set_exception(error)
            with self._lock:
                if (there := self._answers.get(question)) is not None and there.made is mine:
                    del self._answers[question]
        return mine.result()

    def _forget(self, now: float) -> None:
        """Drop what nobody gets any more; while there are too many, everything that is finished."""
        crowded = len(self._answers) >= MOST_ANSWERS
        for question, answer in list(self._answers.items()):
            if answer.made.done() and (crowded or now - answer.since >= self._seconds):
                del self._answers[question]
