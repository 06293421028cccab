"""Requests of two windows by the value of each field, as `dashapp.insight.changes` compares them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dashapp.insight.addresses import network_of_address
from dashapp.insight.agents import client_type, product
from dashapp.insight.changes import Measure, Value
from dashapp.insight.groups import ATTRIBUTE, Counted, Field, Window
from sql.reading import Cell
from sql.sample import SampledRequest
from sql.sketch import LOWEST_MS, RATIO, Sketch

# The columns of the cells, in their order.
EXACT = ("service", "method", "route", "status")
SLOWEST = 0.05  # of the comparison; what is as slow is slow
_ERROR = 400
# An attribute with more values names single requests; one of fewer requests says nothing of a window.
_MOST_VALUES = 200
MOST_CHARACTERS = 200
_LEAST_PART = 0.1
_FEWEST_TOGETHER = 5
_VALUES: dict[str, Callable[[SampledRequest], str | None]] = {
    "client_ip": lambda row: row.client_ip,
    "network": lambda row: network_of_address(row.client_ip) if row.client_ip else None,
    "client_type": lambda row: client_type(row.user_agent),
    "product": lambda row: product(row.user_agent) if row.user_agent else None,
}


@dataclass(slots=True)
class _Sums:
    """Requests, failures, requests with a latency, and slow ones, by value."""

    n: Counter[str | int] = field(default_factory=Counter)
    failed: Counter[str | int] = field(default_factory=Counter)
    timed: Counter[str | int] = field(default_factory=Counter)
    slow: Counter[str | int] = field(default_factory=Counter)

    def add(self, value: str | int, n: int, failed: int, timed: int, slow: int) -> None:
        """Add some requests of a value."""
        self.n[value] += n
        self.failed[value] += failed
        self.timed[value] += timed
        self.slow[value] += slow

    def counted(self, values: Sequence[str | int]) -> Counted:
        """As arrays."""
        columns = (self.n, self.failed, self.timed, self.slow)
        return Counted(*(np.array([column[value] for value in values], float) for column in columns))


def slow_slot(cells: Sequence[Cell]) -> int | None:
    """The last slot of the sketch that is not slow, by the requests of the comparison; None without latencies."""
    sketches = [cell.sketch for cell in cells if cell.sketch is not None]
    if not sketches:
        return None
    whole = np.sum(sketches, axis=0)
    return int(np.searchsorted(np.cumsum(whole), (1 - SLOWEST) * whole.sum()))


def slow_from_ms(slot: int | None) -> float | None:
    """From which latency on a request is slow."""
    return None if slot is None else LOWEST_MS * RATIO**slot


def window_of(cells: Sequence[Cell], slot: int | None) -> Window:
    """All requests of a window."""
    failed = sum(cell.classes[3] + cell.classes[4] for cell in cells)
    slow = sum(_slow(cell.sketch, slot) for cell in cells)
    return Window(sum(cell.n for cell in cells), failed, sum(cell.n_lat for cell in cells), slow)


def counted_fields(
    now: Sequence[Cell], before: Sequence[Cell], slot: int | None, columns: Sequence[str] = EXACT
) -> list[Field]:
    """The fields of which every request is counted; `columns` are the keys of the cells."""
    seen = [window_of(cells, slot) for cells in (now, before)]
    fields = []
    for place, name in enumerate(columns):
        sums = [_Sums(), _Sums()]
        for side, cells in zip(sums, (now, before), strict=True):
            for cell in cells:
                failed = cell.classes[3] + cell.classes[4]
                side.add(cell.keys[place], cell.n, failed, cell.n_lat, _slow(cell.sketch, slot))
        fields.append(_field(name, sums, seen, exact=True))
    return _telling(fields)


def sampled_fields(
    now: Sequence[SampledRequest], before: Sequence[SampledRequest], slow_ms: float | None, *, exact: bool = False
) -> list[Field]:  # fmt: skip
    """The fields that only single requests have: who called, with what, and what the log adds.

    `exact` says that all requests are given.
    """
    seen = [_seen(rows, slow_ms) for rows in (now, before)]
    names = {name for rows in (now, before) for row in rows for name in _attributes(row)}
    values = _VALUES | {f"{ATTRIBUTE}{name}": _attribute(name) for name in sorted(names)}
    fields = []
    for name, value_of in values.items():
        sums = [_Sums(), _Sums()]
        for side, rows in zip(sums, (now, before), strict=True):
            for row in rows:
                value = value_of(row)
                if value is not None:
                    timed = row.latency_ms is not None
                    side.add(value, 1, row.status >= _ERROR, timed, _is_slow(row, slow_ms))
        if not name.startswith(ATTRIBUTE) or _tells(sums, len(now) + len(before)):
            fields.append(_field(name, sums, seen, exact=exact))
    return _telling(fields)


class Together:
    """Which part of a value's requests (failures, slow ones) has another value too, now and before: a `Joint`.

    Of the fields of aggregates it is exact, else it is that of the requests that were drawn.
    """

    def __init__(
        self, cells: Sequence[Sequence[Cell]], rows: Sequence[Sequence[SampledRequest]], slot: int | None
    ) -> None:  # fmt: skip
        """Both windows, the newer one first."""
        slow_ms = slow_from_ms(slot)
        self._exact = [[_of_cell(cell, slot) for cell in side] for side in cells]
        self._drawn = [[_of_row(row, slow_ms) for row in side] for side in rows]

    def __call__(self, measure: Measure, one: Value, other: Value) -> tuple[float, float] | None:
        """The parts; None where too few were looked at."""
        groups = self._exact if {one[0], other[0]} <= {*EXACT} else self._drawn
        now, before = (_part(side, measure, one, other) for side in groups)
        if now is None and before is None:
            return None
        return now or 0.0, before or 0.0


def _telling(fields: Sequence[Field]) -> list[Field]:
    """Fields that differ between requests: what all have explains nothing."""
    return [field for field in fields if len(field.values) > 1]


def _field(name: str, sums: Sequence[_Sums], seen: Sequence[Window], *, exact: bool) -> Field:
    values = sorted({*sums[0].n, *sums[1].n}, key=str)
    now, before = (side.counted(values) for side in sums)
    return Field(name, values, now, before, seen[0], seen[1], exact)


@dataclass(frozen=True, slots=True)
class _Group:
    """Requests that have some values."""

    values: frozenset[Value]
    counts: Mapping[Measure, int]


def _of_cell(cell: Cell, slot: int | None) -> _Group:
    failed = cell.classes[3] + cell.classes[4]
    counts: dict[Measure, int] = {"requests": cell.n, "failures": failed, "slow": _slow(cell.sketch, slot)}
    return _Group(frozenset(zip(EXACT, cell.keys, strict=True)), counts)


def _of_row(row: SampledRequest, slow_ms: float | None) -> _Group:
    known: list[Value] = [(name, getattr(row, name)) for name in EXACT]
    known += [(name, value) for name, value_of in _VALUES.items() if (value := value_of(row)) is not None]
    known += [
        (f"{ATTRIBUTE}{name}", value) for name in _attributes(row) if (value := _attribute(name)(row)) is not None
    ]
    counts: dict[Measure, int] = {
        "requests": 1,
        "failures": int(row.status >= _ERROR),
        "slow": int(_is_slow(row, slow_ms)),
    }
    return _Group(frozenset(known), counts)


def _part(groups: Sequence[_Group], measure: Measure, one: Value, other: Value) -> float | None:
    having = [group for group in groups if one in group.values]
    whole = sum(group.counts[measure] for group in having)
    if whole < _FEWEST_TOGETHER:
        return None
    return sum(group.counts[measure] for group in having if other in group.values) / whole


def _seen(rows: Sequence[SampledRequest], slow_ms: float | None) -> Window:
    timed = sum(row.latency_ms is not None for row in rows)
    return Window(
        len(rows), sum(row.status >= _ERROR for row in rows), timed, sum(_is_slow(row, slow_ms) for row in rows)
    )


def _slow(sketch: Sketch | None, slot: int | None) -> int:
    return 0 if sketch is None or slot is None else int(sketch[slot + 1 :].sum())


def _is_slow(row: SampledRequest, slow_ms: float | None) -> bool:
    return slow_ms is not None and row.latency_ms is not None and row.latency_ms >= slow_ms


def _attributes(row: SampledRequest) -> Mapping[str, object]:
    return row.attributes or {}


def _attribute(name: str) -> Callable[[SampledRequest], str | None]:
    def value_of(row: SampledRequest) -> str | None:
        value = _attributes(row).get(name)
        if isinstance(value, bool):
            return "true" if value else "false"  # as the database writes it
        return str(value)[:MOST_CHARACTERS] if isinstance(value, str | int | float) else None

    return value_of


def _tells(sums: Sequence[_Sums], rows: int) -> bool:
    return len({*sums[0].n, *sums[1].n}) <= _MOST_VALUES and sum(side.n.total() for side in sums) >= _LEAST_PART * rows
