"""What Endpoint Analysis reads equals a plain calculation over the rows."""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import sqlalchemy as sa
from flask import Flask

from dashapp.api import api_blueprint
from dashapp.comparison import comparison_of
from dashapp.parts import Failed
from dashapp.settings import DashboardSettings
from dashapp.sharing import Shared
from dashapp.stats.commonalities import TIME
from dashapp.stats.endpoint_common import Among, Common
from dashapp.stats.endpoint_page import Depth, Listed, Slow, Table, read_depth, read_table
from dashapp.stats.overview import Question
from sql.batch import Batch, LogRow
from sql.filters import Filters
from sql.plan import Range
from sql.writing import LogWriter
from tests.rows import log_row, moment

# A year in which no other test has rows.
START = datetime(2016, 6, 6, 3, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WHOLE = Range(START + 6 * HOUR, START + 12 * HOUR)
SEOUL = ZoneInfo("Asia/Seoul")
ENDPOINTS = (("GET", "/list"), ("GET", "/item/{id}"), ("POST", "/pay"))
STRUCK = Range(WHOLE.start + 2 * HOUR, WHOLE.start + 2 * HOUR + 30 * MINUTE)


@pytest.fixture(scope="module")
def rows(writer: LogWriter) -> list[LogRow]:
    """Twelve hours; in half an hour of them everything of one version of the app to one endpoint times out."""
    name = f"endpoints-{uuid.uuid4().hex[:12]}"
    draw = random.Random(20160606)
    found = []
    for _ in range(5_000):
        method, route = draw.choice(ENDPOINTS)
        ts = START + timedelta(seconds=draw.uniform(0, 12 * 3600))
        version = draw.choice(["4.0", "4.1", "4.2", "4.2"])
        struck = route == "/pay" and version == "4.2" and STRUCK.start <= ts < STRUCK.end
        found.append(
            log_row(
                ts=ts,
                service=name,
                method=method,
                route=route,
                path=route.replace("{id}", str(draw.randrange(99))),
                status=504 if struck else draw.choice([200] * 30 + [404]),
                latency_ms=3000.0 + draw.random() if struck else draw.lognormvariate(3, 0.5),
                client_ip=f"10.0.0.{draw.randrange(20)}",
                user_agent=f"ShopApp/{version} (phone {draw.randrange(3)})",
                attributes=json.dumps({"app": version, "upstream": {"host": draw.choice(["a", "b"])}}),
            )
        )
    writer.store(Batch("test", name, found, []))
    return found


@pytest.fixture(scope="module")
def service(rows: Sequence[LogRow]) -> str:
    return rows[0].service


def question(service: str, *, vs: bool = False, minutes: int = 10, **filters: Any) -> Question:
    comparison = comparison_of("prev", WHOLE, SEOUL) if vs else None
    return Question(WHOLE, Filters(service=service, **filters), comparison, minutes, SEOUL, WHOLE.end + HOUR)


def of(rows: Sequence[LogRow], whole: Range, **equal: Any) -> list[LogRow]:
    return [
        row
        for row in rows
        if whole.start <= moment(row.ts) < whole.end and all(getattr(row, key) == value for key, value in equal.items())
    ]


def listed(read: Table) -> Listed:
    assert not isinstance(read.listed, Failed)
    return read.listed


def slow(read: Depth) -> Slow:
    assert not isinstance(read.slow, Failed)
    return read.slow


def test_the_table_equals_a_plain_calculation_and_its_sums_are_all_of_it(
    engine: sa.Engine, rows: list[LogRow], service: str
) -> None:
    read = read_table(engine, question(service), by="route")
    found, mine = listed(read), of(rows, WHOLE)
    assert {(e.method, e.route): e.count for e in found.whole.endpoints} == Counter((r.method, r.route) for r in mine)
    for each in found.whole.endpoints:
        calls = of(mine, WHOLE, method=each.method, route=each.route)
        latencies = [row.latency_ms or 0.0 for row in calls]
        assert each.share == pytest.approx(len(calls) / len(mine))
        assert each.errors == sum(row.status >= 400 for row in calls)
        assert each.latency.mean == pytest.approx(np.mean(latencies), abs=0.001)
        for name in ("p50", "p90", "p95", "p99"):
            exact = float(np.percentile(latencies, float(name[1:])))
            assert getattr(each.latency, name) == pytest.approx(exact, rel=0.0245)
    assert found.total.total == len(mine) == sum(each.count for each in found.whole.endpoints)
    assert found.total.errors == sum(each.errors for each in found.whole.endpoints)


def test_courses_are_the_calls_of_each_bucket_and_sum_to_the_calls(
    engine: sa.Engine, rows: list[LogRow], service: str
) -> None:
    asked = question(service)
    read = read_table(engine, asked, by="route")
    assert not isinstance(read.courses, Failed)
    assert set(read.courses) == set(ENDPOINTS)
    for (method, route), course in read.courses.items():
        calls = of(rows, WHOLE, method=method, route=route)
        slots = Counter((moment(row.ts) - WHOLE.start) // (10 * MINUTE) for row in calls)
        assert course == [slots[slot] for slot in range(36)]


def test_a_course_is_unknown_where_nothing_is_final(engine: sa.Engine, rows: list[LogRow], service: str) -> None:
    asked = question(service)
    early = Question(asked.whole, asked.filters, None, 10, SEOUL, WHOLE.end - 20 * MINUTE)
    read = read_table(engine, early, by="route")
    assert not isinstance(read.courses, Failed)
    assert all(course[-2:] == [None, None] and None not in course[:-2] for course in read.courses.values())


def test_the_comparison_holds_the_endpoints_of_the_period_before(
    engine: sa.Engine, rows: list[LogRow], service: str
) -> None:
    found = listed(read_table(engine, question(service, vs=True), by="route"))
    assert found.before is not None
    before = of(rows, Range(START, WHOLE.start))
    counts = Counter((row.method, row.route) for row in before)
    assert {(each.method, each.route): each.count for each in found.before.endpoints} == counts


@pytest.mark.parametrize("among", ["slow", "failed"])
def test_the_cause_that_was_planted_is_what_they_have_in_common(
    engine: sa.Engine, rows: list[LogRow], service: str, among: Among
) -> None:
    read = read_depth(engine, question(service, method="POST", route="/pay"), among=among)
    common = slow(read).common
    mine = of(rows, WHOLE, method="POST", route="/pay")
    assert (common.scanned, common.stored) == (len(of(rows, WHOLE)), len(of(rows, WHOLE)))
    if among == "slow":
        inside = sorted(mine, key=lambda row: row.latency_ms or 0, reverse=True)[:20]
        outside = [row for row in mine if (row.latency_ms or 0) < (inside[-1].latency_ms or 0)]
    else:
        inside = [row for row in mine if row.status >= 500]
        outside = [row for row in mine if row.status < 500]
        assert common.failed_from == 500
    assert (common.examined, common.compared) == (len(inside), len(outside))
    assert_shares(common, inside, outside)
    by_field = {each.field: each for each in common.found}
    assert by_field["attributes.app"].value == "4.2"
    assert by_field["attributes.app"].share_inside == 1
    band = by_field[TIME].band
    assert band is not None
    assert STRUCK.start <= band.start < band.end <= STRUCK.end
    assert "client_ip" not in by_field
    assert "attributes.upstream.host" not in by_field


def assert_shares(common: Common, inside: list[LogRow], outside: list[LogRow]) -> None:
    for each in common.found:
        if each.field in ("attributes.app", "status"):
            sides = [
                [
                    json.loads(row.attributes or "{}")["app"] if each.field == "attributes.app" else row.status
                    for row in side
                ]
                for side in (inside, outside)
            ]
            assert each.inside == sides[0].count(each.value)
            assert each.outside == sides[1].count(each.value)
            assert each.share_outside == pytest.approx(each.outside / len(outside))


def test_the_read_api_says_what_the_page_says(engine: sa.Engine, rows: list[LogRow], service: str) -> None:
    asked = question(service, method="POST", route="/pay")
    common = slow(read_depth(engine, asked, among="failed")).common
    app = Flask(__name__)
    app.register_blueprint(api_blueprint(DashboardSettings(), engine, now=lambda: WHOLE.end + HOUR, shared=Shared(0)))
    parameters = {
        "start": WHOLE.start.isoformat(),
        "end": WHOLE.end.isoformat(),
        "service": service,
        "method": "POST",
        "route": "/pay",
        "interval": "10",
        "among": "failed",
    }
    answer = app.test_client().get("/api/stats/endpoint-common", query_string=parameters)
    assert answer.status_code == 200
    said = answer.get_json()
    assert (said["examined"], said["compared"], said["failed_from"]) == (common.examined, common.compared, 500)
    assert [(v["field"], v["value"], v["count"]) for v in said["values"]] == [
        (each.field, each.value, each.inside) for each in common.found
    ]
    assert (
        app.test_client().get("/api/stats/endpoint-common", query_string=parameters | {"among": "x"}).status_code == 400
    )


def test_a_part_that_fails_leaves_the_others(
    engine: sa.Engine, rows: list[LogRow], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ArithmeticError("planted")

    monkeypatch.setattr("dashapp.stats.endpoint_page.newest_clients", fail)
    read = read_depth(engine, question(service, method="POST", route="/pay"), among="slow")
    assert isinstance(read.clients, Failed)
    assert not any(isinstance(each, Failed) for each in (read.totals, read.series, read.codes, read.slow))
