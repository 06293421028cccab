"""From a body to a receipt: take it apart, normalise each record, store all of it in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest_server.body import Item, items
from ingest_server.event import Refused, record_id, to_row
from sql.writing import Batch, LogRow, LogWriter, Quarantined, Receipt

DEFAULT_SERVICE = "default"
MOST_NAME = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a body comes from: a name for the ledger, and the service of records that name none."""

    source: str
    service: str


def utc_now() -> datetime:
    """The current moment."""
    return datetime.now(UTC)


def take_in(
    body: bytes,
    origin: Origin,
    writer: LogWriter,
    *,
    idempotency_key: str | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Receipt:
    """Store a decoded body and return its receipt after the commit.

    A body is known again, and not stored twice, only where that cannot be wrong: the client sent a key
    with it, or every record carries its own id. Two equal bodies without either may both be honest.

    Raises:
        DatabaseUnavailable: nothing was stored.
    """
    found = list(items(body))
    batch = normalise(found, origin, now(), identity(body, found, origin, idempotency_key))
    if not (batch.rows or batch.quarantined):
        return Receipt(0, 0, 0, 0)
    return writer.store(batch)


def quarantine_body(body: bytes, reason: str, origin: Origin, writer: LogWriter) -> Receipt:
    """Keep a body that cannot be taken apart at all as one quarantined record."""
    return writer.store(Batch(origin.source, origin.service, [], [Quarantined(reason, body)]))


def normalise(found: Iterable[Item], origin: Origin, now: datetime, known_as: bytes | None = None) -> Batch:
    """Turn the records of a body into rows and refusals. Pure."""
    rows: list[LogRow] = []
    refused: list[Quarantined] = []
    for item in found:
        if item.value is None:
            refused.append(Quarantined(item.reason, item.raw))
            continue
        try:
            rows.append(to_row(item.value, service=origin.service, now=now))
        except Refused as refusal:
            refused.append(Quarantined(str(refusal), item.raw))
    return Batch(origin.source, origin.service, rows, refused, known_as)


def identity(body: bytes, found: Iterable[Item], origin: Origin, key: str | None) -> bytes | None:
    """Return what makes a body unique, or None where nothing does. Pure."""
    if key:
        # The body too: a key that a client sends with everything must not make its next body a duplicate.
        return _digest(b"key", origin.service.encode(), key.encode(), body)
    if all(item.value is not None and record_id(item.value) for item in found):
        return _digest(b"ids", origin.service.encode(), body)
    return None


def _digest(*parts: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
