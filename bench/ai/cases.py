"""Planted incidents as the AI page sees them: rows and findings in a database when somebody presses the button."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from bench.insight.incidents import Incident
from bench.insight.jobs import Job
from bench.insight.judge import touches
from bench.insight.scenario import Scenario, incident_scenario
from dashapp.ai.evidence import Pack
from dashapp.ai.gathering import Asked, gather
from dashapp.insight.finding import Finding
from dashapp.insight.minute import Requests
from dashapp.insight.watch import Watch
from dashapp.scan.kept import columns_of, key_of
from sql.batch import Batch, LogRow
from sql.connection import connect, snapshot, writing_pool
from sql.filters import Filters
from sql.plan import MINUTE, Range
from sql.writing import LogWriter

WINDOW, STORED = 5 * MINUTE, 12 * MINUTE
_SEEN = 2  # minutes after a finding was opened until somebody looks
_APART = timedelta(hours=3)
_FIRST = datetime(2024, 3, 4, tzinfo=UTC)
_ROW = "insert into finding ({names}) select {names} from jsonb_populate_record(null::finding, %s::jsonb)"


@dataclass(frozen=True, slots=True)
class Seen:
    """The moment of a scenario that is analysed: minute, requests of before, and what the search says then."""

    minute: int
    requests: Requests
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One incident, the evidence of its window, and which true names the evidence lacks."""

    job: Job
    incident: Incident
    pack: Pack
    missing: tuple[str, ...]


def cases(jobs: list[Job], dsn: str, engine: sa.Engine, zone: ZoneInfo) -> Iterator[Case]:
    """Play the scenarios one after the other, each in a time of its own."""
    with writing_pool(dsn, max_size=1) as pool:
        writer = LogWriter(pool)
        for place, job in enumerate(jobs):
            assert job.kind is not None
            scenario = incident_scenario(job.kind, job.size, job.rate, job.seed)
            if scenario is None:
                continue
            seen = watch_until_seen(scenario)
            end = _FIRST + place * _APART
            by = end - (scenario.start + timedelta(minutes=seen.minute))
            rows = rows_of(seen.requests, by)
            writer.store(Batch("bench", "bench", rows, []))
            keep(dsn, [shifted(each, by) for each in seen.findings], Range(end - STORED, end))
            asked = Asked(Range(end - WINDOW, end), Filters(), {}, zone, end)
            with snapshot(engine) as reading:
                pack, _ = gather(reading, asked)
            yield Case(job, scenario.incidents[0], pack, tuple(missing_of(scenario.incidents[0], pack)))


def watch_until_seen(scenario: Scenario) -> Seen:
    """Let the search of the dashboard watch until it has said something of the incident for a while, or it is over."""
    incident = scenario.incidents[0]
    search = Watch(scenario.history())
    open_: dict[str, Finding] = {}
    opened: dict[str, int] = {}
    last = min(scenario.minutes - 1, int(incident.spans()[-1][1] // 60) - 1)
    for turn, (minute, clients) in enumerate(scenario.stream()):
        changes = list(search.step(minute, clients))
        for question in search.ask():
            changes += search.answer(question, scenario.requests(question.start, question.end))
        for change in changes:
            if change.what == "closed":
                open_.pop(change.key, None)
                continue
            open_[change.key] = change.finding
            opened.setdefault(change.key, turn)
        told = [opened[key] for key, finding in open_.items() if touches(scenario.world, incident, finding.subject)
                and finding.kind in incident.plan.found]  # fmt: skip
        if (told and turn >= min(told) + _SEEN) or turn >= last:
            end = scenario.start + timedelta(minutes=turn + 1)
            return Seen(turn + 1, scenario.requests(end - STORED, end), tuple(open_.values()))
    raise AssertionError("a scenario ends after its incident")


def rows_of(requests: Requests, by: timedelta) -> list[LogRow]:
    """Rows of single requests, moved in time."""
    shift = by.total_seconds()
    micros = np.round((requests.ts + shift) * 1e6).astype(np.int64)
    rows = []
    for place, ts in enumerate(micros.tolist()):
        endpoint = requests.endpoints[int(requests.endpoint[place])]
        client = int(requests.client[place])
        latency = float(requests.latency_ms[place])
        address = requests.clients[client] if client >= 0 else None
        rows.append(
            LogRow(
                ts, endpoint.service, endpoint.method, endpoint.route, endpoint.route, int(requests.status[place]),
                None if np.isnan(latency) else round(latency, 3), None, address,
                None, None, None, None,
            )
        )  # fmt: skip
    return rows


def shifted(finding: Finding, by: timedelta) -> Finding:
    """The same at another time."""
    return replace(finding, start=finding.start + by, end=None if finding.end is None else finding.end + by)


def keep(dsn: str, findings: list[Finding], watched: Range) -> None:
    """Write findings as the watch keeps them; those of the case before are over."""
    with connect(dsn) as connection:
        connection.execute("update finding set end_at = start_at, closed_at = clock_timestamp() where end_at is null")
        for each in findings:
            columns = columns_of(key_of(each), each, incident=key_of(each), late=False, watch=1)
            names = ", ".join(name for name, value in columns.items() if value is not None)
            connection.execute(_ROW.format(names=names).encode(), (json.dumps(columns),))
        span = (watched.start, watched.end)
        connection.execute("insert into watched (service, start_at, end_at, watch) values (null, %s, %s, 1)", span)


def missing_of(incident: Incident, pack: Pack) -> Iterator[str]:
    """What is true of an incident and is not named in its evidence: the endpoints, and the field behind it."""
    lines = "\n".join(pack.lines)
    endpoints = {(each.method, each.route): shown for shown, each in pack.endpoints.items()}
    names = {(name.field, name.value): shown for shown, name in pack.names.items()}
    for side in filter(None, (incident.subject, incident.related)):
        if side.method and side.route:
            shown = endpoints.get((side.method, side.route))
            if shown is None or shown not in lines:
                yield f"endpoint {side.method} {side.route}"
        for field in ("service", "network", "client_ip"):
            value = getattr(side, field)
            if value is not None and (field, value) not in names:
                yield f"{field} {value}"
