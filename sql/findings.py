"""Findings that are kept: read by range and filters, the newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from sql.connection import Reading
from sql.filters import Filters
from sql.plan import Range, joined

State = Literal["open", "closed"]
Position = tuple[datetime, str]
# The parts of a subject that a text is compared with.
_TEXTS = ("service", "method", "route")
# The numbers of a finding that say which errors it counts, and the lowest status of these.
_COUNTED = {"server_errors": 500, "client_errors": 400}


@dataclass(frozen=True, slots=True)
class KeptFinding:
    """A finding as it is kept: `payload` is the whole of it, the rest is what became of it."""

    key: str
    start: datetime
    end: datetime | None
    payload: Mapping[str, Any]
    incident: str
    late: bool
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None

    @property
    def state(self) -> State:
        """Whether it lasts."""
        return "open" if self.end is None else "closed"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which findings: those that overlap a range and that are about what the filters name.

    That is a subject with every value that they name; and for an endpoint of a service what is of the whole service,
    for it is of each endpoint. A filter of a client finds its networks too, one of a network its clients; one of a
    status also what counts errors of that class. A correlation is found by either side.
    """

    whole: Range | None = None
    filters: Filters = field(default_factory=Filters)
    state: State | None = None
    kinds: Sequence[str] = ()

    def possible(self) -> bool:
        """Whether a finding can match: what only single requests have, as their path or latency, no subject has."""
        return not self.filters.columns() & {"path", "latency_ms", "user_agent", "attributes"}


@dataclass(frozen=True, slots=True)
class FoundFindings:
    """A page of findings; `before` leads to the next one, None where there is none."""

    findings: list[KeptFinding]
    before: Position | None

    @property
    def truncated(self) -> bool:
        """Whether there are more."""
        return self.before is not None


_COLUMNS = "key, start_at, end_at, payload, incident, late, opened_at, updated_at, closed_at"  # as KeptFinding has them
_FIND = """
select {columns} from finding
where withdrawn_at is null {conditions}
order by start_at desc, key desc
limit :most
"""
_OF_CLIENT = (
    "(client_ip <<= cast(:client as inet) or network::inet <<= cast(:client as inet) "
    "or network::inet >>= cast(:client as inet))"
)
_OF_STATUS = (
    "case when status ~ '^[1-9][0-9][0-9]$' then status::int between :low and :high "
    "when status ~* '^[1-5]xx$' then left(status, 1)::int * 100 between :low / 100 * 100 and :high end"
)
# Evidence of it is of what it counts now, and of what was usual.
_COUNTS = "payload -> 'evidence' @> cast(:{name} as jsonb)"
_OF_ALL_THE_SERVICE = (
    "(service = :service and method is null and route is null and client_ip is null and network is null)"
)
_COVERED = """
select start_at, end_at from watched
where start_at < :end and end_at > :start and (service is null or service = cast(:service as text))
"""
_OPEN = f"select {_COLUMNS} from finding where end_at is null and withdrawn_at is null order by start_at, key"


def find(reading: Reading, selection: Selection, *, limit: int, before: Position | None = None) -> FoundFindings:
    """Return findings of a selection, the latest to begin first, from a position on."""
    if not selection.possible():
        return FoundFindings([], None)
    conditions, values = _conditions(selection)
    if before is not None:
        conditions.append("(start_at, key) < (:before_at, :before_key)")
        values |= {"before_at": before[0], "before_key": before[1]}
    words = "".join(f" and {condition}" for condition in conditions)
    statement = sa.text(_FIND.format(columns=_COLUMNS, conditions=words))
    rows = [KeptFinding(*row) for row in reading.execute(statement, values | {"most": limit + 1})]
    reading.count_rows(len(rows))
    if len(rows) <= limit:
        return FoundFindings(rows, None)
    return FoundFindings(rows[:limit], (rows[limit - 1].start, rows[limit - 1].key))


def covered(reading: Reading, whole: Range, service: str | None = None) -> list[Range]:
    """Parts of a range that were watched, for all services or for one; sorted and disjoint."""
    parameters = {"start": whole.start, "end": whole.end, "service": service}
    ranges = [Range(*row) for row in reading.execute(sa.text(_COVERED), parameters)]
    return [Range(max(each.start, whole.start), min(each.end, whole.end)) for each in joined(ranges)]


def open_findings(reading: Reading) -> list[KeptFinding]:
    """Return all findings that last, the oldest first."""
    return [KeptFinding(*row) for row in reading.execute(sa.text(_OPEN))]


def _conditions(selection: Selection) -> tuple[list[str], dict[str, Any]]:
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if selection.whole is not None:
        conditions.append("start_at < :end and coalesce(end_at, 'infinity') > :start")
        values |= {"start": selection.whole.start, "end": selection.whole.end}
    filters = selection.filters
    named = {name: value for name in _TEXTS if (value := getattr(filters, name)) is not None}
    if named:
        mine = " and ".join(f"{name} = :{name}" for name in named)
        related = " and ".join(f"payload #>> '{{related,{name}}}' = :{name}" for name in named)
        either = [f"({mine})", f"({related})"]
        if filters.service is not None and len(named) > 1:
            either.append(_OF_ALL_THE_SERVICE)
        conditions.append(f"({' or '.join(either)})")
        values |= named
    if filters.status is not None:
        low, high = filters.status
        counted = [name for name, lowest in _COUNTED.items() if low <= lowest + 99 and high >= lowest]
        conditions.append(f"({' or '.join([_OF_STATUS, *(_COUNTS.format(name=name) for name in counted)])})")
        values |= {"low": low, "high": high, **{name: f'[{{"name": "{name}"}}]' for name in counted}}
    if filters.client_ip is not None:
        conditions.append(_OF_CLIENT)
        values["client"] = filters.client_ip
    if selection.state is not None:
        conditions.append("end_at is null" if selection.state == "open" else "end_at is not null")
    if selection.kinds:
        conditions.append("kind = any(cast(:kinds as text[]))")
        values["kinds"] = list(selection.kinds)
    return conditions, values


assert len(fields(KeptFinding)) == len(_COLUMNS.split(",")), "a column for each field"
