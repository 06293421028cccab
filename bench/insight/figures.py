"""The figures of a run, beside the goals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from bench.insight.jobs import Result
from bench.insight.judge import NEAR
from bench.insight.sizes import PLANS, SIZES
from bench.report import report

RECALL, SUBJECT, STARTS, FALSE_A_WEEK = 0.95, 0.95, 0.95, 1.0
_GOAL = "goal"
K = TypeVar("K")


def tell(results: Iterable[Result]) -> list[str]:
    """Print the figures by kind and size, by rate, and of all; return the goals that are missed."""
    results = list(results)
    tried = [each for each in results if each.job.kind is not None]
    planted = [each for each in tried if each.planted]
    by_size = _grouped(planted, lambda each: (str(each.job.kind), each.job.size))
    for kind in PLANS:
        for size in SIZES:
            if (kind, size) in by_size:
                goal = RECALL if size == SIZES[0] else None
                _tell_recall(by_size[kind, size], goal, kind=kind, size=size)
    for rate, some in sorted(_grouped(planted, lambda each: each.job.rate).items()):
        _tell_recall(some, None, requests_a_second=rate)
    smallest = [each for each in planted if each.job.size == SIZES[0]]
    missed = _tell_goals(smallest, planted) if smallest else []
    if planted:
        _tell_noise(planted, len(tried) - len(planted))
    quiet = [each for each in results if each.job.kind is None]
    if quiet and _tell_quiet(quiet) > FALSE_A_WEEK:
        missed.append("false alarms in quiet weeks")
    _tell_cost(results)
    report("insight: goals missed", len(missed), "goals", 0, _GOAL, missed=missed)
    return missed


def share(flags: Iterable[bool]) -> float:
    """Share of those that are true; 0 of none."""
    flags = list(flags)
    return sum(flags) / len(flags) if flags else 0.0


def _grouped(results: Iterable[Result], key: Callable[[Result], K]) -> dict[K, list[Result]]:
    groups: dict[K, list[Result]] = defaultdict(list)
    for each in results:
        groups[key(each)].append(each)
    return dict(groups)


def _tell_recall(some: Sequence[Result], goal: float | None, **which: object) -> None:
    verdicts = [each.verdict for each in some if each.verdict is not None]
    recalled = [each for each in verdicts if each.recalled]
    days = sum(each.days for each in some)
    more: dict[str, object] = {
        "n": len(verdicts),
        "noticed": round(share(each.noticed for each in verdicts), 3),
        "subject_right": round(share(each.subject_right for each in recalled), 3),
        "cause_right": round(share(each.cause_right for each in recalled), 3),
        **_spread("delay_minutes", [each.delay for each in recalled]),
        **_spread("start_error_minutes", [each.start_error for each in recalled]),
        "start_within_2": round(share(near(each.start_error) for each in recalled), 3),
        "false_a_day": round(sum(len(each.wrong) for each in verdicts) / days, 3),
        "repeats": sum(each.repeats for each in verdicts),
        "beside": sum(len(each.beside) for each in verdicts),
    }
    both = [each.related_right for each in recalled if each.related_right is not None]
    if both:
        more["related_right"] = round(share(both), 3)
    of = None if goal is None else _GOAL
    report("insight: recall", share(each.recalled for each in verdicts), "share", goal, of, **which, **more)


def near(error: int | None) -> bool:
    """Whether a start is dated well enough."""
    return error is not None and error <= NEAR


def _spread(name: str, minutes: Iterable[int | None]) -> dict[str, object]:
    known = [each for each in minutes if each is not None]
    if not known:
        return {}
    middle, most = np.quantile(known, [0.5, 0.95]).tolist()
    return {f"{name}_median": round(middle, 1), f"{name}_p95": round(most, 1)}


def _tell_goals(smallest: Sequence[Result], planted: Sequence[Result]) -> list[str]:
    """Of the smallest sizes: recall of every kind in the mean, subject and start of those that were found."""
    missed = []
    verdicts = [each.verdict for each in smallest if each.verdict is not None]
    recall = share(each.recalled for each in verdicts)
    report("insight: recall at the smallest sizes", recall, "share", RECALL, _GOAL, n=len(verdicts))
    weak = [
        f"{kind} {value:.2f}"
        for kind, some in _grouped(smallest, lambda each: str(each.job.kind)).items()
        if (value := share(each.verdict is not None and each.verdict.recalled for each in some)) < RECALL
    ]
    if recall < RECALL or weak:
        missed.append("recall" if recall < RECALL else "recall of " + ", ".join(weak))
    of_all = [each for each in planted if each.verdict is not None and each.verdict.recalled]
    right = share(each.verdict.subject_right for each in of_all if each.verdict is not None)
    report("insight: subject right", right, "share", SUBJECT, _GOAL, n=len(of_all))
    if right < SUBJECT:
        missed.append("subject right")
    cause = share(each.verdict.cause_right for each in of_all if each.verdict is not None)
    report("insight: cause class right", cause, "share", n=len(of_all))
    sudden = [each.verdict for each in of_all if each.job.kind and PLANS[each.job.kind].sudden and each.verdict]
    dated = share(near(each.start_error) for each in sudden)
    spread = _spread("start_error_minutes", [each.start_error for each in sudden])
    report("insight: start within 2 minutes", dated, "share", STARTS, _GOAL, n=len(sudden), **spread)
    if dated < STARTS:
        missed.append("start within 2 minutes")
    delays = [each.delay for each in sudden if each.delay is not None]
    if delays:
        middle, most = np.quantile(delays, [0.5, 0.95]).tolist()
        report("insight: delay", middle, "minutes", p95=round(most, 1), n=len(delays))
    return missed


def _tell_noise(planted: Sequence[Result], without: int) -> None:
    verdicts = [each.verdict for each in planted if each.verdict is not None]
    wrong = sum(len(each.wrong) for each in verdicts)
    good = sum(each.recalled for each in verdicts)
    days = sum(each.days for each in planted)
    beside = Counter(found.last.kind for each in verdicts for found in each.beside)
    which = Counter(found.last.kind for each in verdicts for found in each.wrong)
    report("insight: precision", good / max(1, good + wrong), "share", n=good + wrong, wrong=which, no_subject=without)
    report("insight: false alarms while something is planted", wrong / days, "a day", days=round(days, 1))
    report("insight: other findings about an incident", sum(beside.values()) / len(verdicts), "each", kinds=beside)


def _tell_quiet(quiet: Sequence[Result]) -> float:
    """Print the false alarms of quiet weeks by rate and of all; return these by service and week."""
    for rate, some in sorted(_grouped(quiet, lambda each: each.job.rate).items()):
        _tell_false(some, requests_a_second=rate)
    return _tell_false(quiet)


def _tell_false(some: Sequence[Result], **which: object) -> float:
    weeks = sum(each.days / 7 * each.services for each in some)
    wrong = Counter(found.last.kind for each in some for found in each.found)
    figure = sum(wrong.values()) / weeks if weeks else 0.0
    name = "insight: false alarms in quiet weeks"
    report(
        name, figure, "by service and week", FALSE_A_WEEK, _GOAL, **which, service_weeks=round(weeks, 1), kinds=wrong
    )
    return figure


def _tell_cost(results: Sequence[Result]) -> None:
    steps, requests = sum(each.steps for each in results), sum(each.requests for each in results)
    took = sum(each.step_s for each in results)
    slowest = max((each.slowest_step_s for each in results), default=0.0)
    if steps:
        cost: dict[str, object] = {"slowest_ms": round(1000 * slowest, 1), "steps": steps, "requests": requests}
        report("insight: a step", 1000 * took / steps, "ms", None, None, **cost)
