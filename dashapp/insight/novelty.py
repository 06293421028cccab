"""What is new in a window and what is gone: endpoints, status codes, client types. Pure.

A rare endpoint that happens not to be called is not gone, and one that is called at night only is not gone at noon.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import special

from dashapp.insight.chance import adjusted

Name = TypeVar("Name")
LIKELY_BY_CHANCE = 0.001
FEWEST = 5
PARTS = 24
FEWEST_PARTS = 3
# Hours of the history in which something must have been called before it can be missed.
FEWEST_HOURS = 6
_HOURS = 24


@dataclass(frozen=True, slots=True)
class Course:
    """Requests of one thing: in the window, and in each hour of the history (0 where there were none).

    `parts` says in how many of PARTS equal parts of the window it was called. `seen` is how much of the history was
    looked at for each part of the window that was: below 1 where requests were drawn, of a long history fewer.
    """

    now: int
    parts: int
    hours: npt.NDArray[np.int64]
    seen: float = 1.0


@dataclass(frozen=True, slots=True)
class Novelty(Generic[Name]):
    """Something that appeared or vanished; `n` requests in the window, or in the history.

    `p` is how likely that is where nothing has changed, corrected for all that were looked at.
    """

    what: Literal["new", "gone"]
    name: Name
    n: int
    p: float


def novelties(
    courses: Mapping[Name, Course], *, window_hours: float, first_hour: int, starts_at: int
) -> list[Novelty[Name]]:
    """What is new and what is gone, the most requests first.

    Args:
        courses: of everything that was called in the window or in the history.
        window_hours: how long the window is.
        first_hour: hour of the day (0 to 23, of the viewer) in which the history begins.
        starts_at: hour of the day in which the window begins.
    """
    names = list(courses)
    history = max((len(each.hours) for each in courses.values()), default=0)
    if not names or not history or window_hours <= 0:
        return []
    new = [_new(courses[name], window_hours, history) for name in names]
    gone = [_gone(courses[name], window_hours, first_hour, starts_at) for name in names]
    found: list[Novelty[Name]] = []
    for name, p_new, p_gone in zip(names, adjusted(new).tolist(), adjusted(gone).tolist(), strict=True):
        course = courses[name]
        if p_new <= LIKELY_BY_CHANCE:
            found.append(Novelty("new", name, course.now, p_new))
        elif p_gone <= LIKELY_BY_CHANCE and not course.now:
            found.append(Novelty("gone", name, int(course.hours.sum()), p_gone))
    return sorted(found, key=lambda each: (-each.n, str(each.name)))


def _new(course: Course, window_hours: float, history: int) -> float:
    """How likely all its calls fall into the window if any moment were as good; what comes at once counts once."""
    if course.hours.any() or course.now < FEWEST or course.parts < FEWEST_PARTS:
        return 1.0
    return math.pow(window_hours / (window_hours + history * course.seen), course.parts)


def _gone(course: Course, window_hours: float, first_hour: int, starts_at: int) -> float:
    """How likely none of its hours falls into the window if the hours in which it is called are drawn.

    Of the hours of the same time of day, where the history has days to choose from. Hours count, not calls: a hundred
    calls of one person in one hour are one reason to expect it again, not a hundred.
    """
    if course.now or not len(course.hours):
        return 1.0
    chosen = course.hours
    if len(chosen) >= 2 * _HOURS and window_hours < _HOURS:
        of_day = (first_hour + np.arange(len(chosen))) % _HOURS
        wanted = [(starts_at + i) % _HOURS for i in range(-1, int(np.ceil(window_hours)) + 1)]
        chosen = chosen[np.isin(of_day, wanted)]
    active, everything = int((chosen > 0).sum()), len(chosen)
    if active < FEWEST_HOURS:
        return 1.0
    nothing = math.pow(_nothing_in_an_hour(chosen), window_hours)
    if active == everything:
        return nothing
    return max(nothing, _none_of(active, everything, max(1, int(window_hours))))


def _nothing_in_an_hour(hours: npt.NDArray[np.int64]) -> float:
    """Probability of no call in an hour: of a negative binomial with the mean and the variance of the hours."""
    mean, variance = float(hours.mean()), float(hours.var())
    if variance <= mean:
        return math.exp(-mean)
    size = mean * mean / (variance - mean)
    return math.exp(-size * math.log1p(mean / size))


def _none_of(active: int, everything: int, asked: int) -> float:
    """How likely none of `asked` hours is active, of `everything` and these hours of which `active` are."""
    log = special.gammaln(everything + 1) - special.gammaln(everything - active + 1)
    log -= special.gammaln(everything + asked + 1) - special.gammaln(everything + asked - active + 1)
    return float(np.exp(log))
