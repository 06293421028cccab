"""What is known of the weeks before a scenario, drawn from its model without making single requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy.special import ndtr

from bench.insight.answers import OFFSETS, TAIL_LOG, TAIL_SPREAD
from bench.insight.events import MEAN_CALLS, call_shares
from bench.insight.population import Floats, Ints
from bench.insight.programs import program_calls, program_hours
from bench.insight.rhythm import WEEK, WEEKS_BEFORE, Rhythm
from bench.insight.roles import MISSING, STATUSES
from bench.insight.world import SLOTS, World
from dashapp.insight.history import CLIENT_REQUESTS, BusiestHour
from dashapp.insight.minute import Endpoint, Minute

_HOURS_OF_LATENCIES = 8 * 24
_HOUR = timedelta(hours=1)
_WIDE = 24  # slots beyond the sketch on both sides, so that it can be shifted
_BURSTS = 2 * MEAN_CALLS - 1  # variance of the requests of an hour over their mean: of geometric sessions
_LOGGED = 0.998


def traffic(world: World, rhythm: Rhythm, until: int) -> dict[str, dict[datetime, int]]:
    """Requests by service and hour of the four weeks before minute `until`, at which an hour begins."""
    rng = np.random.default_rng([world.seed, 10])
    first = until - 60 * ((until + WEEKS_BEFORE * WEEK) // 60)
    starts = np.arange(first, until, 60)
    expected = np.stack([_requests(world, rhythm, int(begin)) for begin in starts], axis=1)
    by_service = np.stack([expected[world.of(each)].sum(axis=0) for each in range(len(world.services))])
    drawn = _clustered(rng, by_service)
    times = [_aware(rhythm.start + timedelta(minutes=int(each))) for each in starts]
    return {name: dict(zip(times, drawn[number].tolist(), strict=True)) for number, name in enumerate(world.services)}


def hours(world: World, rhythm: Rhythm, until: int) -> Iterator[Minute]:
    """Buckets of an hour by endpoint, with statuses and latencies, of the eight days before."""
    rng = np.random.default_rng([world.seed, 11])
    shape = _latency_bounds(world)
    for begin in range(until - 60 * _HOURS_OF_LATENCIES, until, 60):
        yield _hour(rng, world, rhythm, begin, shape)


def clients(world: World, rhythm: Rhythm, until: int) -> Iterator[BusiestHour]:
    """Clients with many requests in some hour of the eight days before minute `until`, by day of UTC."""
    rng = np.random.default_rng([world.seed, 12])
    shares = np.diff(world.people.popular, prepend=0.0)
    starts = np.arange(until - 60 * _HOURS_OF_LATENCIES, until, 60)
    of_people = 60 * np.stack(
        [rhythm.at(begin + np.arange(0, 60, 5)).mean(axis=1) for begin in starts.tolist()], axis=1
    )
    days = np.array([_aware(rhythm.start + timedelta(minutes=int(each))).date() for each in starts])
    for day in sorted(set(days.tolist())):
        mine = days == day
        for number, name in enumerate(world.services):
            drawn = _clustered(rng, shares * of_people[number, mine].max())
            for person in np.flatnonzero(drawn >= CLIENT_REQUESTS).tolist():
                yield BusiestHour(name, world.people.addresses[person], day, int(drawn[person]))
        for service, program, calls in program_hours(world, rhythm, starts[mine]):
            if calls >= CLIENT_REQUESTS:
                yield BusiestHour(service, world.people.addresses[program], day, calls)


def known(world: World) -> frozenset[Endpoint]:
    """Endpoints that were ever called: all that exist, and what strays ask for."""
    strays = world.endpoints[world.real + 1 : world.real + 1 + len(MISSING) // 6]
    return frozenset(world.endpoints[: world.real]) | frozenset(strays)


def _hour(rng: np.random.Generator, world: World, rhythm: Rhythm, begin: int, shape: Floats) -> Minute:
    counts = rng.multinomial(_clustered(rng, _requests(world, rhythm, begin)), world.answers[: world.real])
    strays = world.real + 1 + rng.integers(0, len(MISSING) // 6, rng.poisson(3.5))
    minutes = begin + np.arange(0, 60, 5)
    drag = np.array([rhythm.drag_at(np.full(12, each), minutes).mean() for each in range(len(world.services))])
    shift = (drag / np.log(1.05))[world.service[: world.real]]
    logged = rng.binomial(counts.sum(axis=1), _LOGGED)
    sketch = rng.multinomial(logged, _shifted(shape, shift))
    used = np.flatnonzero(counts.sum(axis=1))
    odd, times = np.unique(strays, return_counts=True)
    stray_counts = np.zeros((odd.size, len(STATUSES)), np.int64)
    stray_counts[:, STATUSES.index(404)] = times
    stray_sketch = np.zeros((odd.size, SLOTS + 2), np.int64)
    stray_sketch[:, 67] = times  # 2.5 ms
    counts, sketch = np.r_[counts[used], stray_counts], np.r_[sketch[used], stray_sketch]
    seen = np.flatnonzero(counts.any(axis=0))
    names = [world.endpoints[each] for each in [*used.tolist(), *odd.tolist()]]
    at = _aware(rhythm.start + timedelta(minutes=begin))
    return Minute(at, _HOUR, names, [STATUSES[each] for each in seen.tolist()], counts[:, seen], sketch)


def _requests(world: World, rhythm: Rhythm, begin: int) -> Floats:
    """Expected requests of the hour from a minute on, by existing endpoint (the others have hardly any)."""
    minutes = begin + np.arange(0, 60, 5)
    people = 60 * rhythm.at(minutes).mean(axis=1)
    by_people = people[world.service[: world.real]] * call_shares(world, rhythm.local_hour(begin))
    by_programs = 60 * program_calls(world, rhythm, minutes)[: world.real].mean(axis=1)
    expected: Floats = by_people + by_programs
    return expected


def _clustered(rng: np.random.Generator, expected: Floats) -> Ints:
    """Counts that scatter as requests in sessions do: gamma-Poisson."""
    return rng.poisson(rng.gamma(np.maximum(expected, 1e-9) / (_BURSTS - 1), _BURSTS - 1))


def _latency_bounds(world: World) -> Floats:
    """Probability of a latency below the end of each slot, by endpoint, where nothing drags; wider than the sketch."""
    ends = np.log(0.1) + np.log(1.05) * np.arange(-_WIDE, SLOTS + 1 + _WIDE)
    way = world.people.slowness
    mean, variance = float(way.mean()), float(way.var())
    below = np.zeros((world.real, ends.size))
    middle, spread, tail = (each[: world.real, None] for each in (world.log_ms, world.spread, world.tail))
    for place in range(len(STATUSES)):
        share = world.answers[: world.real, place, None]
        at = ends - middle - OFFSETS[place] - mean
        body = ndtr(at / np.sqrt(spread**2 + variance))
        slow = ndtr((at - TAIL_LOG) / np.sqrt(spread**2 + TAIL_SPREAD**2 + variance))
        below += share * ((1 - tail) * body + tail * slow)
    return below


def _shifted(below: Floats, shift: Floats) -> Floats:
    """Probability of each slot where latencies are so many slots higher, by endpoint."""
    whole = np.floor(shift).astype(np.int64)
    part = (shift - whole)[:, None]
    at = np.arange(SLOTS + 1)[None] + _WIDE - whole[:, None]
    rows = np.arange(below.shape[0])[:, None]
    bounds = (1 - part) * below[rows, at] + part * below[rows, at - 1]
    chance: Floats = np.diff(bounds, axis=1, prepend=0.0, append=1.0).clip(min=0.0)
    chance /= chance.sum(axis=1, keepdims=True)
    return chance


def _aware(at: datetime) -> datetime:
    return at.astimezone(UTC)
