"""Rows of `access_log` in PostgreSQL's binary COPY format.

The format is that of the PostgreSQL manual, "COPY", section "Binary Format": each field is its length in
four bytes and its value as the type's receive function reads it. Values that repeat (services, addresses,
user agents) are encoded once: this is what makes a row cost about a microsecond.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from struct import Struct

from sql.batch import LogRow

COLUMNS = (
    "ts",
    "status",
    "batch_id",
    "service",
    "method",
    "path",
    "route",
    "latency_ms",
    "bytes",
    "client_ip",
    "user_agent",
    "referer",
    "attributes",
    "record_key",
)
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
ROWS_A_WRITE = 500  # measured: neither one write a row nor one a batch is as fast

_EPOCH_2000_US = 946_684_800_000_000  # PostgreSQL counts from 2000, we from 1970
_NULL = b"\xff\xff\xff\xff"
# Number of columns, then the three that are never NULL and always of one size.
_FIXED = Struct(">hiqihiq").pack
_LENGTH = Struct(">i").pack
_FLOAT = Struct(">id").pack
_WHOLE = Struct(">iq").pack
_KEY_LENGTH = _LENGTH(16)
_JSONB_VERSION = b"\x01"
# Family (PostgreSQL's own numbers), bits of the mask, "no network", bytes of the address.
_INET4, _INET6 = bytes((2, 32, 0, 4)), bytes((3, 128, 0, 16))
_MOST_REMEMBERED, _LONGEST_REMEMBERED = 50_000, 256


class _Remembered(dict[str | None, bytes]):
    """Encoded fields by their value; forgets everything when it is full, which no real log makes happen often."""

    def __init__(self) -> None:
        super().__init__({None: _NULL})

    def __missing__(self, value: str) -> bytes:
        encoded = self._encoded(value)
        if len(value) <= _LONGEST_REMEMBERED:
            if len(self) > _MOST_REMEMBERED:
                self.clear()
                self[None] = _NULL
            self[value] = encoded
        return encoded

    @staticmethod
    def _encoded(value: str) -> bytes:
        return _field(value.encode())


class _RememberedAddresses(_Remembered):
    @staticmethod
    def _encoded(value: str) -> bytes:
        if ":" in value:
            return _field(_INET6 + socket.inet_pton(socket.AF_INET6, value))
        return _field(_INET4 + socket.inet_pton(socket.AF_INET, value))


def _field(value: bytes) -> bytes:
    return _LENGTH(len(value)) + value


class CopyEncoder:
    """Encodes rows; one per thread, because it remembers."""

    def __init__(self) -> None:
        """Start with an empty memory."""
        self._texts = _Remembered()
        self._addresses = _RememberedAddresses()

    def encode(self, rows: Iterable[LogRow], batch_id: int) -> list[bytes]:
        """Return each row as bytes, in the order of COLUMNS; no header, no trailer."""
        texts, addresses = self._texts, self._addresses
        encoded = []
        for ts, service, method, path, route, status, latency, size, address, agent, referer, attributes, key in rows:
            raw_path = path.encode()
            encoded.append(
                b"".join(
                    (
                        _FIXED(14, 8, ts - _EPOCH_2000_US, 2, status, 8, batch_id),
                        texts[service],
                        texts[method],
                        _LENGTH(len(raw_path)),
                        raw_path,
                        texts[route],
                        _NULL if latency is None else _FLOAT(8, latency),
                        _NULL if size is None else _WHOLE(8, size),
                        addresses[address],
                        texts[agent],
                        texts[referer],
                        _NULL if attributes is None else _field(_JSONB_VERSION + attributes.encode()),
                        _NULL if key is None else _KEY_LENGTH + key,
                    )
                )
            )
        return encoded
