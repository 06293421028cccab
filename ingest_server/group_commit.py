"""Requests that arrive together share a commit.

A commit waits for the disk, whatever it holds. While one is under way, what arrives is collected, and the next
takes all of it: a lone request waits for nobody, and a thousand small ones do not make a thousand commits.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from sql.batch import Batch, Receipt
from sql.connection import DatabaseUnavailable

log = logging.getLogger(__name__)

MOST_ROWS = 20_000
MOST_BATCHES = 500
LARGE_BATCH = 64


class Closed(DatabaseUnavailable):
    """The server is shutting down and takes nothing more."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the server is shutting down")


class GroupCommit:
    """A queue of batches and the threads that store them."""

    def __init__(self, store_all: Callable[[Sequence[Batch]], list[Receipt]], threads: int) -> None:
        """Start `threads` threads, each storing one group at a time with `store_all`."""
        self._store_all = store_all
        self._waiting: deque[tuple[Batch, Future[Receipt]]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._busy = 0
        self._threads = [threading.Thread(target=self._run, name=f"commit-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, batch: Batch) -> Future[Receipt]:
        """Queue a batch; the future has its receipt after the commit, or the reason why it was not stored.

        Raises:
            Closed: nothing is taken any more.
        """
        future: Future[Receipt] = Future()
        future.set_running_or_notify_cancel()  # what is queued is stored, whether or not somebody still waits for it
        with self._changed:
            if self._closed:
                raise Closed
            self._waiting.append((batch, future))
            self._changed.notify()
        return future

    def close(self) -> None:
        """Store what was taken, take nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while group := self._next_group():
            self._store(group)
            with self._changed:
                self._busy -= 1
                self._changed.notify()

    def _next_group(self) -> list[tuple[Batch, Future[Receipt]]]:
        """Wait for work and take as much as one transaction should hold; empty when closed and done."""
        group: list[tuple[Batch, Future[Receipt]]] = []
        with self._changed:
            while not self._closed and not self._worth_a_commit():
                self._changed.wait()
            rows = 0
            while self._waiting and len(group) < MOST_BATCHES:
                rows += self._waiting[0][0].received
                if group and rows > MOST_ROWS:
                    break
                group.append(self._waiting.popleft())
            self._busy += 1
        return group

    def _worth_a_commit(self) -> bool:
        """Whether to begin now: while another commit is under way, small batches do better to wait for it together."""
        if not self._waiting:
            return False
        return self._busy == 0 or any(batch.received >= LARGE_BATCH for batch, _ in self._waiting)

    def _store(self, group: list[tuple[Batch, Future[Receipt]]]) -> None:
        try:
            receipts = self._store_all([batch for batch, _ in group])
        except DatabaseUnavailable as error:
            for _, future in group:
                future.set_exception(error)
        except Exception as error:
            if len(group) == 1:
                log.error("a batch could not be stored", exc_info=error)
                group[0][1].set_exception(error)
                return
            for one in group:  # what one of them brings about must not be the others' fault
                self._store([one])
        else:
            for (_, future), receipt in zip(group, receipts, strict=True):
                future.set_result(receipt)
