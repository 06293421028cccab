"""What slow or failed requests of an endpoint have in common."""

from __future__ import annotations

from pydantic import Field

from dashapp.api.inputs import AMONG_REQUESTS, ENDPOINT, INTERVAL, OTHER_FILTERS, WHOLE, Context
from dashapp.api.model import Answer, Count, Milliseconds, Model, Moment, Share
from dashapp.api.route import Route
from dashapp.stats.endpoint_common import Among, endpoint_common, slow_count
from dashapp.stats.summary import summary
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.slowest import slowest_requests


class SharedValue(Model):
    """A value that slow or failed requests have more often than the others; attributes are `attributes.<name>`.

    `chance` is how likely so many would be by chance. `start` and `end` bound the time where the field is `time`.
    """

    field: str
    value: str | int
    count: Count
    share_inside: Share
    share_outside: Share
    lift: float | None = Field(description="Null where no other request has the value.")
    chance: Share
    start: Moment | None
    end: Moment | None


class EndpointCommon(Answer):
    """What `examined` requests have in common that `compared` others have less often.

    The others are drawn evenly from `scanned` of the `stored` rows of the range.
    """

    method: str
    route: str
    among: str
    examined: Count
    compared: Count
    scanned: Count
    stored: Count
    least_ms: Milliseconds | None = Field(description="Least latency of the slow requests.")
    failed_from: int | None = Field(description="Least status of the failed requests.")
    values: list[SharedValue]


def make_endpoint_common(
    reading: Reading,
    context: Context,
    *,
    whole: Range,
    endpoint: tuple[str, str],
    filters: Filters,
    minutes: int,
    among: Among,
) -> EndpointCommon:
    """What slow or failed requests of an endpoint have in common."""
    total = summary(reading, whole, filters, context.complete)
    slowest = slowest_requests(reading, whole, filters, slow_count(total.total)) if among == "slow" else []
    found = endpoint_common(
        reading, whole, filters, among=among, total=total, slowest=slowest, minutes=minutes, zone=context.zone
    )
    return EndpointCommon(
        method=endpoint[0],
        route=endpoint[1],
        among=among,
        examined=found.examined,
        compared=found.compared,
        scanned=found.scanned,
        stored=found.stored,
        least_ms=found.from_ms,
        failed_from=found.failed_from,
        values=[
            SharedValue(
                field=each.field,
                value=each.value,
                count=each.inside,
                share_inside=each.share_inside,
                share_outside=each.share_outside,
                lift=each.lift,
                chance=each.chance,
                start=each.band.start if each.band else None,
                end=each.band.end if each.band else None,
            )
            for each in found.found
        ],
    )


ROUTES = (
    Route(
        "/stats/endpoint-common",
        "What the slow or the failed requests of an endpoint have in common",
        make_endpoint_common,
        EndpointCommon,
        (WHOLE, ENDPOINT, OTHER_FILTERS, INTERVAL, AMONG_REQUESTS),
    ),
)
