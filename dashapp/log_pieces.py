"""A log file as it comes over the network, cut into pieces of whole lines at constant memory. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# As `accessboard import` cuts a file: pieces that begin and end alike are known to both.
LINES_A_PIECE = 5_000
# Lines are some hundred bytes long. A piece of far longer ones ends earlier, so that memory stays bounded.
MOST_PIECE_BYTES = 16 * 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"
_OUTPUT_BYTES = 256 * 1024


class BrokenFile(Exception):
    """The file is not what its beginning says: a gzip stream that is damaged or ends in the middle."""


class FileTooLarge(Exception):
    """The file is larger than allowed, unpacked."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines, and the number of bytes before them in the unpacked file."""

    offset: int
    body: bytes


def pieces_of(blocks: Iterable[bytes], *, most_bytes: int) -> Iterator[Piece]:
    """Unpack a file that comes in blocks of any size, and cut it into pieces.

    Raises:
        BrokenFile: it cannot be unpacked to its end; the pieces before are whole.
        FileTooLarge: unpacked it is larger than `most_bytes`.
    """
    return _cut(_bounded(_unpacked(blocks), most_bytes))


def _bounded(blocks: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        if size > most_bytes:
            raise FileTooLarge
        yield block


def _cut(blocks: Iterable[bytes]) -> Iterator[Piece]:
    offset, lines, size = 0, 0, 0
    parts: list[bytes] = []
    for block in blocks:
        rest = block
        while rest:
            head, rest = _head(rest, LINES_A_PIECE - lines)
            parts.append(head)
            lines += head.count(b"\n")
            size += len(head)
            if lines == LINES_A_PIECE or (size >= MOST_PIECE_BYTES and (lines or size >= 2 * MOST_PIECE_BYTES)):
                body, tail = _whole_lines(b"".join(parts))
                yield Piece(offset, body)
                offset += len(body)
                parts, lines, size = ([tail] if tail else []), 0, len(tail)
    if parts:
        yield Piece(offset, b"".join(parts))


def _head(block: bytes, lines: int) -> tuple[bytes, bytes]:
    """So many lines of a block, or all of it, and what is left."""
    if block.count(b"\n") < lines:
        return block, b""
    end = 0
    for _ in range(lines):
        end = block.index(b"\n", end) + 1
    return block[:end], block[end:]


def _whole_lines(text: bytes) -> tuple[bytes, bytes]:
    """Split after the last line break; a line that is longer than any piece is cut."""
    end = text.rfind(b"\n") + 1 or len(text)
    return text[:end], text[end:]


def _unpacked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks, or what they are a gzip stream of; its first two bytes decide."""
    source = iter(blocks)
    start = b""
    while len(start) < len(GZIP_MAGIC) and (block := next(source, b"")):
        start += block
    if not start.startswith(GZIP_MAGIC):
        yield from filter(None, [start])
        yield from source
        return
    try:
        yield from _inflated(start, source)
    except zlib.error as error:
        raise BrokenFile(str(error)) from None


def _inflated(start: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    rest = start
    while True:
        while rest:
            if member.eof:
                if not rest.strip(b"\0"):
                    break  # gzip allows zeros after its end
                member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            if data := member.decompress(rest, _OUTPUT_BYTES):
                yield data
            rest = member.unused_data if member.eof else member.unconsumed_tail
        if not (rest := next(source, b"")):
            break
    if not member.eof:
        raise BrokenFile("it ends in the middle")
