"""The ingest server's HTTP side: who may send, what may be sent, and the answer.

Fluent Bit never reads an error text: a 4xx makes it throw the data away, a 5xx makes it try again. So
whatever may be kept is answered 200 and kept, in the quarantine if need be, and every fault of ours is 503.
An ASGI application by itself, without a framework: at one record a request the framework would cost more than
the record (docs/adr/0004).
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from ingest_server.access import Access
from ingest_server.admission import Overloaded
from ingest_server.compression import BrokenEncoding, TooLarge, UnknownEncoding
from ingest_server.doors import Door, Foreign, NotForeign, door_of
from ingest_server.file_piece import PieceReceipt
from ingest_server.request import BODY_TIMEOUT_S, BadPlace, BodyTooSlow, ClientGone, Request
from ingest_server.service import IngestService
from ingest_server.settings import IngestSettings
from sql.batch import Receipt
from sql.connection import DatabaseUnavailable

log = logging.getLogger(__name__)

RETRY_AFTER_S = 5
INGEST_PATHS = frozenset({"/log/ingest", "/log/ingest/"})  # a redirect between them would cost the sender its data
MOST_DRAINED = 16 * 1024 * 1024
Answer = tuple[int, bytes, tuple[tuple[bytes, bytes], ...]]
_JSON, _TEXT = b"application/json", b"text/plain; version=0.0.4; charset=utf-8"
_OK = json.dumps({"status": "ok"}).encode()


class IngestApp:
    """The ASGI application. What it needs is made at start-up, in the process and the loop that serve."""

    def __init__(self, settings: IngestSettings, make_service: Callable[[], IngestService]) -> None:
        """Open nothing yet; `make_service` does."""
        self._access = Access(settings.tokens())
        self._most_bytes = settings.ingest_max_bytes
        self._make_service = make_service
        self._service: IngestService | None = None

    async def __call__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Mapping[str, Any]]],
        send: Callable[[Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Serve one connection of the ASGI server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            request = Request(scope, receive)
            try:
                status, body, headers = await self._answer(request)
            except ClientGone:
                return
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    async def _live(
        self,
        receive: Callable[[], Awaitable[Mapping[str, Any]]],
        send: Callable[[Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        await receive()
        self._service = self._make_service()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._service.close)
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, request: Request) -> Answer:
        assert self._service is not None, "the server starts the application before it serves"
        try:
            door = door_of(request.path)
            if door is not None or request.path in INGEST_PATHS:
                if request.method not in ("POST", "PUT"):
                    return _error(405, "method_not_allowed", "send logs with POST or PUT", (b"allow", b"POST, PUT"))
                return await self._ingest(request, self._service, door)
            if request.path == "/healthz":
                return _answer(200, _OK)
            if request.path == "/readyz":
                await self._service.check()
                return _answer(200, _OK)
            if request.path == "/metrics":
                return _answer(200, await self._service.metrics(), kind=_TEXT)
            return _error(404, "not_found", "logs are sent to /log/ingest")
        except DatabaseUnavailable as error:
            log.warning("cannot store: %s", error)
            if request.path in INGEST_PATHS or door_of(request.path):
                await self._service.refused(request, "cannot_store")
            return _later("cannot_store", f"{error}; send it again"[:500])
        except ClientGone:
            raise
        except Exception as error:
            number = uuid.uuid4().hex[:8]
            log.error("request %s failed", number, exc_info=error)
            return _later("internal", f"the server failed (number {number}); nothing was stored, send it again")

    async def _may_send(self, request: Request, service: IngestService) -> bool:
        if self._access.may_send(request.headers, request.address):
            return True
        digest = self._access.given(request.headers)
        return digest is not None and await service.may_send(digest)

    async def _ingest(self, request: Request, service: IngestService, door: Door | None) -> Answer:
        """Token first, then size, then room, and only then the body."""
        if not await self._may_send(request, service):
            await service.refused(request, "bad_token")
            return _error(401, "unauthorized", self._access.why_not(), *_closing(request))
        try:
            place = request.place
        except BadPlace:
            return _error(400, "bad_offset", "X-File-Offset is the number of bytes before the body in its file")
        if request.declared_size > self._most_bytes:
            await service.refused(request, "too_large")
            return self._too_large(request)
        try:
            with service.admission.admitted(request.room):
                body = await request.body(self._most_bytes)
                if place is not None:
                    return _piece_answer(await service.store_piece(request, body, place))
                if door is not None:
                    return _foreign_answer(door, request, *await service.store_foreign(request, body, door))
                receipt = await service.store(request, body)
        except Overloaded:
            await service.refused(request, "overload")
            return _later("overloaded", "too much is in work; send it again", *_closing(request))
        except UnknownEncoding as error:
            await service.refused(request, "unknown_encoding")
            names = "gzip, deflate, snappy, zstd or none"
            return _error(
                415, "unsupported_encoding", f"Content-Encoding {str(error)[:40]!r} is not known: send {names}"
            )
        except TooLarge:
            await service.refused(request, "too_large")
            return self._too_large(request)
        except BodyTooSlow:
            return _error(
                408, "timeout", f"the body did not come within {BODY_TIMEOUT_S:.0f} s", (b"connection", b"close")
            )
        except (BrokenEncoding, NotForeign) as error:
            receipt = await service.store_unreadable(request, body, str(error))
            if door is not None:
                return _foreign_answer(door, request, Foreign(b""), receipt)
        return _answer(
            200,
            b'{"received":%d,"stored":%d,"duplicate":%d,"quarantined":%d}\n'
            % (receipt.received, receipt.stored, receipt.duplicate, receipt.quarantined),
        )

    def _too_large(self, request: Request) -> Answer:
        size = f"{self._most_bytes / 2**20:g} MiB"
        words = f"the body is over {size} once decompressed, or decompresses to far more than its size"
        return _error(413, "too_large", words, *_closing(request))


def _piece_answer(piece: PieceReceipt) -> Answer:
    body = asdict(piece.receipt)
    times = {name: at and at.isoformat() for name, at in (("first", piece.first), ("last", piece.last))}
    return _answer(200, json.dumps({**body, "quarantined_by_kind": piece.kinds, **times}).encode() + b"\n")


def _foreign_answer(door: Door, request: Request, foreign: Foreign, receipt: Receipt) -> Answer:
    status, body, kind = door.answer(foreign, receipt, request.content_type)
    return _answer(status, body, kind=kind)


def _closing(request: Request) -> tuple[tuple[bytes, bytes], ...]:
    """A short body is read to its end, so that the answer arrives; a long one is not worth it."""
    return ((b"connection", b"close"),) if request.chunked or request.declared_size > MOST_DRAINED else ()


def _answer(status: int, body: bytes, *headers: tuple[bytes, bytes], kind: bytes = _JSON) -> Answer:
    return status, body, ((b"content-type", kind), (b"content-length", b"%d" % len(body)), *headers)


def _error(status: int, code: str, message: str, *headers: tuple[bytes, bytes]) -> Answer:
    return _answer(status, json.dumps({"error": {"code": code, "message": message}}).encode() + b"\n", *headers)


def _later(code: str, message: str, *headers: tuple[bytes, bytes]) -> Answer:
    return _error(503, code, message, (b"retry-after", b"%d" % RETRY_AFTER_S), *headers)
