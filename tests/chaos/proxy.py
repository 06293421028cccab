"""A TCP proxy that breaks connections on demand, and the one between sender and server.

Each runs an event loop in a thread of its own; the public methods may be called from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import socket
import struct
import threading
from collections import deque
from concurrent.futures import Future
from enum import StrEnum

PIECE_BYTES = 65_536
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close() sends RST


class Trouble(StrEnum):
    """What happens to one request."""

    RESET_IN_REQUEST = "reset_in_request"
    RESET_BEFORE_ANSWER = "reset_before_answer"
    RESET_IN_ANSWER = "reset_in_answer"
    ANSWER_LATE = "answer_late"
    ANSWER_SWALLOWED = "answer_swallowed"
    REQUEST_LATE = "request_late"  # it reaches the server only after its sender gave it up


class Proxy:
    """Carries bytes both ways; subclasses say what can go wrong."""

    def __init__(self, upstream: tuple[str, int], rng: random.Random) -> None:
        """Remember where to; `start` listens on a free port of the loopback."""
        self._upstream = upstream
        self._rng = rng
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=type(self).__name__, daemon=True)
        self._links: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        """Cut everything and end the loop."""
        self.cut()
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def cut(self) -> int:
        """Reset every connection; return how many there were."""
        return asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=512)
        return int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _cut(self) -> int:
        links = list(self._links)
        for link in links:
            reset(*link)
        return len(links)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        except OSError:
            reset(writer)
            return
        link = (writer, up_writer)
        self._links.add(link)
        try:
            await self._carry(reader, writer, up_reader, up_writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            reset(*link)
        finally:
            self._links.discard(link)
            for end in link:
                end.close()

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> None:
        raise NotImplementedError


class HttpProxy(Proxy):
    """Knows where a request and an answer end, so that it can fail in the middle of either or between them."""

    def __init__(self, upstream: tuple[str, int], rng: random.Random, *, patience_s: float) -> None:
        """`patience_s`: after how long a sender gives up."""
        super().__init__(upstream, rng)
        self._patience_s = patience_s
        self._armed: deque[tuple[Trouble, Future[bool]]] = deque()

    def arm(self, trouble: Trouble) -> Future[bool]:
        """Let the next request run into a trouble; the future is done when it has."""
        happened: Future[bool] = Future()
        self._loop.call_soon_threadsafe(self._armed.append, (trouble, happened))
        return happened

    def disarm(self) -> None:
        """Forget troubles that no request has met."""
        self._loop.call_soon_threadsafe(self._armed.clear)

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return None  # the sender is done with this connection
            trouble = None
            if self._armed:
                trouble, happened = self._armed.popleft()
                happened.set_result(True)
            length = _length(head)
            if trouble is Trouble.REQUEST_LATE:
                request = head + await reader.readexactly(length)
                reset(writer)
                await asyncio.sleep(self._rng.uniform(0.2, 1.5 * self._patience_s))
                up_writer.write(request)
                await _answer(up_reader)
                return None
            passed = self._rng.randrange(max(1, length)) if trouble is Trouble.RESET_IN_REQUEST else length
            await _pass(head, passed, reader, up_writer)
            if trouble is Trouble.RESET_IN_REQUEST:
                return reset(writer, up_writer)
            if trouble is Trouble.RESET_BEFORE_ANSWER:
                await asyncio.sleep(self._rng.uniform(0, 0.03))
                return reset(writer, up_writer)
            answer = await self._answer_unless_left(reader, up_reader)
            if trouble is Trouble.ANSWER_SWALLOWED:
                await reader.read()  # until the sender gives up
                return None
            if trouble is Trouble.ANSWER_LATE:
                await asyncio.sleep(1.2 * self._patience_s)
            if trouble is Trouble.RESET_IN_ANSWER:
                writer.write(answer[: self._rng.randrange(1, len(answer))])
                await writer.drain()
                return reset(writer, up_writer)
            writer.write(answer)
            await writer.drain()

    async def _answer_unless_left(self, reader: asyncio.StreamReader, up_reader: asyncio.StreamReader) -> bytes:
        """Read an answer; a sender that leaves before it comes is noticed, as it is without a proxy."""
        answer = asyncio.ensure_future(_answer(up_reader))
        left = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait((answer, left), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise ConnectionResetError
            return answer.result()
        finally:
            for task in (answer, left):
                task.cancel()
            await asyncio.gather(answer, left, return_exceptions=True)


def reset(*writers: asyncio.StreamWriter) -> None:
    """Close connections with RST, as a host that vanished or a firewall does."""
    for writer in writers:
        raw = writer.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()


async def _pass(head: bytes, length: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(head)
    while length:
        piece = await reader.read(min(length, PIECE_BYTES))
        if not piece:
            raise ConnectionResetError
        length -= len(piece)
        writer.write(piece)
        await writer.drain()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(_length(head))


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0
