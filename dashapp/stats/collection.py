"""What arrived, by source: the ledger with its equation, refused requests, and what is in quarantine."""

from __future__ import annotations

import base64
import codecs
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sql.collection import (
    LedgerMinute,
    LedgerSum,
    QuarantinedRecord,
    Refusal,
    ledger,
    ledger_minutes,
    quarantined,
    received_since,
    refusals,
)
from sql.connection import Reading
from sql.plan import MINUTE, Range, ceil, floor

MOST_SOURCES = 1_000
MOST_MINUTES = 5_000
MOST_REFUSALS = 1_000
RATE_MINUTES = 5
MOST_TEXT_BYTES = 4_096
MOST_RECORD_BYTES = 1_048_576
COUNTS = ("received", "stored", "duplicate", "quarantined", "bytes")


@dataclass(slots=True)
class Lag:
    """Seconds from event to storage over the stored records; None where there are none."""

    mean: float | None = None
    max: float | None = None


@dataclass(slots=True)
class Arrived:
    """Counts of records: received = stored + duplicate + quarantined."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    quarantined_by_kind: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    first_arrival: datetime | None = None
    last_arrival: datetime | None = None
    lag_s: Lag = field(default_factory=Lag)
    rate_per_minute: float = 0.0


@dataclass(frozen=True, slots=True)
class Source:
    """What arrived from one source for one service."""

    source: str
    service: str
    arrived: Arrived


@dataclass(frozen=True, slots=True)
class Collection:
    """The ledger of a range of whole minutes; lists that were cut are named in `cut`."""

    span: Range
    totals: Arrived
    sources: list[Source]
    minutes: list[LedgerMinute]
    refused: list[Refusal]
    refused_requests: int
    cut: frozenset[str]


@dataclass(frozen=True, slots=True)
class Held:
    """One quarantined record; `truncated`: kept in part only, `text_cut`: the text is only its beginning."""

    record: QuarantinedRecord
    with_raw: bool = False

    @property
    def received_at(self) -> datetime:
        """When it came, in UTC."""
        return self.record.received_at.astimezone(UTC)

    @property
    def truncated(self) -> bool:
        """Whether it was cut when it was kept."""
        return self.record.kept < self.record.size

    @property
    def text(self) -> str:
        """Its beginning as text; what is no UTF-8 is replaced, and a character that the cut went through left out."""
        shown = self.record.record[:MOST_TEXT_BYTES]
        return codecs.getincrementaldecoder("utf-8")("replace").decode(shown, len(shown) == self.record.kept)

    def as_json(self) -> dict[str, Any]:
        """Its fields for an answer."""
        record = self.record
        answer = {
            "id": record.id,
            "received_at": self.received_at,
            "source": record.source,
            "service": record.service,
            "kind": record.kind,
            "reason": record.reason,
            "size": record.size,
            "truncated": self.truncated,
            "record": self.text,
            "record_cut": record.kept > MOST_TEXT_BYTES,
        }
        return answer | {"raw": base64.b64encode(record.record).decode()} if self.with_raw else answer


@dataclass(frozen=True, slots=True)
class QuarantinePage:
    """Quarantined records, newest first, and where the next page begins; None on the last."""

    records: list[Held]
    next_before: int | None


def whole_minutes(span: Range) -> Range:
    """The minutes that a range touches: the ledger knows no smaller unit."""
    return Range(floor(span.start, MINUTE), ceil(span.end, MINUTE))


def collection(
    reading: Reading,
    span: Range,
    now: datetime,
    *,
    source: str | None = None,
    service: str | None = None,
    by_minute: bool = True,
) -> Collection:
    """Read the ledger of the minutes that a range of arrival touches; rates are those of the present.

    Without `by_minute` the list of minutes stays empty.
    """
    span = whole_minutes(span)
    since = floor(now, MINUTE) - (RATE_MINUTES - 1) * MINUTE
    recent = received_since(reading, since, source=source, service=service)
    sums = ledger(reading, span, source=source, service=service)
    minutes = ledger_minutes(reading, span, source=source, service=service, most=MOST_MINUTES + 1) if by_minute else []
    refused, refused_requests = refusals(reading, span, source=source, most=MOST_REFUSALS + 1)
    length = (now - since) / MINUTE
    by_source: dict[tuple[str, str], list[LedgerSum]] = defaultdict(list)
    for each in sums:
        by_source[each.source, each.service].append(each)
    sources = sorted(
        (Source(*key, _arrived(parts, recent.get(key, 0) / length)) for key, parts in by_source.items()),
        key=lambda source: (-source.arrived.received, source.source, source.service),
    )
    lists: dict[str, tuple[Sequence[Any], int]] = {
        "sources": (sources, MOST_SOURCES),
        "minutes": (minutes, MOST_MINUTES),
        "refused": (refused, MOST_REFUSALS),
    }
    return Collection(
        span,
        _arrived(sums, sum(recent.values()) / length),
        sources[:MOST_SOURCES],
        minutes[:MOST_MINUTES],
        refused[:MOST_REFUSALS],
        refused_requests,
        frozenset(name for name, (found, most) in lists.items() if len(found) > most),
    )


def quarantine(
    reading: Reading,
    *,
    kind: str | None = None,
    source: str | None = None,
    before: int | None = None,
    most: int,
    with_raw: bool = False,
) -> QuarantinePage:
    """Read a page of the quarantine, newest first."""
    most_bytes = MOST_RECORD_BYTES if with_raw else MOST_TEXT_BYTES
    found = quarantined(reading, kind=kind, source=source, before=before, most=most + 1, most_bytes=most_bytes)
    page = [Held(record, with_raw) for record in found[:most]]
    return QuarantinePage(page, found[most - 1].id if len(found) > most else None)


def _arrived(sums: Sequence[LedgerSum], rate: float) -> Arrived:
    total = Arrived(rate_per_minute=rate)
    lag_s = 0.0
    for each in sums:
        for name in COUNTS:
            setattr(total, name, getattr(total, name) + getattr(each, name))
        lag_s += each.lag_s
        if each.kind and each.quarantined:
            kinds = total.quarantined_by_kind
            kinds[each.kind] = kinds.get(each.kind, 0) + each.quarantined
    if sums:
        total.first_arrival = min(each.first_arrival for each in sums).astimezone(UTC)
        total.last_arrival = max(each.last_arrival for each in sums).astimezone(UTC)
    if total.stored:
        total.lag_s = Lag(lag_s / total.stored, max(each.lag_max_s for each in sums))
    return total


def last_day(now: datetime) -> Range:
    """The 24 hours before now: what an address without a range asks for."""
    return Range(now - timedelta(hours=24), now)
