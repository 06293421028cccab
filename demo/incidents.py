"""What went wrong, and when: the planted incidents as data, placed relative to a moment."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

REPEAT_EVERY = timedelta(hours=7)
"""How long after an incident live traffic shows the same one again."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One endpoint misbehaves for a while, for all clients or for one version of the app."""

    name: str
    endpoint: str
    start: datetime
    end: datetime
    app_version: str | None = None
    latency_factor: float = 1.0
    failing_share: float = 0.0
    failing_statuses: Mapping[int, float] = field(default_factory=dict)
    timeout_ms: float = 0.0
    """Response time of the failing calls."""

    def touches(self, endpoint: str, app_version: str | None, at: datetime) -> bool:
        """Tell whether a call at that moment is one the incident can reach."""
        return (
            self.endpoint == endpoint
            and self.start <= at < self.end
            and (self.app_version is None or self.app_version == app_version)
        )

    def strike(self, status: int, latency_ms: float, chance: random.Random) -> tuple[int, float]:
        """Return status and response time in milliseconds of a call that the incident reaches."""
        if chance.random() < self.failing_share:
            failing = self.failing_statuses
            return chance.choices(list(failing), list(failing.values()))[0], self.timeout_ms
        return status, latency_ms * self.latency_factor


@dataclass(frozen=True, slots=True)
class Target:
    """What a scanner asks for, the answer it gets, and how often of all its calls."""

    service: str
    method: str
    path: str
    status: int
    share: float


@dataclass(frozen=True, slots=True)
class Scan:
    """One address that guesses passwords and probes for files."""

    name: str
    start: datetime
    end: datetime
    address: str
    user_agent: str
    rate_per_s: float
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything planted in the traffic."""

    incidents: tuple[Incident, ...] = ()
    scans: tuple[Scan, ...] = ()


QUIET = Plan()
"""Traffic in which nothing is planted."""

_TARGETS = (
    Target("auth-api", "POST", "/api/auth/login", 401, 0.80),
    Target("auth-api", "POST", "/api/auth/login", 429, 0.08),
    Target("shop-api", "GET", "/.env", 404, 0.04),
    Target("shop-api", "GET", "/wp-login.php", 404, 0.03),
    Target("shop-api", "GET", "/.git/config", 404, 0.03),
    Target("shop-api", "GET", "/actuator/env", 404, 0.02),
)


def planted(anchor: datetime, *, repeats: int = 0) -> Plan:
    """Return the incidents that somebody who looks at `anchor` should find, and their later repeats."""
    incidents = (
        # About 17 % of all checkouts: the share that this version of the app has in them.
        Incident(
            "checkout_timeout",
            "checkout",
            anchor - timedelta(minutes=50),
            anchor - timedelta(minutes=25),
            app_version="4.2.1",
            failing_share=0.95,
            failing_statuses={504: 0.8, 502: 0.2},
            timeout_ms=3_000.0,
        ),
        Incident(
            "slow_search",
            "search",
            anchor - timedelta(hours=8, minutes=30),
            anchor - timedelta(hours=8),
            latency_factor=2.1,
        ),
    )
    scan = Scan(
        "password_guessing",
        anchor - timedelta(hours=2, minutes=40),
        anchor - timedelta(hours=2, minutes=28),
        address="192.0.2.66",
        user_agent="Go-http-client/1.1",
        rate_per_s=0.8,
        targets=_TARGETS,
    )
    shifts = [number * REPEAT_EVERY for number in range(repeats + 1)]
    return Plan(
        tuple(replace(one, start=one.start + by, end=one.end + by) for by in shifts for one in incidents),
        tuple(replace(scan, start=scan.start + by, end=scan.end + by) for by in shifts),
    )
