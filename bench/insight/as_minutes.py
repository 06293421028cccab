"""Requests as the search sees them: counts by minute, by client, and single ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from bench.insight.events import Answered
from bench.insight.population import Floats, Ints
from bench.insight.roles import STATUSES
from bench.insight.world import SLOTS, World
from dashapp.insight.minute import ClientMinute, Minute, Requests

_MINUTE = timedelta(minutes=1)
_CODES = np.array(STATUSES)
_LOG_LOWEST, _LOG_RATIO = np.log(0.1), np.log(1.05)  # of the slots of sql.sketch
_BITS_ITEM, _BITS_STATUS, _BITS_ENDPOINT, _BITS_CLIENT = 15, 5, 10, 20


def slots_of(log_ms: Floats) -> Ints:
    """Slots of latencies that are logged."""
    slots: Ints = np.floor((log_ms - _LOG_LOWEST) / _LOG_RATIO).astype(np.int64) + 1
    return slots.clip(0, SLOTS + 1)


def minutes_of(world: World, start: datetime, minutes: range, block: Answered) -> Iterator[tuple[Minute, ClientMinute]]:
    """Sum up requests of some minutes."""
    row = (block.ts // 60).astype(np.int64) - minutes.start
    used = np.unique(block.endpoint)
    place = np.zeros(len(world.endpoints), np.int64)
    place[used] = np.arange(used.size)
    cell = row * used.size + place[block.endpoint]
    shape = len(minutes), used.size
    counts = np.bincount(cell * len(STATUSES) + block.status, minlength=shape[0] * shape[1] * len(STATUSES))
    counts = counts.reshape(*shape, len(STATUSES))
    logged = np.isfinite(block.log_ms)
    sketch = np.bincount(
        cell[logged] * (SLOTS + 2) + slots_of(block.log_ms[logged]), minlength=shape[0] * shape[1] * (SLOTS + 2)
    ).reshape(*shape, SLOTS + 2)
    names = [world.endpoints[each] for each in used.tolist()]
    clients = _client_minutes(world, start, minutes, row, block)
    for turn, minute in enumerate(minutes):
        there = np.flatnonzero(counts[turn].any(axis=1))
        seen = np.flatnonzero(counts[turn].any(axis=0))
        yield (
            Minute(
                start + minute * _MINUTE,
                _MINUTE,
                [names[each] for each in there.tolist()],
                _CODES[seen].tolist(),
                counts[turn][np.ix_(there, seen)],
                sketch[turn][there],
            ),
            next(clients),
        )


def _client_minutes(
    world: World, start: datetime, minutes: range, row: Ints, block: Answered
) -> Iterator[ClientMinute]:
    """Sum up by minute, client, endpoint and status: all in one sorted number."""
    key = ((row << _BITS_CLIENT | block.client) << _BITS_ENDPOINT | block.endpoint) << _BITS_STATUS | block.status
    whole = np.sort(key << _BITS_ITEM | block.item)
    new_path = np.r_[True, whole[1:] != whole[:-1]] if whole.size else np.zeros(0, np.bool_)
    entry = whole >> _BITS_ITEM
    first = np.flatnonzero(np.r_[True, entry[1:] != entry[:-1]]) if whole.size else np.zeros(0, np.int64)
    entry = entry[first]
    n = np.diff(np.r_[first, whole.size])
    paths = np.add.reduceat(new_path.astype(np.int64), first) if whole.size else n
    status = _CODES[entry & (1 << _BITS_STATUS) - 1]
    endpoint = entry >> _BITS_STATUS & (1 << _BITS_ENDPOINT) - 1
    client = entry >> _BITS_STATUS + _BITS_ENDPOINT & (1 << _BITS_CLIENT) - 1
    bounds = np.searchsorted(
        entry >> _BITS_STATUS + _BITS_ENDPOINT + _BITS_CLIENT, np.arange(len(minutes) + 1), side="left"
    )
    for turn, minute in enumerate(minutes):
        part = slice(int(bounds[turn]), int(bounds[turn + 1]))
        who, who_at = np.unique(client[part], return_inverse=True)
        what, what_at = np.unique(endpoint[part], return_inverse=True)
        yield ClientMinute(
            start + minute * _MINUTE,
            _MINUTE,
            [world.people.addresses[each] for each in who.tolist()],
            [world.people.agents[each] for each in who.tolist()],
            [world.endpoints[each] for each in what.tolist()],
            who_at.astype(np.int64),
            what_at.astype(np.int64),
            status[part],
            n[part],
            np.where(status[part] >= 400, paths[part], 0),
            paths[part],
        )


def requests_of(world: World, start: datetime, block: Answered | None, begin: float, end: float) -> Requests:
    """Single requests from `begin` to before `end`, in seconds after the start, ascending."""
    empty = np.zeros(0)
    if block is None:
        none = empty.astype(np.int64)
        return Requests((), (), empty, none, none, none, empty)
    found = block.where((block.ts >= begin) & (block.ts < end))
    found = found.where(np.argsort(found.ts, kind="stable"))  # type: ignore[arg-type]
    who, who_at = np.unique(found.client, return_inverse=True)
    what, what_at = np.unique(found.endpoint, return_inverse=True)
    return Requests(
        [world.people.addresses[each] for each in who.tolist()],
        [world.endpoints[each] for each in what.tolist()],
        found.ts + start.timestamp(),
        who_at.astype(np.int64),
        what_at.astype(np.int64),
        _CODES[found.status],
        np.exp(found.log_ms),
    )
