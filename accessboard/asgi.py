"""The gunicorn worker of the ingest server: uvicorn, with a bound on headers."""

from __future__ import annotations

import asyncio
import gc
import signal
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn_worker import UvicornWorker

from accessboard.serve import end_with

# One piece of the connection may be 256 KiB, and hold the headers and the beginning of the body.
MOST_HEADER_BYTES = 320 * 1024
HEADERS_TIMEOUT_S = 30.0


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose request line and headers must be short and come soon: nobody has shown a token yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what uvicorn gives a protocol."""
        super().__init__(*args, **kwargs)
        self._header_bytes = 0
        self._before_body = True
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the clock of the first request."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEADERS_TIMEOUT_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before the headers are whole: the parser keeps it all until then."""
        if self._before_body:
            self._header_bytes += len(data)
            if self._header_bytes > MOST_HEADER_BYTES:
                self.transport.close()
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Start the clock of a request on a connection that was kept."""
        self._stop_clock()
        self._deadline = self.loop.call_later(HEADERS_TIMEOUT_S, self.transport.close)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop the clock: from here on the application decides how long it waits."""
        self._stop_clock()
        self._before_body = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Be ready for the next request on this connection."""
        self._before_body, self._header_bytes = True, 0
        super().on_message_complete()

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
