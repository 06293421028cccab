"""How much may be in work at once; beyond it a request is sent away at once, and comes again.

A sender that waits too long gives up and sends the same again, so a long queue makes more work than it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

MOST_REQUESTS = 256
MOST_BYTES = 96 * 1024 * 1024


class Overloaded(Exception):
    """There is no room for this request now."""


class Admission:
    """Counts requests and bytes in work; for one thread."""

    def __init__(self, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES) -> None:
        """Allow so many requests, and so many bytes of bodies as they come."""
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self.requests = 0
        self.bytes = 0

    @contextmanager
    def admitted(self, size: int) -> Iterator[None]:
        """Hold room for a body of `size` bytes. One body alone is always let in.

        Raises:
            Overloaded: there is none.
        """
        if self.requests >= self._most_requests or (self.bytes and self.bytes + size > self._most_bytes):
            raise Overloaded
        self.requests += 1
        self.bytes += size
        try:
            yield
        finally:
            self.requests -= 1
            self.bytes -= size
