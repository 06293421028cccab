"""An incident of a world, placed where there is something to strike, with the truth about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from bench.insight.events import call_shares
from bench.insight.population import Floats
from bench.insight.programs import batch_calls, batch_endpoint, program_calls
from bench.insight.rhythm import Rhythm
from bench.insight.sizes import PLANS, SIZES, Dose, Plan, Size
from bench.insight.world import World
from dashapp.insight.finding import Subject

_NOISE_TIMES = 9.0  # the root of the requests a minute: what a spike adds and a drop takes at least
_MOST_SHARE = 0.95
_TRAFFIC = ("traffic_spike", "traffic_drop")
FAILING = (500, 502, 503)


@dataclass(frozen=True, slots=True)
class Incident:
    """What is planted.

    Attributes:
        kind, size: of PLANS.
        start_s, end_s: seconds after the start of the scenario; of latency_band those of the first day.
        subject: the truth about whom it strikes.
        related: of A-B incidents: A.
        dose: how much, adapted to the traffic of the subject.
        service, endpoint, network: numbers of the subject; -1 where it is something else.
        cause_endpoint: number of A; -1 without.
        clients: who does it, of those that clients do.
        status: with which it fails.
        days: on how many days in a row.
        sessions: times as many of them as usual, so that all requests, with those of programs, are dose.factor times.
    """

    kind: str
    size: Size
    start_s: float
    end_s: float
    subject: Subject
    related: Subject | None
    dose: Dose
    service: int = -1
    endpoint: int = -1
    network: int = -1
    cause_endpoint: int = -1
    clients: tuple[int, ...] = ()
    status: int = 500
    days: int = 1
    sessions: float = 1.0

    @property
    def plan(self) -> Plan:
        """What is said of its kind."""
        return PLANS[self.kind]

    def spans(self) -> list[tuple[float, float]]:
        """When it is on, in seconds."""
        return [(self.start_s + day * 86400, self.end_s + day * 86400) for day in range(self.days)]


BAND_DAYS = 4


def usual_calls(world: World, rhythm: Rhythm, minute: int, length: int) -> Floats:
    """Requests of people a minute by existing endpoint, in the least busy minutes of a span."""
    minutes = np.arange(minute, minute + length)
    least = np.quantile(rhythm.at(minutes), 0.1, axis=1)
    return least[world.service[: world.real]] * call_shares(world, rhythm.local_hour(minute))


def plant(world: World, rhythm: Rhythm, kind: str, size: Size, minute: int, turn: int) -> Incident | None:
    """Place an incident of a kind in a minute; None where nothing has enough requests then."""
    plan = PLANS[kind]
    dose = plan.doses[SIZES.index(size)]
    rng = np.random.default_rng([world.seed, 4, turn])
    start = 60.0 * minute + float(rng.uniform(0, 60))
    end = start + 60.0 * dose.minutes
    calls = usual_calls(world, rhythm, minute, dose.minutes)
    status = int(rng.choice(FAILING))
    days = BAND_DAYS if kind == "latency_band" else 1

    blank = partial(Incident, kind, size, start, end, status=status, days=days)
    if plan.who == "client":
        client = int(rng.choice(world.people.strangers[:20]))
        subject = Subject(client_ip=world.people.addresses[client])
        return blank(subject, None, dose, clients=(client,), endpoint=_struck_by_client(rng, world, kind))
    if plan.who == "strangers":
        several = world.people.strangers[40:]
        subject = Subject(network=world.people.networks[int(world.people.network[several[0]])])
        where = _struck_by_client(rng, world, kind)
        return blank(subject, None, dose, clients=tuple(several.tolist()), endpoint=where)
    if plan.who == "service":
        of = np.bincount(world.service[: world.real], calls).astype(np.float64)
        around = np.arange(minute - 60, minute + dose.minutes + 30)
        if kind in _TRAFFIC and batch_calls(world, rhythm, around).any():
            # What is ten times as much as usual cannot be said while the batch begins or ends.
            of[world.service[batch_endpoint(world)]] = 0
        number, fitted = _drawn(rng, kind, dose, plan.need, of)
        if fitted is None:
            return None
        there = program_calls(world, rhythm, np.arange(minute, minute + dose.minutes))[world.of(number)].sum(axis=0)
        sessions = 1 + (fitted.factor - 1) * (1 + float(there.mean() / of[number]))
        return blank(Subject(world.services[number]), None, fitted, service=number, sessions=sessions)
    if plan.who == "network":
        number, fitted = _drawn(rng, kind, dose, plan.need, world.people.network_shares() * float(calls.sum()))
        subject = Subject(network=world.people.networks[number])
        return None if fitted is None else blank(subject, None, fitted, network=number)
    if kind == "new_failing_route":
        return blank(subject_of(world, world.real), None, dose, endpoint=world.real)
    if kind == "a_breaks_b":
        # Only those of its calls count that come after one of A.
        calls = np.array([_after(world, calls, b)[1] for b in range(world.real)])
    number, fitted = _drawn(rng, kind, dose, plan.need, calls)
    if fitted is None:
        return None
    a = _cause(rng, world, kind, number)
    related = None if a < 0 else subject_of(world, a)
    return blank(subject_of(world, number), related, fitted, endpoint=number, cause_endpoint=a)


def _drawn(rng: np.random.Generator, kind: str, dose: Dose, need: float, calls: Floats) -> tuple[int, Dose | None]:
    """Draw one of those that have enough requests a minute, and how much of it that one gets."""
    fitting = np.flatnonzero(calls >= need)
    if not fitting.size:
        return 0, None
    number = int(rng.choice(fitting))
    return number, _fit(kind, dose, float(calls[number]))


def _cause(rng: np.random.Generator, world: World, kind: str, b: int) -> int:
    """The endpoint A whose calls do it to B: what is mostly called before, or any other of the service."""
    if kind == "a_breaks_b":
        return _after(world, np.zeros(world.real), b)[0]
    if kind == "a_loads_b":
        own = world.of(int(world.service[b]))
        return int(rng.choice(own[(own != b) & (world.weight[own] > 0)]))
    return -1


def _after(world: World, calls: Floats, endpoint: int) -> tuple[int, float]:
    """The call that leads to an endpoint, and about how many requests a minute come soon after it."""
    before = int(np.flatnonzero(world.chain[:, 0] == endpoint)[0])
    return before, 0.0 if before == endpoint else 0.32 * float(calls[before])


def _fit(kind: str, dose: Dose, calls: float) -> Dose | None:
    """Enlarge a dose where the subject has so few requests a minute that it would hardly be seen."""
    noise = _NOISE_TIMES / np.sqrt(calls)
    if kind == "traffic_spike":
        return dose._replace(factor=max(dose.factor, 1 + noise))
    if kind == "traffic_drop":
        return dose._replace(factor=min(dose.factor, 1 - noise)) if noise < 1 else None
    share = min(_MOST_SHARE, max(dose.share, dose.least / calls)) if dose.share < 1 else 1.0
    return dose._replace(share=share)


def _struck_by_client(rng: np.random.Generator, world: World, kind: str) -> int:
    roles = {"scraper": ("item", "part"), "guessing": ("login",), "guessing_spread": ("login",)}.get(kind)
    fitting = [
        each
        for each in range(world.real)
        if (roles is None and world.weight[each] > 0) or (roles and world.roles[each] in roles)
    ]
    return int(rng.choice(fitting))


def subject_of(world: World, endpoint: int) -> Subject:
    """An endpoint as the subject of findings."""
    return Subject(*world.endpoints[endpoint])
