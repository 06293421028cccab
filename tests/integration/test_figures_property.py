"""Whatever arrives, in whatever order, and whatever was refreshed: every figure of the API is that of the rows.

One database grows over all examples, so each looks at what the ones before left. FIGURES_EXAMPLES sets their number;
with FIGURES_RANDOM they are new ones in each run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dashapp.api import api_blueprint
from dashapp.settings import DashboardSettings
from dashapp.sharing import Shared
from sql.batch import Batch, LogRow
from sql.connection import connect, reading_engine, writing_pool
from sql.filters import Filters
from sql.plan import MINUTE, Range, floor
from sql.writing import LogWriter
from tests import plain_figures as plain
from tests.plain import matches
from tests.rows import log_row, micros

EXAMPLES = int(os.environ.get("FIGURES_EXAMPLES", "6"))
SETTLE = timedelta(seconds=120)
ZONES = [
    ZoneInfo(name)
    for name in ("Asia/Seoul", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
]
# The clocks of Berlin, New York and Lord Howe change at these, some by half an hour; then an ordinary day, in which
# it is midnight in Kolkata; and the days of a backfill.
ANCHORS = [
    datetime(2024, 3, 31, 1, tzinfo=UTC),
    datetime(2024, 10, 27, 1, tzinfo=UTC),
    datetime(2024, 3, 10, 7, tzinfo=UTC),
    datetime(2024, 11, 3, 6, tzinfo=UTC),
    datetime(2024, 4, 6, 15, tzinfo=UTC),
    datetime(2024, 10, 5, 15, 30, tzinfo=UTC),
    datetime(2024, 7, 15, 18, 30, tzinfo=UTC),
    datetime(2015, 5, 17, 23, 59, 59, 999_999, tzinfo=UTC),
]
WIDTHS = [timedelta(microseconds=1), timedelta(milliseconds=1), timedelta(seconds=1), MINUTE]
WIDTHS += [timedelta(minutes=10), timedelta(minutes=30), timedelta(hours=1), timedelta(days=1)]
REFRESHES = {
    "minutes": "call refresh_touched_minutes()",
    "some minutes": 'call refresh_touched_minutes(null, \'{"window": "1 hour", "budget": "1 microsecond"}\')',
    "buckets": "call refresh_stale_buckets(null, '{\"patience\": 0}')",
    "some buckets": 'call refresh_stale_buckets(null, \'{"patience": 0, "gap": "0", "budget": "50 milliseconds"}\')',
    "policies": "policies",
    "columnstore": 'call age_data(null, \'{"columnstore_after_days": 1, "recompress_bytes": 0, "quiet": "0"}\')',
}

# ---- what arrives ----

SERVICES = ["shop", "blog", "api"]
PATHS = {
    "/shop/item/1": "/shop/item/{id}",
    "/shop/item/22": "/shop/item/{id}",
    "/Shop/Cart": "/Shop/Cart",
    "/100%_off": "/100%_off",
    "/": "/",
}
latencies = st.one_of(
    st.none(),
    st.sampled_from([0.0, 1e-6, 0.0005, 0.0015, 0.0999, 0.1, 603_000.0, 604_000.0, 9.9e11]),
    st.floats(0.1, 5_000),
    st.floats(0.1, 600_000),
)
sizes = st.one_of(st.none(), st.integers(0, 10**6), st.sampled_from([0, 2**62]))


@st.composite
def moments_near(draw: st.DrawFn, anchor: datetime) -> datetime:
    """Near an anchor, often on the edge of a bucket or beside one."""
    moment = anchor + draw(st.integers(-4_000, 4_000)) * timedelta(seconds=draw(st.sampled_from([0, 1, 61])))
    moment += timedelta(milliseconds=draw(st.integers(0, 999)))
    if draw(st.integers(0, 2)) == 0:
        moment = floor(moment, draw(st.sampled_from(WIDTHS)))
        moment += draw(st.sampled_from([-1, 0, 0, 1])) * timedelta(microseconds=1)
    return moment


@st.composite
def events(draw: st.DrawFn, anchor: datetime) -> LogRow:
    path = draw(st.sampled_from([*PATHS]))
    return log_row(
        ts=draw(moments_near(anchor)),
        service=draw(st.sampled_from(SERVICES)),
        method=draw(st.sampled_from(["GET", "GET", "POST"])),
        path=path,
        route=PATHS[path],
        status=draw(st.sampled_from([200, 200, 200, 201, 101, 304, 404, 429, 500, 503, 799])),
        latency_ms=draw(latencies),
        bytes=draw(sizes),
        client_ip=draw(st.sampled_from([None, "10.0.0.1", "10.0.0.2", "2001:db8::1"])),
        record_key=draw(st.none() | st.integers(0, 20).map(lambda n: n.to_bytes(16))),
    )


# ---- what is asked ----


@dataclass(frozen=True)
class Question:
    whole: Range
    filters: Filters
    zone: ZoneInfo
    now: datetime
    minutes: int
    limit: int


filters_asked = st.one_of(
    st.just(Filters()),
    st.builds(
        Filters,
        service=st.none() | st.sampled_from([*SERVICES, "nobody"]),
        method=st.sampled_from([None, None, "POST"]),
        route=st.sampled_from([None, None, "/shop/item/{id}", "/100%_off"]),
        status=st.sampled_from([None, None, (404, 404), (400, 499), (500, 999), (200, 299)]),
        client_ip=st.sampled_from([None, None, "10.0.0.1", "2001:db8::1"]),
    ),
    st.builds(
        Filters,
        service=st.none() | st.sampled_from(SERVICES),
        path_text=st.sampled_from([None, "SHOP", "%_", "_", "/item/2"]),
        path_regex=st.sampled_from([None, "^/shop/item/[0-9]+$", "^/$", "Cart|off"]),
        latency_ms=st.sampled_from([None, (0.1, None), (None, 100.0), (1.5, 2_000.0)]),
    ),
)


@st.composite
def questions(draw: st.DrawFn, anchor: datetime) -> Question:
    one, other = sorted((draw(moments_near(anchor)), draw(moments_near(anchor))))
    if draw(st.integers(0, 2)) == 0:  # beyond everything that is near
        one, other = one - timedelta(days=draw(st.integers(1, 40))), other + timedelta(days=draw(st.integers(1, 40)))
    one, other = floor(one, timedelta(milliseconds=1)), floor(other, timedelta(milliseconds=1))
    whole = Range(one, other + timedelta(milliseconds=1))
    now = draw(st.sampled_from([whole.end + timedelta(days=1), whole.end, whole.start + (whole.end - whole.start) / 2]))
    widths = [minutes for minutes in (10, 30, 60, 180, 1440, 2880) if (other - one) < timedelta(minutes=400 * minutes)]
    return Question(
        whole,
        draw(filters_asked),
        draw(st.sampled_from(ZONES)),
        now,
        draw(st.sampled_from(widths)),
        draw(st.sampled_from([1, 3, 1000])),
    )


@dataclass(frozen=True)
class Step:
    """Rows that arrive, what is refreshed then, and what is asked after it."""

    rows: list[LogRow]
    again: bool
    refreshes: list[str]
    asked: list[Question]


@st.composite
def steps(draw: st.DrawFn) -> Step:
    anchor = draw(st.sampled_from(ANCHORS))
    rows = draw(st.lists(events(anchor), min_size=12, max_size=30))
    return Step(
        rows,
        draw(st.booleans()),
        draw(st.lists(st.sampled_from([*REFRESHES]), max_size=3)),
        draw(st.lists(questions(anchor), min_size=1, max_size=2)),
    )


# ---- the world ----


@dataclass
class World:
    """A database, and all that was stored in it."""

    engine: sa.Engine
    writer: LogWriter
    connection: psycopg.Connection[tuple[object, ...]]
    rows: list[LogRow] = field(default_factory=list)
    keys: set[tuple[int, bytes]] = field(default_factory=set)
    now: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    clients: dict[ZoneInfo, FlaskClient] = field(default_factory=dict)

    def store(self, rows: Sequence[LogRow]) -> list[LogRow]:
        """Store rows; those with a key that is there already are no rows. A file's rows hold nothing back."""
        fresh = []
        for row in rows:
            key = None if row.record_key is None else (row.ts, row.record_key)
            if key is None or key not in self.keys:
                fresh.append(row)
            if key is not None:
                self.keys.add(key)
        receipt = self.writer.store(Batch("import:property", "shop", rows, []))
        assert (receipt.stored, receipt.duplicate) == (len(fresh), len(rows) - len(fresh))
        self.rows += fresh
        return fresh

    def refresh(self, name: str) -> None:
        statements = [REFRESHES[name]]
        if name == "policies":
            jobs = self.connection.execute(
                "select job_id from timescaledb_information.jobs "
                "where proc_name = 'policy_refresh_continuous_aggregate'"
            )
            statements = [f"call run_job({job_id})" for (job_id,) in jobs.fetchall()]
        for statement in statements:
            self.connection.execute(statement.encode())

    def get(self, path: str, question: Question, *, span: bool = True, **more: Any) -> Any:
        self.now = question.now
        parameters = parameters_of(question.filters) | more
        if span:
            whole = question.whole
            parameters = {"start": whole.start.isoformat(), "end": whole.end.isoformat()} | parameters
        answer = self._client(question.zone).get(f"/api/stats/{path}", query_string=parameters)
        assert answer.status_code == 200, answer.text
        said: Any = answer.json
        assert said["query"]["not_kept"] == []
        assert datetime.fromisoformat(said["complete_through"]) == floor(question.now - SETTLE, MINUTE)
        return said

    def _client(self, zone: ZoneInfo) -> FlaskClient:
        if zone not in self.clients:
            app = Flask(__name__)
            blueprint = api_blueprint(
                DashboardSettings(display_timezone=zone.key),
                self.engine,
                now=lambda: self.now,
                shared=Shared(seconds=0),
            )
            app.register_blueprint(blueprint)
            self.clients[zone] = app.test_client()
        return self.clients[zone]


def parameters_of(filters: Filters) -> dict[str, Any]:
    names = {"service": "service", "method": "method", "route": "route", "client_ip": "client_ip"}
    names |= {"path_text": "text", "path_regex": "regex"}
    found: dict[str, Any] = {
        parameter: value for name, parameter in names.items() if (value := getattr(filters, name)) is not None
    }
    if filters.status is not None:
        low, high = filters.status
        found["status"] = str(low) if low == high else f"{low // 100}xx"
    if filters.latency_ms is not None:
        bounds = zip(("latency_min", "latency_max"), filters.latency_ms, strict=True)
        found |= {name: repr(bound) for name, bound in bounds if bound is not None}
    return found


@pytest.fixture(scope="module")
def world(module_quiet_dsn: str) -> Iterator[World]:
    engine = reading_engine(module_quiet_dsn)
    with writing_pool(module_quiet_dsn, max_size=1) as pool, connect(module_quiet_dsn) as connection:
        yield World(engine, LogWriter(pool), connection)
    engine.dispose()


# ---- the checks, one for each figure ----

Check = Callable[[World, Question, list[LogRow]], None]


def check_totals(world: World, question: Question, rows: list[LogRow]) -> None:
    plain.check_summary(world.get("summary", question), rows)


def check_traffic(world: World, question: Question, rows: list[LogRow]) -> None:
    said = world.get("traffic", question, interval=question.minutes)
    assert said["interval_minutes"] == question.minutes
    starts = plain.starts_of_buckets(question.whole, question.minutes, question.zone)
    plain.check_buckets(said["buckets"], rows, question.whole, starts, known(world, question))


def check_errors(world: World, question: Question, rows: list[LogRow]) -> None:
    said = world.get("errors", question, interval=question.minutes)
    assert said["total"] == len(rows)
    assert said["classes"] == plain.classes(rows)
    plain.check_groups(said["statuses"], rows, ["status"], latency=False)
    endpoints = plain.grouped(rows, lambda row: (row.method, row.route))
    failing = [row for group in endpoints.values() if plain.counted(group) for row in group]
    plain.check_groups(said["by_endpoint"], failing, ["method", "route"], latency=False, rank=plain.counted)
    starts = plain.starts_of_buckets(question.whole, question.minutes, question.zone)
    buckets = said["by_bucket"]
    plain.check_buckets(buckets, rows, question.whole, starts, known(world, question), only_errors=True)


def check_usage(world: World, question: Question, rows: list[LogRow]) -> None:
    for by in ("route", "path"):
        said = world.get("usage", question, by=by, limit=question.limit)
        plain.check_groups(said["endpoints"], rows, ["method", by], limit=question.limit)
        assert said["total"] == len(rows)
        found = len({(row.method, getattr(row, by)) for row in rows})
        assert said["truncated"] == (found > question.limit)


def check_endpoints(world: World, question: Question, rows: list[LogRow]) -> None:
    said = world.get("endpoints", question, limit=question.limit)
    by = ["service", "method", "route"]
    plain.check_groups(said["endpoints"], rows, by, limit=question.limit, latency=False)
    assert said["total"] == len(rows)
    groups = plain.grouped(rows, lambda row: (row.service, row.method, row.route))
    assert said["found"] == len(groups)
    for each in said["endpoints"]:
        assert each["mean_ms"] == plain.mean_ms(groups[each["service"], each["method"], each["route"]])


def check_endpoint(world: World, question: Question, rows: list[LogRow]) -> None:
    method, route = "GET", "/shop/item/{id}"
    asked = replace(question, filters=replace(question.filters, method=None, route=None))
    said = world.get("endpoint-detail", asked, method=method, route=route, interval=question.minutes)
    filters = replace(question.filters, method=method, route=route)
    own = asked_rows(world, replace(question, filters=filters))
    plain.check_summary(said, own)
    plain.check_groups(said["statuses"], own, ["status"], latency=False)
    plain.check_distribution(said["distribution"], own)
    plain.check_slowest(said["slowest_requests"], own, 10)
    plain.check_groups(said["top_clients"]["clients"], own, ["client_ip"], limit=10, latency=False)
    starts = plain.starts_of_buckets(question.whole, question.minutes, question.zone)
    plain.check_buckets(said["buckets"], own, question.whole, starts, known(world, question))


def check_bottlenecks(world: World, question: Question, rows: list[LogRow]) -> None:
    most = min(question.limit, 100)
    said = world.get("bottlenecks", question, top_n=most)
    plain.check_slow_endpoints(said["slowest_endpoints"], rows, most)
    plain.check_slowest(said["slowest_requests"], rows, most)
    plain.check_common(said["common"], rows, question.zone)
    timed = sum(row.latency_ms is not None for row in rows)
    assert said["examined"] == min(timed, max(most, 20))


def check_clients(world: World, question: Question, rows: list[LogRow]) -> None:
    said = world.get("clients", question, limit=question.limit)
    assert said["total"] == len(rows)
    own = [row for row in rows if row.client_ip is not None]
    for each in said["clients"]:
        n = sum(row.client_ip == each["client_ip"] for row in rows)
        assert each.pop("share") == pytest.approx(n / len(rows))  # of all requests, also those of nobody
    plain.check_groups(said["clients"], own, ["client_ip"], limit=question.limit)


def check_patterns(world: World, question: Question, rows: list[LogRow]) -> None:
    said = world.get("patterns", question)
    plain.check_hours(said["hours"], rows, question.whole, question.zone, known(world, question))


CHECKS: list[Check] = [
    check_totals,
    check_traffic,
    check_errors,
    check_usage,
    check_endpoints,
    check_endpoint,
    check_bottlenecks,
    check_clients,
    check_patterns,
]


def asked_rows(world: World, question: Question) -> list[LogRow]:
    low, high = micros(question.whole.start), micros(question.whole.end)
    return [row for row in world.rows if low <= row.ts < high and matches(row, question.filters)]


def known(world: World, question: Question) -> tuple[datetime | None, datetime]:
    return plain.first_minute(world.rows, question.filters.service), floor(question.now - SETTLE, MINUTE)


@pytest.mark.timeout(60 + 60 * EXAMPLES)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FIGURES_RANDOM" not in os.environ,
    database=None,
    phases=[Phase.generate],  # an example depends on the ones before, so none can be made smaller
    suppress_health_check=[*HealthCheck],
)
@given(st.lists(steps(), min_size=3, max_size=4))
def test_every_figure_of_the_api_equals_a_plain_calculation(world: World, story: list[Step]) -> None:
    for step in story:
        before = step.asked[0]
        cursor = world.get("recent-logs", replace(before, filters=Filters()), span=False)["cursor"]
        arrived = world.store(step.rows)
        if step.again:
            arrived += world.store(step.rows[::2])
        said = world.get("recent-logs", before, span=False, after=cursor, limit=1000)
        plain.check_arrived(said["logs"], [row for row in arrived if matches(row, before.filters)], 1000)
        assert said["skipped"] == 0
        for name in step.refreshes:
            world.refresh(name)
        for question in step.asked:
            for check in CHECKS:
                check(world, question, asked_rows(world, question))
