"""New and gone: what really is, not what is rare or sleeps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from dashapp.insight.novelty import PARTS, Course, novelties

WEEK = 168


def course(calls: npt.NDArray[np.int64], hours: int, draw: np.random.Generator, *, at_once: bool) -> Course:
    """What it is called in the hours of the history and in those of the window, where its calls fall anywhere."""
    window = len(calls) - hours
    moments = [
        hour + each
        for hour, n in enumerate(calls[hours:])
        for each in (np.full(n, draw.random()) if at_once else draw.random(n))
    ]
    parts = len({int(moment / window * PARTS) for moment in moments})
    return Course(int(calls[hours:].sum()), parts, calls[:hours])


def courses(draw: np.random.Generator, hours: int, window: int) -> dict[str, Course]:
    """Endpoints at all paces, some only by day, some in bursts of one person, some of a job at night."""
    found = {}
    clock = np.arange(hours + window) % 24
    for i in range(60):
        pace = 10 ** draw.uniform(-2, 3)
        rhythm = np.where((clock >= 8) & (clock < 20), 1.9, 0.1) if i % 3 == 0 else np.ones(hours + window)
        if i % 3 == 1:
            calls = draw.poisson(pace / 10, hours + window) * draw.geometric(0.1, hours + window)
        else:
            calls = draw.poisson(pace * rhythm)
        found[f"/route{i}"] = course(calls, hours, draw, at_once=i % 3 == 1)
    night = np.where(clock == 3, 50, 0)
    found["/nightly"] = course(night, hours, draw, at_once=True)
    return found


@pytest.mark.parametrize(("hours", "window"), [(24, 1), (24, 12), (WEEK, 1), (WEEK, 6), (WEEK, 24), (48, 48)])
def test_nothing_is_new_or_gone_where_nothing_changed(hours: int, window: int) -> None:
    named = []
    for seed in range(30):
        draw = np.random.default_rng(seed)
        named += novelties(courses(draw, hours, window), window_hours=window, first_hour=0, starts_at=hours % 24)
    assert len(named) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_new_and_gone_are_named(seed: int) -> None:
    draw = np.random.default_rng(seed)
    all_ = courses(draw, WEEK, 6)
    all_["/new"] = Course(40, 15, np.zeros(WEEK, np.int64))
    all_["/gone"] = Course(0, 0, draw.poisson(30, WEEK))
    found = novelties(all_, window_hours=6, first_hour=0, starts_at=0)
    assert {(each.what, each.name, each.n) for each in found} == {
        ("new", "/new", 40),
        ("gone", "/gone", int(all_["/gone"].hours.sum())),
    }
    assert all(each.p <= 0.001 for each in found)


def test_minutes_suffice_where_much_is_called() -> None:
    all_ = {"/busy": Course(0, 0, np.full(24, 6_000)), "/other": Course(500, 24, np.full(24, 6_000))}
    (only,) = novelties(all_, window_hours=0.25, first_hour=0, starts_at=0)
    assert (only.what, only.name) == ("gone", "/busy")


def test_what_was_called_once_is_neither() -> None:
    hours = np.zeros(WEEK, np.int64)
    hours[3] = 100
    all_ = {"/once": Course(0, 0, hours), "/first": Course(2, 2, np.zeros(WEEK, np.int64))}
    assert novelties(all_, window_hours=24, first_hour=0, starts_at=0) == []


def test_bad_input_says_nothing() -> None:
    empty: dict[str, Course] = {}
    assert novelties(empty, window_hours=1, first_hour=0, starts_at=0) == []
    none = {"/a": Course(10, 9, np.zeros(0, np.int64))}
    assert novelties(none, window_hours=1, first_hour=0, starts_at=0) == []
    assert novelties({"/a": Course(0, 0, np.ones(24, np.int64))}, window_hours=0, first_hour=0, starts_at=0) == []
