"""A body comes apart into records whatever its framing, and a broken record costs only itself."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_server import body
from ingest_server.body import BrokenEncoding, TooLarge, UnknownEncoding, decompress, items, line_item

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ONE = b'{"date":1700000000.123457,"message":"GET /\\u00e9","status":200}'
TWO = b'{"date":1700000001.0,"message":"a } ] , { \\" b","status":404}'
LOG = '83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 7697 "-" "curl"'


def values(text: bytes) -> list[dict[str, Any] | None]:
    return [item.value for item in items(text)]


def parsed(*records: bytes) -> list[dict[str, Any]]:
    return [json.loads(record) for record in records]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"[" + ONE + b"," + TWO + b"]", id="json"),
        pytest.param(b"[\n  " + ONE + b" ,\r\n " + TWO + b"\n]\n", id="json with white space"),
        pytest.param(ONE + b"\n" + TWO + b"\n", id="json_lines"),
        pytest.param(ONE + b"\r\n\r\n" + TWO, id="json_lines with CR and an empty line"),
        pytest.param(ONE + TWO, id="json_stream"),
        pytest.param(ONE + b" " + TWO, id="json_stream with a blank"),
        pytest.param(b"\xef\xbb\xbf" + ONE + b"\n" + TWO, id="byte order mark"),
    ],
)
def test_items_reads_every_framing(text: bytes) -> None:
    assert values(text) == parsed(ONE, TWO)


def test_items_reads_gelf() -> None:
    record = (
        b'{"version":"1.1", "_message":"GET /\\u00e9", "short_message":"s", "_status":200, "timestamp":1700000000.123}'
    )
    text = record + b"\n" + record + b"\n"
    assert values(text) == parsed(*text.splitlines())


@pytest.mark.parametrize("text", [ONE, b" \n" + ONE + b"\n ", json.dumps(json.loads(ONE), indent=2).encode()])
def test_items_reads_one_object(text: bytes) -> None:
    assert values(text) == parsed(ONE)


@pytest.mark.parametrize("text", [b"", b" \r\n\t", b"[]", b"[ ]", b"\xef\xbb\xbf"])
def test_items_of_nothing_are_none(text: bytes) -> None:
    assert list(items(text)) == []


def test_items_reads_lines_of_text_and_of_json_side_by_side() -> None:
    found = list(items(f"{LOG}\n{ONE.decode()}\n2025-05-01T10:15:30Z GET /b 200 5ms\n".encode()))
    assert [item.value and item.value.get("path", item.value.get("message")) for item in found] == [
        "/a",
        "GET /é",
        "/b",
    ]


# Captured from Fluent Bit: what it really sends for NaN, for binary values and for integer keys.
CAPTURED = [
    pytest.param(b'{"date":1795419451.06143,"message":"dummy","nan":-nan,"inf":inf,"ninf":-inf}', id="nan"),
    pytest.param(
        b'{"date":1700000000.0,"x":"\\x65\\x53\\xfffffff1\\x00\\x07\\x5b\\xffffffcd\\x15","b":"\\u0000\xe2\x80\xa6A"}',
        id="binary",
    ),
    pytest.param(b'{"date":1700000000.0,7:"v"}', id="integer key"),
    pytest.param(b'{"date":1700000000.0,"x":"\\ud800"}', id="half a surrogate pair"),
    pytest.param(b'{"date":1700000000.0,"x":"\xff\xfe"}', id="no UTF-8"),
    pytest.param(b'{"x":"}{","n":nan,"y":"],["}', id="brackets in texts"),
    pytest.param(b'{"n":nan,"x":"a\\\\"}', id="backslash at the end"),
    pytest.param(b'{"n":nan,"o":{"p":[{"q":[]},[{}]]}}', id="nested"),
    pytest.param(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, id="deeper than the parser goes"),
]


@pytest.mark.parametrize("broken", CAPTURED)
@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "middle", "last"])
@pytest.mark.parametrize(
    ("before", "between", "after"),
    [(b"[", b",", b"]"), (b"", b"\n", b"\n"), (b"", b"", b"")],
    ids=["json", "json_lines", "json_stream"],
)
def test_items_keeps_the_neighbours_of_a_broken_record(
    broken: bytes, place: int, before: bytes, between: bytes, after: bytes
) -> None:
    records = [ONE, TWO]
    records.insert(place, broken)
    found = list(items(before + between.join(records) + after))
    assert [item.raw for item in found] == records
    assert [item.value for item in found if item.value] == parsed(ONE, TWO)
    assert found[place].value is None
    assert "not JSON" in found[place].reason
    assert len(found[place].reason) < 300


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        pytest.param(b"[" + ONE + b"," + TWO[:-5], [ONE], [TWO[:-5]], id="array cut off"),
        pytest.param(ONE + b"\n" + TWO[:-5], [ONE], [TWO[:-5]], id="line cut off"),
        pytest.param(ONE + TWO[:-5], [ONE], [TWO[:-5]], id="stream cut off"),
        pytest.param(b"[" + ONE + b',1,"x",null,[2]]', [ONE], [b"1", b'"x"', b"null", b"[2]"], id="no objects"),
        pytest.param(ONE + b"\n[1,2]\n17\n", [ONE], [b"[1,2]", b"17"], id="lines that are no objects"),
        pytest.param(ONE + b"\ngarbage line\n" + TWO, [ONE, TWO], [b"garbage line"], id="garbage between lines"),
        pytest.param(b"\x92\x92\xd7\x00eS\xf1", [], [b"\x92\x92\xd7\x00eS\xf1"], id="msgpack"),
        pytest.param(b"[error] foo\n[warn] bar", [], [b"[error] foo", b"[warn] bar"], id="text that begins with ["),
    ],
)
def test_items_hands_what_is_no_record_over_as_it_came(text: bytes, good: list[bytes], bad: list[bytes]) -> None:
    found = list(items(text))
    assert [item.raw for item in found if item.value is None] == bad
    assert all(item.reason for item in found if item.value is None)
    assert [item.value for item in found if item.value is not None] == parsed(*good)


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000])
def test_items_of_endless_brackets_are_one_refused_record(text: bytes) -> None:
    found = list(items(text))
    assert [item.value for item in found] == [None] * len(found)
    assert len(found) == 1


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.text(max_size=8), json_values, max_size=4)
BROKEN = [b'{"a":nan}', b'{7:"v"}', b'{"x":"\\x65"}', b'{"a":{"b":[-inf]}}']
framings = st.sampled_from(["json", "json_lines", "json_stream", "json spread out"])


def framed(records: list[bytes], framing: str) -> bytes:
    if framing == "json":
        return b"[" + b",".join(records) + b"]"
    if framing == "json spread out":
        return b" [\n" + b" ,\n  ".join(records) + b"\n] \n"
    return b"".join(record + (b"\n" if framing == "json_lines" else b"") for record in records)


def encoded(record: dict[str, Any], ascii_only: bool) -> bytes:
    return json.dumps(record, ensure_ascii=ascii_only, separators=(",", ":")).encode()


@relaxed
@given(st.lists(objects, max_size=6), framings, st.booleans())
def test_items_of_good_records_are_exactly_these(records: list[dict[str, Any]], framing: str, ascii_only: bool) -> None:
    found = list(items(framed([encoded(record, ascii_only) for record in records], framing)))
    assert [item.value for item in found] == records
    assert all(json.loads(item.raw) == item.value for item in found)


@relaxed
@given(st.lists(objects | st.sampled_from(BROKEN), max_size=6), framings)
def test_items_separates_good_records_from_broken_ones(records: list[dict[str, Any] | bytes], framing: str) -> None:
    raws = [record if isinstance(record, bytes) else encoded(record, True) for record in records]
    found = list(items(framed(raws, framing)))
    assert [item.value for item in found] == [None if isinstance(record, bytes) else record for record in records]
    assert [item.raw for item in found] == raws


@relaxed
@given(st.binary(max_size=300) | st.text(alphabet='{}[]",:\\ \n1a', max_size=100).map(str.encode))
def test_items_of_anything_never_raises_and_loses_no_byte(text: bytes) -> None:
    found = list(items(text))
    kept = b"".join(item.raw for item in found)
    framing = b'[]{}",:\\ \t\r\n\x0b\x0c\xef\xbb\xbf'
    assert len(kept.translate(None, framing)) == len(text.translate(None, framing))


@pytest.mark.parametrize(
    ("line", "format_name", "path"),
    [
        pytest.param(LOG.encode(), "auto", "/a", id="auto text"),
        pytest.param(b'{"path":"/a"}', "auto", "/a", id="auto json"),
        pytest.param(b'{"path":"/a"}', "json", "/a", id="json"),
        pytest.param(LOG.encode(), "combined", "/a", id="combined"),
        pytest.param(LOG.encode(), "json", None, id="text is no json"),
        pytest.param(LOG.encode(), "plain", None, id="combined is not plain"),
        pytest.param(b'{"path":"/a"}', "combined", None, id="json is not combined"),
        pytest.param(b"\xff\xfe garbage", "auto", None, id="garbage"),
    ],
)
def test_line_item_reads_in_one_format(line: bytes, format_name: str, path: str | None) -> None:
    item = line_item(line, format_name)
    assert item.raw == line
    assert (item.value or {}).get("path") == path
    assert bool(item.reason) == (path is None)


# ---- compression ----


@pytest.mark.parametrize("encoding", ["gzip", " GZIP ", "x-gzip", "deflate"])
def test_decompress_undoes(encoding: str) -> None:
    packed = zlib.compress(ONE) if encoding == "deflate" else gzip.compress(ONE)
    assert decompress(packed, encoding) == ONE


@pytest.mark.parametrize("encoding", ["", "identity", " Identity"])
def test_decompress_leaves_a_plain_body(encoding: str) -> None:
    assert decompress(ONE, encoding) == ONE


def test_decompress_reads_a_capture_of_fluent_bit() -> None:
    packed = bytes.fromhex(
        "1f8b 0800 0000 0000 00ff b58c 310a 8030 1004 7b5f 215b 07bd 4425 985e fc80 a520 "
        "0183 3622 7897 2af8 7715 045f e094 3330 09b3 9700 a72d bd14 da54 7563 15b6 c0ec "
        "97bb a1ef 86bc 1c23 5168 a1c0 eb7e c8f4 557e 9c78 890c 6788 ce2c fdf0 bc00 bea8 "
        "d5c1 a800 0000"
    )
    record = {"date": 1700000000.123457, "message": "GET /é", "short_message": "s", "status": 200}
    assert values(decompress(packed, "gzip")) == [record, record]


@relaxed
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4))
def test_decompress_joins_the_members_of_a_gzip_file(parts: list[bytes]) -> None:
    assert decompress(b"".join(gzip.compress(part) for part in parts), "gzip") == b"".join(parts)


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(gzip.compress(ONE)[:-9], id="cut in the data"),
        pytest.param(gzip.compress(ONE)[:-4], id="cut in the trailer"),
        pytest.param(gzip.compress(ONE)[:5], id="cut in the header"),
        pytest.param(gzip.compress(ONE) + gzip.compress(TWO)[:-6], id="cut in the second member"),
        pytest.param(ONE, id="not compressed at all"),
        pytest.param(gzip.compress(ONE)[:-8] + b"\0" * 8, id="wrong checksum"),
    ],
)
def test_decompress_says_that_a_stream_is_broken(packed: bytes) -> None:
    with pytest.raises(BrokenEncoding, match="gzip stream"):
        decompress(packed, "gzip")


@pytest.mark.parametrize("encoding", ["br", "zstd", "snappy", "gzip, br", "nonsense"])
def test_decompress_refuses_an_encoding_that_it_does_not_know(encoding: str) -> None:
    with pytest.raises(UnknownEncoding):
        decompress(ONE, encoding)


@pytest.mark.parametrize("members", [1, 3])
def test_decompress_stops_at_the_cap(monkeypatch: pytest.MonkeyPatch, members: int) -> None:
    monkeypatch.setattr(body, "MOST_DECODED_BYTES", 3000)
    exact = b"".join(gzip.compress(b"x" * (3000 // members)) for _ in range(members))
    assert decompress(exact, "gzip") == b"x" * 3000
    with pytest.raises(TooLarge):
        decompress(exact + gzip.compress(b"x"), "gzip")
    with pytest.raises(TooLarge):
        decompress(gzip.compress(b"\0" * 50_000_000), "gzip")
    with pytest.raises(TooLarge):
        decompress(b"x" * 3001, "")


def test_decompress_cap_lets_the_largest_chunk_of_fluent_bit_through() -> None:
    assert body.MOST_DECODED_BYTES >= 32 * 2**20


@pytest.mark.parametrize("odd", [b"null", b'"x"', b"5", b"[1]"])
def test_items_of_an_array_that_begins_oddly_keep_the_neighbour(odd: bytes) -> None:
    found = list(items(b"[" + odd + b',{"a":1}]'))
    assert [(item.raw, item.value) for item in found] == [(odd, None), (b'{"a":1}', {"a": 1})]
