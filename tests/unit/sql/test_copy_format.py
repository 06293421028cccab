"""Rows in PostgreSQL's binary COPY format, taken apart by the manual."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from sql import copy_format
from sql.batch import LogRow
from sql.copy_format import COLUMNS, HEADER, TRAILER, CopyEncoder
from tests.rows import log_row

# 2024-05-01T10:15:30.123456Z, in microseconds since 2000 as PostgreSQL counts.
USUAL_TS = struct.pack(">q", 767_873_730_123_456)
NULLABLE = ("latency_ms", "bytes", "client_ip", "user_agent", "referer", "attributes", "record_key")
KEY = bytes(range(16))


def fields(encoded: bytes) -> dict[str, bytes | None]:
    """The fields of one row, each as the bytes after its length; None where it is NULL."""
    (count,) = struct.unpack_from(">h", encoded)
    assert count == len(COLUMNS)
    at, values = 2, list[bytes | None]()
    for _ in range(count):
        (length,) = struct.unpack_from(">i", encoded, at)
        at += 4
        values.append(None if length == -1 else encoded[at : at + length])
        at += max(length, 0)
    assert at == len(encoded)
    return dict(zip(COLUMNS, values, strict=True))


def encoded(row: LogRow, batch_id: int = 7) -> dict[str, bytes | None]:
    (one,) = CopyEncoder().encode([row], batch_id)
    return fields(one)


def test_header_and_trailer_are_those_of_the_manual() -> None:
    signature, flags, extension = struct.unpack(">11sii", HEADER)
    assert (signature, flags, extension) == (b"PGCOPY\n\xff\r\n\x00", 0, 0)
    assert struct.unpack(">h", TRAILER) == (-1,)


def test_full_row_is_these_bytes() -> None:
    row = log_row(referer="https://예시.한국/", attributes='{"키":1}', record_key=KEY)
    assert encoded(row, batch_id=2**40) == {
        "ts": USUAL_TS,
        "status": b"\x00\xc8",
        "batch_id": b"\x00\x00\x01\x00\x00\x00\x00\x00",
        "service": b"test",
        "method": b"GET",
        "path": b"/api/user/17",
        "route": b"/api/user/{id}",
        "latency_ms": b"\x40\x29\x00\x00\x00\x00\x00\x00",
        "bytes": b"\x00\x00\x00\x00\x00\x00\x01\x59",
        "client_ip": b"\x02\x20\x00\x04\x0a\x00\x00\x01",
        "user_agent": b"curl/8",
        "referer": "https://예시.한국/".encode(),
        "attributes": b"\x01" + '{"키":1}'.encode(),
        "record_key": KEY,
    }


def test_row_of_nulls_is_these_bytes() -> None:
    found = encoded(log_row(**dict.fromkeys(NULLABLE)))
    assert {name for name, value in found.items() if value is None} == set(NULLABLE)
    assert found["ts"] == USUAL_TS


def test_empty_text_and_zero_are_not_null() -> None:
    found = encoded(log_row(path="", route="", user_agent="", referer="", latency_ms=0.0, bytes=0))
    assert [found[name] for name in ("path", "route", "user_agent", "referer")] == [b""] * 4
    assert (found["latency_ms"], found["bytes"]) == (bytes(8), bytes(8))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("255.254.0.1", "02 20 00 04 ff fe 00 01"),
        ("2001:db8::1", "03 80 00 10 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01"),
        ("::", "03 80 00 10" + " 00" * 16),
        ("::ffff:10.0.0.1", "03 80 00 10" + " 00" * 10 + " ff ff 0a 00 00 01"),
    ],
)
def test_address_is_an_inet(address: str, expected: str) -> None:
    assert encoded(log_row(client_ip=address))["client_ip"] == bytes.fromhex(expected)


@pytest.mark.parametrize(
    ("us", "since_2000"), [(946_684_800_000_000, 0), (946_684_799_999_999, -1), (0, -(946684800 * 10**6))]
)
def test_moment_counts_from_2000(us: int, since_2000: int) -> None:
    assert encoded(log_row(ts=us))["ts"] == struct.pack(">q", since_2000)


def test_rows_come_in_their_order_and_what_repeats_stays_the_same() -> None:
    rows = [log_row(path=f"/{n}", user_agent=f"agent {n % 2}", client_ip=f"10.0.0.{n % 2}") for n in range(6)]
    encoder = CopyEncoder()
    first, second = encoder.encode(rows, 1), encoder.encode(rows, 1)
    assert first == second
    found = [fields(one) for one in first]
    assert [one["path"] for one in found] == [b"/0", b"/1", b"/2", b"/3", b"/4", b"/5"]
    assert [one["user_agent"] for one in found] == [b"agent 0", b"agent 1"] * 3
    assert [(one["client_ip"] or b"")[-1] for one in found] == [0, 1] * 3
    assert encoder.encode([], 1) == []


def test_text_of_an_address_is_a_text_where_it_stands_in_a_text_column() -> None:
    found = encoded(log_row(user_agent="10.0.0.1", client_ip="10.0.0.1"))
    assert found["user_agent"] == b"10.0.0.1"
    assert found["client_ip"] == b"\x02\x20\x00\x04\x0a\x00\x00\x01"


def test_memory_is_bounded_and_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_format, "_MOST_REMEMBERED", 50)
    encoder = CopyEncoder()

    def rows() -> Iterator[LogRow]:
        for n in range(1000):
            yield log_row(user_agent=f"agent {n}", client_ip=f"10.0.{n // 250}.{n % 250}", referer=None)

    for n, one in enumerate(encoder.encode(rows(), 1)):
        found = fields(one)
        assert found["user_agent"] == f"agent {n}".encode()
        assert found["client_ip"] == bytes((2, 32, 0, 4, 10, 0, n // 250, n % 250))
        assert found["referer"] is None
    remembered = [value for value in vars(encoder).values() if isinstance(value, dict)]
    assert len(remembered) == 2
    assert all(len(memory) <= 52 for memory in remembered)


@pytest.mark.parametrize(
    "columns",
    [{"status": 2**15}, {"bytes": 2**63}, {"path": "\ud83d"}, {"user_agent": "\ud83d"}, {"client_ip": "nowhere"}],
)
def test_what_has_no_bytes_raises_and_is_not_remembered(columns: dict[str, object]) -> None:
    encoder = CopyEncoder()
    for _ in range(2):
        with pytest.raises((struct.error, ValueError, OSError)):
            encoder.encode([log_row(**columns)], 1)
    assert len(encoder.encode([log_row()], 1)) == 1
