"""How many requests a service usually gets in a minute: as in the same hour of weeks before, else as a trend. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from dashapp.insight.history import HOUR, TRAFFIC_SPAN
from dashapp.insight.likelihood import Floats
from dashapp.insight.limits import BLIND_MINUTES

_WEEK, _DAY = 168, 24  # hours
_WEEKS, _DAYS = 4, 3
_KEPT = int(TRAFFIC_SPAN / HOUR) + _DAY
# A minute counts for the level half an hour late: what begins in it is found by then, or is too faint to matter.
HELD_BACK = 30
_LEVEL_KEEP = 0.5 ** (1 / 120)  # half of the weight of the level is younger than two hours
_LEVEL_PRIOR = 30.0
_LEVEL_SPAN = (0.1, 10.0)
_TRAIL, _BLOCK = 180, 10  # minutes of which a trend is made, in blocks
_STEEPEST = float(np.log(2.5)) / 60  # a minute
_FEWEST_MINUTES = 50  # of an hour that must be known


@dataclass(frozen=True, slots=True)
class Usual:
    """Requests expected in a minute; `blind` where only the last hours say so, or other days of the week."""

    calls: float
    blind: bool


@dataclass(slots=True)
class _Service:
    hours: dict[int, float] = field(default_factory=dict)
    # Of the last minutes, nan where nothing is known or something was found.
    trail: Floats = field(default_factory=lambda: np.full(_TRAIL, np.nan))
    shape: Floats = field(default_factory=lambda: np.full(_TRAIL, np.nan))
    level_seen: float = 0.0
    level_usual: float = 0.0
    hour: int | None = None
    hour_calls: float = 0.0
    hour_minutes: float = 0.0
    frozen: Usual | None = None


class UsualTraffic:
    """The expectation of each service. `expect` a minute first, `see` it then."""

    def __init__(self, hours: Mapping[str, Mapping[datetime, int]], width: timedelta) -> None:
        """Start from requests by service and hour; `width` is that of the minutes."""
        self._services: dict[str, _Service] = {}
        self._minutes = width / timedelta(minutes=1)
        for name, counts in hours.items():
            self._services[name] = _Service({_hour_of(at): float(n) for at, n in counts.items()})

    @property
    def names(self) -> list[str]:
        """Services of which anything was ever known."""
        return list(self._services)

    def expect(self, name: str, start: datetime) -> Usual | None:
        """Requests that a minute should have; None where nothing can be said."""
        service = self._services.get(name)
        if service is None:
            return None
        if service.frozen is not None and np.isnan(self._shape(service, start)[0]):
            return service.frozen
        shape, weekly = self._shape(service, start)
        if np.isnan(shape):
            trend = _trend(service.trail)
            return None if trend is None else Usual(trend, blind=True)
        level = (service.level_seen + _LEVEL_PRIOR) / (service.level_usual + _LEVEL_PRIOR)
        return Usual(shape * float(np.clip(level, *_LEVEL_SPAN)), blind=not weekly)

    def see(self, name: str, start: datetime, calls: float | None, *, held: bool) -> None:
        """Take in a minute: its requests, None where nothing is known; `held` while something is found in it."""
        service = self._services.setdefault(name, _Service())
        shape, _ = self._shape(service, start)
        if held and service.frozen is None:
            service.frozen = self.expect(name, start)
        elif not held:
            service.frozen = None
        self._add_to_hour(service, start, None if held else calls)
        for ring, value in ((service.trail, np.nan if held or calls is None else calls), (service.shape, shape)):
            ring[:-1] = ring[1:]
            ring[-1] = value
        old, usual = service.trail[-1 - HELD_BACK], service.shape[-1 - HELD_BACK]
        if not held and np.isfinite(old) and np.isfinite(usual):
            service.level_seen = service.level_seen * _LEVEL_KEEP + old
            service.level_usual = service.level_usual * _LEVEL_KEEP + usual

    def forget_since(self, name: str, minutes: int) -> None:
        """Take the last minutes out again: something was found in them."""
        service = self._services.get(name)
        if service is not None and minutes > 0:
            service.trail[-min(minutes, _TRAIL) :] = np.nan
            service.hour_minutes = 0.0
            service.hour_calls = 0.0

    def adopt(self, name: str) -> None:
        """What is now is usual: forget the level of before."""
        service = self._services.get(name)
        if service is not None:
            service.frozen = None
            service.level_seen = service.level_usual = 0.0
            service.trail[:] = np.nan

    def _shape(self, service: _Service, start: datetime) -> tuple[float, bool]:
        """Requests a minute at this time of the week by the hours known, and whether they are of the same weekday."""
        at = start.timestamp() / 3600 - 0.5
        before = int(np.floor(at))
        part = at - before
        first, weekly = _usual_hour(service.hours, before)
        second, weekly_too = _usual_hour(service.hours, before + 1)
        if np.isnan(first) or np.isnan(second):
            return (second if np.isnan(first) else first) / 60 * self._minutes, False
        return ((1 - part) * first + part * second) / 60 * self._minutes, weekly and weekly_too

    def _add_to_hour(self, service: _Service, start: datetime, calls: float | None) -> None:
        hour = _hour_of(start)
        if service.hour != hour:
            if service.hour is not None and service.hour_minutes >= _FEWEST_MINUTES:
                service.hours[service.hour] = service.hour_calls * 60 / service.hour_minutes
                for old in [each for each in service.hours if each < hour - _KEPT]:
                    del service.hours[old]
            service.hour, service.hour_calls, service.hour_minutes = hour, 0.0, 0.0
        if calls is not None:
            service.hour_calls += calls
            service.hour_minutes += self._minutes


def _hour_of(at: datetime) -> int:
    return int(at.timestamp() // 3600)


def _usual_hour(hours: Mapping[int, float], hour: int) -> tuple[float, bool]:
    """Median of the same hour of the weeks before, else of the days before."""
    weeks = [hours[at] for at in range(hour - _WEEK, hour - _WEEK * _WEEKS - 1, -_WEEK) if at in hours]
    if weeks:
        return float(np.median(weeks)), True
    days = [hours[at] for at in range(hour - _DAY, hour - _DAY * _DAYS - 1, -_DAY) if at in hours]
    return (float(np.median(days)), False) if days else (float("nan"), False)


def _trend(trail: Floats) -> float | None:
    """Continue a straight line through the logarithms of the last blocks."""
    usable = trail[:-_BLOCK]
    if np.isfinite(usable).sum() < BLIND_MINUTES - _BLOCK:
        return None
    blocks = usable[len(usable) % _BLOCK :].reshape(-1, _BLOCK)
    known = np.isfinite(blocks).sum(axis=1)
    mean = np.where(known > 0, np.nansum(blocks, axis=1) / np.maximum(known, 1), np.nan)
    at = -_BLOCK - _BLOCK * (np.arange(len(mean))[::-1] + 0.5)
    fine = known >= _BLOCK // 2
    if fine.sum() < 3:
        return None
    weight = np.sqrt(mean[fine] + 0.5) * 0.5 ** (-at[fine] / 60)
    level = np.log(mean[fine] + 0.25)
    centre = np.average(at[fine], weights=weight)
    spread = np.average((at[fine] - centre) ** 2, weights=weight)
    mid = np.average(level, weights=weight)
    slope = np.average((at[fine] - centre) * (level - mid), weights=weight) / max(spread, 1.0)
    found = np.exp(mid + np.clip(slope, -_STEEPEST, _STEEPEST) * (0 - centre))
    return float(max(found - 0.25, 0.0))
