"""Viewers of Overview while 20,000 records a second come in, with everything as `accessboard` starts it.

A database of a million events over thirty days and an hour of 20,000 a minute; the real ingest server, fed over HTTP;
the real dashboard; fifty viewers who do every few seconds what a browser does on a tick of the page: the callback of
the page and the two of the shell around it. First the feed alone, for longer than a minute needs to settle, so that
the newest minutes that viewers see are those of the feed. BENCH_VIEWER_SECONDS is the length of the other phases.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bench import prepare
from bench.dashboard import Dashboard, dashboard
from bench.processes import answers, cpu_seconds, family, free_port, machine_cpu_seconds, running
from bench.report import report
from sql.connection import connect, is_embedded

EVENTS = 1_000_000
HOUR_BEFORE = [20_000] * 60
RATE, RECORDS, CONNECTIONS = 20_000, 1_000, 4
VIEWERS = 50
CALM_S, HARD_S = 10.0, 1.0
SECONDS = float(os.environ.get("BENCH_VIEWER_SECONDS", "40"))
ALONE_S = float(os.environ.get("BENCH_FEED_SECONDS", "150"))
GOAL_MS = 300.0
DEPENDENCIES, UPDATE = "/_dash-dependencies", "/_dash-update-component"
PAGE, SHELL, VALUES = "overview-traffic-graph-figure.data", "shell-complete.children", "shell-filter-values.children"
TICK = "shell-tick.data"
# What ten groups of viewers look at. The first is what everybody sees who chooses nothing.
VIEWS = (
    "",
    "?last=15m",
    "?last=6h",
    "?last=24h",
    "?last=7d",
    "?service=auth",
    "?status=5xx",
    "?method=GET",
    "?last=24h&service=pay",
    "?route=/api/resource0/{id}",
)
API_CALLS = {"summary": "total", "traffic": "buckets", "usage": "endpoints", "errors": "classes"}
FEED_LONGER_S = 3.0  # until its bodies are made and the last viewer has an answer
Request = dict[str, str]


def measure(dsn: str) -> None:
    """Print the times of viewers, those of the senders with and without them, and whether every record counts."""
    with connect(dsn) as connection:
        if is_embedded(connection):
            report(f"{VIEWERS} viewers of Overview", 0, "ms", missing="needs a native server")
            return
    prepare.prepare(dsn, EVENTS)
    prepare.add_minutes(dsn, HOUR_BEFORE)
    measure_on(dsn)


def measure_on(dsn: str) -> None:
    """The same on a database that has its events already."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {"DATABASE_URL": dsn, "INGEST_BIND": f"127.0.0.1:{port}", "INGEST_TOKENS": ""}
    with ExitStack() as stack:
        stack.enter_context(running(["accessboard", "ingest-server"], environment, f"{url}/readyz"))
        client = stack.enter_context(dashboard(dsn))
        started = datetime.now(UTC).replace(microsecond=0)
        before = _counted(client, started)
        run = _Run(client, url)
        calls = callbacks(client.get(DEPENDENCIES, {}).json())
        run.alone()
        one = [ticking(calls, "")] * VIEWERS
        many = [ticking(calls, VIEWS[number % len(VIEWS)]) for number in range(VIEWERS)]
        for views, name in ((one, "the same view"), (many, f"{len(VIEWS)} different views")):
            for every in (CALM_S, HARD_S):
                run.phase(f"{VIEWERS} viewers of Overview, {name}, every {every:g} s", views, every)
        run.phase(f"{VIEWERS} clients of the read API, every {CALM_S:g} s", [api_calls()] * VIEWERS, CALM_S)
        counted = _counted(client, started) - before
        report("records counted after the feed", counted, "records", run.sent, "acknowledged", lost=run.sent - counted)


def callbacks(dependencies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The server's callbacks that a tick of Overview runs, that of the page first."""
    found = []
    for output in (PAGE, SHELL, VALUES):
        found += [one for one in dependencies if f"..{output}.." in one["output"].replace("...", "....")]
    return found


def ticking(calls: Sequence[Mapping[str, Any]], search: str) -> list[Request]:
    """Requests of a tick for a view, as Dash's renderer puts them together."""
    values = {"shell-url.pathname": "/", "shell-url.search": search, TICK: 1}
    return [
        {
            "method": "POST",
            "path": UPDATE,
            "body": json.dumps(
                {
                    "output": call["output"],
                    "outputs": [_named(name) for name in call["output"].strip(".").split("...")],
                    "inputs": [_valued(one, values) for one in call["inputs"]],
                    "changedPropIds": [TICK],
                    "state": [_valued(one, values) for one in call["state"]],
                }
            ),
            "expected": f'"{_named(wanted)["id"]}":',
        }
        for call, wanted in zip(calls, (PAGE, SHELL, VALUES), strict=True)
    ]


def api_calls() -> list[Request]:
    """What the figures of Overview are in the read API."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    whole = {"start": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat()}
    return [
        {"method": "GET", "path": f"/api/stats/{name}?{urlencode(whole)}", "body": "", "expected": f'"{field}":'}
        for name, field in API_CALLS.items()
    ]


def _named(name: str) -> dict[str, str]:
    identity, _, field = name.rpartition(".")
    return {"id": identity, "property": field}


def _valued(one: Mapping[str, str], values: Mapping[str, object]) -> dict[str, object]:
    name = f"{one['id']}.{one['property']}"
    return {**one, "value": values[name]} if name in values else {**one}


def _counted(client: Dashboard, start: datetime) -> int:
    """Every record since a moment, as the summary counts it now."""
    asked = {"start": start.isoformat(), "end": (datetime.now(UTC) + timedelta(seconds=5)).isoformat()}
    # The connection from before the feed was idle for too long.
    total: int = Dashboard(client.port, client.pid).get("/api/stats/summary", asked).json()["total"]
    return total


class _Run:
    """Phases one after the other while the feed goes on."""

    def __init__(self, client: Dashboard, url: str) -> None:
        self._client = client
        self._url = url
        self._alone: Mapping[str, Any] = {}
        self.sent = 0

    def alone(self) -> None:
        """The feed without viewers."""
        self._alone = self._feed(ALONE_S)[0]
        self.sent += self._alone["records"]
        name = f"ingest of {RATE:,} records/s without viewers"
        report(
            name, _rate(self._alone), "records/s", RATE, "sent", p99_ms=round(self._alone["p99_ms"], 1), load=_load()
        )

    def phase(self, name: str, viewers: Sequence[Sequence[Request]], every: float) -> None:
        """The feed and viewers side by side; both are reported."""
        dashboards = family(self._client.pid)
        machine, dashboard_cpu = machine_cpu_seconds(), cpu_seconds(dashboards)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as plan:
            json.dump({"port": self._client.port, "every": every, "seconds": SECONDS, "viewers": viewers}, plan)
            plan.flush()
            fed, seen = self._feed(SECONDS + FEED_LONGER_S, ["bench.polling", plan.name])
        machine, dashboard_cpu = machine_cpu_seconds() - machine, cpu_seconds(dashboards) - dashboard_cpu
        self.sent += fed["records"]
        report(
            name,
            seen["p95_ms"],
            "ms, p95",
            GOAL_MS,
            "the goal",
            p50_ms=round(seen["p50_ms"], 1),
            max_ms=round(seen["max_ms"], 1),
            whole_tick_p95_ms=round(seen["all_p95_ms"], 1),
            polls=seen["polls"],
            errors=sum(seen["errors"].values()),
            kinds=seen["errors"],
            kilobytes=round(seen["kilobytes"], 1),
            dashboard_ms_a_poll=round(1000 * dashboard_cpu / max(1, seen["polls"]), 1),
            busy=round(machine / (SECONDS + FEED_LONGER_S) / (os.cpu_count() or 1), 2),
            load=_load(),
        )
        more = {"p99_ms": round(fed["p99_ms"], 1), "p99_ms_without": round(self._alone["p99_ms"], 1)}
        report(f"{name}: ingest beside", _rate(fed), "records/s", _rate(self._alone), "without viewers", **more)

    def _feed(self, seconds: float, *beside: Sequence[object]) -> list[dict[str, Any]]:
        return answers(["bench.load", f"{self._url}/log/ingest", RECORDS, CONNECTIONS, seconds, RATE], *beside)


def _rate(fed: Mapping[str, Any]) -> float:
    return float(fed["records"]) / float(fed["seconds"])


def _load() -> float:
    """Runnable processes in the mean of the last minute, those of others too."""
    return round(os.getloadavg()[0], 2)
