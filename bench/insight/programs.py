"""Programs that are always there: crawlers that are polite, a probe, a partner, a nightly batch, stray knocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bench.insight.events import Events, make_events, together
from bench.insight.population import Floats, Ints
from bench.insight.rhythm import WEEK, WEEKS_BEFORE, Rhythm
from bench.insight.roles import MISSING
from bench.insight.world import World

_PROBE_S = 15
_PARTNER_CALLS = 8
_BATCH_FROM_H, _BATCH_MINUTES = 2.2, 40
_STRAY_A_MINUTE = 1 / 40
_STRAYS = slice(20, 40)  # of the strangers: who knocks and goes


def programs(rng: np.random.Generator, world: World, rhythm: Rhythm, minutes: Ints) -> Events:
    """Requests of all programs in some consecutive minutes."""
    names = world.people.programs
    first = world.of(0)
    readable = first[[world.roles[each] in ("list", "item", "part", "page") for each in first]]
    parts = [_probe(rng, world, minutes), _strays(rng, world, minutes)]
    for name, gap_s in (("crawler", crawl_gap_s(world)), ("second crawler", 25.0)):
        crawling = minutes[_visits(world, name, minutes)]
        ts = (60.0 * crawling[:, None] + np.arange(0, 60, gap_s) + rng.uniform(0, 3)).ravel()
        parts.append(make_events(rng, world, ts, names[name], rng.choice(readable, ts.size)))
        parts[-1] = parts[-1]._replace(item=_unread(rng, world, parts[-1].endpoint))
    partner = world.of(min(1, len(world.services) - 1))[:3]
    ts = (60.0 * minutes[:, None] + 5 + rng.uniform(0, 8, (minutes.size, _PARTNER_CALLS))).ravel()
    parts.append(make_events(rng, world, ts, names["partner"], rng.choice(partner, ts.size)))
    parts.append(_batch(rng, world, minutes, batch_calls(world, rhythm, minutes)))
    return together(parts)


def crawl_gap_s(world: World) -> float:
    """Seconds between two requests of the larger crawler, which goes easy on small sites."""
    return 8.0 if world.rate >= 5 else 20.0


def batch_calls(world: World, rhythm: Rhythm, minutes: Ints) -> Floats:
    """Requests that the nightly batch makes in each of some minutes."""
    hour = np.array([rhythm.local_hour(int(minute)) for minute in minutes])
    on = (hour >= _BATCH_FROM_H) & (hour < _BATCH_FROM_H + _BATCH_MINUTES / 60)
    return on.astype(np.float64) * (15 + 6 * world.rate)


def batch_endpoint(world: World) -> int:
    """What the batch calls: one of the least popular endpoints of the second service."""
    return int(world.of(min(1, len(world.services) - 1))[-3])


def program_calls(world: World, rhythm: Rhythm, minutes: Ints) -> Floats:
    """Expected requests of programs by endpoint and minute, those of strays left out."""
    calls = np.zeros((len(world.endpoints), minutes.size))
    first = world.of(0)
    readable = first[[world.roles[each] in ("list", "item", "part", "page") for each in first]]
    for name, gap_s in (("crawler", crawl_gap_s(world)), ("second crawler", 25.0)):
        calls[readable] += _visits(world, name, minutes) * np.ceil(60 / gap_s) / readable.size
    partner = world.of(min(1, len(world.services) - 1))[:3]
    calls[partner] += _PARTNER_CALLS / partner.size
    calls[batch_endpoint(world)] += batch_calls(world, rhythm, minutes)
    health = [place for place, role in enumerate(world.roles) if role == "health"]
    calls[health] += 60 / _PROBE_S
    return calls


def program_hours(world: World, rhythm: Rhythm, starts: Ints) -> Iterator[tuple[str, int, int]]:
    """Service, client and requests of the busiest of some hours, for each program."""
    names, minutes = world.people.programs, starts[:, None] + np.arange(60)
    first, second = world.services[0], world.services[min(1, len(world.services) - 1)]
    for name, gap_s in (("crawler", crawl_gap_s(world)), ("second crawler", 25.0)):
        yield first, names[name], int(_visits(world, name, minutes).sum(axis=1).max() * np.ceil(60 / gap_s))
    yield second, names["partner"], 60 * _PARTNER_CALLS
    by_hour = [batch_calls(world, rhythm, each).sum() for each in minutes]
    yield second, names["batch"], int(max(by_hour))
    for place, role in enumerate(world.roles):
        if role == "health":
            yield world.endpoints[place].service, names["probe"], 3600 // _PROBE_S


def _visits(world: World, name: str, minutes: Ints) -> npt.NDArray[np.bool_]:
    """In which minutes a crawler is there: half of the hours."""
    rng = np.random.default_rng([world.seed, 3, len(name)])
    hours = rng.random((WEEKS_BEFORE + 6) * WEEK // 60) < 0.5
    return hours[(minutes + WEEKS_BEFORE * WEEK) // 60]


def _unread(rng: np.random.Generator, world: World, endpoint: Ints) -> Ints:
    return (rng.random(endpoint.size) * world.items[endpoint]).astype(np.int64)


def _probe(rng: np.random.Generator, world: World, minutes: Ints) -> Events:
    health = np.array([place for place, role in enumerate(world.roles) if role == "health"])
    at = (60.0 * minutes[:, None] + np.arange(0, 60, _PROBE_S)).ravel()
    ts = np.tile(at, health.size) + rng.normal(0, 0.02, at.size * health.size)
    return make_events(
        rng, world, ts.clip(min=60.0 * minutes[0]), world.people.programs["probe"], np.repeat(health, at.size)
    )


def _batch(rng: np.random.Generator, world: World, minutes: Ints, calls: Floats) -> Events:
    n = rng.poisson(calls)
    ts = 60.0 * (np.repeat(minutes, n) + rng.random(int(n.sum())))
    endpoint = np.full(ts.size, batch_endpoint(world))
    return make_events(rng, world, ts, world.people.programs["batch"], endpoint)


def _strays(rng: np.random.Generator, world: World, minutes: Ints) -> Events:
    """One to four knocks at what does not exist, by somebody who then goes elsewhere."""
    visits = int(rng.poisson(_STRAY_A_MINUTE * minutes.size))
    knocks = rng.integers(1, 5, visits)
    begin = 60.0 * (minutes[0] + rng.random(visits) * (minutes.size - 1))
    ts = np.repeat(begin, knocks) + rng.random(int(knocks.sum())) * 20
    client = np.repeat(rng.choice(world.people.strangers[_STRAYS], visits), knocks)
    endpoint = world.real + 1 + rng.integers(0, len(MISSING) // 6, ts.size)
    return make_events(rng, world, ts, client, endpoint)
