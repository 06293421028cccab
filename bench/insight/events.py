"""Requests as parallel arrays, and how people make them: sessions of one client, one call leading to the next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.insight.population import Floats, Ints
from bench.insight.rhythm import Rhythm
from bench.insight.world import World

MEAN_CALLS = 5.0  # of a session
_MOST_CALLS = 40
_FRESH = 0.6  # share of calls that are chosen anew; the others follow from the call before
_QUICK, _QUICK_S, _SLOW_S = 0.35, 0.4, 14.0
_CLUMSY, _CLUMSY_TIMES = 0.02, 6.0  # sessions in which much more goes wrong
# Share of the calls that are the j-th after one that was chosen anew: the first call always is.
_AFTER = (1 + (MEAN_CALLS - 1) * _FRESH) / MEAN_CALLS * ((1 - 1 / MEAN_CALLS) * (1 - _FRESH)) ** np.arange(6)


class Events(NamedTuple):
    """Requests, in no order.

    Attributes:
        ts: seconds after the start of the scenario.
        client, endpoint, item: numbers; `item` says which of the paths of the route.
        luck: from 0 to 1, how it will be answered: the larger, the worse.
    """

    ts: Floats
    client: Ints
    endpoint: Ints
    item: Ints
    luck: npt.NDArray[np.float64]

    def where(self, mask: npt.NDArray[np.bool_]) -> Events:
        """Those of a mask."""
        return Events._make(each[mask] for each in self)


class Answered(NamedTuple):
    """Requests with their answers: `status` points into STATUSES, `log_ms` is nan where no latency is logged."""

    ts: Floats
    client: Ints
    endpoint: Ints
    item: Ints
    status: Ints
    log_ms: Floats

    def where(self, mask: npt.NDArray[np.bool_]) -> Answered:
        """Those of a mask."""
        return Answered._make(each[mask] for each in self)


def together(parts: list[Events]) -> Events:
    """All of them."""
    return Events._make(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def make_events(
    rng: np.random.Generator, world: World, ts: Floats, client: Ints | int, endpoint: Ints, item: Ints | None = None
) -> Events:
    """Requests at given times; the paths of their routes are drawn, few of them much more often than others."""
    if item is None:
        item = (world.items[endpoint] * rng.random(ts.size) ** 3).astype(np.int64)
    return Events(ts, np.broadcast_to(np.asarray(client, np.int64), ts.shape), endpoint, item, rng.random(ts.size))


def popularity(world: World, hour: float) -> Floats:
    """Share of each endpoint in what is chosen anew in its service at an hour of the day."""
    weight: Floats = world.weight * (1 + world.swing * np.cos((hour - world.phase) * np.pi / 12))
    number = world.service[: world.real]
    shares: Floats = weight[: world.real] / np.bincount(number, weight[: world.real])[number]
    return shares


def call_shares(world: World, hour: float) -> Floats:
    """Share of each endpoint in the calls people make to its service, also those that follow from others."""
    chosen = popularity(world, hour)
    shares: Floats = _AFTER[0] / _AFTER.sum() * chosen
    for j in range(1, _AFTER.size):
        shares += _AFTER[j] / _AFTER.sum() * np.bincount(world.chain[:, j - 1], chosen, minlength=world.real)
    return shares


def people(rng: np.random.Generator, world: World, rhythm: Rhythm, minutes: Ints, more: Floats) -> Events:
    """Requests of the sessions that begin in some minutes; the last of them come later.

    Args:
        rng: draws.
        world: of which.
        rhythm: how many.
        minutes: consecutive ones.
        more: times as many sessions as usual, shape (services, minutes).
    """
    sessions = rng.poisson(rhythm.at(minutes) * more / MEAN_CALLS)
    n = int(sessions.sum())
    service = np.repeat(np.repeat(np.arange(len(world.services)), minutes.size), sessions.ravel())
    begin = 60.0 * (np.repeat(np.tile(minutes, len(world.services)), sessions.ravel()) + rng.random(n))
    client = np.searchsorted(world.people.popular, rng.random(n), side="right").clip(max=world.people.popular.size - 1)
    calls = np.minimum(rng.geometric(1 / MEAN_CALLS, n), _MOST_CALLS)
    first = np.cumsum(calls) - calls
    of = np.repeat(np.arange(n), calls)
    gaps = rng.exponential(1.0, of.size) * np.where(rng.random(of.size) < _QUICK, _QUICK_S, _SLOW_S)
    gaps[first] = 0.0
    passed = np.cumsum(gaps)
    ts = passed - passed[first][of] + begin[of]
    endpoint = _endpoints(rng, world, rhythm.local_hour(int(minutes[0])), service[of], first)
    luck = rng.random(of.size)
    clumsy = (rng.random(n) < _CLUMSY)[of]
    luck[clumsy] = 1 - (1 - luck[clumsy]) / _CLUMSY_TIMES
    return make_events(rng, world, ts, client[of], endpoint)._replace(luck=luck)


def _endpoints(rng: np.random.Generator, world: World, hour: float, service: Ints, first: Ints) -> Ints:
    """What is called: something popular, or what follows from the call before."""
    chosen = popularity(world, hour)
    number = world.service[: world.real]
    bounds = np.cumsum(chosen)
    anew = np.searchsorted(bounds, service + rng.random(service.size), side="right").clip(max=number.size - 1)
    fresh = rng.random(service.size) < _FRESH
    fresh[first] = True
    here = np.arange(service.size)
    last = np.maximum.accumulate(np.where(fresh, here, 0))
    after = here - last
    follows = world.chain[anew[last], (after - 1) % world.chain.shape[1]]
    return np.where(after == 0, anew, follows)
