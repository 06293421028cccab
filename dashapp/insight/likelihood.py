"""How much more likely a change is than none: generalised likelihood ratios of windows, and where one begins or ends.

Every question has the same form: of `n` requests `k` have a property, and `x` of them would have it as usual. Pure.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]
_LEAST = 1e-12
# A trouble that comes in waves is on again when the newest buckets say so, however long it rested.
_AGAIN, _SURE_AGAIN = 5, 5.0


def more_share(k: npt.ArrayLike, n: npt.ArrayLike, x: npt.ArrayLike) -> Floats:
    """Logarithm of the likelihood ratio of "a larger share than x/n" to "a share of x/n"; 0 where it is not larger."""
    k, n, x = (np.asarray(each, np.float64) for each in (k, n, x))
    with np.errstate(divide="ignore", invalid="ignore"):
        larger = (n > 0) & (x > 0) & (k > x)
        rest = np.maximum(n - k, 0.0)
        ratio = special.xlogy(k, k / x) + special.xlogy(rest, rest / np.maximum(n - x, _LEAST))
    found: Floats = np.where(larger, np.maximum(ratio, 0.0), 0.0)
    return found


def other_rate(k: npt.ArrayLike, x: npt.ArrayLike) -> Floats:
    """The same for counts where `x` are expected: more or fewer than that."""
    k, x = (np.asarray(each, np.float64) for each in (k, x))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = special.xlogy(k, k / x) - (k - x)
    found: Floats = np.where(x > 0, np.maximum(ratio, 0.0), 0.0)
    return found


def chance(ratio: npt.ArrayLike) -> Floats:
    """Probability that chance alone reaches a likelihood ratio (S. S. Wilks, 1938), one-sided."""
    found: Floats = 0.5 * special.erfc(np.sqrt(np.maximum(np.asarray(ratio, np.float64), 0.0)))
    return found


def onset(k: Floats, n: Floats | None, x: Floats) -> int:
    """Which bucket a change began in: the start of the run up to the end that is most unlikely to be as usual.

    Args:
        k: those that have the property by bucket, ascending; or requests, where `n` is None.
        n: all of them.
        x: those that usually have it.
    """
    back_k, back_x = (np.cumsum(each[::-1])[::-1] for each in (k, x))
    if n is None:
        return int(np.argmax(other_rate(back_k, back_x)))
    back_n = np.cumsum(n[::-1])[::-1]
    return int(np.argmax(more_share(back_k, back_n, back_x)))


def over(k: Floats, n: Floats | None, x: Floats, during: float) -> tuple[int, float]:
    """How many buckets at the end are as usual again rather than as `during`, and how sure that is.

    Args:
        k, n, x: as for `onset`.
        during: share of the change, or times as many requests as usual.
    """
    if n is None:
        times = max(during, 0.02)
        gain = x * (times - 1.0) - k * np.log(times)
    else:
        usual = np.clip(x / np.maximum(n, _LEAST), 1e-6, 0.999)
        bad = min(max(during, 1e-5), 0.999)
        gain = k * np.log(usual / bad) + (n - k) * np.log((1.0 - usual) / (1.0 - bad))
    total = np.cumsum(gain[::-1])
    if total[:_AGAIN].min() <= -_SURE_AGAIN:
        return 0, 0.0
    best = int(np.argmax(total))
    return (best + 1, float(total[best])) if total[best] > 0 else (0, 0.0)
