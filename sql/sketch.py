"""Decode the quantile sketch that `latency_sketch` (migration 0002) builds.

A sketch is one integer whose k-th group of 12 decimal digits counts the requests of slot k. Slot k
(1..320) holds latencies in [0.1 * 1.05^(k-1), 0.1 * 1.05^k) ms; slot 0 lies below, slot 321 above.
Reporting the harmonic middle of a slot bounds the relative error by (r - 1) / (r + 1); see
C. Masson, J. Rim, H. Lee, "DDSketch" (2019), section 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

SLOTS = 320
RATIO = 1.05
LOWEST_MS = 0.1
HIGHEST_MS = 603_000.0  # a little below the end of slot 320
FIELD_DIGITS = 12
ERROR_BOUND = (RATIO - 1) / (RATIO + 1)


def slot_counts(sketch: int) -> list[tuple[int, int]]:
    """Return (slot, requests) of every slot in use, lowest latency first."""
    text = str(sketch)
    counts = []
    for slot in range((len(text) + FIELD_DIGITS - 1) // FIELD_DIGITS):
        end = len(text) - slot * FIELD_DIGITS
        count = int(text[max(0, end - FIELD_DIGITS) : end])
        if count:
            counts.append((slot, count))
    return counts


def slot_value_ms(slot: int) -> float:
    """Latency that stands for all of a slot from 0 to 320, in ms."""
    if slot == 0:
        return LOWEST_MS / 2
    return LOWEST_MS * math.pow(RATIO, slot - 1) * 2 * RATIO / (1 + RATIO)


def quantiles_ms(sketch: int, quantiles: Sequence[float], *, maximum_ms: float) -> list[float]:
    """Return quantiles in ms, each within ERROR_BOUND of numpy's linear percentile.

    The bound holds from 0.1 ms to 603 s. Below, a quantile is off by at most 0.05 ms; beyond, where only
    the maximum is known, it is the maximum.

    Args:
        sketch: sum of single sketches; must hold at least one request.
        quantiles: between 0 and 1, ascending or not.
        maximum_ms: the exact maximum, which no quantile may exceed.
    """
    counts = slot_counts(sketch)
    total = sum(count for _, count in counts)
    return [min(_quantile_ms(counts, total, q, maximum_ms), maximum_ms) for q in quantiles]


def _quantile_ms(counts: Sequence[tuple[int, int]], total: int, quantile: float, maximum_ms: float) -> float:
    rank = quantile * (total - 1)
    below = _order_statistic_ms(counts, math.floor(rank), maximum_ms)
    above = _order_statistic_ms(counts, math.ceil(rank), maximum_ms)
    return below + (above - below) * (rank - math.floor(rank))


def _order_statistic_ms(counts: Sequence[tuple[int, int]], index: int, maximum_ms: float) -> float:
    seen = 0
    for slot, count in counts:
        seen += count
        if index < seen:
            return slot_value_ms(slot) if slot <= SLOTS else maximum_ms
    return maximum_ms
