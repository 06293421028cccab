"""Groups that differ, and what is new or gone, are those of the rows; what is planted is named and nothing else."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask

from dashapp.api import api_blueprint
from dashapp.settings import DashboardSettings
from dashapp.sharing import Shared
from dashapp.stats.apart import read_apart
from dashapp.stats.novelties import read_novelties
from dashapp.stats.patterns import read_hours
from sql.batch import Batch, LogRow
from sql.connection import reading_engine, snapshot, writing_pool
from sql.filters import Filters
from sql.plan import Range
from sql.writing import LogWriter
from tests.rows import log_row, moment

SEOUL = ZoneInfo("Asia/Seoul")
HOUR = timedelta(hours=1)
START = datetime(2018, 5, 1, tzinfo=UTC)
DAYS = 3
# It begins in the middle of an hour, so that neither its bounds nor those of its parts are those of buckets.
WINDOW = Range(START + timedelta(days=DAYS, minutes=20), START + timedelta(days=DAYS, hours=3, minutes=20))
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def engine(quiet_dsn: str) -> Iterator[sa.Engine]:
    found = reading_engine(quiet_dsn)
    yield found
    found.dispose()


def rows_of(draw: random.Random, service: str) -> list[LogRow]:
    """A request a minute of each of two endpoints; one of them vanishes, one is new, and one network fails."""
    rows = []
    minutes = (WINDOW.end - START) // timedelta(minutes=1)
    for minute in range(minutes):
        at = START + timedelta(minutes=minute, seconds=draw.uniform(0, 59))
        within = at >= WINDOW.start
        routes = ["/a", "/b", *(["/new"] if within and minute % 3 == 0 else []), *([] if within else ["/old"])]
        for route in routes:
            client = draw.choice(["10.1.1.1", "10.1.2.1", "10.1.3.1", "10.9.9.1"])
            bad = within and client == "10.9.9.1" and draw.random() < 0.6
            rows.append(
                log_row(
                    ts=at,
                    service=service,
                    method="GET",
                    path=route,
                    route=route,
                    status=502 if bad else 200,
                    latency_ms=draw.lognormvariate(4, 0.3),
                    client_ip=client,
                    user_agent="curl/8.5.0" if within and draw.random() < 0.2 else FIREFOX,
                )
            )
    return rows


@pytest.fixture
def stored(quiet_dsn: str, service: str) -> list[LogRow]:
    rows = rows_of(random.Random(7), service)
    with writing_pool(quiet_dsn, max_size=1) as pool:
        LogWriter(pool).store(Batch("import:test", service, rows, []))
    return rows


def test_the_planted_group_is_named_with_the_numbers_of_the_rows(
    engine: sa.Engine, stored: list[LogRow], service: str
) -> None:
    filters = Filters(service=service)
    with snapshot(engine) as reading:
        hours = read_hours(reading, WINDOW, filters, zone=SEOUL, complete=WINDOW.end)
        found = read_apart(reading, WINDOW, filters, hours, zone=SEOUL)
    inside = [row for row in stored if moment(row.ts) >= WINDOW.start]
    assert found.n == found.drawn == len(inside)
    first = found.segments[0]
    assert (first.measure, first.field, first.value, first.exact) == ("failures", "network", "10.9.9.0/24", True)
    mine = [row for row in inside if row.client_ip == "10.9.9.1"]
    assert (first.n, first.events) == (len(mine), sum(row.status == 502 for row in mine))
    assert first.rate == first.events / first.n
    assert first.rate_others == 0
    assert {each.field for each in found.segments} == {"network"}


def test_what_is_new_and_gone_is_named_with_the_numbers_of_the_rows(
    engine: sa.Engine, stored: list[LogRow], service: str
) -> None:
    with snapshot(engine) as reading:
        found = read_novelties(reading, WINDOW, Filters(service=service), zone=SEOUL, complete=WINDOW.end)
    counts = Counter(
        (name, value, moment(row.ts) >= WINDOW.start)
        for row in stored
        for name, value in (("endpoint", row.route), ("status", row.status))
    )
    named: dict[tuple[str, str], Any] = {(each.found.what, each.field): each for each in found.found}
    assert named.keys() == {("new", "endpoint"), ("gone", "endpoint"), ("new", "status"), ("new", "client_type")}
    assert named["new", "endpoint"].value == ("GET", "/new")
    assert named["new", "endpoint"].found.n == counts["endpoint", "/new", True]
    assert named["gone", "endpoint"].value == ("GET", "/old")
    assert named["new", "status"].found.n == counts["status", 502, True]
    assert named["new", "client_type"].value == ("script",)
    # Of what is gone the requests of the whole hours of history count.
    assert found.history == Range(START + HOUR, START + timedelta(days=DAYS))
    gone = [row for row in stored if row.route == "/old" and found.history.start <= moment(row.ts) < found.history.end]
    assert named["gone", "endpoint"].found.n == len(gone)


def test_nothing_is_new_or_apart_where_nothing_is_known(engine: sa.Engine, stored: list[LogRow], service: str) -> None:
    nobody = Filters(service="nobody")
    with snapshot(engine) as reading:
        assert read_apart(reading, WINDOW, nobody, [], zone=SEOUL).segments == []
        assert read_novelties(reading, WINDOW, nobody, zone=SEOUL, complete=WINDOW.end).history is None
        # The very first hours of a log have no time before.
        first = Range(START - HOUR, START + timedelta(minutes=30))
        none = read_novelties(reading, first, Filters(service=service), zone=SEOUL, complete=WINDOW.end)
    assert (none.found, none.is_enough) == ([], False)


def test_the_api_says_the_same(engine: sa.Engine, stored: list[LogRow], service: str) -> None:
    app = Flask(__name__)
    settings = DashboardSettings(_env_file=None)  # type: ignore[call-arg]
    app.register_blueprint(api_blueprint(settings, engine, now=lambda: WINDOW.end + HOUR, shared=Shared(seconds=0)))
    span = {"start": WINDOW.start.isoformat(), "end": WINDOW.end.isoformat(), "service": service}
    answer = app.test_client().get("/api/stats/patterns", query_string=span).json
    assert answer is not None
    assert answer["segments"][0]["value"] == "10.9.9.0/24"
    assert {(each["what"], each["value"]) for each in answer["novelties"]} == {
        ("new", "GET /new"),
        ("gone", "GET /old"),
        ("new", 502),
        ("new", "script"),
    }
    assert answer["compared_with"]["end"] == "2018-05-04T00:00:00Z"
