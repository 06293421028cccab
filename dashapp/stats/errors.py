"""Status codes: how many of each, and where and when the errors are."""

from __future__ import annotations

from dataclasses import dataclass

from dashapp.stats.tally import named_classes
from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.reading import breakdown


@dataclass(frozen=True, slots=True)
class StatusCount:
    """One status code; share is 0 to 1 of all requests of the range."""

    status: int
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Statuses:
    """Requests by class ("2xx" to "5xx", "1xx" where there are any) and by code, most frequent first."""

    total: int
    classes: dict[str, int]
    statuses: list[StatusCount]


def statuses(reading: Reading, whole: Range, filters: Filters) -> Statuses:
    """Read how often each status code occurs in a range."""
    cells = breakdown(reading, whole, filters, ["status"], sketches=False)
    total = sum(cell.n for cell in cells)
    classes = named_classes(cell.classes for cell in cells)
    counts = [StatusCount(cell.keys[0], cell.n, cell.n / total) for cell in cells]
    return Statuses(total, classes, sorted(counts, key=lambda s: (-s.count, s.status)))
