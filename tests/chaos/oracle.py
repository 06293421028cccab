"""Sends numbered records by Fluent Bit's rules and remembers which of them were acknowledged."""

from __future__ import annotations

import heapq
import itertools
import json
import random
import threading
import time
from collections import Counter
from enum import Enum
from http.client import HTTPConnection, HTTPException, HTTPResponse

from tests.chaos.records import Chunk, RecordMaker

INGEST_PATH = "/log/ingest"
# Fluent Bit waits 60 s for an answer and 6 s and more before it tries again; here all of it is shorter.
ANSWER_TIMEOUT_S = 2.0
BACKOFF_BASE_S, BACKOFF_CAP_S, BACKOFF_FIXED_S = 0.1, 1.0, 0.05
MOST_ANSWER_BYTES = 4094  # an answer of that size counts as a broken connection
CONNECTIONS = 12
MOST_WAITING = 40  # chunks; beyond, no new ones are made until some are done
PAUSE_S = 0.2  # of each connection after a chunk: the faults count, not the records
_CUT_SHARE, _AGAIN_SHARE = 0.2, 0.02


class Verdict(Enum):
    """What an answer does to a chunk."""

    DONE = "done"
    RETRY = "retry"
    DROP = "drop"


def verdict_on(status: int) -> Verdict:
    """Return what Fluent Bit does after a status."""
    if 200 <= status <= 205:
        return Verdict.DONE
    if 400 <= status <= 499 and status not in (408, 429):
        return Verdict.DROP
    return Verdict.RETRY


class Oracle:
    """Several connections that send, retry for ever and keep account."""

    def __init__(
        self, address: tuple[str, int], seed: int, *, scale: float = 1.0, timeout_s: float = ANSWER_TIMEOUT_S
    ) -> None:
        """Send to `address`; `scale` is that of `RecordMaker`."""
        self._address = address
        self._timeout_s = timeout_s
        self._rng = random.Random(seed)
        self._maker = RecordMaker(self._rng, scale=scale)
        self._lock = threading.Lock()
        self._waiting: list[tuple[float, int, Chunk]] = []
        self._order = itertools.count()
        self._in_flight = 0
        self._producing = False
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self.acknowledged: set[int] = set()
        self.dropped: set[int] = set()
        self.complaints: list[str] = []
        self.answers: Counter[str] = Counter()
        self.requests = self.retries = self.acks = self.recut = 0
        self.last_ack_at = time.monotonic()
        self.longest_silence_s = 0.0

    @property
    def issued(self) -> int:
        """Records made so far; their numbers are below this."""
        return self._maker.issued

    def start(self, *, producing: bool = True) -> None:
        """Begin to send, until `drain`; not `producing`: only what is waiting."""
        self._producing = producing
        self.last_ack_at = time.monotonic()
        self._threads = [
            threading.Thread(target=self._send, name=f"sender-{n}", daemon=True) for n in range(CONNECTIONS)
        ]
        for thread in self._threads:
            thread.start()

    def burst(self, connections: int, records: int) -> None:
        """Send one chunk over each of many connections at the same moment; return when each has an outcome."""
        together = threading.Barrier(connections)
        threads = [
            threading.Thread(target=self._send_one, args=(together, records), daemon=True) for _ in range(connections)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def wait_for_acks(self, more: int, limit_s: float) -> bool:
        """Wait until so many further chunks were acknowledged; False when the time is up."""
        wanted, deadline = self.acks + more, time.monotonic() + limit_s
        while self.acks < wanted:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def drain(self, limit_s: float) -> int:
        """Make no new records and send what is left; return how many chunks are still unacknowledged."""
        with self._lock:
            self._producing = False
        deadline = time.monotonic() + limit_s
        while (left := self._unfinished()) and time.monotonic() < deadline:
            time.sleep(0.05)
        self._ended.set()
        for thread in self._threads:
            thread.join(self._timeout_s * 2 + 5)
        return left

    def _unfinished(self) -> int:
        with self._lock:
            return len(self._waiting) + self._in_flight

    def _send(self) -> None:
        connection = self._connection()
        while not self._ended.is_set():
            chunk = self._next()
            if chunk is None:
                time.sleep(0.01)
                continue
            self._attempt(connection, chunk)
            time.sleep(PAUSE_S)
        connection.close()

    def _send_one(self, together: threading.Barrier, records: int) -> None:
        with self._lock:
            chunk = self._maker.chunk(count=records)
            self._in_flight += 1
        together.wait()
        connection = self._connection()
        self._attempt(connection, chunk)
        connection.close()

    def _connection(self) -> HTTPConnection:
        return HTTPConnection(*self._address, timeout=self._timeout_s)

    def _next(self) -> Chunk | None:
        with self._lock:
            if self._waiting and self._waiting[0][0] <= time.monotonic():
                chunk = heapq.heappop(self._waiting)[2]
            elif self._producing and len(self._waiting) < MOST_WAITING:
                chunk = self._maker.chunk()
            else:
                return None
            self._in_flight += 1
            return chunk

    def _attempt(self, connection: HTTPConnection, chunk: Chunk) -> None:
        """Send a chunk once and act on the outcome."""
        chunk.attempts += 1
        complaint = ""
        try:
            connection.request("POST", INGEST_PATH, chunk.body, chunk.headers)
            answer = connection.getresponse()
            body = answer.read()
            said, outcome = str(answer.status), verdict_on(answer.status)
            if answer.will_close:
                connection.close()
            if _too_large(answer, body):
                said, outcome = "too large", Verdict.RETRY
            if outcome is Verdict.DONE:
                complaint = _wrong_receipt(body, len(chunk.records))
            elif outcome is Verdict.DROP:
                complaint = f"{answer.status} throws {len(chunk.records)} records away: {body[:200]!r}"
        except (OSError, HTTPException) as error:
            connection.close()
            said, outcome = type(error).__name__, Verdict.RETRY
        with self._lock:
            self._account(chunk, said, outcome, complaint)

    def _account(self, chunk: Chunk, said: str, outcome: Verdict, complaint: str) -> None:
        self._in_flight -= 1
        self.requests += 1
        self.retries += chunk.attempts > 1
        self.answers[said] += 1
        if complaint:
            self.complaints.append(complaint)
        numbers = (record.number for record in chunk.records)
        if outcome is Verdict.DONE:
            self.acknowledged.update(numbers)
            self._note_ack()
            if self._producing and chunk.may_be_cut and self._rng.random() < _AGAIN_SHARE:
                self.recut += 1
                self._wait(self._maker.again(chunk, share=0.5))
        elif outcome is Verdict.DROP:
            self.dropped.update(numbers)
        elif self._producing and chunk.may_be_cut and self._rng.random() < _CUT_SHARE:
            self.recut += 1
            for other in self._maker.cut(chunk):
                other.attempts = chunk.attempts
                self._wait(other)
        else:
            self._wait(chunk)

    def _note_ack(self) -> None:
        now = time.monotonic()
        self.longest_silence_s = max(self.longest_silence_s, now - self.last_ack_at)
        self.last_ack_at = now
        self.acks += 1

    def _wait(self, chunk: Chunk) -> None:
        """Put a chunk aside until its next attempt; the wait grows as Fluent Bit's does."""
        longest = min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2 ** min(chunk.attempts, 20))
        due = time.monotonic() + BACKOFF_FIXED_S + self._rng.uniform(BACKOFF_BASE_S, longest)
        heapq.heappush(self._waiting, (due, next(self._order), chunk))


def _too_large(answer: HTTPResponse, body: bytes) -> bool:
    return len(b"HTTP/1.1 200 OK\r\n") + len(str(answer.headers)) + len(body) >= MOST_ANSWER_BYTES


def _wrong_receipt(body: bytes, sent: int) -> str:
    """Say what is wrong with the receipt of a chunk whose records are all good; empty: nothing."""
    if not body:
        return ""
    try:
        receipt = json.loads(body)
        received, kept = receipt["received"], receipt["stored"] + receipt["duplicate"]
    except (ValueError, KeyError, TypeError):
        return f"no receipt: {body[:200]!r}"
    if received == sent and kept == sent and receipt["quarantined"] == 0:
        return ""
    return f"receipt of {sent} good records: {receipt}"
