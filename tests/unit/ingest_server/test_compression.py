"""A body is decompressed whatever its encoding, in pieces, and never to more than a log can be."""

from __future__ import annotations

import contextlib
import gzip
import os
import sys
import tracemalloc
import zlib
from collections.abc import Callable

import cramjam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_server import compression
from ingest_server.compression import BrokenEncoding, TooLarge, UnknownEncoding, decompress

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

MIB = 2**20
ONE = b'{"date":1700000000.123457,"message":"GET /\\u00e9","status":200}'
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"


def snappy(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(data))


def snappy_framed(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress(data))


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def zstd_unsized(data: bytes) -> bytes:
    packer = zstd.ZstdCompressor()
    return packer.compress(data) + packer.flush()


def plain(data: bytes) -> bytes:
    return data


PACKERS: dict[str, list[Callable[[bytes], bytes]]] = {
    "gzip": [gzip.compress],
    "x-gzip": [gzip.compress],
    "deflate": [zlib.compress, raw_deflate, gzip.compress],
    "snappy": [snappy, snappy_framed],
    "zstd": [zstd.compress, zstd_unsized],
    "": [plain, gzip.compress, zstd.compress],
    "identity": [plain],
}
PAIRS = [pytest.param(name, pack, id=f"{name}-{pack.__name__}") for name, packs in PACKERS.items() for pack in packs]


@pytest.mark.parametrize(("encoding", "pack"), PAIRS)
@pytest.mark.parametrize("data", [ONE, ONE * 50_000, os.urandom(300_000)], ids=["small", "large", "noise"])
def test_decompress_undoes(encoding: str, pack: Callable[[bytes], bytes], data: bytes) -> None:
    assert decompress(pack(data), encoding) == data


@pytest.mark.parametrize("encoding", [" GZIP ", "Gzip", "identity, gzip", ",gzip,"])
def test_decompress_reads_the_header_as_http_means_it(encoding: str) -> None:
    assert decompress(gzip.compress(ONE), encoding) == ONE


@pytest.mark.parametrize("encoding", ["", "identity", *PACKERS])
def test_decompress_of_nothing_is_nothing(encoding: str) -> None:
    assert decompress(b"", encoding) == b""


def test_decompress_undoes_two_encodings_from_the_right() -> None:
    assert decompress(zstd.compress(gzip.compress(ONE)), "gzip, zstd") == ONE
    assert decompress(gzip.compress(snappy(ONE)), "snappy,gzip") == ONE


@pytest.mark.parametrize("beginning", [b"{", b"[", b"83.149", b"\x92\x92\xd7", b"\x92\xd7", b"\xdd\0", b"(", b"\x1f "])
def test_decompress_leaves_what_is_not_compressed(beginning: bytes) -> None:
    assert decompress(beginning + ONE, "") == beginning + ONE


@relaxed
@given(st.binary(max_size=5_000), st.sampled_from([(n, p) for n, packs in PACKERS.items() for p in packs if n]))
def test_decompress_of_anything_compressed_is_that(data: bytes, way: tuple[str, Callable[[bytes], bytes]]) -> None:
    assert decompress(way[1](data), way[0]) == data


@relaxed
@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "snappy", "zstd", "gzip, zstd"]), st.booleans())
def test_decompress_of_noise_says_that_it_is_broken(data: bytes, encoding: str, magic: bool) -> None:
    begun = {"gzip": b"\x1f\x8b\x08\0", "snappy": b"\xff\x06\0\0sNaPpY", "zstd": b"\x28\xb5\x2f\xfd"}
    with contextlib.suppress(BrokenEncoding, TooLarge):
        assert len(decompress((begun.get(encoding, b"") if magic else b"") + data, encoding)) < 10_000


@relaxed
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.sampled_from(["gzip", "zstd"]))
def test_decompress_joins_members_and_frames(parts: list[bytes], encoding: str) -> None:
    pack = PACKERS[encoding][0]
    assert decompress(b"".join(map(pack, parts)), encoding) == b"".join(parts)


def test_decompress_steps_over_what_zstd_lets_one_skip() -> None:
    assert decompress(SKIPPABLE + zstd.compress(ONE) + SKIPPABLE + zstd.compress(ONE), "zstd") == ONE * 2


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        pytest.param(
            "gzip",
            gzip.compress(ONE)[:cut],
            id=f"gzip cut at {cut}",
        )
        for cut in (5, -9, -4, -1)
    ]
    + [
        pytest.param("gzip", gzip.compress(ONE) + gzip.compress(ONE)[:-6], id="second member cut"),
        pytest.param("gzip", gzip.compress(ONE)[:-8] + b"\0" * 8, id="wrong checksum"),
        pytest.param("gzip", ONE, id="not compressed at all"),
        pytest.param("gzip", zstd.compress(ONE), id="another encoding"),
        pytest.param("gzip, gzip", gzip.compress(ONE), id="compressed once only"),
        pytest.param("deflate", zlib.compress(ONE)[:-3], id="deflate cut"),
        pytest.param("deflate", raw_deflate(ONE)[:-3], id="raw deflate cut"),
        pytest.param("zstd", zstd.compress(ONE)[:-3], id="zstd cut"),
        pytest.param("zstd", zstd.compress(ONE)[:3], id="zstd head cut"),
        pytest.param("zstd", zstd.compress(ONE) + b"rest", id="zstd and more"),
        pytest.param("zstd", ONE, id="not zstd"),
        pytest.param("snappy", snappy(ONE)[:-3], id="snappy cut"),
        pytest.param("snappy", snappy(ONE) + b"\0x", id="snappy and more"),
        pytest.param("snappy", b"\xff\xff\xff\xff\xff\xff", id="snappy without a size"),
        pytest.param("snappy", b"\xff\xff\x3f" + b"a" * 100, id="snappy that cannot be so large"),
        pytest.param("snappy", snappy_framed(ONE)[:-3], id="framed snappy cut"),
        pytest.param("snappy", snappy_framed(ONE)[:-3] + b"abc", id="framed snappy with a wrong checksum"),
        pytest.param("snappy", snappy_framed(b"") + b"\0\x09\0\0\0\0\0\0\x80\x80\x80\x01", id="a chunk too large"),
        pytest.param("snappy", snappy_framed(b"") + b"\0\x03\0\0abc", id="a chunk without a size"),
    ],
)
def test_decompress_says_that_a_stream_is_broken(encoding: str, packed: bytes) -> None:
    with pytest.raises(BrokenEncoding, match=r".{10}"):
        decompress(packed, encoding)


@pytest.mark.parametrize("encoding", ["br", "gzip, br", "nonsense", "gzip, gzip, gzip", "compress", "x" * 5000])
def test_decompress_refuses_an_encoding_that_it_does_not_know(encoding: str) -> None:
    with pytest.raises(UnknownEncoding) as refused:
        decompress(ONE, encoding)
    assert 0 < len(str(refused.value)) <= 100


# ---- bounds ----


@pytest.mark.parametrize(("encoding", "pack"), PAIRS)
def test_decompress_stops_at_the_cap(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    data = os.urandom(3000)
    assert decompress(pack(data), encoding, most=3000) == data
    with pytest.raises(TooLarge):
        decompress(pack(data + b"x"), encoding, most=3000)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_decompress_counts_all_members_together(encoding: str) -> None:
    pack = PACKERS[encoding][0]
    exact = b"".join(pack(b"x" * 1000) for _ in range(3))
    assert decompress(exact, encoding, most=3000) == b"x" * 3000
    with pytest.raises(TooLarge):
        decompress(exact + pack(b"x"), encoding, most=3000)


def test_decompress_cap_lets_the_largest_chunk_of_fluent_bit_through() -> None:
    assert compression.MOST_DECODED_BYTES >= 32 * MIB


ZEROS = bytes(128 * MIB)
BOMBS = [
    pytest.param("gzip", gzip.compress(ZEROS), id="gzip"),
    pytest.param("deflate", zlib.compress(ZEROS), id="deflate"),
    pytest.param("deflate", raw_deflate(ZEROS), id="raw deflate"),
    pytest.param("zstd", zstd.compress(ZEROS), id="zstd"),
    pytest.param("zstd", zstd_unsized(ZEROS), id="zstd without a size"),
    pytest.param("snappy", snappy(ZEROS), id="snappy"),
    pytest.param("snappy", snappy_framed(ZEROS), id="framed snappy"),
    pytest.param("snappy", b"\xff\xff\xff\xff\x0f" + b"a" * 1000, id="snappy that declares 4 GiB"),
    pytest.param("gzip, gzip", gzip.compress(gzip.compress(ZEROS)), id="gzip in gzip"),
    pytest.param("zstd, zstd", zstd.compress(zstd.compress(ZEROS)), id="zstd in zstd"),
    pytest.param("", gzip.compress(ZEROS), id="gzip without a header"),
]
del ZEROS


@pytest.mark.parametrize(("encoding", "bomb"), BOMBS)
def test_decompress_of_a_bomb_takes_little_memory(encoding: str, bomb: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            decompress(bomb, encoding)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # gzip cannot shrink below a thousandth, so that 8 MiB free of the ratio and 250 times its size are its bounds.
    assert peak < 40 * MIB


def test_decompress_lets_a_small_body_grow_as_it_likes_up_to_eight_mib() -> None:
    data = bytes(compression.FREE_OF_RATIO_BYTES)
    assert decompress(gzip.compress(data), "gzip") == data
    assert decompress(zstd.compress(data), "zstd") == data
    with pytest.raises(TooLarge):
        decompress(zstd.compress(data + b"x"), "zstd")


def test_decompress_lets_a_body_beyond_that_grow_like_a_log() -> None:
    lines = b"".join(b'{"date":%d.25,"path":"/api/%d","status":200}\n' % (i, i * 7919 % 1000) for i in range(300_000))
    assert len(lines) > compression.FREE_OF_RATIO_BYTES
    for encoding, (pack, *_) in PACKERS.items():
        assert decompress(pack(lines), encoding) == lines


@pytest.mark.parametrize("window", [0xA8, 0xB0, 0xFF], ids=["2 GiB", "4 GiB", "more"])
def test_decompress_refuses_a_zstd_window_of_gigabytes(window: int) -> None:
    # Magic, a head without a size, the window, and a last block of 4 equal bytes.
    with pytest.raises(BrokenEncoding, match="memory"):
        decompress(b"\x28\xb5\x2f\xfd\x00" + bytes([window]) + b"\x23\x00\x00a", "zstd")


def test_decompress_believes_no_zstd_size() -> None:
    # One segment that claims 4 GiB - 1 and holds 4 bytes; its window would be as large.
    with pytest.raises(BrokenEncoding):
        decompress(b"\x28\xb5\x2f\xfd\xa0\xff\xff\xff\xff\x23\x00\x00a", "zstd")


def test_decompress_reads_the_window_that_http_promises() -> None:
    data = os.urandom(9 * MIB)
    enough: dict[int, int] = {zstd.CompressionParameter.window_log: 23}
    more: dict[int, int] = {zstd.CompressionParameter.window_log: 24}
    assert decompress(zstd.compress(data, options=enough), "zstd") == data
    with pytest.raises(BrokenEncoding):
        decompress(zstd.compress(data, options=more), "zstd")


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_decompress_does_not_follow_endless_empty_members(encoding: str) -> None:
    empty = PACKERS[encoding][0](b"")
    assert decompress(empty * compression.MOST_FRAMES, encoding) == b""
    with pytest.raises(BrokenEncoding, match="more than"):
        decompress(empty * (compression.MOST_FRAMES + 1), encoding)


@pytest.mark.parametrize("place", range(0, 70_000, 9_999))
def test_decompress_finds_members_wherever_its_pieces_end(place: int) -> None:
    noise = os.urandom(place)
    for pack in (gzip.compress, zstd.compress):
        assert decompress(pack(noise) + pack(ONE), "") == noise + ONE
