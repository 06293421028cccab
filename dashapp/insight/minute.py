"""What the search sees: one bucket of traffic after the other. Arrays only; `dashapp.scan` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


class Endpoint(NamedTuple):
    """A method and a route of a service."""

    service: str
    method: str
    route: str


@dataclass(frozen=True, slots=True)
class Minute:
    """All requests of one bucket (a minute, or longer where the range is long) by endpoint.

    Attributes:
        start: of the bucket, aware.
        width: of the bucket.
        endpoints: the rows of the arrays; an endpoint without requests may be missing.
        statuses: the columns of `counts`.
        counts: requests by endpoint and status code, shape (endpoints, statuses).
        latencies: requests by endpoint and slot of the quantile sketch (`sql.sketch`), shape (endpoints, SLOTS + 2);
            requests without a latency are in no slot, so a row may sum to less than that of `counts`.
        unknown: services of which nothing can be known in this bucket, because nothing was collected. A service that
            is neither here nor among the endpoints had no requests.
    """

    start: datetime
    width: timedelta
    endpoints: Sequence[Endpoint]
    statuses: Sequence[int]
    counts: Counts
    latencies: Counts
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ClientMinute:
    """The same bucket by client: parallel arrays, one entry for each client, endpoint and status.

    Attributes:
        clients: addresses; `client` points into it. Requests without an address are left out.
        agents: user agent of each client (its most frequent one), None without.
        endpoints: `endpoint` points into it.
        client, endpoint, status, n: of each entry; n is its requests.
        failed_paths: distinct paths that the entry's requests asked for; counted for statuses >= 400, else 0.
        paths: distinct paths of the entry's requests.
    """

    start: datetime
    width: timedelta
    clients: Sequence[str]
    agents: Sequence[str | None]
    endpoints: Sequence[Endpoint]
    client: Counts
    endpoint: Counts
    status: Counts
    n: Counts
    failed_paths: Counts
    paths: Counts


@dataclass(frozen=True, slots=True)
class Requests:
    """Single requests of a span, ascending in time: parallel arrays.

    Attributes:
        ts: seconds since 1970, float.
        client: pointer into `clients`; -1 without an address.
        endpoint: pointer into `endpoints`.
        status: code.
        latency_ms: nan where there is none.
    """

    clients: Sequence[str]
    endpoints: Sequence[Endpoint]
    ts: npt.NDArray[np.float64]
    client: Counts
    endpoint: Counts
    status: Counts
    latency_ms: npt.NDArray[np.float64]
