"""One HTTP request as the ASGI server gives it: its headers at once, its body when it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from ingest_server.compression import TooLarge
from ingest_server.event import MOST_NAME, clean
from ingest_server.file_piece import Place
from ingest_server.intake import DEFAULT_SERVICE, Origin

BODY_TIMEOUT_S = 60.0  # a client that sends a byte a minute must not hold room for ever
MOST_FILE_NAME = 150
SIZE_UNKNOWN = 16 * 1024 * 1024
TAG_HEADERS = (b"x-fluent-tag", b"x-tag")


class ClientGone(Exception):
    """The client closed the connection before its body was there."""


class BadPlace(Exception):
    """X-File-Offset is no number: without its place a line would be stored again whenever it is sent again."""


class BodyTooSlow(Exception):
    """The body did not come within BODY_TIMEOUT_S."""


class Request:
    """What a handler asks about a request."""

    def __init__(self, scope: Mapping[str, Any], receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        """Read no body yet."""
        self._scope = scope
        self._receive = receive
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        client = scope.get("client")
        self.address: str = client[0] if client else "unknown"

    @property
    def declared_size(self) -> int:
        """Content-Length; 0 where there is none."""
        length = self.headers.get(b"content-length", b"")
        return int(length) if length.isdigit() else 0

    @property
    def chunked(self) -> bool:
        """Whether the body comes without its size being said before."""
        return b"transfer-encoding" in self.headers

    @property
    def room(self) -> int:
        """Bytes to hold for the body: its size, or a guess that keeps bodies of unknown size few."""
        return SIZE_UNKNOWN if self.chunked else self.declared_size

    @property
    def encoding(self) -> str:
        """Content-Encoding."""
        return self.headers.get(b"content-encoding", b"").decode("latin-1")

    @property
    def content_type(self) -> str:
        """Content-Type without its parameters, in small letters."""
        return self.headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()

    @property
    def idempotency_key(self) -> str | None:
        """The client's own key for this body."""
        key = self.headers.get(b"idempotency-key")
        return key.decode("latin-1") if key else None

    @property
    def place(self) -> Place | None:
        """Which lines of which file the body is, if the client says so.

        Raises:
            BadPlace: it says so, but not as a number.
        """
        offset = self.headers.get(b"x-file-offset")
        if offset is None:
            return None
        if not offset.isdigit() or len(offset) > 18:
            raise BadPlace
        name = clean(unquote(self.headers.get(b"x-file-name", b"").decode("latin-1"))).strip() or "unnamed"
        return Place(name.replace("\\", "/").rpartition("/")[2][:MOST_FILE_NAME], int(offset))

    @property
    def origin(self) -> Origin:
        """Who sends, and the service of records that name none: from the URL, else the tag, else the default."""
        tag = next((self.headers[name] for name in TAG_HEADERS if self.headers.get(name)), b"").decode(
            "utf-8", "replace"
        )
        query = self._scope.get("query_string", b"")
        named = parse_qs(query.decode("latin-1"), errors="replace").get("service", [""])[-1] if query else ""
        service = clean(named or tag).strip() or DEFAULT_SERVICE
        source = clean(f"{tag}@{self.address}" if tag else self.address)
        return Origin(source=source[:MOST_NAME], service=service[:MOST_NAME])

    async def body(self, most: int) -> bytes:
        """Return the body as it was sent.

        Raises:
            TooLarge: it is more than `most` bytes.
            ClientGone, BodyTooSlow: see there.
        """
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                while True:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGone
                    part: bytes = message.get("body", b"")
                    size += len(part)
                    if size > most:
                        raise TooLarge
                    parts.append(part)
                    if not message.get("more_body", False):
                        return parts[0] if len(parts) == 1 else b"".join(parts)
        except TimeoutError:
            raise BodyTooSlow from None
