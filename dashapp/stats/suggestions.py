"""Values that a filter can take: those that occur most in a range."""

from __future__ import annotations

from dataclasses import replace

from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range
from sql.ranking import top_groups
from sql.reading import services

MOST_VALUES = 30
COUNTED = ("method", "route", "status", "client_ip")
CLASSES = ("2xx", "3xx", "4xx", "5xx")


def suggestions(reading: Reading, field: str, whole: Range, filters: Filters) -> list[str]:
    """Values of a field, most requests first; empty for a field whose values are not counted."""
    if field == "service":
        return services(reading)
    if field not in COUNTED:
        return []
    others = replace(filters, **{field: None})
    values = [str(value) for (value,) in top_groups(reading, whole, others, [field], MOST_VALUES).groups if value]
    return [*CLASSES, *values] if field == "status" else values
