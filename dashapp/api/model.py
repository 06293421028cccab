"""What all answers are made of. The schemas of the document come from these models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dashapp.stats.tally import Latency
from sql.slowest import SlowRequest


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.utcoffset() else moment


Moment = Annotated[datetime, AfterValidator(_in_utc)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[float, Field(ge=0)]


class Model(BaseModel):
    """A part of an answer: it holds exactly what it declares."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class Span(Model):
    """The moments `start <= t < end`."""

    start: Moment
    end: Moment


class Query(Model):
    """What the answer cost: time in the database, statements, and rows of the log or of aggregates summed up."""

    ms: Milliseconds = 0.0
    rows_read: Count = 0
    statements: Count = 0
    not_kept: tuple[Span, ...] = Field(
        default=(), description="Parts of the range that are not counted: their rows are no longer kept."
    )


class Answer(Model):
    """What every answer carries; both are filled in where it is sent."""

    complete_through: Moment = Field(
        default=datetime.max.replace(tzinfo=UTC),
        description="The numbers before this moment are final; buckets that end later are null.",
    )
    query: Query = Query()


class Latencies(Model):
    """Latency of some requests in ms, null where none has one; percentiles are within 2.44 %, mean and max exact."""

    mean_ms: Milliseconds | None
    p50_ms: Milliseconds | None
    p90_ms: Milliseconds | None
    p95_ms: Milliseconds | None
    p99_ms: Milliseconds | None
    max_ms: Milliseconds | None


class SlowRow(Model):
    """A request of the log."""

    model_config = ConfigDict(from_attributes=True)

    ts: Moment
    service: str
    method: str
    path: str
    route: str
    status: int
    latency_ms: Milliseconds
    bytes: Count | None
    client_ip: str | None
    user_agent: str | None


class ErrorDetail(Model):
    """What is wrong, for programs and in a sentence."""

    code: str
    message: str


class Failure(Model):
    """Every answer that is not 200."""

    error: ErrorDetail


def percentiles(latency: Latency) -> dict[str, Any]:
    """The fields of Latencies."""
    return {
        "mean_ms": latency.mean,
        "p50_ms": latency.p50,
        "p90_ms": latency.p90,
        "p95_ms": latency.p95,
        "p99_ms": latency.p99,
        "max_ms": latency.max,
    }


def slow_requests(requests: Sequence[SlowRequest]) -> list[SlowRow]:
    """Rows as they are sent."""
    return [SlowRow.model_validate(each) for each in requests]
