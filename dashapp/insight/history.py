"""What is known of the time before the first minute of a watch. All may be missing: trailing baselines serve then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from dashapp.insight.minute import ClientMinute, Endpoint, Minute

HOUR = timedelta(hours=1)
# What is worth reading: traffic is compared with the same hour of up to so many weeks before, ...
TRAFFIC_SPAN = timedelta(weeks=4)
# ... latencies are followed over so many days (a slow drift, hours of the day that are slow again and again), ...
LATENCY_SPAN = timedelta(days=8)
# ... and the last of the minutes before the first one let the search begin at once, without a warm-up.
WARM_UP = timedelta(hours=3)
# ... and who called much before is no news: clients with at least so many requests in some hour of the last days.
CLIENT_SPAN = timedelta(days=8)
CLIENT_REQUESTS = 60


class BusiestHour(NamedTuple):
    """The most requests that a client made to a service in an hour of a day (UTC)."""

    service: str
    client: str
    day: date
    requests: int


@dataclass(frozen=True, slots=True)
class History:
    """The past as the search takes it; each part is read once, in `Watch.__init__`, and not kept.

    Attributes:
        traffic: requests by service and start of the hour (aware, whole hours of UTC), of up to TRAFFIC_SPAN. An hour
            in which something was collected but nothing requested is 0; one of which nothing is known is missing. An
            hour that is not over, or known in part only, is better left out.
        hours: buckets of one hour, ascending, of up to LATENCY_SPAN and at least the last day: baseline of errors and
            latencies by endpoint. A generator will do, so that only one is in memory at a time. Gaps are fine.
        minutes: the minutes between the last of the hours and the first minute that is searched, ascending, of up to
            WARM_UP. They make the baseline and find nothing.
        client_minutes: the same by client, ascending; some or all may be missing.
        endpoints: known before, whenever that was: an endpoint that is neither here nor in `hours` is new. None where
            that is not known; then no endpoint is called new in the first day.
        clients: of clients with at least CLIENT_REQUESTS in an hour, over up to CLIENT_SPAN, one for each day.
    """

    traffic: Mapping[str, Mapping[datetime, int]] = field(default_factory=dict)
    hours: Iterable[Minute] = ()
    minutes: Iterable[Minute] = ()
    client_minutes: Iterable[ClientMinute] = ()
    endpoints: frozenset[Endpoint] | None = None
    clients: Iterable[BusiestHour] = ()
