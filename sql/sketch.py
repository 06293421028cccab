"""Decode the quantile sketch that `latency_sketch` (migration 0002) builds.

In the database a sketch is one number whose k-th group of 12 decimal digits counts the requests of slot k. Slot k
(1..320) holds latencies in [0.1 * 1.05^(k-1), 0.1 * 1.05^k) ms; slot 0 lies below, slot 321 above.
Reporting the harmonic middle of a slot bounds the relative error by (r - 1) / (r + 1); see
C. Masson, J. Rim, H. Lee, "DDSketch" (2019), section 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SLOTS = 320
RATIO = 1.05
LOWEST_MS = 0.1
HIGHEST_MS = 603_000.0  # a little below the end of slot 320
FIELD_DIGITS = 12
ERROR_BOUND = (RATIO - 1) / (RATIO + 1)

# Requests by slot, all of them from 0 to SLOTS + 1. Sketches merge by addition.
Sketch = npt.NDArray[np.int64]

# PostgreSQL sends a number as two-byte digits of base 10,000, the highest first; three of them are a field.
_DIGITS_PER_FIELD = 3
_DIGITS = _DIGITS_PER_FIELD * (SLOTS + 2)
_PLACES = np.array([1, 10_000, 100_000_000], dtype=np.int64)
_HEAD = 4  # number of digits, place of the first one, sign, decimals


def decode(sent: bytes) -> Sketch:
    """Return the sketch in the bytes that `numeric_send` makes of its number.

    Numbers travel so because their text, thousands of digits, takes twenty times as long to read.
    """
    words = np.frombuffer(sent, dtype=">i2")
    digits, first = int(words[0]), int(words[1])
    places = np.zeros(_DIGITS, dtype=np.int64)
    places[first - digits + 1 : first + 1] = words[_HEAD:][::-1]
    counts: Sketch = places.reshape(SLOTS + 2, _DIGITS_PER_FIELD) @ _PLACES
    return counts


def slot_counts(sketch: Sketch) -> list[tuple[int, int]]:
    """Return (slot, requests) of every slot in use, lowest latency first."""
    used = np.flatnonzero(sketch)
    return list(zip(used.tolist(), sketch[used].tolist(), strict=True))


def slot_value_ms(slot: int) -> float:
    """Latency that stands for all of a slot from 0 to 320, in ms."""
    if slot == 0:
        return LOWEST_MS / 2
    return LOWEST_MS * math.pow(RATIO, slot - 1) * 2 * RATIO / (1 + RATIO)


# Beyond the last slot only the maximum is known.
_VALUES_MS = np.array([*map(slot_value_ms, range(SLOTS + 1)), math.inf])


def quantiles_ms(sketch: Sketch, quantiles: Sequence[float], *, maximum_ms: float) -> list[float]:
    """Return quantiles in ms, each within ERROR_BOUND of numpy's linear percentile.

    The bound holds from 0.1 ms to 603 s. Below, a quantile is off by at most 0.05 ms; beyond, where only
    the maximum is known, it is the maximum.

    Args:
        sketch: must hold at least one request.
        quantiles: between 0 and 1, ascending or not.
        maximum_ms: the exact maximum, which no quantile may exceed.
    """
    seen = np.cumsum(sketch)
    ranks = np.asarray(quantiles) * float(seen[-1] - 1)
    lower = np.floor(ranks)
    # An order statistic lies in the first slot up to which more requests than its index are seen.
    below, above = (
        np.minimum(_VALUES_MS[np.searchsorted(seen, index, side="right")], maximum_ms)
        for index in (lower.astype(np.int64), np.ceil(ranks).astype(np.int64))
    )
    found: list[float] = (below + (above - below) * (ranks - lower)).tolist()
    return found
