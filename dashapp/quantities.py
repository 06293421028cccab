"""Ages and sizes in words, for pages about the collection and the storage. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from dashapp import format as fmt
from dashapp.words import Words

_AGES = ((86_400, "age_d"), (3_600, "age_h"), (60, "age_min"))
_SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def age(length: timedelta, words: Words) -> str:
    """A length of time in its largest unit of which there are two: 95 s, 3 min, 26 h."""
    seconds = max(0, round(length.total_seconds()))
    for unit, key in _AGES:
        if seconds >= 2 * unit:
            return words(key, n=fmt.count(seconds // unit))
    return words("age_s", n=seconds)


def age_of(moment: datetime | None, now: datetime, words: Words) -> str:
    """How long ago a moment is; unknown for None."""
    return fmt.UNKNOWN if moment is None else words("ago", age=age(now - moment, words))


def byte_size(number: float) -> str:
    """Bytes with their unit: 512 B, 86.7 MB."""
    for factor, unit in _SIZES:
        if number >= factor:
            return f"{number / factor:,.1f} {unit}"
    return f"{number:,.0f} B"


def lag(seconds: float | None, words: Words) -> str:
    """Seconds from a request to its storage; below ten with one decimal."""
    if seconds is None:
        return fmt.UNKNOWN
    return words("age_s", n=f"{max(seconds, 0):.1f}") if seconds < 9.95 else age(timedelta(seconds=seconds), words)


def trimmed(number: float) -> str:
    """A number without needless decimals: 7, 0.5."""
    return f"{number:,g}" if number < 1e6 else f"{number:,.0f}"
