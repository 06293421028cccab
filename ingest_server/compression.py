"""Undo the Content-Encoding of a body, in pieces and with a bound on what comes out. Pure."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator

import cramjam

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MOST_DECODED_BYTES = 64 * 1024 * 1024
# Log text shrinks five to thirty times. What grows more than this is no log, and only a small body may.
MOST_RATIO = 250
FREE_OF_RATIO_BYTES = 8 * 1024 * 1024
MOST_ENCODINGS = 2
MOST_FRAMES = 10_000
# RFC 9659 lets a sender of this Content-Encoding count on a window of 8 MiB, and on no more.
_ZSTD_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 23}
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"
_FRAMED_SNAPPY = b"\xff\x06\x00\x00sNaPpY"
# A copy in snappy is at least 3 bytes for at most 64: nothing honest declares more than this many times its size.
_MOST_SNAPPY_RATIO = 32
_MOST_SNAPPY_CHUNK = 65536
_INPUT_PIECE, _OUTPUT_PIECE = 64 * 1024, 1024 * 1024


class TooLarge(Exception):
    """The body is larger than allowed once decompressed, or grows more than any log does."""


class UnknownEncoding(Exception):
    """A Content-Encoding that we cannot undo."""


class BrokenEncoding(Exception):
    """The body is not what its Content-Encoding says."""


def decompress(body: bytes, encoding: str, *, most: int = MOST_DECODED_BYTES) -> bytes:
    """Return a body without its Content-Encoding.

    Args:
        body: as it came.
        encoding: the header's value, empty where there is none; then the magic bytes of gzip and zstd decide,
            with which no text, JSON or msgpack begins.
        most: how many bytes the result may have.

    Raises:
        UnknownEncoding, BrokenEncoding, TooLarge: see there.
    """
    names = [name for part in encoding.split(",") if (name := part.strip().lower()) not in ("", "identity")]
    if len(names) > MOST_ENCODINGS:
        raise UnknownEncoding(f"more than {MOST_ENCODINGS} encodings")
    for name in names:
        if name not in _UNDO:
            raise UnknownEncoding(name[:100])
    bound = min(most, max(FREE_OF_RATIO_BYTES, MOST_RATIO * len(body)))
    for name in reversed(names) if names else _sniffed(body):
        body = _UNDO[name](body, bound) if body else body
    if len(body) > most:
        raise TooLarge
    return body


def _sniffed(body: bytes) -> list[str]:
    if body.startswith(_GZIP_MAGIC):
        return ["gzip"]
    return ["zstd"] if body.startswith(_ZSTD_MAGIC) else []


def _joined(pieces: Iterator[bytes], most: int) -> bytes:
    """Collect pieces until they are more than allowed; at most one piece beyond is ever in memory."""
    kept, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > most:
            raise TooLarge
        if piece:
            kept.append(piece)
    return b"".join(kept)


def _from_deflate(body: bytes, most: int) -> bytes:
    # Some senders of "deflate" leave the zlib header out, and some send gzip.
    wrapped = body.startswith(_GZIP_MAGIC[:2]) or (body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0)
    return _inflated(body, zlib.MAX_WBITS | 32 if wrapped else -zlib.MAX_WBITS, "deflate", most)


def _from_gzip(body: bytes, most: int) -> bytes:
    return _inflated(body, zlib.MAX_WBITS | 32, "gzip", most)


def _inflated(body: bytes, wbits: int, name: str, most: int) -> bytes:
    try:
        return _joined(_zlib_pieces(body, wbits, name), most)
    except zlib.error:
        raise BrokenEncoding(f"the body is no {name} stream") from None


def _zlib_pieces(body: bytes, wbits: int, name: str) -> Iterator[bytes]:
    member, frames = zlib.decompressobj(wbits=wbits), 1
    for piece in _input(body):
        rest = piece
        while rest:
            if member.eof:
                member, frames = zlib.decompressobj(wbits=wbits), _one_more(frames, name)
            yield member.decompress(rest, _OUTPUT_PIECE)
            rest = member.unused_data if member.eof else member.unconsumed_tail
    while not member.eof and (tail := member.decompress(member.unconsumed_tail, _OUTPUT_PIECE)):
        yield tail
    if not member.eof:
        raise BrokenEncoding(f"the body ends in the middle of its {name} stream")


def _from_zstd(body: bytes, most: int) -> bytes:
    try:
        return _joined(_zstd_pieces(body), most)
    except zstd.ZstdError as error:
        # Too large a window ends here as well: before anything is allocated for it.
        raise BrokenEncoding(f"the body is no zstd stream: {str(error)[:150]}") from None


def _zstd_pieces(body: bytes) -> Iterator[bytes]:
    frame, frames = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS), 1
    for piece in _input(body):
        rest = piece
        while True:
            if frame.eof:
                frame, frames = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS), _one_more(frames, "zstd")
            yield frame.decompress(rest, _OUTPUT_PIECE)
            while not (frame.eof or frame.needs_input):
                yield frame.decompress(b"", _OUTPUT_PIECE)
            rest = frame.unused_data if frame.eof else b""
            if not rest:
                break
    if not frame.eof:
        raise BrokenEncoding("the body ends in the middle of its zstd stream")


def _input(body: bytes) -> Iterator[bytes]:
    # Small pieces, because what follows a frame is copied once per frame.
    return (body[at : at + _INPUT_PIECE] for at in range(0, len(body), _INPUT_PIECE))


def _one_more(frames: int, name: str) -> int:
    if frames >= MOST_FRAMES:
        raise BrokenEncoding(f"the body has more than {MOST_FRAMES} {name} streams")
    return frames + 1


def _from_snappy(body: bytes, most: int) -> bytes:
    framed = body.startswith(_FRAMED_SNAPPY)
    size = _framed_size(body) if framed else _declared_size(body)
    if size > most:
        raise TooLarge
    if size > _MOST_SNAPPY_RATIO * len(body):
        raise BrokenEncoding("the snappy block declares a size that it cannot have")
    try:
        return bytes(cramjam.snappy.decompress(body) if framed else cramjam.snappy.decompress_raw(body))
    except (cramjam.DecompressionError, ValueError) as error:
        raise BrokenEncoding(f"the body is no snappy block: {str(error)[:150]}") from None


def _declared_size(block: bytes) -> int:
    """The size that a raw block declares in front: what decompressing it would allocate."""
    size = 0
    for place, byte in enumerate(block[:5]):
        size |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return size
    raise BrokenEncoding("the snappy block declares no size")


def _framed_size(body: bytes) -> int:
    """The sum of what the chunks of a framed stream declare."""
    size = at = 0
    while at < len(body):
        kind, length = body[at], int.from_bytes(body[at + 1 : at + 4], "little")
        data = at + 8  # after the head and the checksum
        at += 4 + length
        if at > len(body):
            raise BrokenEncoding("the body ends in the middle of its snappy stream")
        if kind == 0:
            chunk = _declared_size(body[data : min(data + 5, at)])
            if chunk > _MOST_SNAPPY_CHUNK:
                raise BrokenEncoding("a snappy chunk declares more than 64 KiB")
            size += chunk
        elif kind == 1:
            size += max(0, length - 4)
    return size


_UNDO: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _from_gzip,
    "x-gzip": _from_gzip,
    "deflate": _from_deflate,
    "snappy": _from_snappy,
    "x-snappy": _from_snappy,
    "zstd": _from_zstd,
}
