"""From a decoded body to a batch: take it apart, make each record a row or a refusal, and say what identifies it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ingest_server.event import Refused
from ingest_server.framing import Broken, decode
from ingest_server.horizon import Horizon, everything
from ingest_server.identity import body_identity
from ingest_server.privacy import KEEP_ALL, Privacy
from ingest_server.reader import Reader
from ingest_server.route import RouteRules
from ingest_server.route_book import RouteBook
from ingest_server.settings import IngestSettings
from sql.batch import NOTHING, Batch, LogRow, Quarantined, Receipt
from sql.canary import CANARY_SERVICE
from sql.storing import utc_micros
from sql.writing import LogWriter

DEFAULT_SERVICE = "default"
UNREADABLE = "unreadable"
_CANARY_NAME = CANARY_SERVICE.encode()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a body comes from: a name for the ledger, and the service of records that name none."""

    source: str
    service: str


class Intake:
    """Makes batches; may be used by several threads."""

    def __init__(self, book: RouteBook, horizon: Horizon | None = None, privacy: Privacy = KEEP_ALL) -> None:
        """Take routes from `book`, and records that are not older than `horizon`; keep what `privacy` does."""
        self.book = book
        self._privacy = privacy
        self._horizon = horizon or everything()
        self._own = threading.local()

    @property
    def fresh(self) -> bool:
        """Whether a batch can be made without asking the database."""
        return self.book.fresh and self._horizon.fresh

    def batch(self, body: bytes, origin: Origin, now_us: int, *, idempotency_key: str | None = None) -> Batch:
        """Return what a decoded body holds.

        Raises:
            DatabaseUnavailable: the routes in use cannot be read.
        """
        decoded = decode(body)
        rows, refused = self.rows(decoded.values, decoded.raw_of, origin, now_us)
        identity = body_identity(body, origin.source, origin.service, rows, idempotency_key)
        canary = canary_of(body, decoded.values)
        return Batch(origin.source, origin.service, rows, refused, identity, len(body), canary)

    def rows(
        self,
        values: Iterable[dict[str, object] | Broken],
        raw_of: Callable[[int], bytes],
        origin: Origin,
        now_us: int,
    ) -> tuple[list[LogRow], list[Quarantined]]:
        """Turn records into rows and refusals; `raw_of` gives the bytes of the record at a place.

        Raises:
            DatabaseUnavailable: the routes in use cannot be read.
        """
        self.book.refresh()
        self._horizon.refresh()
        rows: list[LogRow] = []
        refused: list[Quarantined] = []
        row, source, service = self._reader().row, origin.source, origin.service
        oldest_us = self._horizon.oldest_us
        for at, value in enumerate(values):
            if isinstance(value, Broken):
                refused.append(Quarantined(UNREADABLE, value.reason, value.raw))
                continue
            try:
                rows.append(row(value, service=service, source=source, now_us=now_us, oldest_us=oldest_us))
            except Refused as refusal:
                refused.append(Quarantined(refusal.kind, str(refusal), raw_of(at)))
        if not self._privacy.keeps_all:
            rows = [self._privacy.protect(each) for each in rows]
        return rows, refused

    def _reader(self) -> Reader:
        reader: Reader | None = getattr(self._own, "reader", None)
        if reader is None:
            reader = self._own.reader = Reader(self.book.route)
        return reader


def canary_of(body: bytes, values: Sequence[dict[str, object] | Broken]) -> str | None:
    """Return the id of the test record that a body is, if it is one and nothing else."""
    if _CANARY_NAME not in body or len(values) != 1:
        return None
    [value] = values
    if isinstance(value, Broken) or value.get("service") != CANARY_SERVICE:
        return None
    try:
        return str(uuid.UUID(str(value.get("canary"))))
    except ValueError:
        return None


def unreadable_body(body: bytes, reason: str, origin: Origin) -> Batch:
    """A body that cannot be taken apart at all, as one quarantined record."""
    return Batch(origin.source, origin.service, [], [Quarantined(UNREADABLE, reason, body)], None, len(body))


def open_intake(settings: IngestSettings, writer: LogWriter) -> Intake:
    """Return an intake with the routes of the settings and those in use, and the horizon, that `writer` finds."""
    book = RouteBook(RouteRules.parse(settings.route_patterns), settings.route_limit, writer.routes)
    return Intake(book, Horizon(writer.announced_us), settings.privacy())


def take_in(body: bytes, origin: Origin, intake: Intake, writer: LogWriter) -> Receipt:
    """Store a decoded body and return its receipt after the commit.

    Raises:
        DatabaseUnavailable: nothing was stored.
    """
    batch = intake.batch(body, origin, utc_micros())
    return writer.store(batch) if batch.received else NOTHING
