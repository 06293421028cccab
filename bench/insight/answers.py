"""How requests are answered: status and latency."""

from __future__ import annotations

import numpy as np

from bench.insight.events import Answered, Events
from bench.insight.population import Floats
from bench.insight.rhythm import Rhythm
from bench.insight.roles import STATUSES
from bench.insight.world import World

# Nothing has to be fetched for some answers; others come when somebody has lost patience.
_LOG_BY_STATUS = {304: -0.8, 302: -0.5, 400: -0.7, 401: -0.2, 403: -0.7, 422: -0.4, 429: -1.2, 502: -0.3, 504: 2.0}
OFFSETS: Floats = np.array([_LOG_BY_STATUS.get(status, 0.0) for status in STATUSES])
TAIL_LOG, TAIL_SPREAD = 1.5, 0.45  # how much longer the slow requests of a healthy endpoint take
_NOT_LOGGED = 0.002


def answer(rng: np.random.Generator, world: World, rhythm: Rhythm, asked: Events) -> Answered:
    """Answer requests as on an ordinary day."""
    bounds = (np.arange(len(world.endpoints))[:, None] + np.cumsum(world.answers, axis=1)).ravel()
    found = np.searchsorted(bounds, asked.endpoint + asked.luck, side="right") - asked.endpoint * len(STATUSES)
    status = found.clip(0, len(STATUSES) - 1)
    minute = (asked.ts // 60).astype(np.int64)
    log_ms = world.log_ms[asked.endpoint] + OFFSETS[status] + world.people.slowness[asked.client]
    log_ms += rhythm.drag_at(world.service[asked.endpoint], minute)
    log_ms += world.spread[asked.endpoint] * rng.standard_normal(asked.ts.size)
    chance = rng.random(asked.ts.size)
    slow = np.flatnonzero(chance < world.tail[asked.endpoint])
    log_ms[slow] += TAIL_LOG + TAIL_SPREAD * rng.standard_normal(slow.size)
    log_ms[chance > 1 - _NOT_LOGGED] = np.nan
    return Answered(asked.ts, asked.client, asked.endpoint, asked.item, status, log_ms)
