"""When people call: the hours of a day, the days of a week, lunch, holidays, and noise that wanders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy.signal import lfilter

from bench.insight.population import Floats, Ints
from bench.insight.world import World

DAY, WEEK = 1440, 7 * 1440
WEEKS_BEFORE = 4
_ZONE_MINUTES = 9 * 60  # the site's people live in Korea
DRAG = 0.08  # exponent by which latencies follow the load
_GRID = 5  # minutes between two values of the noise
_MONDAY = datetime(2026, 8, 31, tzinfo=UTC) - timedelta(minutes=_ZONE_MINUTES)

# Calls of an hour of the day, 0 to 23 o'clock, and of a day of the week from Monday on.
_HOURS = {
    "office": (6, 4, 3, 3, 4, 6, 12, 30, 72, 100, 104, 96, 62, 88, 100, 98, 90, 76, 48, 30, 24, 20, 14, 9),
    "consumer": (44, 26, 16, 11, 10, 14, 26, 46, 58, 62, 66, 74, 92, 80, 70, 68, 70, 76, 84, 94, 106, 112, 98, 70),
    "worldwide": (70, 66, 64, 62, 64, 68, 74, 82, 90, 96, 98, 96, 90, 92, 96, 98, 98, 96, 92, 90, 88, 86, 80, 74),
}
_DAYS = {
    "office": (1.06, 1.04, 1.0, 1.0, 0.94, 0.34, 0.3),
    "consumer": (0.94, 0.94, 0.96, 0.98, 1.06, 1.16, 1.1),
    "worldwide": (1.02, 1.03, 1.02, 1.01, 1.0, 0.94, 0.93),
}


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Ordinary things that happen in a week, in minutes after its start: none of them is an incident.

    Attributes:
        holiday: first minute of a day on which people do something else.
        ramp: when a campaign begins to bring people, over half a day, and leaves again over a day.
    """

    holiday: int | None = None
    ramp: int | None = None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Requests of people a minute, by service.

    Attributes:
        start: minute 0; there are minutes before it, down to -WEEKS_BEFORE weeks.
        expected: requests a minute, shape (services, minutes), from the first minute before `start` on.
        drag: what the logarithm of latencies rises by, likewise: a little more when there is more to do, and noise.
    """

    start: datetime
    expected: Floats
    drag: Floats

    def at(self, minutes: Ints) -> Floats:
        """Expected requests of the services in minutes after the start, shape (services, minutes)."""
        return self.expected[:, WEEKS_BEFORE * WEEK + minutes]

    def drag_at(self, service: Ints, minutes: Ints) -> Floats:
        """What latencies of requests of a service in a minute are longer by."""
        return self.drag[service, WEEKS_BEFORE * WEEK + minutes]

    def local_hour(self, minute: int) -> float:
        """Hour of the day, with its fraction, at the people's place."""
        at = self.start + timedelta(minutes=minute + _ZONE_MINUTES)
        return at.hour + at.minute / 60


def draw_rhythm(
    world: World, minutes: int, start_minute: int | None = None, ordinary: Ordinary | None = None
) -> Rhythm:
    """Draw four weeks and so many minutes more; the scenario starts in any minute of a week unless told."""
    rng = np.random.default_rng([world.seed, 2])
    first = int(rng.integers(WEEK)) if start_minute is None else start_minute
    character = rng.choice(list(_HOURS), len(world.services), p=(0.4, 0.45, 0.15))
    week = int(rng.integers(8))
    start = _MONDAY + timedelta(minutes=first + week * WEEK)
    since_monday = first - WEEKS_BEFORE * WEEK + np.arange(WEEKS_BEFORE * WEEK + minutes)
    shapes = np.stack([_shape(rng, str(each)) for each in character])
    level = 60 * world.rate * world.shares[:, None] * shapes[:, since_monday % WEEK]
    noise = _wander(rng, since_monday.size, 0.05, 45)[None] + np.stack(
        [
            _wander(rng, since_monday.size, 0.05, 30) + _wander(rng, since_monday.size, 0.04, 2 * DAY)
            for _ in world.services
        ]
    )
    after = np.arange(-WEEKS_BEFORE * WEEK, minutes)
    expected = level * np.exp(noise - noise.var() / 2) * _of_ordinary(ordinary or Ordinary(), after)
    drag = DRAG * np.log(expected / expected.mean(axis=1, keepdims=True))
    slow = [_wander(rng, since_monday.size, 0.02, 90) for _ in world.services]
    return Rhythm(start, expected, drag + np.stack(slow))


def _shape(rng: np.random.Generator, character: str) -> Floats:
    """A week by minute, mean 1; every site is a little different from others of its kind."""
    hours = np.array(_HOURS[character]) * rng.lognormal(0, 0.04, 24)
    at = np.arange(DAY) / 60
    day = np.interp(at, np.arange(-1, 26) + 0.5, hours[np.arange(-1, 26) % 24])
    # Nights must not be so quiet that a small site has nobody at all.
    day = np.maximum(day, 0.12 * day.max())
    week: Floats = (np.array(_DAYS[character])[:, None] * np.roll(day, int(rng.integers(-20, 20)))[None]).ravel()
    week /= week.mean()
    return week


def _wander(rng: np.random.Generator, minutes: int, spread: float, memory: float) -> Floats:
    """Noise of such a standard deviation that forgets where it was in so many minutes, by minute."""
    keep = np.exp(-_GRID / memory)
    steps = minutes // _GRID + 2
    drawn = lfilter([spread * np.sqrt(1 - keep**2)], [1.0, -keep], rng.normal(size=steps + 200))[200:]
    found: Floats = np.interp(np.arange(minutes) / _GRID, np.arange(steps), drawn)
    return found


def _of_ordinary(ordinary: Ordinary, after: Ints) -> Floats:
    factor = np.ones(after.size)
    if ordinary.holiday is not None:
        into = np.clip(np.minimum(after - ordinary.holiday, ordinary.holiday + DAY - after) / 180, 0, 1)
        factor -= 0.3 * into
    if ordinary.ramp is not None:
        rise = np.clip((after - ordinary.ramp) / 720, 0, 1)
        fall = np.clip((after - ordinary.ramp - 1440) / 1440, 0, 1)
        factor += 0.4 * (np.sin(rise * np.pi / 2) ** 2 - np.sin(fall * np.pi / 2) ** 2)
    return factor
