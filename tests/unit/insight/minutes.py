"""Minutes of traffic as the tests draw them: people, services and a robot, and what is planted among them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from dashapp.insight.minute import ClientMinute, Endpoint

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PEOPLE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@dataclass(frozen=True)
class Call:
    client: str
    route: str
    status: int = 200
    path: str = ""
    method: str = "GET"
    agent: str | None = PEOPLE
    service: str = "shop"


def client_minute(start: datetime, calls: Iterable[Call], width: timedelta = MINUTE) -> ClientMinute:
    """The minute in which these calls were made."""
    clients: dict[str, int] = {}
    endpoints: dict[Endpoint, int] = {}
    agents: dict[str, Counter[str | None]] = defaultdict(Counter)
    n: Counter[tuple[int, int, int]] = Counter()
    paths: dict[tuple[int, int, int], set[str]] = defaultdict(set)
    for call in calls:
        endpoint = Endpoint(call.service, call.method, call.route)
        entry = (
            clients.setdefault(call.client, len(clients)),
            endpoints.setdefault(endpoint, len(endpoints)),
            call.status,
        )
        n[entry] += 1
        paths[entry].add(call.path or call.route)
        agents[call.client][call.agent] += 1
    columns = np.array(list(n) or np.zeros((0, 3)), np.int64).reshape(-1, 3)
    different = np.array([len(paths[entry]) for entry in n], np.int64)
    return ClientMinute(
        start=start,
        width=width,
        clients=list(clients),
        agents=[agents[client].most_common(1)[0][0] for client in clients],
        endpoints=list(endpoints),
        client=columns[:, 0],
        endpoint=columns[:, 1],
        status=columns[:, 2],
        n=np.array(list(n.values()), np.int64),
        failed_paths=np.where(columns[:, 2] >= 400, different, 0),
        paths=different,
    )


class People:
    """Visitors of a shop: they come, read some pages with their images, log in, mistype and go.

    Beside them, always: a search engine, a probe, and the service of a partner that reads orders.
    """

    def __init__(self, draw: np.random.Generator, per_minute: float = 60, service: str = "shop") -> None:
        self.draw = draw
        self.per_minute = per_minute
        self.service = service
        self.here: list[tuple[str, int]] = []
        weights = draw.pareto(1.1, 800) + 0.2
        self.weights = weights / weights.sum()
        self.addresses = [f"198.51.{i % 40}.{i % 250 + 1}" for i in range(800)]

    def calls(self, minute: int) -> Iterator[Call]:
        rhythm = 1 + 0.6 * np.sin(2 * np.pi * (minute / 1440 - 0.3))
        pages = self.draw.poisson(self.per_minute * rhythm * 0.16)
        for _ in range(pages):
            client = self.addresses[self.draw.choice(len(self.addresses), p=self.weights)]
            item = int(self.draw.zipf(1.3)) % 3000
            yield Call(client, "/item/{id}", 404 if self.draw.random() < 0.03 else 200, f"/item/{item}")
            for image in range(self.draw.integers(1, 6)):
                yield Call(client, "/image/{id}", 304 if self.draw.random() < 0.3 else 200, f"/image/{item}-{image}")
            if self.draw.random() < 0.05:
                yield Call(client, "/favicon.ico", 404)
            if self.draw.random() < 0.05:
                for _ in range(self.draw.geometric(0.75) - 1):
                    yield Call(client, "/login", 401, method="POST")
                yield Call(client, "/login", 200, method="POST")
            if self.draw.random() < 0.1:
                yield Call(client, "/cart", 500 if self.draw.random() < 0.01 else 201, method="POST")
        for _ in range(self.draw.poisson(2)):
            page = self.draw.integers(5000)
            yield Call("66.249.66.1", "/item/{id}", 404 if page % 5 == 0 else 200, f"/item/{page}", agent=ROBOT)
        for path in ("/health", "/ready"):
            yield Call("10.0.0.7", path, 200, agent="kube-probe/1.29")
        for _ in range(self.draw.poisson(12)):
            order = self.draw.integers(100_000)
            yield Call("10.2.3.4", "/order/{id}", 200, f"/order/{order}", agent="partner-sync/2.1")


Planted = Callable[[int, np.random.Generator], Iterable[Call]]


def days(seed: int, minutes: int, planted: Planted | None = None, per_minute: float = 60) -> Iterator[ClientMinute]:
    """Minutes with people and what is planted; the same seed gives the same people."""
    people = People(np.random.default_rng(seed), per_minute)
    other = np.random.default_rng(seed + 1_000_000)
    for minute in range(minutes):
        calls = list(people.calls(minute))
        if planted is not None:
            calls += planted(minute, other)
        yield client_minute(START + minute * MINUTE, calls)
