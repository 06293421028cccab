"""The TCP proxy between server and database."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from concurrent.futures import Future

from tests.chaos.proxy import PIECE_BYTES, Proxy, reset

_LEAST_STATEMENT_BYTES = 200  # shorter messages are begin, set and the like


class DatabaseProxy(Proxy):
    """Can be cut, stalled, and made to lose the answer to a statement that the database has executed."""

    def __init__(self, upstream: tuple[str, int], rng: random.Random) -> None:
        """Carry everything until told otherwise."""
        super().__init__(upstream, rng)
        self._flowing = asyncio.Event()
        self._loop.call_soon(self._flowing.set)
        self._losses: deque[Future[bool]] = deque()

    def stall(self) -> None:
        """Carry nothing until `resume`; connections stay open."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def resume(self) -> None:
        """Carry again."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def lose_answer(self) -> Future[bool]:
        """Reset the next connection that gets an answer to a statement or to a commit, without that answer."""
        happened: Future[bool] = Future()
        self._loop.call_soon_threadsafe(self._losses.append, happened)
        return happened

    def disarm(self) -> None:
        """Forget losses that no answer has met."""
        self._loop.call_soon_threadsafe(self._losses.clear)

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> None:
        sent = bytearray()  # since the last answer
        tasks = {
            asyncio.ensure_future(self._statements(reader, up_writer, sent)),
            asyncio.ensure_future(self._answers(up_reader, writer, sent)),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        reset(writer, up_writer)

    async def _statements(self, reader: asyncio.StreamReader, up_writer: asyncio.StreamWriter, sent: bytearray) -> None:
        while piece := await reader.read(PIECE_BYTES):
            await self._flowing.wait()
            sent += piece
            up_writer.write(piece)
            await up_writer.drain()

    async def _answers(self, up_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytearray) -> None:
        while piece := await up_reader.read(PIECE_BYTES):
            await self._flowing.wait()
            matters = len(sent) >= _LEAST_STATEMENT_BYTES or b"COMMIT" in sent.upper()
            # Not always the first: so that both the statement and the commit after it are hit over time.
            if matters and self._losses and self._rng.random() < 0.5:
                self._losses.popleft().set_result(True)
                return
            sent.clear()
            writer.write(piece)
            await writer.drain()
