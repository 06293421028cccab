"""The gunicorn worker of the ingest server: uvicorn, with a bound on headers."""

from __future__ import annotations

import asyncio
import gc
import signal
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn_worker import UvicornWorker

from accessboard.serve import end_with

MOST_HEADER_BYTES = 64 * 1024
HEADERS_TIMEOUT_S = 30.0


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose request line and headers must be short and come soon: nobody has shown a token yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what uvicorn gives a protocol."""
        super().__init__(*args, **kwargs)
        self._header_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the clock of the first request."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEADERS_TIMEOUT_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Start the count, and the clock of a request on a connection that was kept."""
        self._header_bytes = 0
        self._stop_clock()
        self._deadline = self.loop.call_later(HEADERS_TIMEOUT_S, self.transport.close)
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop the clock: from here on the application decides how long it waits."""
        self._stop_clock()
        super().on_headers_complete()

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > MOST_HEADER_BYTES:
            self.transport.close()

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class IngestWorker(UvicornWorker):  # type: ignore[misc]
    """A process of the ingest server."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        "loop": "auto",
        "http": BoundedProtocol,
        "ws": "none",
        "access_log": False,
        "server_header": False,
    }

    def init_process(self) -> None:
        """Prepare this process, before it serves."""
        # Without its master a worker would keep the port for ever, and nobody would restart it.
        end_with(self.ppid, signal.SIGTERM)
        # Records make no garbage cycles, but a body makes thousands of objects.
        gc.set_threshold(100_000, 50, 100)
        super().init_process()
