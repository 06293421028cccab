"""Requests by the value of one field: what `changes` and `segments` compare. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Fields in the order in which they are named where two of them say the same; then attributes.
FIELDS = ("service", "route", "method", "status", "client_ip", "network", "client_type", "product")
ATTRIBUTE = "attributes."
MOST_CERTAIN = 20_000.0


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests of some kind: all of them, those that failed, and those that were slow of those with a latency.

    Each is the number of requests that were looked at; see Window for how many there were.
    """

    n: Floats
    failed: Floats
    timed: Floats
    slow: Floats


@dataclass(frozen=True, slots=True)
class Window:
    """How many requests of a span there were, failed, had a latency and were slow; and how many were looked at.

    Where all were looked at, both are the same.
    """

    n: float
    failed: float
    timed: float
    slow: float


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its values and their requests in two windows (or the same in both, for one window).

    `now_seen` and `before_seen` are the sums that were looked at in each window, of all values.
    """

    name: str
    values: Sequence[str | int]
    now: Counted
    before: Counted
    now_seen: Window
    before_seen: Window
    exact: bool


def order_of(field: str) -> tuple[int, str]:
    """Place of a field among those that say the same."""
    return (FIELDS.index(field) if field in FIELDS else len(FIELDS), field)
