"""Import an existing log file, piece by piece, through the same path as a request body."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self, cast

from ingest_server.file_piece import LINES_A_PIECE, batches_of, source_of
from ingest_server.formats import LINE_FORMATS
from ingest_server.intake import Intake, Origin
from sql.batch import NOTHING, Batch, Receipt
from sql.writing import LogWriter

IMPORT_FORMATS = ("auto", "json", *LINE_FORMATS)
GZIP_MAGIC = b"\x1f\x8b"


class ImportFailed(Exception):
    """A file cannot be read; the text is one sentence."""


def import_file(
    name: str,
    service: str,
    intake: Intake,
    writer: LogWriter,
    *,
    format_name: str = "auto",
    on_bytes: Callable[[int], None] | None = None,
) -> Receipt:
    """Store the lines of a file and return what became of them.

    Lines that were imported before are recognised by their bytes and their place in the file, and are not
    stored again; a log that has grown since adds its new lines only.

    Args:
        name: a path, or `-` for standard input; gzip is recognised by its content.
        service: for lines that name none.
        intake: makes rows of lines.
        writer: stores them.
        format_name: one of IMPORT_FORMATS.
        on_bytes: told how many more bytes of the file itself were read.

    Raises:
        ImportFailed: the file cannot be opened or read to its end; what was read before is stored.
        DatabaseUnavailable: a piece could not be stored; the pieces before it are.
    """
    origin = Origin(source=source_of(Path(name).name if name != "-" else "stdin"), service=service)
    offset, known_before = 0, True
    with _opened(name) as (lines, position), _Storing(writer) as storing:
        reported = 0
        for piece in _pieces(lines, name):
            # Only where all before it is known may the beginning of a piece be: the file has grown since.
            batches, known_before = batches_of(
                piece, offset, origin, intake, writer, format_name=format_name, may_be_known=known_before
            )
            for batch in batches:
                storing.add(batch)
            offset += sum(map(len, piece))
            at = position()
            if on_bytes is not None:
                on_bytes(at - reported)
            reported = at
    return storing.total


class _Storing:
    """Stores one batch while the next is being read; leaving it waits for the last."""

    def __init__(self, writer: LogWriter) -> None:
        self.total = NOTHING
        self._writer = writer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="import")
        self._pending: Future[Receipt] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._wait()
        finally:
            self._thread.shutdown()

    def add(self, batch: Batch) -> None:
        """Store a batch after the one before it, which must have succeeded."""
        self._wait()
        self._pending = self._thread.submit(self._writer.store, batch)

    def _wait(self) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self.total += pending.result()


@contextmanager
def _opened(name: str) -> Iterator[tuple[BinaryIO, Callable[[], int]]]:
    """Open a file; yields its lines, decompressed, and a function that tells the place in the file itself."""
    try:
        raw = sys.stdin.buffer if name == "-" else Path(name).open("rb")  # noqa: SIM115 (closed below, whichever it is)
    except OSError as error:
        raise ImportFailed(f"cannot read {name}: {error.strerror}") from error
    with raw:
        buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", raw))
        compressed = buffered.peek(2)[:2] == GZIP_MAGIC
        lines = gzip.GzipFile(fileobj=buffered) if compressed else buffered
        yield cast("BinaryIO", lines), (buffered.tell if buffered.seekable() else lambda: 0)


def _pieces(lines: BinaryIO, name: str) -> Iterator[list[bytes]]:
    piece: list[bytes] = []
    try:
        for line in lines:
            piece.append(line)
            if len(piece) == LINES_A_PIECE:
                yield piece
                piece = []
    except (OSError, EOFError, zlib.error) as error:
        if piece:
            yield piece
        raise ImportFailed(f"{name} is damaged: {error}; what came before is stored") from error
    if piece:
        yield piece
