"""How busy the shop is at a moment: the day of Seoul and its weekend, as a factor of the mean."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

ZONE = ZoneInfo("Asia/Seoul")
SATURDAY = 5
WEEKEND_FACTOR = 0.8

# Relative traffic at each full hour in Seoul: a trough at 04:00, peaks at noon and at 21:00.
_HOURS = np.array(
    [0.85, 0.62, 0.47, 0.40, 0.37, 0.40, 0.52, 0.74, 0.96, 1.06, 1.12, 1.24,
     1.42, 1.22, 1.08, 1.04, 1.05, 1.10, 1.20, 1.38, 1.62, 1.76, 1.54, 1.18]
)  # fmt: skip
_DAY_CURVE = _HOURS / _HOURS.mean()


def intensity(epoch_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factor for moments given in seconds since 1970; a working day's mean is 1."""
    if not epoch_s.size:
        return np.empty(0)
    # One offset for the whole array: the callers pass an hour at a time, and Seoul has no summer time.
    offset = datetime.fromtimestamp(float(epoch_s[0]), UTC).astimezone(ZONE).utcoffset()
    local_s = epoch_s + (offset.total_seconds() if offset is not None else 0.0)
    hour = local_s / 3600 % 24
    curve = np.interp(hour, np.arange(25), np.append(_DAY_CURVE, _DAY_CURVE[0]))
    # 1970-01-01 was a Thursday, day 3 of a week that begins on Monday.
    weekday = (local_s // 86_400 + 3) % 7
    factor = np.where(weekday >= SATURDAY, WEEKEND_FACTOR, 1.0)
    return np.asarray(curve * factor, dtype=np.float64)
