"""Which faults there are for which stack, how often each comes, and the order of a run."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.chaos.faults import (
    Field,
    break_request,
    cut_database,
    fill_disk,
    freeze_backends,
    freeze_engine,
    kill_backend,
    kill_engine,
    kill_server,
    kill_worker,
    lose_database_answer,
    make_read_only,
    overload,
    restart_server,
    stall_database,
    terminate_all_backends,
    terminate_backend,
)
from tests.chaos.proxy import Trouble


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: how often it comes, and how often at most."""

    name: str
    weight: float
    inject: Callable[[Field], str | None]
    most: int = 1_000_000


def trouble_kinds() -> list[Kind]:
    """Faults of the network between sender and server."""

    return [Kind(trouble, 10, partial(break_request, trouble)) for trouble in Trouble]


def embedded_kinds(*, disk_is_ours: bool) -> list[Kind]:
    """Faults for `accessboard up`; its disk is filled only where it is a small one of our own."""
    # `up` gives in when a server ends more than five times in a minute, so the ends of it are counted out.
    kinds = [
        *trouble_kinds(),
        Kind("kill_worker", 8, kill_worker),
        Kind("kill_server", 3, kill_server, most=2),
        Kind("restart_server", 3, restart_server, most=2),
        Kind("kill_database", 4, kill_engine, most=4),
        Kind("freeze_database", 2, freeze_engine, most=2),
        Kind("overload", 2, overload, most=3),
    ]
    return [*kinds, Kind("disk_full", 1, fill_disk, most=1)] if disk_is_ours else kinds


def native_kinds(*, may_kill_backends: bool, may_freeze_backends: bool) -> list[Kind]:
    """Faults for an ingest server on a native database."""
    kinds = [
        *trouble_kinds(),
        Kind("kill_worker", 8, kill_worker),
        Kind("kill_server", 3, kill_server),
        Kind("restart_server", 3, restart_server),
        Kind("terminate_backend", 8, terminate_backend),
        Kind("terminate_all_backends", 5, terminate_all_backends),
        Kind("database_answer_lost", 8, lose_database_answer),
        Kind("database_cut", 6, cut_database),
        Kind("database_stalled", 1, stall_database),
        Kind("database_read_only", 1, make_read_only),
        Kind("overload", 1, overload),
    ]
    if may_freeze_backends:
        kinds.append(Kind("freeze_backends", 1, freeze_backends))
    if may_kill_backends:
        kinds.append(Kind("kill_backend", 1.5, kill_backend))
    return kinds


def draw(kinds: list[Kind], count: int, rng: random.Random) -> list[Kind]:
    """Choose faults by weight; each kind comes at least once where `count` allows it."""
    drawn = rng.sample(kinds, min(count, len(kinds)))
    while len(drawn) < count:
        open_kinds = [kind for kind in kinds if drawn.count(kind) < kind.most]
        drawn.append(rng.choices(open_kinds, [kind.weight for kind in open_kinds])[0])
    rng.shuffle(drawn)
    return drawn


def kills_allowed() -> bool:
    """Whether the person who runs this has agreed to crashes of the whole database server."""
    return os.environ.get("CHAOS_KILL_BACKENDS") == "1"
