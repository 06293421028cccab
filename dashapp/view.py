"""What an address asks to see: its query string as a typed view, and a view as an address. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from dashapp.api_params import BadParameter, client_address, status_range
from dashapp.time_range import DEFAULT_QUICK, QUICK_RANGES, BadRange, parse_moment, quick_range, range_of
from sql.filters import Filters
from sql.plan import Range

# A link carries these from page to page; anything else in an address is dropped.
PARAMETERS = ("last", "start", "end", "service", "method", "route", "status", "client_ip", "by", "lang")
FILTERS = ("service", "method", "route", "status", "client_ip")
_MOST_CHARACTERS = 500
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a part of an address was not followed: a key of the catalogue and the values of its sentence."""

    key: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """A range, filters and options; `quick` is None where start and end are given."""

    whole: Range
    quick: str | None
    filters: Filters
    parameters: dict[str, str]
    problem: Problem | None = None

    @property
    def by_path(self) -> bool:
        """Count by path as it came instead of by route."""
        return self.parameters.get("by") == "path"

    def link(self, path: str = "", **changes: str | None) -> str:
        """Address of this view with some parameters changed; None takes one away."""
        return address(path, self.parameters, **changes)


def parameters_of(search: str | None) -> dict[str, str]:
    """Known parameters of a query string; of a repeated one the first counts."""
    parameters: dict[str, str] = {}
    for name, value in parse_qsl((search or "").removeprefix("?")):
        if name in PARAMETERS and value.strip():
            parameters.setdefault(name, value.strip()[:_MOST_CHARACTERS])
    return parameters


def address(path: str, parameters: dict[str, str], **changes: str | None) -> str:
    """Path and query string of some parameters after changes, in a fixed order."""
    changed: dict[str, str | None] = {**parameters, **changes}
    if changes.get("last"):
        changed |= {"start": None, "end": None}
    elif changes.get("start"):
        changed["last"] = None
    query = [(name, value) for name in PARAMETERS if (value := changed.get(name))]
    return f"{path}?{urlencode(query, safe=':/')}" if query else path or "?"


def view_of(search: str | None, complete: datetime, zone: ZoneInfo) -> View:
    """Read an address; what cannot be meant falls back to the default and is named in `problem`."""
    parameters = parameters_of(search)
    status, status_problem = _read(status_range, parameters.get("status"), "bad_status")
    client_ip, client_problem = _read(client_address, parameters.get("client_ip"), "bad_client")
    method = parameters.get("method")
    filters = Filters(
        service=parameters.get("service"),
        method=method and method.upper(),
        route=parameters.get("route"),
        status=status,
        client_ip=client_ip,
    )
    given = bool(parameters.get("start") or parameters.get("end"))
    quick = None if given else parameters.get("last", DEFAULT_QUICK)
    problem = _range_problem(parameters, zone)
    if problem:
        quick, whole = DEFAULT_QUICK, quick_range(DEFAULT_QUICK, complete)
    else:
        whole = range_of(parameters, complete, zone)
    return View(whole, quick, filters, parameters, problem or status_problem or client_problem)


def around(span: Range, zone: ZoneInfo) -> dict[str, str]:
    """Parameters of a range that shows stored data: all of it, or its last 24 hours, on whole minutes."""
    minute = timedelta(minutes=1)
    end = span.end.astimezone(zone).replace(second=0, microsecond=0) + minute
    start = span.start.astimezone(zone).replace(second=0, microsecond=0)
    start = max(start, end - timedelta(hours=24))
    return {"start": local_text(start), "end": local_text(end)}


def local_text(moment: datetime) -> str:
    """A local time as addresses hold it."""
    return moment.replace(tzinfo=None).isoformat(timespec="seconds" if moment.second else "minutes")


def _range_problem(parameters: dict[str, str], zone: ZoneInfo) -> Problem | None:
    start, end, last = (parameters.get(name) for name in ("start", "end", "last"))
    if not start and not end:
        if last and last not in QUICK_RANGES:
            return Problem("bad_last", {"given": last[:20], "allowed": ", ".join(QUICK_RANGES)})
        return None
    if not start or not end:
        return Problem("bad_pair")
    moments = []
    for name, text in (("Start", start), ("End", end)):
        try:
            moments.append(parse_moment(text, name, zone))
        except BadRange:
            return Problem("bad_moment", {"name": name, "given": text[:40]})
    return Problem("bad_order") if moments[0] >= moments[1] else None


def _read(read: Callable[[str | None], Value], text: str | None, problem: str) -> tuple[Value | None, Problem | None]:
    try:
        return read(text), None
    except BadParameter:
        return None, Problem(problem, {"given": (text or "")[:40]})
