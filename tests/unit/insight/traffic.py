"""Minutes of plain traffic for the tests of the watch: so many requests of each endpoint, with what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from dashapp.insight.finding import Finding
from dashapp.insight.lifecycle import Change
from dashapp.insight.minute import Endpoint, Minute
from dashapp.insight.watch import Watch
from sql.sketch import SLOTS

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CART = Endpoint("shop", "GET", "/cart")
ITEMS = Endpoint("shop", "GET", "/items/{id}")
PAY = Endpoint("shop", "POST", "/pay")
ALL = (CART, ITEMS, PAY)


@dataclass(frozen=True)
class Load:
    """What an endpoint gets in a minute: requests, share of 5xx and 4xx, median slot, share that is 7 times slower."""

    calls: float = 30.0
    failing: float = 0.002
    refused: float = 0.01
    slot: float | None = 120.0
    slow: float = 0.0


Plan = Callable[[int, Endpoint], Load]


def usual(turn: int, endpoint: Endpoint) -> Load:
    """The same all the time."""
    return Load()


def minutes(
    plan: Plan, last: int, *, first: int = 0, endpoints: Sequence[Endpoint] = ALL, seed: int = 1
) -> Iterator[Minute]:
    """Minutes `first` to before `last` after START; an endpoint with no calls is missing from its minute."""
    draw = np.random.default_rng([seed, first + 100_000])
    for turn in range(first, last):
        loads = [(each, load) for each in endpoints if (load := plan(turn, each)).calls > 0]
        counts = np.array([_statuses(draw, load) for _, load in loads], np.int64).reshape(len(loads), 3)
        sketches = np.array([_sketch(draw, int(row.sum()), load) for row, (_, load) in zip(counts, loads, strict=True)])
        yield Minute(
            START + turn * MINUTE,
            MINUTE,
            [each for each, _ in loads],
            [200, 404, 500],
            counts,
            sketches.reshape(len(loads), SLOTS + 2).astype(np.int64),
        )


def watched(plan: Plan, last: int, *, watch: Watch | None = None, **how: object) -> tuple[Watch, list[Change]]:
    """What a watch says of these minutes."""
    watch = watch or Watch()
    changes = [change for minute in minutes(plan, last, **how) for change in watch.step(minute)]  # type: ignore[arg-type]
    return watch, changes


def opened(changes: Sequence[Change]) -> list[Finding]:
    """What was opened, as it was said last."""
    last = {change.key: change.finding for change in changes}
    return [last[change.key] for change in changes if change.what == "opened"]


def turn_of(finding: Finding) -> int:
    """Minute after START in which it began."""
    return round((finding.start - START) / MINUTE)


def _statuses(draw: np.random.Generator, load: Load) -> list[int]:
    n = int(draw.poisson(load.calls))
    found: list[int] = draw.multinomial(n, [1 - load.failing - load.refused, load.refused, load.failing]).tolist()
    return found


def _sketch(draw: np.random.Generator, n: int, load: Load) -> np.ndarray:
    if load.slot is None:
        return np.zeros(SLOTS + 2, np.int64)
    slots = np.clip(draw.normal(load.slot, 8, n).round().astype(int), 0, SLOTS + 1)
    slots[draw.random(n) < load.slow] += 40
    return np.bincount(slots, minlength=SLOTS + 2)
