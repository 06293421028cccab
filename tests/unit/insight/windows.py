"""Single requests of two windows as the tests draw them, and the fields that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dashapp.insight.addresses import network_of_address
from dashapp.insight.changes import Joint, Measure, Value
from dashapp.insight.groups import Counted, Field, Window

NAMES = ("service", "route", "method", "status", "client_ip", "network", "product", "attributes.version")


@dataclass(frozen=True)
class Hit:
    service: str
    route: str
    method: str
    status: int
    client_ip: str | None
    product: str | None
    version: str
    slow: bool

    def value(self, field: str) -> str | int | None:
        if field == "network":
            return network_of_address(self.client_ip) if self.client_ip else None
        name = "version" if field == "attributes.version" else field
        found: str | int | None = getattr(self, name)
        return found


ROUTES = [f"/route{i}" for i in range(12)]


def hits(draw: np.random.Generator, n: int) -> list[Hit]:
    """Requests in sessions: a client comes, calls some routes, and goes."""
    found: list[Hit] = []
    weights = np.arange(12, 0, -1) / 78
    while len(found) < n:
        client = f"10.{draw.integers(30)}.{draw.integers(2)}.{int(draw.zipf(1.4)) % 200}"
        product = str(draw.choice(["Chrome 141", "Firefox 140", "curl/8"]))
        for _ in range(draw.geometric(0.2)):
            route = str(draw.choice(ROUTES, p=weights))
            found.append(
                Hit(
                    service="shop" if route < "/route6" else "api",
                    route=route,
                    method="POST" if route.endswith("1") else "GET",
                    status=500 if draw.random() < 0.01 else 404 if draw.random() < 0.02 else 200,
                    client_ip=client,
                    product=product,
                    version="1.4",
                    slow=draw.random() < 0.05,
                )
            )
    return found[:n]


def changed(all_: Sequence[Hit], which: Callable[[Hit], bool], **columns: object) -> list[Hit]:
    return [replace(hit, **columns) if which(hit) else hit for hit in all_]  # type: ignore[arg-type]


def counted(all_: Sequence[Hit], field: str, values: Sequence[str | int]) -> Counted:
    place = {value: i for i, value in enumerate(values)}
    sums = np.zeros((4, len(values)))
    for hit in all_:
        value = hit.value(field)
        if value is not None:
            sums[:, place[value]] += (1, hit.status >= 400, 1, hit.slow)
    return Counted(*sums)


def window(all_: Sequence[Hit]) -> Window:
    return Window(len(all_), sum(hit.status >= 400 for hit in all_), len(all_), sum(hit.slow for hit in all_))


def fields(now: Sequence[Hit], before: Sequence[Hit]) -> list[Field]:
    found = []
    for name in NAMES:
        values = sorted({v for hit in (*now, *before) if (v := hit.value(name)) is not None}, key=str)
        found.append(
            Field(
                name,
                values,
                counted(now, name, values),
                counted(before, name, values),
                window(now),
                window(before),
                exact=True,
            )
        )
    return found


def joint(now: Sequence[Hit], before: Sequence[Hit]) -> Joint:
    def part(all_: Sequence[Hit], measure: Measure, one: Value, other: Value) -> float:
        mine = [hit for hit in all_ if hit.value(one[0]) == one[1]]
        if measure == "failures":
            mine = [hit for hit in mine if hit.status >= 400]
        if measure == "slow":
            mine = [hit for hit in mine if hit.slow]
        return sum(hit.value(other[0]) == other[1] for hit in mine) / len(mine) if mine else 0.0

    return lambda measure, one, other: (part(now, measure, one, other), part(before, measure, one, other))
