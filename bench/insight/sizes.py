"""What is planted, how large, and what a search should say of it.

The smallest size of each kind is the stated minimum: at least this is to be found in 19 of 20 cases. Sizes are given
in what a reader of the log sees. `share` is the share of the subject's requests that fail or slow down; at few requests
it is larger, so that at least `least` requests a minute do (otherwise the moment it began could not be known to two
minutes: nothing happens in most minutes). Where `least` is of latencies, it is the requests a minute of the subject.

kind              small                        medium                     large                    of subject at least
errors_endpoint   10 %, 2 a minute, 25 min     30 %, 4, 40 min            80 %, 5, 30 min          5 requests a minute
errors_service    5 %, 3 a minute, 25 min      20 %, 4, 40 min            60 %, 6, 30 min          20
errors_network    30 %, 3 a minute, 30 min     60 %, 4, 40 min            100 %, 5, 30 min         6
latency_endpoint  x 1.5, 40 min                x 2.5, 40 min              x 6, 30 min              20 (8: x 2, ...)
latency_service   x 1.5, 40 min                x 2.5, 40 min              x 6, 30 min              30
latency_drift     x 2 in 6 h                   x 3 in 5 h                 x 5 in 4 h               15
latency_tail      10 % x 6, 3 a minute, 40 min 12 % x 10                  15 % x 20                15
latency_band      x 1.6, 90 min, 4 days        x 2.5                      x 5                      15
traffic_spike     x 2, 20 min                  x 4, 30 min                x 10, 30 min             20 (* below)
traffic_drop      half, 30 min                 a fifth, 30 min            a twentieth, 30 min      100 (* below)
outage            5 min                        15 min                     45 min                   20
scanner           30 missing paths, 5 min      200, 10 min                2,000, 20 min
guessing          20 refused, 5 min            200, 10 min                2,000, 20 min
guessing_spread   40 refused from 20 addresses 300, 15 min                2,000, 20 min
scraper           60 paths a minute, 15 min    200, 20 min                900, 20 min
hammering         60 calls a minute, 20 min    200, 20 min                1,000, 20 min
a_breaks_b        50 % after A, 2 a minute     75 %, 40 min               100 %, 40 min            5 after A
a_loads_b         x 2 while A is called x 4    x 3                        x 6                      15 of B
deploy            8 % and x 1.6, 60 min        25 % and x 2               60 % and x 4             15
new_failing_route 5 a minute, 50 % fail        20 a minute                60 a minute

* a spike adds and a drop takes at least 9 times the square root of the usual requests a minute, because requests come
in sessions: their standard deviation is a little more than twice the root.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from dashapp.insight.finding import Cause
from dashapp.insight.finding import Kind as Found

Size = Literal["small", "medium", "large"]
SIZES: tuple[Size, ...] = ("small", "medium", "large")
Who = Literal["endpoint", "service", "network", "client", "strangers"]


class Dose(NamedTuple):
    """How much of it.

    Attributes:
        minutes: how long.
        share: of the subject's requests that are struck.
        least: requests a minute that are struck at least.
        factor: times the latency, or times the requests.
        rate: requests a minute that are added.
    """

    minutes: int
    share: float = 1.0
    least: float = 0.0
    factor: float = 1.0
    rate: float = 0.0


class Plan(NamedTuple):
    """A kind of incident.

    Attributes:
        who: what the subject is.
        need: requests a minute that the subject must have.
        doses: by size, the smallest first.
        found: kinds of findings that are right.
        causes: causes that are right.
        sudden: it begins in one moment, so that this moment can be found.
    """

    who: Who
    need: float
    doses: tuple[Dose, Dose, Dose]
    found: frozenset[Found]
    causes: frozenset[Cause]
    sudden: bool = True


def _plan(
    who: Who, need: float, doses: tuple[Dose, Dose, Dose], found: set[Found], causes: set[Cause], *, sudden: bool = True
) -> Plan:
    return Plan(who, need, doses, frozenset(found), frozenset(causes), sudden)


PLANS: dict[str, Plan] = {
    "errors_endpoint": _plan(
        "endpoint", 5, (Dose(25, 0.1, 2), Dose(40, 0.3, 4), Dose(30, 0.8, 5)), {"error_burst"}, {"fault"}
    ),
    "errors_service": _plan(
        "service", 20, (Dose(25, 0.05, 3), Dose(40, 0.2, 4), Dose(30, 0.6, 6)), {"error_burst"}, {"shared_fault"}
    ),
    "errors_network": _plan(
        "network", 6, (Dose(30, 0.3, 3), Dose(40, 0.6, 4), Dose(30, 1.0, 5)), {"error_burst"}, {"network"}
    ),
    "latency_endpoint": _plan(
        "endpoint", 20, (Dose(40, factor=1.5), Dose(40, factor=2.5), Dose(30, factor=6)), {"latency_shift"}, {"fault"}
    ),
    "latency_service": _plan(
        "service", 30, (Dose(40, factor=1.5), Dose(40, factor=2.5), Dose(30, factor=6)),
        {"latency_shift"}, {"shared_fault"},
    ),
    "latency_drift": _plan(
        "endpoint", 15, (Dose(360, factor=2), Dose(300, factor=3), Dose(240, factor=5)),
        {"latency_drift"}, {"growth"}, sudden=False,
    ),
    "latency_tail": _plan(
        "endpoint", 15, (Dose(40, 0.1, 3, 6), Dose(40, 0.12, 3, 10), Dose(30, 0.15, 3, 20)),
        {"latency_tail"}, {"contention"},
    ),
    "latency_band": _plan(
        "endpoint", 15, (Dose(90, factor=1.6), Dose(90, factor=2.5), Dose(90, factor=5)),
        {"latency_band"}, {"schedule"}, sudden=False,
    ),
    "traffic_spike": _plan(
        "service", 20, (Dose(20, factor=2), Dose(30, factor=4), Dose(30, factor=10)), {"traffic_spike"}, {"demand"}
    ),
    "traffic_drop": _plan(
        "service", 100, (Dose(30, factor=0.5), Dose(30, factor=0.2), Dose(30, factor=0.05)),
        {"traffic_drop"}, {"upstream"},
    ),
    "outage": _plan("service", 20, (Dose(5), Dose(15), Dose(45)), {"outage"}, {"down"}),
    "scanner": _plan(
        "client", 0, (Dose(5, rate=6), Dose(10, rate=20), Dose(20, rate=100)), {"scanner"}, {"probing"}
    ),
    "guessing": _plan(
        "client", 0, (Dose(5, rate=4), Dose(10, rate=20), Dose(20, rate=100)), {"credential_guessing"}, {"attack"}
    ),
    "guessing_spread": _plan(
        "strangers", 0, (Dose(10, rate=4), Dose(15, rate=20), Dose(20, rate=100)), {"credential_guessing"}, {"attack"}
    ),
    "scraper": _plan(
        "client", 0, (Dose(15, rate=60), Dose(20, rate=200), Dose(20, rate=900)), {"scraper"}, {"automation"}
    ),
    "hammering": _plan(
        "client", 0, (Dose(20, rate=60), Dose(20, rate=200), Dose(20, rate=1000)), {"client_volume"},
        {"client", "automation"},
    ),
    "a_breaks_b": _plan(
        "endpoint", 5, (Dose(40, 0.5, 2), Dose(40, 0.75, 3), Dose(40, 1.0, 3)), {"error_burst"}, {"call"}
    ),
    "a_loads_b": _plan(
        "endpoint", 15, (Dose(120, factor=2), Dose(120, factor=3), Dose(120, factor=6)),
        {"latency_shift"}, {"call", "load"},
    ),
    "deploy": _plan(
        "endpoint", 15, (Dose(60, 0.08, 2, 1.6), Dose(60, 0.25, 3, 2), Dose(60, 0.6, 3, 4)),
        {"error_burst", "latency_shift"}, {"deploy"},
    ),
    "new_failing_route": _plan(
        "endpoint", 0, (Dose(60, 0.5, rate=5), Dose(60, 0.6, rate=20), Dose(60, 0.9, rate=60)),
        {"new_failing_route"}, {"new_route"},
    ),
}  # fmt: skip
