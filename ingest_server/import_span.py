"""From when to when the records of a log file are, without reading all of it."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path

from ingest_server.event import Refused
from ingest_server.file_piece import tidy
from ingest_server.framing import Broken, line_value
from ingest_server.import_file import GZIP_MAGIC, ImportFailed
from ingest_server.reader import Reader

PEEKED_BYTES = 256 * 1024
MOST_TRIED = 1_000  # lines at either end; a file with so many unreadable ones tells nothing
_GZIP_WINDOW = 31


def import_span(name: str, format_name: str, now_us: int) -> tuple[int, int] | None:
    """Return the times of the first and the last readable record, in microseconds since 1970; None without one.

    Of standard input and of compressed files only the beginning is looked at, so both are that of the first record.

    Args:
        name: a path, or `-` for standard input, of which nothing is consumed.
        format_name: one of IMPORT_FORMATS.
        now_us: the current moment.

    Raises:
        ImportFailed: the file cannot be read.
    """
    head, tail = _ends(name)
    reader = Reader(lambda _, path: path)
    first = _first_time(head.splitlines(), reader, format_name, now_us)
    last = _first_time(reversed(tail.splitlines()), reader, format_name, now_us)
    known = [time for time in (first, last) if time is not None]
    return (known[0], known[-1]) if known else None


def _ends(name: str) -> tuple[bytes, bytes]:
    """The beginning and the end of what a file holds; whole lines but for the outermost ones."""
    if name == "-":
        # What a program pipes in may not be there yet: this waits for its first bytes.
        return _unpacked(sys.stdin.buffer.peek() if hasattr(sys.stdin.buffer, "peek") else b""), b""
    if not Path(name).is_file():
        return b"", b""  # what is read of a pipe is gone
    try:
        with Path(name).open("rb") as file:
            head = file.read(PEEKED_BYTES)
            if head.startswith(GZIP_MAGIC):
                return _unpacked(head), b""
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - PEEKED_BYTES))
            return head, file.read()
    except OSError as error:
        raise ImportFailed(f"cannot read {name}: {error.strerror}") from error


def _unpacked(head: bytes) -> bytes:
    if not head.startswith(GZIP_MAGIC):
        return head
    try:
        return zlib.decompressobj(_GZIP_WINDOW).decompress(head, PEEKED_BYTES)
    except zlib.error:
        return b""


def _first_time(lines: Iterable[bytes], reader: Reader, format_name: str, now_us: int) -> int | None:
    for _, line in zip(range(MOST_TRIED), lines, strict=False):
        value = line_value(tidy(line), format_name)
        if isinstance(value, Broken):
            continue
        try:
            return reader.row(value, service="", source="", now_us=now_us).ts
        except Refused:
            continue
    return None
