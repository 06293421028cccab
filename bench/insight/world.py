"""A world: services with endpoints, how often each is called, how it answers and how long it takes. Drawn by seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.insight.population import Floats, Ints, Population, populate
from bench.insight.roles import MISSING, NOUNS, ORDER, ROLES, SERVER_ERRORS, SERVICES, STATUSES
from dashapp.insight.minute import Endpoint

SLOTS = 320  # of the sketch of latencies: sql.sketch
_LONGEST_CHAIN = 6
_OTHER = "{other}"


@dataclass(frozen=True, slots=True)
class World:
    """Everything about a site that does not change with time.

    Arrays are by endpoint: first those of the services, then one for a route that is new one day, then those that do
    not exist and answer 404, then one of what is summed as other routes.

    Attributes:
        rate: requests a second, in the mean of a week, of all services.
        shares: of the services.
        service: number of the service of each endpoint.
        weight: share of the requests of its service.
        swing, phase: how much and at which hour of the day it is called more often than otherwise.
        answers: probability of each of STATUSES, shape (endpoints, statuses).
        log_ms, spread: of the log-normal latencies.
        tail: share of requests that take several times as long.
        items: different paths of the route.
        chain: what is called after it: chain[e, j] is the j-th call after one of e.
        real: how many endpoints exist (without the new one).
    """

    seed: int
    rate: float
    services: tuple[str, ...]
    shares: Floats
    endpoints: tuple[Endpoint, ...]
    roles: tuple[str, ...]
    service: Ints
    weight: Floats
    swing: Floats
    phase: Floats
    answers: Floats
    log_ms: Floats
    spread: Floats
    tail: Floats
    items: Ints
    chain: Ints
    real: int
    people: Population

    def of(self, service: int) -> Ints:
        """The endpoints of a service that exist."""
        return np.flatnonzero(self.service[: self.real] == service)


def draw_world(seed: int, rate: float) -> World:
    """Draw a world; more requests, more services and endpoints."""
    rng = np.random.default_rng([seed, 1])
    many, each = next((m, e) for limit, m, e in ((2, 2, 7), (10, 3, 11), (60, 4, 15), (1e9, 6, 20)) if rate <= limit)
    names = tuple(rng.choice(SERVICES, many, replace=False).tolist())
    shares = 1 / np.arange(1, many + 1) ** 0.7
    endpoints: list[Endpoint] = []
    roles: list[str] = []
    for number, name in enumerate(names):
        for role, endpoint in _of_service(rng, name, each, login=number == many - 1):
            roles.append(role)
            endpoints.append(endpoint)
    real = len(endpoints)
    # The last one of each is asked by a probe only.
    weight = np.r_[1 / np.arange(1, each) ** rng.uniform(0.9, 1.15), 0.0]
    weight = np.tile(weight / weight.sum(), many)
    endpoints.append(Endpoint(names[0], "POST", "/v3/" + str(rng.choice(NOUNS)) + "/{id}/settle"))
    endpoints += [Endpoint(names[0], "GET", path) for path in MISSING]
    endpoints.append(Endpoint(names[0], "GET", _OTHER))
    missing = len(MISSING) + 1
    roles += ["create"] + ["missing"] * missing
    total = real + 1 + missing
    medians = np.array([rng.uniform(*np.log(ROLES[role].median_ms)) for role in roles[: real + 1]])
    chain = np.zeros((real, _LONGEST_CHAIN), np.int64)
    for number in range(many):
        own = number * each + np.arange(each)
        follows = np.r_[rng.permutation(own[:-1]), own[-1]]
        step = own
        for j in range(_LONGEST_CHAIN):
            step = follows[step - own[0]]
            chain[own, j] = step
    return World(
        seed,
        rate,
        names,
        shares / shares.sum(),
        tuple(endpoints),
        tuple(roles),
        np.r_[np.repeat(np.arange(many), each), np.zeros(total - real)].astype(np.int64),
        np.r_[weight, np.zeros(total - real)],
        np.r_[rng.uniform(0, 0.3, real), np.zeros(total - real)],
        rng.uniform(0, 24, total),
        np.stack([_answers(rng, role) for role in roles]),
        np.r_[medians, np.full(missing, np.log(2.5))],
        np.r_[rng.uniform(0.3, 0.7, real + 1), np.full(missing, 0.4)],
        np.r_[rng.uniform(0.005, 0.025, real + 1), np.full(missing, 0.002)],
        np.array([1 if role == "missing" else ROLES[role].items for role in roles[:-1]] + [5000]),
        chain,
        real,
        populate(rng, rate),
    )


def _of_service(rng: np.random.Generator, name: str, each: int, *, login: bool) -> list[tuple[str, Endpoint]]:
    """Endpoints of a service, the most called first; none twice."""
    nouns = rng.permutation(NOUNS).tolist()
    turn = int(rng.integers(len(ORDER) - 1))
    found: dict[tuple[str, str], str] = {}
    place = 0
    while len(found) < each - 1:
        role = ORDER[(place + turn) % len(ORDER)] if place < each * 4 else "item"
        if login and len(found) == 2:
            role = "login"
        noun = nouns[place % len(nouns)]
        route = str(rng.choice(ROLES[role].routes)).format(noun=noun)
        if role != "login" or login:
            found.setdefault((ROLES[role].method, route), role)
        place += 1
    found["GET", "/healthz"] = "health"
    return [(role, Endpoint(name, method, route)) for (method, route), role in found.items()]


def _answers(rng: np.random.Generator, role: str) -> Floats:
    """How often an endpoint answers what; a server error once in a few hundred to few thousand requests."""
    if role == "missing":
        return np.array([float(status == 404) for status in STATUSES])
    shares = dict.fromkeys(STATUSES, 0.0)
    for status, share in ROLES[role].answers.items():
        shares[status] = share * (float(rng.lognormal(0, 0.3)) if share < 0.3 else 1.0)
    failing = min(0.004, 0.0007 * float(rng.lognormal(0, 0.8)))
    for status, share in zip(SERVER_ERRORS, rng.dirichlet((4, 2, 2, 1)), strict=True):
        shares[status] = failing * float(share)
    drawn = np.array(list(shares.values()))
    drawn[0] += max(0.0, 1 - drawn.sum())
    drawn /= drawn.sum()
    return drawn
