"""A stretch of traffic of one world, quiet or with incidents: the past, then minute after minute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import tee

import numpy as np

from bench.insight import effects, past
from bench.insight.answers import answer
from bench.insight.as_minutes import minutes_of, requests_of
from bench.insight.events import Answered, Events, call_shares, people, together
from bench.insight.incidents import Incident, plant
from bench.insight.population import Ints
from bench.insight.programs import programs
from bench.insight.rhythm import DAY, WEEK, Ordinary, Rhythm, draw_rhythm
from bench.insight.sizes import PLANS, Size
from bench.insight.world import World, draw_world
from dashapp.insight.history import History
from dashapp.insight.minute import ClientMinute, Minute, Requests

BEFORE = 40  # minutes of sessions that are under way when the first minute begins
AFTER = 35  # minutes after an incident
_KEPT_S = 1800.0  # how far back single requests can be asked for
_MOST_IN_BLOCK = 250_000
_TRIES = 24


@dataclass(slots=True)
class Scenario:
    """Traffic to search, and the truth about it.

    Attributes:
        world, rhythm: drawn.
        minutes: how many.
        incidents: none in quiet weeks.
    """

    world: World
    rhythm: Rhythm
    minutes: int
    incidents: tuple[Incident, ...] = ()
    _recent: Answered | None = None

    @property
    def start(self) -> datetime:
        """Of the first minute."""
        return self.rhythm.start

    @property
    def warm_from(self) -> int:
        """First minute of the History's minutes: a whole hour, one to two hours before."""
        into_hour = int(self.start.timestamp() // 60 % 60)
        return -60 - into_hour

    def history(self) -> History:
        """What is known of before; its minutes are made when they are read."""
        hours = past.hours(self.world, self.rhythm, self.warm_from)
        warm, by_client = tee(self._made(self.warm_from, 0))
        return History(
            past.traffic(self.world, self.rhythm, self.warm_from),
            hours,
            (minute for minute, _ in warm),
            (clients for _, clients in by_client),
            past.known(self.world),
            past.clients(self.world, self.rhythm, self.warm_from),
        )

    def stream(self) -> Iterator[tuple[Minute, ClientMinute]]:
        """All minutes, ascending; `requests` is right for the minutes up to the one that was given last."""
        return self._made(0, self.minutes)

    def requests(self, start: datetime, end: datetime) -> Requests:
        """Single requests of a span of the last half hour before the newest minute."""
        begin, stop = ((each - self.start).total_seconds() for each in (start, end))
        return requests_of(self.world, self.start, self._recent, begin, stop)

    def answered(self, first: int, last: int) -> Iterator[tuple[range, Answered]]:
        """Requests of spans of minutes, in no order."""
        length = int(np.clip(_MOST_IN_BLOCK / (60 * self.world.rate), 5, 60))
        carried: Events | None = None
        for begin in range(first - BEFORE, last, length):
            minutes = np.arange(begin, min(begin + length, last))
            rng = np.random.default_rng([self.world.seed, 5, begin + 2 * DAY])
            asked, carried = self._asked(rng, minutes, carried)
            block = self._answer(rng, asked)
            if begin + length > first:
                seen = block.where(block.ts >= 60.0 * first)
                yield range(max(first, begin), int(minutes[-1]) + 1), seen

    def _asked(self, rng: np.random.Generator, minutes: Ints, carried: Events | None) -> tuple[Events, Events]:
        more = np.ones((len(self.world.services), minutes.size))
        for each in self.incidents:
            more = effects.more_sessions(each, minutes, more)
        parts = [people(rng, self.world, self.rhythm, minutes, more), programs(rng, self.world, self.rhythm, minutes)]
        if carried is not None:
            parts.append(carried)
        asked = together(parts)
        beyond = asked.ts >= 60.0 * (minutes[-1] + 1)
        later, asked = asked.where(beyond), asked.where(~beyond)
        mean = self.rhythm.at(minutes).mean(axis=1)[self.world.service[: self.world.real]]
        usual = mean * call_shares(self.world, self.rhythm.local_hour(int(minutes[0])))
        for place, each in enumerate(self.incidents):
            own = np.random.default_rng([self.world.seed, 6, place, int(minutes[0]) + 2 * DAY])
            asked = effects.thinned(own, each, self.world, asked)
            extra = effects.added(own, each, self.world, minutes, usual)
            asked = asked if extra is None else together([asked, extra])
        return asked, later

    def _answer(self, rng: np.random.Generator, asked: Events) -> Answered:
        block = answer(rng, self.world, self.rhythm, asked)
        for place, each in enumerate(self.incidents):
            own = np.random.default_rng([self.world.seed, 7, place, block.ts.size])
            block = effects.bent(own, each, self.world, block, self._recent)
        self._recent = _newest(self._recent, block)
        return block

    def _made(self, first: int, last: int) -> Iterator[tuple[Minute, ClientMinute]]:
        self._recent = None
        for minutes, block in self.answered(first, last):
            yield from minutes_of(self.world, self.start, minutes, block)


def _newest(recent: Answered | None, block: Answered) -> Answered:
    if recent is None or not block.ts.size:
        return block if recent is None else recent
    kept = recent.where(recent.ts >= block.ts.max() - _KEPT_S)
    return Answered(*(np.concatenate(pair) for pair in zip(kept, block, strict=True)))


def incident_scenario(kind: str, size: Size, rate: float, seed: int) -> Scenario | None:
    """One incident of a kind; None where a site with so few requests has no subject for it.

    Of the hours of a week the first is taken, in the order in which they are drawn, in which something has enough
    requests to be struck.
    """
    world = draw_world(seed, rate)
    dose = PLANS[kind].doses[("small", "medium", "large").index(size)]
    rng = np.random.default_rng([seed, 8])
    lead = int(rng.integers(30, 91))
    tail = AFTER
    length = lead + dose.minutes + tail + (3 * DAY if kind == "latency_band" else 0)
    for _ in range(_TRIES):
        rhythm = draw_rhythm(world, length + 1, int(rng.integers(WEEK)))
        found = plant(world, rhythm, kind, size, lead, 0)
        if found is not None:
            return Scenario(world, rhythm, length, (found,))
    return None


def quiet_week(rate: float, seed: int, days: float = 7) -> Scenario:
    """A week in which nothing is wrong, but a campaign, a holiday or neither is on."""
    world = draw_world(seed, rate)
    rng = np.random.default_rng([seed, 9])
    case = int(rng.integers(3))
    ordinary = Ordinary(
        holiday=int(rng.integers(1, 6)) * DAY if case == 0 else None,
        ramp=int(rng.integers(DAY, 4 * DAY)) if case == 1 else None,
    )
    minutes = int(days * DAY)
    return Scenario(world, draw_rhythm(world, minutes + 1, 0, ordinary), minutes)
