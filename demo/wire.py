"""Requests in the form Fluent Bit's HTTP output sends them, byte for byte. Pure.

What is imitated: format json_lines, json_date_format iso8601, compress gzip, header_tag X-Fluent-Tag and
the uuid_key of record_modifier.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from demo.model import Request

CONTENT_TYPE = "application/x-ndjson"
TAG_HEADER = "X-Fluent-Tag"
USER_AGENT = "Fluent-Bit"
# Fluent Bit writes neither a time nor an operating system into the gzip header, so that a retry
# compresses to the same bytes.
_GZIP_HEADER = bytes.fromhex("1f8b08000000000000ff")


@dataclass(frozen=True, slots=True)
class Chunk:
    """The records of one flush with one tag, ready to be sent, and again if need be."""

    tag: str
    records: int
    body: bytes
    """Compressed."""


def chunk(tag: str, records: Iterable[Request]) -> Chunk:
    """Put records into one chunk."""
    lines = [line(record) for record in records]
    return Chunk(tag, len(lines), compressed(b"".join(lines)))


def line(record: Request) -> bytes:
    """Return one record as a line: the date first, its id last, other than ASCII escaped."""
    fields = record.fields()
    dated = {"date": fields.pop("timestamp"), **fields}
    return json.dumps(dated, separators=(",", ":")).encode("ascii") + b"\n"


def compressed(body: bytes) -> bytes:
    """Return a body as the one gzip member that Fluent Bit makes of it."""
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    content = deflate.compress(body) + deflate.flush()
    return _GZIP_HEADER + content + struct.pack("<II", zlib.crc32(body), len(body) & 0xFFFFFFFF)


def headers(content: Chunk, host: str, token: str | None) -> list[tuple[str, str]]:
    """Return the headers of a request in Fluent Bit's order.

    Args:
        content: What is sent.
        host: Name and port of the server.
        token: Sent as a header of the user's, hence after Fluent Bit's own.
    """
    given = [
        ("Host", host),
        ("Content-Length", str(len(content.body))),
        ("Content-Type", CONTENT_TYPE),
        (TAG_HEADER, content.tag),
        ("Content-Encoding", "gzip"),
        ("User-Agent", USER_AGENT),
    ]
    if token is not None:
        given.append(("Authorization", f"Bearer {token}"))
    return [*given, ("Connection", "keep-alive")]
