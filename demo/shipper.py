"""Send chunks over HTTP and do with each answer what Fluent Bit does with it: done, dropped or again later."""

from __future__ import annotations

import http.client
import logging
import random
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from demo.wire import Chunk, headers

log = logging.getLogger(__name__)

URI = "/log/ingest"
SUCCESS = range(200, 206)
RETRIED_CLIENT_ERRORS = (408, 429)
# Fluent Bit waits up to 2,000 s between attempts. Somebody watches the demo: it is back within a minute.
RETRY_BASE_S = 5.0
RETRY_CAP_S = 60.0
# Unsent chunks beyond this are given up, oldest first, as with storage.total_limit_size.
BACKLOG_BYTES = 64 * 2**20
TIMEOUT_S = 10.0


@dataclass(slots=True)
class Sent:
    """What became of the records so far."""

    delivered: int = 0
    dropped: int = 0
    retries: int = 0


@dataclass(slots=True)
class _Waiting:
    chunk: Chunk
    due_s: float
    attempts: int = 0


@dataclass(slots=True)
class Shipper:
    """One output: a connection that is kept open and the chunks that wait for another attempt.

    `url` is the server's; without a path it gets `/log/ingest`. Times are seconds of any clock that only
    moves forward; the caller passes them in.
    """

    url: str
    token: str | None = None
    chance: random.Random = field(default_factory=random.Random)
    sent: Sent = field(default_factory=Sent)
    _waiting: list[_Waiting] = field(default_factory=list)
    _connection: http.client.HTTPConnection | None = None

    def offer(self, chunk: Chunk, now_s: float) -> None:
        """Queue a chunk; it is due at once."""
        self._waiting.append(_Waiting(chunk, now_s))
        held = sum(len(one.chunk.body) for one in self._waiting)
        while held > BACKLOG_BYTES:
            oldest = self._waiting.pop(0)
            held -= len(oldest.chunk.body)
            self._drop(oldest.chunk, "the backlog is full")

    def flush(self, now_s: float) -> None:
        """Try every chunk that is due, once."""
        for waiting in [one for one in self._waiting if one.due_s <= now_s]:
            status = self._post(waiting.chunk)
            if status is None or keeps(status):
                waiting.attempts += 1
                wait_s = retry_wait_s(waiting.attempts, self.chance)
                waiting.due_s = now_s + wait_s
                self.sent.retries += 1
                reason = "no answer" if status is None else f"HTTP {status}"
                log.warning("%s: %d records kept, next attempt in %.0f s", reason, waiting.chunk.records, wait_s)
                continue
            self._waiting.remove(waiting)
            if status in SUCCESS:
                self.sent.delivered += waiting.chunk.records
            else:
                self._drop(waiting.chunk, f"HTTP {status}")

    def pending(self) -> int:
        """Return how many records wait for another attempt."""
        return sum(one.chunk.records for one in self._waiting)

    def close(self) -> None:
        """Close the connection; what still waits is lost with the process."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _drop(self, chunk: Chunk, reason: str) -> None:
        self.sent.dropped += chunk.records
        log.error("%s: %d records of %s are lost, they will not be sent again", reason, chunk.records, chunk.tag)

    def _post(self, chunk: Chunk) -> int | None:
        """Send one chunk; return the status of the answer, or None where there was none."""
        address = urlsplit(self.url)
        connection = self._connection or _connect(self.url)
        self._connection = connection
        try:
            path = address.path if address.path not in ("", "/") else URI
            target = f"{path}?{address.query}" if address.query else path
            connection.putrequest("POST", target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers(chunk, _host(self.url), self.token):
                connection.putheader(name, value)
            connection.endheaders(chunk.body)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            log.debug("%s: %s", self.url, error)
            self.close()
            return None
        return answer.status


def keeps(status: int) -> bool:
    """Tell whether Fluent Bit keeps a chunk after an answer other than success, and tries it again."""
    if status in SUCCESS:
        return False
    return not 400 <= status < 500 or status in RETRIED_CLIENT_ERRORS


def retry_wait_s(attempts: int, chance: random.Random) -> float:
    """Return how long to wait after the n-th failed attempt: growing, and uneven so that senders spread."""
    longest = min(RETRY_CAP_S, RETRY_BASE_S * 2**attempts)
    return 1 + chance.uniform(RETRY_BASE_S, longest)


def _connect(url: str) -> http.client.HTTPConnection:
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    return kind(address.hostname or "127.0.0.1", address.port, timeout=TIMEOUT_S)


def _host(url: str) -> str:
    """Return the Host header: always with the port, except on the port of TLS."""
    address = urlsplit(url)
    name = address.hostname or "127.0.0.1"
    name = f"[{name}]" if ":" in name else name
    port = address.port or (443 if address.scheme == "https" else 80)
    return name if (address.scheme, port) == ("https", 443) else f"{name}:{port}"
