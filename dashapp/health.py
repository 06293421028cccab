"""Whether the parts of this installation work: /health for people, /api/health for programs."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

import flask
from flask import Blueprint, Response

from dashapp.access.door import page
from dashapp.ingest_address import ingest_address
from dashapp.site import Site
from sql.alerts import last_deliveries
from sql.canary import flights, last_seen
from sql.connection import DatabaseUnavailable, Reading, snapshot
from sql.life import Storage, storage
from sql.plan import Range
from sql.watching import watch_problem, watched_through

State = Literal["fine", "late", "failing", "off"]
PATH, API = "/health", "/api/health"
_PATIENCE_S = 3.0
_LATE = timedelta(minutes=10)
_WORST: tuple[State, ...] = ("failing", "late", "fine", "off")


@dataclass(frozen=True, slots=True)
class Check:
    """One part: `say` is a key of the catalogue, with its values."""

    part: str
    state: State
    say: str
    values: dict[str, str] = field(default_factory=dict)


def blueprint(site: Site) -> Blueprint:
    """Return the routes."""
    health = Blueprint("health", __name__)

    @health.get(PATH)
    def show() -> Response:
        found = list(checks(site))
        return page(site, "health.html", checks=found, worst=worst(found), now=site.now())

    @health.get(API)
    def tell() -> Response:
        found = list(checks(site))
        words = site.words("?lang=en")
        body = [asdict(each) | {"text": words(each.say, **each.values)} for each in found]
        answer = flask.jsonify({"state": worst(found), "checks": body})
        answer.status_code = 503 if worst(found) == "failing" else 200
        return answer

    return health


def worst(found: list[Check]) -> State:
    """The worst state of all."""
    return min((each.state for each in found), key=_WORST.index)


def checks(site: Site) -> Iterator[Check]:
    """Look at every part; none of them takes more than some seconds."""
    yield _ingest(site)
    try:
        complete = site.complete()
        with snapshot(site.engine) as reading:
            found = storage(reading)
            yield Check("database", "fine", "health_database", {"version": found.versions.timescaledb})
            yield _figures(site, complete)
            yield from _jobs(found)
            yield _search(site, reading)
            yield _canary(site, reading)
            yield from _messages(reading)
    except DatabaseUnavailable as error:
        yield Check("database", "failing", "health_away", {"why": str(error)})


def _ingest(site: Site) -> Check:
    parts = urlsplit(ingest_address(site.settings).url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", f"{parts.path}/readyz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return Check("ingest", "failing", "health_ingest_silent", {"url": parts.netloc, "why": str(error)})
    finally:
        connection.close()
    if status == 200:
        return Check("ingest", "fine", "health_ingest", {"url": parts.netloc})
    return Check("ingest", "failing", "health_ingest_refuses", {"url": parts.netloc, "status": str(status)})


def _figures(site: Site, complete: datetime) -> Check:
    return _until("figures", "health_figures", complete, site)


def _until(part: str, say: str, moment: datetime, site: Site) -> Check:
    behind = site.now() - moment
    late = behind > timedelta(seconds=site.settings.settle_seconds) + _LATE
    return Check(part, "late" if late else "fine", say, {"minutes": str(behind // timedelta(minutes=1))})


def _jobs(found: Storage) -> Iterator[Check]:
    failing = [job for job in found.jobs if job.failing]
    for job in failing:
        name = job.view or job.name
        if job.error:
            yield Check("jobs", "failing", "health_job", {"job": name, "why": job.error})
        else:  # only its owner sees why
            yield Check("jobs", "failing", "health_job_silent", {"job": name})
    if not failing:
        yield Check("jobs", "fine", "health_jobs", {"n": str(len(found.jobs))})
    if found.aging is not None and found.aging.problem:
        yield Check("aging", "failing", "health_aging", {"why": found.aging.problem})


def _search(site: Site, reading: Reading) -> Check:
    if not site.settings.scan:
        return Check("search", "off", "health_search_off")
    problem, through = watch_problem(reading), watched_through(reading)
    if problem:
        return Check("search", "failing", "health_search_problem", {"why": problem})
    if through is None:
        return Check("search", "late", "health_search_never")
    return _until("search", "health_search", through, site)


def _canary(site: Site, reading: Reading) -> Check:
    if not (site.settings.scan and site.settings.canary):
        return Check("canary", "off", "health_canary_off")
    # The newest may be on its way.
    sent = flights(reading, Range(site.now() - _LATE, site.now()), most=2)
    problem = next((each.problem for each in sent if each.problem or each.seen_at), None)
    if problem:
        return Check("canary", "failing", "health_canary_lost", {"why": problem})
    seen = last_seen(reading)
    if seen is None:
        return Check("canary", "late", "health_canary_never")
    ago = site.now() - seen
    return Check("canary", "late" if ago > _LATE else "fine", "health_canary", {"s": str(ago // timedelta(seconds=1))})


def _messages(reading: Reading) -> Iterator[Check]:
    for each in last_deliveries(reading):
        if each.state == "failed":
            yield Check("messages", "failing", "health_message", {"channel": each.channel, "why": each.error or "?"})
