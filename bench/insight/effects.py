"""What an incident does to the requests of some minutes: more or fewer of them, other answers, longer latencies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.insight.events import Answered, Events, make_events
from bench.insight.incidents import Incident
from bench.insight.population import Floats, Ints
from bench.insight.rhythm import DRAG
from bench.insight.roles import MISSING, STATUSES
from bench.insight.world import World

_SOON_S = 120.0  # how long a call of A can break one of B
_WAVE_S, _WAVES_EVERY_S = 240.0, 1200.0  # how long A is called much, and how often, where it loads B
_MANY_TIMES = 4.0
_LOAD_LAG_S = 60.0
_DENIED, _MISSED = STATUSES.index(401), STATUSES.index(404)


def more_sessions(incident: Incident, minutes: Ints, more: Floats) -> Floats:
    """Multiply the sessions of a service while more people come."""
    if incident.kind != "traffic_spike":
        return more
    overlap = np.minimum(60.0 * minutes + 60, incident.end_s) - np.maximum(60.0 * minutes, incident.start_s)
    more[incident.service] *= 1 + (incident.sessions - 1) * np.clip(overlap / 60, 0, 1)
    return more


def thinned(rng: np.random.Generator, incident: Incident, world: World, asked: Events) -> Events:
    """Take away the requests that do not arrive, in order to leave some or none of a service."""
    if incident.kind not in ("traffic_drop", "outage"):
        return asked
    kept = incident.dose.factor if incident.kind == "traffic_drop" else 0.0
    struck = on(incident, asked.ts) & (world.service[asked.endpoint] == incident.service)
    return asked.where(~struck | (rng.random(asked.ts.size) < kept))


def added(rng: np.random.Generator, incident: Incident, world: World, minutes: Ints, usual: Floats) -> Events | None:
    """Requests that would not have been made, in some minutes.

    Args:
        rng: draws.
        incident: which.
        world: of which.
        minutes: consecutive ones.
        usual: requests of people a minute by existing endpoint.
    """
    begin, end = max(incident.start_s, 60.0 * minutes[0]), min(incident.end_s, 60.0 * (minutes[-1] + 1))
    if begin >= end:
        return None
    if incident.kind == "a_loads_b":
        a = incident.cause_endpoint
        ts = rng.uniform(begin, end, rng.poisson((_MANY_TIMES - 1) * max(usual[a], 4.0) * (end - begin) / 60))
        ts = ts[_in_wave(incident, ts)]
        # A job of one of the partners does that, not people.
        return make_events(rng, world, ts, world.people.programs["partner"], np.full(ts.size, a))
    if not incident.dose.rate:
        return None
    ts = _regularly(rng, incident, begin, end)
    endpoint = np.full(ts.size, incident.endpoint)
    if incident.kind == "new_failing_route":
        client = np.searchsorted(world.people.popular, rng.random(ts.size)).clip(max=world.people.popular.size - 1)
        return make_events(rng, world, ts, client, endpoint)
    number = np.floor((ts - incident.start_s) * incident.dose.rate / 60).astype(np.int64)
    client = np.array(incident.clients)[number % len(incident.clients)]
    if incident.kind == "scanner":
        return _missing(rng, world, ts, client, number)
    if incident.kind == "scraper":
        # One after the other, from somewhere in the list on.
        item = (4321 + number) % world.items[incident.endpoint]
        return make_events(rng, world, ts, client, endpoint, item)
    return make_events(rng, world, ts, client, endpoint, np.full(ts.size, 17 % world.items[incident.endpoint]))


def _regularly(rng: np.random.Generator, incident: Incident, begin: float, end: float) -> Floats:
    """Times at about the rate of the incident: the first at its start, the others shaken a little."""
    gap = 60.0 / incident.dose.rate
    first, last = (int(np.ceil((at - incident.start_s) / gap)) for at in (begin, end))
    at = incident.start_s + gap * np.arange(first, last)
    if incident.kind == "new_failing_route":
        return np.sort(rng.uniform(begin, end, rng.poisson(at.size)))
    return np.clip(at + rng.uniform(0, 0.8 * gap, at.size), begin, end - 1e-6)


def _missing(rng: np.random.Generator, world: World, ts: Floats, client: Ints, number: Ints) -> Events:
    """A scanner has a list; what is far down on it no longer gets routes of its own."""
    known = number < len(MISSING)
    start = world.seed % len(MISSING)
    endpoint = np.where(known, world.real + 1 + (start + number) % len(MISSING), len(world.endpoints) - 1)
    return make_events(rng, world, ts, client, endpoint, np.where(known, 0, number))


def bent(
    rng: np.random.Generator, incident: Incident, world: World, answered: Answered, before: Answered | None
) -> Answered:
    """Change answers and latencies of those that are struck; `before` are requests of the minutes before."""
    status, log_ms = answered.status.copy(), answered.log_ms.copy()
    kind, dose = incident.kind, incident.dose
    mine = on(incident, answered.ts) & _struck(incident, world, answered)
    chance = rng.random(answered.ts.size)
    if kind in ("guessing", "guessing_spread"):
        right = np.isin(answered.client, incident.clients) & (answered.endpoint == incident.endpoint)
        status[right & on(incident, answered.ts)] = _DENIED
    elif kind == "scraper":
        status[mine & np.isin(answered.client, incident.clients) & (chance < 0.03)] = _MISSED
    elif kind == "a_breaks_b":
        mine &= _soon_after(incident, answered, before)
    if kind in ("errors_endpoint", "errors_service", "errors_network", "a_breaks_b", "deploy", "new_failing_route"):
        failing = mine & (chance < dose.share)
        status[failing] = STATUSES.index(incident.status)
    if kind in ("latency_endpoint", "latency_service", "latency_band", "deploy"):
        log_ms[mine] += np.log(dose.factor)
    elif kind == "latency_tail":
        log_ms[mine & (chance < dose.share)] += np.log(dose.factor)
    elif kind == "latency_drift":
        into = (answered.ts[mine] - incident.start_s) / (incident.end_s - incident.start_s)
        log_ms[mine] += np.log1p((dose.factor - 1) * into)
    elif kind == "a_loads_b":
        log_ms[mine & _in_wave(incident, answered.ts - _LOAD_LAG_S)] += np.log(dose.factor)
    elif kind == "traffic_spike":
        log_ms[mine] += DRAG * np.log(dose.factor)
    return answered._replace(status=status, log_ms=log_ms)


def on(incident: Incident, ts: Floats) -> npt.NDArray[np.bool_]:
    """At which of some moments the incident is on."""
    found = np.zeros(ts.shape, np.bool_)
    for begin, end in incident.spans():
        found |= (ts >= begin) & (ts < end)
    return found


def _struck(incident: Incident, world: World, answered: Answered) -> npt.NDArray[np.bool_]:
    """Requests of the subject: of the endpoint, else of the network, else of the service."""
    if incident.endpoint >= 0:
        return np.equal(answered.endpoint, incident.endpoint)
    if incident.network >= 0:
        return np.equal(world.people.network[answered.client], incident.network)
    return np.equal(world.service[answered.endpoint], incident.service)


def _in_wave(incident: Incident, ts: Floats) -> npt.NDArray[np.bool_]:
    return (ts >= incident.start_s) & ((ts - incident.start_s) % _WAVES_EVERY_S < _WAVE_S)


def _soon_after(incident: Incident, answered: Answered, before: Answered | None) -> npt.NDArray[np.bool_]:
    """Whether the same client has called A a short time before."""
    ts, client, endpoint = (
        (np.r_[a, b] if before is not None else a)
        for a, b in zip(
            (answered.ts, answered.client, answered.endpoint),
            (before.ts, before.client, before.endpoint) if before is not None else (None,) * 3,
            strict=True,
        )
    )
    a = endpoint == incident.cause_endpoint
    # One number line for all clients, in which each has a stretch of its own.
    stretch = 1e7
    calls = np.sort(client[a] * stretch + ts[a])
    asked = answered.client * stretch + answered.ts
    place = np.searchsorted(calls, asked, side="left")
    last = np.where(place > 0, calls[np.maximum(place - 1, 0)] if calls.size else -np.inf, -np.inf)
    return asked - last <= _SOON_S
