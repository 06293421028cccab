"""The traffic as a function of time: the same seed and range give the same requests, however it is cut up."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np

from demo.clients import population
from demo.draw import HOUR_US, Calls, draw_hour, epoch_us, with_incidents
from demo.endpoints import ENDPOINTS, SERVICES
from demo.incidents import Plan, Scan, planted

RATE_PER_S = 1.5
"""Mean requests per second of a working day: about 130,000 a day."""

ITEMS = range(10_000, 30_000)
"""Ids of products and users; the most wanted come first."""
_WORDS = tuple(
    quote(word) for word in ("운동화", "텀블러", "desk lamp", "커피 원두", "keyboard", "우산", "캠핑 의자", "usb-c hub")
)
_DAY = timedelta(days=1)


class Request(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One record in the product's canonical form; as JSON its keys keep this order."""

    timestamp: str
    service: str
    method: str
    path: str
    status: int
    latency_ms: float
    bytes: int
    client_ip: str
    user_agent: str
    referer: str | None = None
    app_version: str | None = None
    upstream: str | None = None
    id: str = msgspec.field(name="_id")

    def fields(self) -> dict[str, Any]:
        """Return what the JSON holds."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built


def requests(
    start: datetime, end: datetime, seed: int, *, rate: float = RATE_PER_S, plan: Plan | None = None
) -> Iterator[Request]:
    """Yield the requests of `[start, end)` in time order.

    Args:
        start: First moment, with a zone.
        end: Moment after the last one, with a zone; may be far away, since requests are drawn as they are taken.
        seed: Which of the possible worlds.
        rate: Mean requests per second of a working day.
        plan: Incidents; by default those that somebody who looks at `end` should find.
    """
    plan = planted(end) if plan is None else plan
    first, last = epoch_us(start), epoch_us(end)
    # The hour before may still have calls under way.
    hour = first // HOUR_US - 1
    under_way = draw_hour(hour, seed=seed, rate=rate)
    while (hour + 1) * HOUR_US < last:
        hour += 1
        border = (hour + 1) * HOUR_US
        calls = Calls.join([under_way, draw_hour(hour, seed=seed, rate=rate)])
        under_way = calls.take(calls.at_us >= border)
        calls = calls.take((calls.at_us >= hour * HOUR_US) & (calls.at_us < border))
        for request in _of_hour(calls, hour, seed, plan):
            if iso(first) <= request.timestamp < iso(last):
                yield request


def iso(at_us: int) -> str:
    """Write microseconds since 1970 as ISO 8601 in UTC; as text, such times sort like the moments."""
    return f"{np.datetime64(at_us, 'us')}Z"


def ndjson(records: Sequence[Request]) -> bytes:
    """Return the records as JSON, one a line."""
    return msgspec.json.Encoder().encode_lines(records)


def _of_hour(calls: Calls, hour: int, seed: int, plan: Plan) -> list[Request]:
    low, high = hour * HOUR_US, (hour + 1) * HOUR_US
    incidents = tuple(one for one in plan.incidents if epoch_us(one.start) < high and epoch_us(one.end) > low)
    calls = with_incidents(calls, incidents, np.random.default_rng([seed, hour, 1]))
    rendered = _render(calls, np.random.default_rng([seed, hour, 2]))
    for number, scan in enumerate(plan.scans):
        if epoch_us(scan.start) < high and epoch_us(scan.end) > low:
            rendered.extend(_scan_requests(scan, hour, np.random.default_rng([seed, hour, 3, number])))
            rendered.sort(key=lambda request: request.timestamp)
    return rendered


def _render(calls: Calls, rng: np.random.Generator) -> list[Request]:
    clients = population().clients
    times = np.datetime_as_string(calls.at_us.astype("datetime64[us]"), timezone="UTC").tolist()
    keys = _uuids(rng, len(times))
    columns = (calls.endpoint, calls.client, calls.status, calls.latency_ms, calls.size, calls.chance)
    rendered = []
    for time, key, number, who, status, latency_ms, size, chance in zip(
        times, keys, *(column.tolist() for column in columns), strict=True
    ):
        endpoint, client = ENDPOINTS[number], clients[who]
        instances = SERVICES[endpoint.service]
        rendered.append(
            Request(
                timestamp=time,
                service=endpoint.service,
                method=endpoint.method,
                path=_path(endpoint.path, time, key, chance),
                status=status,
                latency_ms=latency_ms,
                bytes=size,
                client_ip=client.address,
                user_agent=client.user_agent,
                referer=client.referer,
                app_version=client.app_version,
                upstream=instances[int(chance * 7919) % len(instances)],
                id=key,
            )
        )
    return rendered


def _path(template: str, time: str, key: str, chance: float) -> str:
    """Fill in a template; few items are asked for often and many seldom."""
    if "{" not in template:
        return template
    item = ITEMS[int(len(ITEMS) * chance**3)]
    return template.format(
        id=item,
        page=1 + int(6 * chance**2),
        word=_WORDS[item % len(_WORDS)],
        date=(datetime.fromisoformat(time) - _DAY).date() if "{date}" in template else "",
        # Another id than the record's own, made from it.
        uuid=f"{key[9:13]}{key[:4]}-{key[24:28]}-4{key[15:18]}-{key[19:23]}-{key[:8]}{key[32:36]}",
    )


def _scan_requests(scan: Scan, hour: int, rng: np.random.Generator) -> list[Request]:
    low, high = max(hour * HOUR_US, epoch_us(scan.start)), min((hour + 1) * HOUR_US, epoch_us(scan.end))
    at_us = np.sort(rng.integers(low, high, rng.poisson(scan.rate_per_s * (high - low) / 1e6)))
    shares = np.array([target.share for target in scan.targets])
    chosen = rng.choice(len(scan.targets), len(at_us), p=shares / shares.sum())
    latencies = np.round(18 * np.exp(0.4 * rng.standard_normal(len(at_us))), 1)
    return [
        Request(
            timestamp=iso(at),
            service=scan.targets[number].service,
            method=scan.targets[number].method,
            path=scan.targets[number].path,
            status=scan.targets[number].status,
            latency_ms=latency_ms,
            bytes=96,
            client_ip=scan.address,
            user_agent=scan.user_agent,
            upstream=SERVICES[scan.targets[number].service][0],
            id=key,
        )
        for at, number, latency_ms, key in zip(
            at_us.tolist(), chosen.tolist(), latencies.tolist(), _uuids(rng, len(at_us)), strict=True
        )
    ]


def _uuids(rng: np.random.Generator, count: int) -> list[str]:
    """Return random ids that are the same for the same generator."""
    drawn = rng.bytes(16 * count)
    return [str(uuid.UUID(bytes=drawn[at : at + 16], version=4)) for at in range(0, 16 * count, 16)]
