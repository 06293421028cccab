"""How the latencies of a range are spread in each of its buckets: requests by class of latency. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashapp.stats.traffic import Traffic
from sql.sketch import LOWEST_MS, RATIO, SLOTS, Sketch

MOST_CLASSES = 18
# Slots of the sketch that make a class; a class of the last one is as wide as a factor of four.
_WIDTHS = (5, 7, 10, 14, 20, 28)


@dataclass(frozen=True, slots=True)
class LatencyClass:
    """Latencies from `low_ms` to below `high_ms`; the outermost of all that can be told apart are open."""

    low_ms: float
    high_ms: float
    open_below: bool = False
    open_above: bool = False

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The least latency and the first one too high, as filters take them."""
        return None if self.open_below else self.low_ms, None if self.open_above else self.high_ms


@dataclass(frozen=True, slots=True)
class LatencyHeat:
    """Classes that touch one another, lowest first, and for each bucket its requests by class.

    A bucket of which nothing is known is None; one in which no request has a latency has zeros. There are no classes
    where no request of the range has one.
    """

    classes: list[LatencyClass]
    counts: list[list[int] | None]


def latency_heat(traffic: Traffic, *, most: int = MOST_CLASSES) -> LatencyHeat:
    """Sum the sketches of a series into at most `most` classes.

    The series must have been read with its percentiles. Classes begin at fixed latencies, so they stay where they are
    when numbers are read again.
    """
    sketches = [bucket.sketch for bucket in traffic.buckets if bucket.sketch is not None]
    used = np.flatnonzero(np.sum(sketches, axis=0)).tolist() if sketches else []
    if not used:
        return LatencyHeat([], [None if bucket.total is None else [] for bucket in traffic.buckets])
    first, last, width = _classes(used[0], used[-1], most)
    counts = [
        None if bucket.total is None else _summed(bucket.sketch, first, last, width) for bucket in traffic.buckets
    ]
    return LatencyHeat([_class(number, width) for number in range(first, last + 1)], counts)


def _classes(lowest: int, highest: int, most: int) -> tuple[int, int, int]:
    """First and last class of some slots, and the width of the narrowest ones that are few enough."""
    for width in _WIDTHS:
        first, last = _number(lowest, width), _number(highest, width)
        if last - first < most:
            break
    return first, last, width


def _number(slot: int, width: int) -> int:
    # Slot 1 begins at LOWEST_MS; what lies below it belongs to the first class, what lies beyond the last slot to the
    # last one.
    return (min(max(slot, 1), SLOTS) - 1) // width


def _class(number: int, width: int) -> LatencyClass:
    low, high = (LOWEST_MS * RATIO ** (width * each) for each in (number, number + 1))
    return LatencyClass(low, high, open_below=number == 0, open_above=number == _number(SLOTS, width))


def _summed(sketch: Sketch | None, first: int, last: int, width: int) -> list[int]:
    counts: Sequence[int] = [0] * (last - first + 1)
    if sketch is None:
        return list(counts)
    sums = np.bincount([_number(slot, width) for slot in range(SLOTS + 2)], weights=sketch, minlength=last + 1)
    return [int(n) for n in sums[first : last + 1]]
