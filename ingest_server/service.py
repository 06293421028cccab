"""What one process of the ingest server holds: the way from a body to its receipt.

The loop reads requests; one thread decodes, since a second would only wait for the interpreter; others wait for
the database. Small bodies are decoded in the loop: handing them over would take longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ingest_server.admission import Admission
from ingest_server.compression import decompress
from ingest_server.doors import Door, Foreign
from ingest_server.file_piece import PieceReceipt, Place, batches_of_body, piece_receipt, source_of
from ingest_server.group_commit import GroupCommit
from ingest_server.housekeeping import Housekeeping
from ingest_server.intake import Intake, Origin, open_intake, unreadable_body
from ingest_server.metrics import metrics_text
from ingest_server.request import Request
from ingest_server.settings import IngestSettings
from ingest_server.token_book import TokenBook
from sql.batch import NOTHING, Batch, Receipt
from sql.connection import writing_pool
from sql.ledger import Ledger
from sql.life_jobs import hand_over_through
from sql.settings import LifeSettings
from sql.store import Store
from sql.storing import utc_micros
from sql.writing import LogWriter

SMALL_BODY = 16 * 1024
COMMIT_THREADS = 2
CONNECTIONS = COMMIT_THREADS + 4  # beside commits: routes, metrics, housekeeping, tokens


def open_service(settings: IngestSettings, dsn: str, life: LifeSettings | None = None) -> IngestService:
    """Return a service with a pool of its own, which it closes; `life` is handed over to the database."""
    pool = writing_pool(dsn, max_size=CONNECTIONS)
    writer, ledger = LogWriter(pool), Ledger(pool)
    at_start = (lambda: None) if life is None else partial(hand_over_through, pool, life)
    return IngestService(
        open_intake(settings, writer),
        writer,
        ledger,
        most_bytes=settings.ingest_max_bytes,
        on_close=pool.close,
        housekeeping=Housekeeping(ledger, settings.limits(), at_start),
        tokens=TokenBook(Store(pool)),
    )


class IngestService:
    """Stores bodies; made in the process that serves, closed when it ends."""

    def __init__(
        self,
        intake: Intake,
        writer: LogWriter,
        ledger: Ledger,
        *,
        most_bytes: int,
        on_close: Callable[[], None] = lambda: None,
        housekeeping: Housekeeping | None = None,
        admission: Admission | None = None,
        tokens: TokenBook | None = None,
    ) -> None:
        """Start the threads.

        Args:
            intake: makes batches of bodies.
            writer: stores them.
            ledger: takes down the requests that were refused, and is what the metrics show.
            most_bytes: of a decompressed body.
            on_close: called last when the service ends.
            housekeeping: runs beside; started here.
            admission: bounds what is in work.
            tokens: those that were made in the dashboard, if there may be any.
        """
        self.admission = admission or Admission()
        self._tokens = tokens
        self._intake = intake
        self._writer = writer
        self._ledger = ledger
        self._most_bytes = most_bytes
        self._on_close = on_close
        self._commits = GroupCommit(writer.store_all, COMMIT_THREADS)
        self._decoder = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._waiters = ThreadPoolExecutor(4, thread_name_prefix="wait")
        self._housekeeping = housekeeping
        if housekeeping is not None:
            housekeeping.start()

    async def may_send(self, digest: bytes) -> bool:
        """Whether the token of a digest was made in the dashboard and serves.

        Raises:
            DatabaseUnavailable: it cannot be said.
        """
        if self._tokens is None:
            return False
        if self._tokens.remembers(digest):
            return True
        return await asyncio.get_running_loop().run_in_executor(self._waiters, self._tokens.knows, digest)

    async def store(self, request: Request, body: bytes) -> Receipt:
        """Store a body and return its receipt after the commit.

        Raises:
            UnknownEncoding, BrokenEncoding, TooLarge: it cannot be decompressed.
            DatabaseUnavailable: nothing was stored.
        """
        encoding = request.encoding
        if len(body) <= SMALL_BODY and not encoding and body[:1] in (b"{", b"[") and self._intake.fresh:
            return await self._commit(self._batch(request, body, ""))
        loop = asyncio.get_running_loop()
        return await self._commit(await loop.run_in_executor(self._decoder, self._batch, request, body, encoding))

    async def store_foreign(self, request: Request, body: bytes, door: Door) -> tuple[Foreign, Receipt]:
        """Store what a client of another system sent.

        Raises:
            UnknownEncoding, BrokenEncoding, TooLarge: it cannot be decompressed.
            NotForeign: it is not what the door takes.
            DatabaseUnavailable: nothing was stored.
        """
        foreign, batch = await asyncio.get_running_loop().run_in_executor(
            self._decoder, self._foreign, request, body, door
        )
        return foreign, await self._commit(batch)

    async def store_piece(self, request: Request, body: bytes, place: Place) -> PieceReceipt:
        """Store a body that is whole lines of a file; those that are there already are known by their place.

        Raises:
            UnknownEncoding, BrokenEncoding, TooLarge: it cannot be decompressed.
            DatabaseUnavailable: not all of it was stored; what was is known when it is sent again.
        """
        loop = asyncio.get_running_loop()
        # Not the decoder's thread: this one asks the database which lines it has.
        batches = await loop.run_in_executor(self._waiters, self._piece, request, body, place)
        return piece_receipt(batches, [await self._commit(batch) for batch in batches])

    async def store_unreadable(self, request: Request, body: bytes, reason: str) -> Receipt:
        """Keep a body that is not what its encoding says.

        Raises:
            DatabaseUnavailable: it was not kept.
        """
        return await self._commit(unreadable_body(body, reason, request.origin))

    async def refused(self, request: Request, reason: str) -> None:
        """Take down that a request was turned away whole."""
        self._ledger.refused(request.origin.source, reason)

    async def check(self) -> None:
        """Return if a body could be stored now.

        Raises:
            DatabaseUnavailable: it could not, and why.
        """
        await asyncio.get_running_loop().run_in_executor(self._waiters, self._writer.check)

    async def metrics(self) -> bytes:
        """The ledger in Prometheus' text format.

        Raises:
            DatabaseUnavailable: it cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._waiters, metrics_text, self._ledger, self.admission
        )

    def close(self) -> None:
        """Store what was accepted, then end."""
        self._decoder.shutdown()
        self._commits.close()
        if self._housekeeping is not None:
            self._housekeeping.stop()
        self._waiters.shutdown(cancel_futures=True)
        self._on_close()

    def _batch(self, request: Request, body: bytes, encoding: str) -> Batch:
        decoded = decompress(body, encoding, most=self._most_bytes)
        return self._intake.batch(decoded, request.origin, utc_micros(), idempotency_key=request.idempotency_key)

    def _foreign(self, request: Request, body: bytes, door: Door) -> tuple[Foreign, Batch]:
        encoding = request.encoding or door.encoding(request.content_type)
        foreign = door.read(decompress(body, encoding, most=self._most_bytes), request.content_type, request.path)
        key = request.idempotency_key or foreign.key
        return foreign, self._intake.batch(foreign.lines, request.origin, utc_micros(), idempotency_key=key)

    def _piece(self, request: Request, body: bytes, place: Place) -> list[Batch]:
        lines = decompress(body, request.encoding, most=self._most_bytes)
        origin = Origin(source_of(place.name), request.origin.service)
        return batches_of_body(lines, place.offset, origin, self._intake, self._writer)

    async def _commit(self, batch: Batch) -> Receipt:
        if not batch.received:
            return NOTHING
        return await asyncio.wrap_future(self._commits.submit(batch))
