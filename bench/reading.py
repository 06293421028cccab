"""Every call of the read API over HTTP, by range and filter, beside a scan of the rows; and how it grows.

Each run asks for a range of its own, ragged to the millisecond, so that no answer kept for other viewers serves it.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from bench import events
from bench.dashboard import Dashboard, dashboard
from bench.report import report
from bench.scans import LIMIT_S, Scans
from sql.plan import Range

RUNS, WARM_UPS = 15, 2
GOAL_MS = 100.0
CELL_LIMIT_S = 20.0
RANGES = {"1 h": timedelta(hours=1), "24 h": timedelta(hours=24), "7 d": timedelta(days=7), "30 d": timedelta(days=30)}
# How far the ends of a range move from run to run; thirty days leave little room.
MOVES = {
    "1 h": timedelta(hours=24),
    "24 h": timedelta(hours=24),
    "7 d": timedelta(hours=24),
    "30 d": timedelta(hours=6),
}
PAGE, DEEP = 100, (1, 100, 10_000)
NOT_FOUND, OK = 404, 200


@dataclass(frozen=True)
class Call:
    """One path of the API, and what a scan of the rows would sum for it."""

    name: str
    path: str
    group: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    ranged: bool = True
    without: tuple[str, ...] = ()  # filters that it does not take or that its parameters set already


class Cell(NamedTuple):
    """One measured cell: figures in milliseconds."""

    p50: float
    p95: float


def _most_called() -> events.Endpoint:
    return events.endpoints()[0]


def filters() -> dict[str, dict[str, str]]:
    """Filters as viewers use them, by name; the endpoint and the first client are the busiest there are."""
    route = _most_called().route
    return {
        "": {},
        "service": {"service": events.SERVICES[1]},
        "route": {"route": route},
        "5xx": {"status": "5xx"},
        "route, 5xx": {"route": route, "status": "5xx"},
        "busiest client": {"client_ip": "10.0.0.1"},
        "20th client": {"client_ip": "10.0.0.20"},
    }


def calls() -> list[Call]:
    """Every call of the read API that a page makes."""
    one = {"method": _most_called().method, "route": _most_called().route}
    of_routes = ("route", "route, 5xx")
    of_records = tuple(name for name in filters() if name not in ("", "service"))
    return [
        Call("summary", "/api/stats/summary", "total"),
        Call("traffic", "/api/stats/traffic", "traffic"),
        Call("usage", "/api/stats/usage", "endpoints"),
        Call("errors", "/api/stats/errors", "errors"),
        Call("bottlenecks", "/api/stats/bottlenecks", "endpoints"),
        Call("patterns", "/api/stats/patterns", "hours"),
        Call("endpoints", "/api/stats/endpoints", "endpoints"),
        Call("endpoint-detail", "/api/stats/endpoint-detail", "traffic", one, without=of_routes),
        Call("clients", "/api/stats/clients", "clients"),
        Call("anomalies", "/api/stats/anomalies", "hours"),
        Call("logs, newest page", "/api/logs", parameters={"limit": str(PAGE)}),
        Call("recent-logs", "/api/stats/recent-logs", ranged=False),
        Call("collection/sources", "/api/collection/sources", without=of_records),
    ]


def measure(dsn: str, count: int, end: datetime) -> dict[str, Cell]:
    """Print every cell of one database; return them by name."""
    scans = Scans(dsn)
    cells: dict[str, Cell] = {}
    try:
        with dashboard(dsn) as client:
            for call in calls():
                cells |= dict(_measure_call(client, scans, call, count, end))
            _kept_answers(client, count, end)
            cells |= _deep_page(client, count, end)
    finally:
        scans.close()
    _conclude(cells, count)
    return cells


def compare(by_size: Mapping[int, Mapping[str, Cell]]) -> None:
    """Print how the median of each cell grows from the smallest size to each larger one."""
    smallest, *larger = sorted(by_size)
    for size in larger:
        growth = {
            name: cell.p50 / by_size[smallest][name].p50
            for name, cell in by_size[size].items()
            if name in by_size[smallest]
        }
        if not growth:
            continue
        ordered = sorted(growth.items(), key=lambda item: -item[1])
        report(
            f"growth of the medians from {smallest:,} to {size:,} events",
            statistics.median(growth.values()),
            "times",
            worst={name: round(times, 2) for name, times in ordered[:20]},
            over_1_5_times=sum(times > 1.5 for times in growth.values()),
            cells=len(growth),
        )


def ragged(name: str, end: datetime, run: int) -> Range:
    """The range of a run: its ends move, the same way for every call and size."""
    random_ = random.Random(f"{name} {run}")  # noqa: S311
    move, length = MOVES[name], RANGES[name]
    last = end - random_.random() * move
    first = last - length if length < events.DAYS * timedelta(days=1) else end - length + random_.random() * move
    return Range(_millisecond(first + timedelta(milliseconds=517)), _millisecond(last))


def _millisecond(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _measure_call(client: Dashboard, scans: Scans, call: Call, count: int, end: datetime) -> Iterator[tuple[str, Cell]]:
    for filter_name, narrowed in filters().items():
        if filter_name in call.without:
            continue
        given = {**call.parameters, **narrowed}
        for range_name in RANGES if call.ranged else ("",):
            name = ", ".join(filter(None, (call.name, range_name, filter_name)))
            asked = _Asked(name, call.path, given, range_name, end)
            cell = _measure_cell(client, asked, count)
            if cell is None:
                return
            if isinstance(cell, str):
                report(f"{name}, {count:,} events", 0, "ms", error=cell)
                continue
            _report_cell(scans, call, asked, cell, count)
            yield name, cell


class _Asked(NamedTuple):
    name: str
    path: str
    parameters: Mapping[str, str]
    range_name: str
    end: datetime

    def at(self, run: int) -> dict[str, str]:
        """Parameters of a run."""
        if not self.range_name:
            return dict(self.parameters)
        whole = ragged(self.range_name, self.end, run)
        return {**self.parameters, "start": whole.start.isoformat(), "end": whole.end.isoformat()}


def _measure_cell(client: Dashboard, asked: _Asked, count: int) -> Cell | str | None:
    """Figures of a cell; why there are none; or None where the API has no such path."""
    times: list[float] = []
    for run in range(-WARM_UPS, RUNS):
        answer = client.get(asked.path, asked.at(run))
        if answer.status == NOT_FOUND:
            report(f"{asked.path}, {count:,} events", 0, "ms", missing=True)
            return None
        if answer.status != OK:
            return f"{answer.status}: {answer.body[:200].decode(errors='replace')}"
        if run >= 0:
            times.append(answer.ms)
        if sum(times) > 1000 * CELL_LIMIT_S:
            break
    return figures(times)


def figures(times: Sequence[float]) -> Cell:
    """Median and 95th percentile, the latter as the smallest time that 95 % do not exceed."""
    ordered = sorted(times)
    return Cell(statistics.median(ordered), ordered[max(0, -(-len(ordered) * 95 // 100) - 1)])


def _report_cell(scans: Scans, call: Call, asked: _Asked, cell: Cell, count: int) -> None:
    baseline, of = None, None
    if call.group is not None:
        narrowed = {name: value for name, value in asked.parameters.items() if name != "limit"}
        whole = ragged(asked.range_name, asked.end, 0)
        baseline, cut = scans.milliseconds(call.group, asked.range_name, whole, narrowed)
        of = f"a scan of the rows, broken off after {LIMIT_S:g} s" if cut else "a scan of the rows"
    report(f"{asked.name}, {count:,} events", cell.p50, "ms, median", baseline, of, p95_ms=round(cell.p95, 1))


def _kept_answers(client: Dashboard, count: int, end: datetime) -> None:
    """The same address again and again, as several viewers of one page ask."""
    for call in calls():
        parameters = _Asked("", call.path, call.parameters, "24 h" if call.ranged else "", end).at(RUNS)
        answers = [client.get(call.path, parameters) for _ in range(RUNS)]
        if answers[0].status == OK:
            found = figures([answer.ms for answer in answers[1:]])
            name = f"{call.name}, the same 24 h again, {count:,} events"
            report(name, found.p50, "ms, median", answers[0].ms, "the first of them", p95_ms=round(found.p95, 1))


def _deep_page(client: Dashboard, count: int, end: datetime) -> dict[str, Cell]:
    """Pages of the log far down, reached by the cursors that the API gives."""
    whole = Range(end - timedelta(days=events.DAYS), end)
    asked = {"start": whole.start.isoformat(), "end": whole.end.isoformat(), "limit": str(PAGE)}
    times: dict[int, list[float]] = {page: [] for page in DEEP}
    for page in range(1, max(DEEP) + 1):
        repeats = RUNS if page in times else 1
        answers = [client.get("/api/logs", asked) for _ in range(repeats)]
        if page in times:
            times[page] = [answer.ms for answer in answers]
        cursor = answers[0].json()["next_before"]
        if cursor is None:
            break
        asked["before"] = cursor
    cells = {f"logs, page {page:,}": figures(taken) for page, taken in times.items() if taken}
    first = cells[f"logs, page {DEEP[0]:,}"]
    for name, cell in cells.items():
        name = f"{name} of {PAGE}, {count:,} events"
        report(name, cell.p50, "ms, median", first.p50, "page 1", p95_ms=round(cell.p95, 1))
    return cells


def _conclude(cells: Mapping[str, Cell], count: int) -> None:
    if not cells:
        return
    worst = max(cells, key=lambda name: cells[name].p95)
    over = {name: round(cell.p95, 1) for name, cell in cells.items() if cell.p95 > GOAL_MS}
    report(
        f"the slowest call, {count:,} events",
        cells[worst].p95,
        "ms, p95",
        GOAL_MS,
        "the goal",
        cell=worst,
        cells=len(cells),
        over_the_goal=dict(sorted(over.items(), key=lambda item: -item[1])),
    )
