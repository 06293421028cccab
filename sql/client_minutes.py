"""What each client asked for, minute by minute, and single requests of a short span: bounded, from the rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from sql.connection import Reading
from sql.plan import Range

# A span with more entries is not looked at by client: memory and time are bounded.
MOST_ENTRIES = 100_000
MOST_REQUESTS = 50_000


class ClientEntry(NamedTuple):
    """Requests of a client to an endpoint with a status in a minute; `agent` is the one that most of them have."""

    minute: datetime
    client: str
    service: str
    method: str
    route: str
    status: int
    n: int
    paths: int
    agent: str | None


class SingleRequest(NamedTuple):
    """A request; `ts` in seconds since 1970."""

    ts: float
    client: str | None
    service: str
    method: str
    route: str
    status: int
    latency_ms: float | None


# The minute is of UTC whatever the zone of the session is.
_ENTRIES = """
select time_bucket(interval '1 minute', ts) as minute, host(client_ip), service, method, route, status,
    count(*), count(distinct path), mode() within group (order by user_agent)
from access_log
where ts >= :low and ts < :high and client_ip is not null {conditions}
group by 1, client_ip, service, method, route, status
limit :most
"""
_REQUESTS = """
select extract(epoch from ts)::float8, host(client_ip), service, method, route, status, latency_ms
from access_log
where ts >= :low and ts < :high {conditions}
order by ts
limit :most
"""
_OF_SERVICE = "and service = :service"
_OF_ENDPOINTS = (
    "and (service, method, route) in (select * from unnest(cast(:services as text[]), cast(:methods as text[]), "
    "cast(:routes as text[])))"
)


def client_entries(reading: Reading, span: Range, service: str | None = None) -> list[ClientEntry] | None:
    """Return the entries of a span of whole minutes, in no order; None where there are more than MOST_ENTRIES."""
    values: dict[str, Any] = {"low": span.start, "high": span.end, "most": MOST_ENTRIES + 1}
    statement = _ENTRIES.format(conditions="")
    if service is not None:
        statement, values = _ENTRIES.format(conditions=_OF_SERVICE), values | {"service": service}
    rows = reading.execute(sa.text(statement), values).all()
    reading.count_rows(sum(row[6] for row in rows))
    return [ClientEntry(*row) for row in rows] if len(rows) <= MOST_ENTRIES else None


def single_requests(
    reading: Reading,
    span: Range,
    *,
    endpoints: Sequence[tuple[str, str, str]] = (),
    service: str | None = None,
    most: int = MOST_REQUESTS,
) -> list[SingleRequest]:
    """Return the first requests of a span, ascending in time; of some endpoints or a service if named."""
    values: dict[str, Any] = {"low": span.start, "high": span.end, "most": min(most, MOST_REQUESTS)}
    words = []
    if endpoints:
        words.append(_OF_ENDPOINTS)
        services, methods, routes = (list(column) for column in zip(*endpoints, strict=True))
        values |= {"services": services, "methods": methods, "routes": routes}
    if service is not None:
        words.append(_OF_SERVICE)
        values["service"] = service
    rows = reading.execute(sa.text(_REQUESTS.format(conditions=" ".join(words))), values).all()
    reading.count_rows(len(rows))
    return [SingleRequest(*row) for row in rows]
