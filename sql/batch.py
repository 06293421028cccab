"""What is written: rows, refused records, the batch that holds them, and its receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

OTHER_ROUTES = "{other}"  # the route of requests whose service has as many routes as it may


# Inside LogRow the name `bytes` is a column.
Key = bytes


class LogRow(NamedTuple):
    """One request."""

    ts: int  # microseconds since 1970, UTC: datetimes would be made only to be taken apart again
    service: str
    method: str
    path: str
    route: str
    status: int
    latency_ms: float | None
    bytes: int | None
    client_ip: str | None
    user_agent: str | None
    referer: str | None
    attributes: str | None  # JSON text
    record_key: Key | None  # 16 bytes; None where two equal records can both be honest


class Quarantined(NamedTuple):
    """One refused record: the short name of the reason, one sentence, and its bytes as they came."""

    kind: str
    reason: str
    record: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request body, or one piece of a file, holds.

    `identity` is None where two equal batches can both be honest. `size` is that of the body in bytes. `canary` is the
    id of the test record that the batch is, if it is one (sql/canary.py).
    """

    source: str
    service: str
    rows: Sequence[LogRow]
    quarantined: Sequence[Quarantined]
    identity: bytes | None = None
    size: int = 0
    canary: str | None = None

    @property
    def received(self) -> int:
        """Number of records."""
        return len(self.rows) + len(self.quarantined)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the records of a batch: received = stored + duplicate + quarantined."""

    received: int
    stored: int
    duplicate: int
    quarantined: int

    def __add__(self, other: Receipt) -> Receipt:
        """Sum of two receipts."""
        return Receipt(
            self.received + other.received,
            self.stored + other.stored,
            self.duplicate + other.duplicate,
            self.quarantined + other.quarantined,
        )


NOTHING = Receipt(0, 0, 0, 0)
