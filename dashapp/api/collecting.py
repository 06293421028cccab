"""What arrived, and what of it could not be stored."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import Field

from dashapp.api.inputs import ARRIVAL_WHOLE, BEFORE, RAW, Context, Given, Input, Parameter, text
from dashapp.api.model import Answer, Count, Model, Moment
from dashapp.api.route import Route
from dashapp.api_params import whole_number
from dashapp.stats.collection import collection, quarantine
from sql.canary import counts, flights
from sql.connection import Reading
from sql.plan import Range

MOST_QUARANTINED, MOST_RAW, MOST_FLIGHTS = 500, 20, 1_440


class ArrivalLag(Model):
    """Seconds from a request to its storage; null where nothing was stored."""

    mean: float | None
    max: float | None


class ArrivedCounts(Model):
    """Counts of records: received = stored + duplicate + quarantined."""

    received: Count
    stored: Count
    duplicate: Count
    quarantined: Count
    quarantined_by_kind: dict[str, Count]
    bytes: Count
    first_arrival: Moment | None
    last_arrival: Moment | None
    lag_s: ArrivalLag
    rate_per_minute: float = Field(description="Over the last five minutes, whatever the range.")


class Totals(ArrivedCounts):
    """All sources together."""

    refused_requests: Count


class SourceCounts(ArrivedCounts):
    """What one source sent for one service."""

    source: str
    service: str


class MinuteCounts(Model):
    """What arrived in a minute from one source for one service."""

    minute: Moment
    source: str
    service: str
    received: Count
    stored: Count
    duplicate: Count
    quarantined: Count
    bytes: Count


class RefusedRequests(Model):
    """Requests of one source that were turned away whole."""

    source: str
    reason: str
    requests: Count
    last_arrival: Moment


class Sources(Answer):
    """The ledger of the minutes that the range touches."""

    start: Moment
    end: Moment
    totals: Totals
    sources: list[SourceCounts]
    minutes: list[MinuteCounts]
    refused: list[RefusedRequests]
    truncated: bool
    truncated_lists: list[str]


class QuarantinedEntry(Model):
    """A quarantined record: its beginning as text; `truncated`: not all of it is kept."""

    id: int
    received_at: Moment
    source: str
    service: str
    kind: str
    reason: str
    size: Count
    truncated: bool
    record: str
    record_cut: bool = Field(description="Whether more of it is kept than `record` shows.")
    raw: str | None = Field(default=None, description="What is kept of it in base64, with `raw=1`.")


class CanaryFlight(Model):
    """A test record: when it was sent, when it was seen in the database, or why it was not."""

    sent_at: Moment
    seen_at: Moment | None
    problem: str | None


class Canaries(Answer):
    """The test records sent in a range, the newest first, and how many did not come back."""

    start: Moment
    end: Moment
    sent: Count
    lost: Count
    flights: list[CanaryFlight]
    truncated: bool


class Quarantine(Answer):
    """Quarantined records, newest first; `next_before` is null on the last page."""

    records: list[QuarantinedEntry]
    next_before: int | None
    truncated: bool


def make_sources(
    reading: Reading, context: Context, *, whole: Range, source: str | None, service: str | None
) -> Sources:
    """The ledger."""
    found = collection(reading, whole, context.now, source=source, service=service)
    return Sources(
        start=found.span.start,
        end=found.span.end,
        totals=Totals(**asdict(found.totals), refused_requests=found.refused_requests),
        sources=[
            SourceCounts(source=each.source, service=each.service, **asdict(each.arrived)) for each in found.sources
        ],
        minutes=[MinuteCounts(**each._asdict()) for each in found.minutes],
        refused=[RefusedRequests(**each._asdict()) for each in found.refused],
        truncated=bool(found.cut),
        truncated_lists=sorted(found.cut),
    )


def make_canaries(reading: Reading, _context: Context, *, whole: Range) -> Canaries:
    """Test records of a range."""
    sent, lost = counts(reading, whole)
    return Canaries(
        start=whole.start,
        end=whole.end,
        sent=sent,
        lost=lost,
        flights=[
            CanaryFlight(sent_at=each.sent_at, seen_at=each.seen_at, problem=each.problem)
            for each in flights(reading, whole, most=MOST_FLIGHTS)
        ],
        truncated=sent > MOST_FLIGHTS,
    )


def make_quarantine(
    reading: Reading, _context: Context, *, raw: bool, limit: int, before: int, kind: str | None, source: str | None
) -> Quarantine:
    """A page of the quarantine."""
    page = quarantine(reading, kind=kind, source=source, before=before, most=limit, with_raw=raw)
    return Quarantine(
        records=[QuarantinedEntry(**held.as_json()) for held in page.records],
        next_before=page.next_before,
        truncated=page.next_before is not None,
    )


def _limit(given: Given, context: Context) -> int:
    most = MOST_RAW if RAW.read(given, context) else MOST_QUARANTINED
    return whole_number(given, "limit", min(50, most), most=most)


_SOURCE = text("source", "Who sent it, as `sources` names it.")
_LIMIT = Parameter(
    "limit",
    f"Most records; with `raw=1` at most {MOST_RAW}.",
    {"type": "integer", "minimum": 1, "maximum": MOST_QUARANTINED, "default": 50},
)
ROUTES = (
    Route(
        "/collection/sources",
        "The ledger: what arrived by source, service and minute, and what was refused",
        make_sources,
        Sources,
        (ARRIVAL_WHOLE, _SOURCE, text("service", "Service.")),
        shared=False,
    ),
    Route(
        "/collection/canary",
        "The test records that show whether collecting works, one a minute",
        make_canaries,
        Canaries,
        (ARRIVAL_WHOLE,),
        shared=False,
    ),
    Route(
        "/collection/quarantine",
        "Records that could not be stored, with reasons",
        make_quarantine,
        Quarantine,
        (RAW, Input("limit", (_LIMIT,), _limit), BEFORE, text("kind", "Reason."), _SOURCE),
        shared=False,
    ),
)
