"""What an address asks to see: its query string as a typed view, and a view as an address. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from dashapp.api_params import BadParameter, attribute_of, client_address, latency_range, status_range, text_of
from dashapp.comparison import KINDS, OFF, Comparison, comparison_of
from dashapp.patterns import objection
from dashapp.time_range import DEFAULT_QUICK, QUICK_RANGES, BadRange, parse_moment, quick_range, range_of
from sql.filters import Filters
from sql.plan import MINUTE, Range, floor

# A link carries these from page to page; anything else in an address is dropped.
FILTERS = (
    "service", "method", "route", "status", "client_ip", "text", "regex", "agent", "attribute", "latency_min",
    "latency_max",
)  # fmt: skip
PARAMETERS = ("last", "start", "end", "vs", "vs_start", *FILTERS, "by", "among", "kind", "state", "refresh", "lang")
REFRESH_SECONDS = {"off": None, "10s": 10, "30s": 30, "60s": 60}
DEFAULT_REFRESH = "30s"
_MOST_CHARACTERS = 500
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a part of an address was not followed: a key of the catalogue and the values of its sentence."""

    key: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """A range, filters and options; `quick` is None where start and end are given.

    `comparison` is None where nothing is compared; `refresh` is one of REFRESH_SECONDS.
    """

    whole: Range
    quick: str | None
    filters: Filters
    parameters: dict[str, str]
    problem: Problem | None = None
    comparison: Comparison | None = None
    refresh: str = DEFAULT_REFRESH

    @property
    def compared(self) -> Range | None:
        """The period compared with."""
        return self.comparison.range_of(self.whole) if self.comparison else None

    @property
    def by_path(self) -> bool:
        """Count by path as it came instead of by route."""
        return self.parameters.get("by") == "path"

    @property
    def counted(self) -> dict[str, str]:
        """Parameters of the filters that count: what cannot be meant filters nothing."""
        return {
            name: self.parameters[name] for name in FILTERS if name in self.parameters and _counts(name, self.filters)
        }

    def link(self, path: str = "", **changes: str | None) -> str:
        """Address of this view with some parameters changed; None takes one away."""
        return address(path, self.parameters, **changes)


_ATTRIBUTES = {"text": "path_text", "regex": "path_regex", "agent": "agent_text"}


def _counts(name: str, filters: Filters) -> bool:
    if name.startswith("latency_"):
        return filters.latency_ms is not None
    return getattr(filters, _ATTRIBUTES.get(name, name)) is not None


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
    if changes.get("vs"):
        changed["vs_start"] = None
    elif changes.get("vs_start"):
        changed["vs"] = None
    query = [(name, value) for name in PARAMETERS if (value := changed.get(name))]
    return f"{path}?{urlencode(query, safe=':/')}" if query else path or "?"


def view_of(search: str | None, complete: datetime, zone: ZoneInfo) -> View:
    """Read an address; what cannot be meant falls back to the default and is named in `problem`."""
    parameters = parameters_of(search)
    problems: list[Problem] = []
    given = bool(parameters.get("start") or parameters.get("end"))
    quick = None if given else parameters.get("last", DEFAULT_QUICK)
    problem = _range_problem(parameters, zone)
    if problem:
        problems.append(problem)
        quick, whole = DEFAULT_QUICK, quick_range(DEFAULT_QUICK, complete)
    else:
        whole = range_of(parameters, complete, zone)
    filters = _filters(parameters, problems)
    comparison = _comparison(parameters, whole, zone, problems)
    refresh = parameters.get("refresh", DEFAULT_REFRESH)
    if refresh not in REFRESH_SECONDS:
        problems.append(Problem("bad_refresh", {"given": refresh[:20], "allowed": ", ".join(REFRESH_SECONDS)}))
        refresh = DEFAULT_REFRESH
    return View(whole, quick, filters, parameters, problems[0] if problems else None, comparison, refresh)


def _filters(parameters: dict[str, str], problems: list[Problem]) -> Filters:
    regex = _read(_pattern, parameters.get("regex"), "bad_regex", problems)
    try:
        latency = latency_range(parameters)
    except BadParameter:
        latency = None
        limits = [parameters.get(name, "") for name in ("latency_min", "latency_max")]
        problems.append(Problem("bad_latency", {"given": " - ".join(text[:20] for text in limits)}))
    texts = {
        name: _read(partial(_plain, name=name), parameters.get(name), "bad_filter", problems)
        for name in ("service", "method", "route", "text", "agent")
    }
    return Filters(
        service=texts["service"],
        method=texts["method"] and texts["method"].upper(),
        route=texts["route"],
        status=_read(status_range, parameters.get("status"), "bad_status", problems),
        client_ip=_read(client_address, parameters.get("client_ip"), "bad_client", problems),
        path_text=texts["text"],
        path_regex=regex,
        latency_ms=latency,
        agent_text=texts["agent"],
        attribute=_read(attribute_of, parameters.get("attribute"), "bad_attribute", problems),
    )


def _plain(text: str | None, name: str) -> str | None:
    return text_of({name: text or ""}, name)


def _pattern(text: str | None) -> str | None:
    pattern = _plain(text, "regex")
    if pattern is not None and (reason := objection(pattern)) is not None:
        raise BadParameter(reason)
    return pattern


def _comparison(parameters: dict[str, str], whole: Range, zone: ZoneInfo, problems: list[Problem]) -> Comparison | None:
    start = parameters.get("vs_start")
    if start:
        try:
            return comparison_of("chosen", whole, zone, start=parse_moment(start, "vs_start", zone))
        except BadRange:
            problems.append(Problem("bad_vs_start", {"given": start[:40]}))
            return None
    name = parameters.get("vs", OFF)
    kind = next((kind for kind in KINDS if kind == name), None)
    if kind is None:
        if name != OFF:
            problems.append(Problem("bad_vs", {"given": name[:20], "allowed": ", ".join((OFF, *KINDS))}))
        return None
    return comparison_of(kind, whole, zone)


def around(span: Range, zone: ZoneInfo) -> dict[str, str]:
    """Parameters of a range that shows stored data: all of it, or its last 24 hours, on whole minutes."""
    end = floor(span.end, MINUTE) + MINUTE
    start = max(floor(span.start, MINUTE), end - timedelta(hours=24))
    return {"start": moment_text(start, zone), "end": moment_text(end, zone)}


def moment_text(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as addresses hold it: local time, with its offset where the clock shows that time twice."""
    local = moment.astimezone(zone)
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        return local.isoformat(timespec="seconds" if local.second else "minutes")
    return _local_text(local)


def _local_text(moment: datetime) -> str:
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


def _read(
    read: Callable[[str | None], Value | None], text: str | None, problem: str, problems: list[Problem]
) -> Value | None:
    try:
        return read(text)
    except BadParameter:
        problems.append(Problem(problem, {"given": (text or "").replace("\x00", "?")[:40]}))
        return None
