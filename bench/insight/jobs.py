"""What is run: which scenarios of which sizes at which rates, on seeds that belong to tuning or to the report."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module

from bench.insight.follow import Found, Search, follow
from bench.insight.judge import Verdict, judge
from bench.insight.scenario import incident_scenario, quiet_week
from bench.insight.sizes import SIZES, Size
from dashapp.insight.history import History

RATES = (1.0, 5.0, 20.0, 50.0, 200.0)
QUIET_RATES = (1.0, 1.0, 2.0, 5.0, 5.0, 10.0, 20.0, 50.0)
_MOST_RATE = {"latency_drift": 50.0, "latency_band": 20.0}  # they take hours and days
_TUNING = 10_000_000_000  # from here on the seeds are for choosing thresholds
_PER_GROUP = 1000
_DAY = 1440

Make = Callable[[History], Search]


@dataclass(frozen=True, slots=True)
class Job:
    """A scenario to run: `kind` is None for a quiet week."""

    kind: str | None
    size: Size
    rate: float
    seed: int
    days: float = 7.0


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it; `verdict` is None for a quiet week, or where nothing could be planted."""

    job: Job
    planted: bool
    days: float = 0.0
    services: int = 0
    verdict: Verdict | None = None
    found: list[Found] = field(default_factory=list)
    truth: str = ""
    steps: int = 0
    requests: int = 0
    step_s: float = 0.0
    slowest_step_s: float = 0.0


def seed_of(group: str, number: int, *, tune: bool) -> int:
    """Seed of the number-th scenario of a group; those for tuning and those for reporting are never the same."""
    return _TUNING * tune + zlib.crc32(group.encode()) % 1_000_000 * _PER_GROUP + number


def incident_jobs(
    kinds: Sequence[str], sizes: Sequence[Size], rates: Sequence[float], seeds: int, *, tune: bool
) -> Iterator[Job]:
    """Scenarios with one incident each: `seeds` at every rate for the smallest size, a third of them for others."""
    for kind in kinds:
        for size in sizes:
            possible = [rate for rate in rates if rate <= _MOST_RATE.get(kind, rate)]
            # As many of a kind that is not run at all rates.
            times = max(1, round((seeds if size == SIZES[0] else seeds / 3) * len(rates) / max(1, len(possible))))
            for rate in possible:
                for number in range(times):
                    yield Job(kind, size, rate, seed_of(f"{kind} {size} {rate:g}", number, tune=tune))


def quiet_jobs(rates: Sequence[float], days: float, *, tune: bool) -> Iterator[Job]:
    """Quiet weeks, one for each of the rates."""
    for number, rate in enumerate(rates):
        yield Job(None, SIZES[0], rate, seed_of("quiet", number, tune=tune), days)


def run(job: Job, make: Make | None = None) -> Result:
    """Run a job with the search of the dashboard, or with another one."""
    make = make or _watch
    if job.kind is None:
        week = quiet_week(job.rate, job.seed, job.days)
        course = follow(week, make(week.history()))
        many = len(week.world.services)
        cost = course.steps, course.requests, course.step_s, course.slowest_step_s
        return Result(job, True, job.days, many, None, course.found, "", *cost)
    scenario = incident_scenario(job.kind, job.size, job.rate, job.seed)
    if scenario is None:
        return Result(job, False)
    course = follow(scenario, make(scenario.history()))
    incident = scenario.incidents[0]
    verdict = judge(scenario.world, incident, scenario.start, course.found)
    truth = f"{incident.subject} from minute {incident.start_s / 60:.1f} of {scenario.start:%F %H:%M}: {incident.dose}"
    cost = course.steps, course.requests, course.step_s, course.slowest_step_s
    days, many = scenario.minutes / _DAY, len(scenario.world.services)
    return Result(job, True, days, many, verdict, course.found, truth, *cost)


def run_all(jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """Results as they come; the longest jobs are begun first."""
    ordered = sorted(jobs, key=_cost, reverse=True)
    if workers <= 1:
        yield from map(run, ordered)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(run, ordered, chunksize=1)


def _cost(job: Job) -> float:
    """Minutes, weighed by how much is in them."""
    days = job.days if job.kind is None else 4 if job.kind == "latency_band" else 0.2
    return days * (5 + job.rate)


def _watch(history: History) -> Search:
    search: Search = import_module("dashapp.insight.watch").Watch(history)
    return search
