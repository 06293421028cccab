"""From rows to findings that are kept: live, after a restart, with two scanners, and for rows of long ago."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from dashapp.api import api_blueprint
from dashapp.insight.finding import Evidence, Finding, Subject
from dashapp.insight.history import BusiestHour, History
from dashapp.scan import search
from dashapp.scan.kept import columns_of, finding_of
from dashapp.scan.past import history_before
from dashapp.scan.start import start
from dashapp.settings import DashboardSettings
from dashapp.sharing import Shared
from sql.batch import Batch
from sql.connection import DatabaseUnavailable, connect, reading_engine, snapshot, writing_pool
from sql.filters import Filters
from sql.findings import Selection, covered, find
from sql.plan import MINUTE, Range, floor
from sql.watching import Step, WatchStore
from sql.writing import LogWriter
from tests.receivers import http_receiver
from tests.rows import moment
from tests.scanning import StandIn, forget_all, read_answer, requests_of, scanned, store, watched

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
Connection = psycopg.Connection[Any]


@pytest.fixture
def dsn_of_scan(module_quiet_dsn: str) -> str:
    with connect(module_quiet_dsn) as connection:
        forget_all(connection)
    return module_quiet_dsn


@pytest.fixture
def own(dsn_of_scan: str) -> Iterator[Connection]:
    with connect(dsn_of_scan) as connection:
        yield connection


@pytest.fixture
def engine(dsn_of_scan: str) -> Iterator[sa.Engine]:
    engine = reading_engine(dsn_of_scan)
    yield engine
    engine.dispose()


@pytest.fixture
def writer(dsn_of_scan: str) -> Iterator[LogWriter]:
    with writing_pool(dsn_of_scan, max_size=1) as pool:
        yield LogWriter(pool)


def kept(connection: Connection) -> list[tuple[Any, ...]]:
    statement = (
        "select route, start_at, end_at, n, cause, late, withdrawn_at is not null from finding order by start_at, key"
    )
    return connection.execute(statement).fetchall()


def told(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute("select what, severity from alert order by id").fetchall()


def test_a_finding_opens_goes_on_and_closes_and_is_told_once_each(
    dsn_of_scan: str, engine: sa.Engine, writer: LogWriter, own: Connection
) -> None:
    one = watched(engine, dsn_of_scan, NOON, least="medium")
    one.run()
    store(writer, requests_of(NOON, 12, failing=[4, 5, 6]))
    one.run(NOON + 5 * MINUTE)
    assert kept(own) == [("/pay", NOON + 4 * MINUTE, None, 5, "fault", False, False)]
    assert told(own) == [("opened", "high")]
    one.run(NOON + 7 * MINUTE)
    assert kept(own)[0][3] == 15
    assert told(own) == [("opened", "high")]
    one.run(NOON + 12 * MINUTE)
    assert kept(own) == [("/pay", NOON + 4 * MINUTE, NOON + 7 * MINUTE, 15, "fault", False, False)]
    assert told(own) == [("opened", "high"), ("closed", "high")]
    starts = [minute.start for minute in one.watches[-1].seen if minute.start >= NOON]
    assert starts == [NOON + i * MINUTE for i in range(12)]  # each once
    with snapshot(engine) as reading:
        assert covered(reading, Range(NOON - HOUR, NOON + HOUR)) == [Range(NOON, NOON + 12 * MINUTE)]


def test_a_minute_and_its_clients_are_what_the_rows_are(dsn_of_scan: str, engine: sa.Engine, writer: LogWriter) -> None:
    one = watched(engine, dsn_of_scan, NOON, asks=True)
    one.run()
    rows = requests_of(NOON, 1, failing=[0], user_agent="curl/8") + requests_of(NOON, 1, service="web", a_minute=2)
    writer.store(Batch("agent", "shop", rows, []))
    one.run(NOON + 2 * MINUTE)
    (first, second) = (minute for minute in one.watches[-1].seen if minute.start >= NOON)
    assert [tuple(each) for each in first.endpoints] == [("shop", "POST", "/pay"), ("web", "POST", "/pay")]
    assert first.statuses == [200, 503]
    assert first.counts.tolist() == [[0, 5], [2, 0]]
    assert first.latencies.sum(axis=1).tolist() == [5, 2]
    assert second.counts.size == 0
    assert second.unknown == frozenset()
    (clients,) = one.watches[-1].clients
    assert sorted(clients.clients) == [f"10.0.0.{i}" for i in range(1, 6)]
    assert clients.n.sum() == 7
    assert clients.agents[clients.clients.index("10.0.0.5")] == "curl/8"
    assert sorted(zip(clients.status.tolist(), clients.failed_paths.tolist(), strict=True)) == [
        *[(200, 0)] * 2,
        *[(503, 1)] * 5,
    ]
    (requests,) = one.watches[-1].answers
    assert requests.ts.tolist() == sorted(requests.ts.tolist())
    assert len(requests.ts) == 7


def test_what_the_watch_asks_for_gives_the_cause(
    dsn_of_scan: str, engine: sa.Engine, writer: LogWriter, own: Connection
) -> None:
    one = watched(engine, dsn_of_scan, NOON, asks=True)
    one.run()
    store(writer, requests_of(NOON, 3, failing=[1]))
    one.run(NOON + 3 * MINUTE)
    assert kept(own) == [("/pay", NOON + MINUTE, None, 5, "deploy", False, False)]


def test_after_a_restart_a_finding_goes_on_under_its_name_and_nothing_is_told_twice(
    dsn_of_scan: str, engine: sa.Engine, writer: LogWriter, own: Connection
) -> None:
    first = watched(engine, dsn_of_scan, NOON, holder="first", least="low")
    first.run()
    store(writer, requests_of(NOON, 20, failing=[4, 5, 6, 7, 8, 9]))
    first.run(NOON + 7 * MINUTE)
    first.scanner.stop()
    second = watched(engine, dsn_of_scan, NOON + 7 * MINUTE, holder="second", least="low")
    second.run()
    assert kept(own) == [("/pay", NOON + 4 * MINUTE, None, 15, "fault", False, False)]
    second.run(NOON + 9 * MINUTE)
    second.scanner.stop()
    third = watched(engine, dsn_of_scan, NOON + 20 * MINUTE, holder="third", least="low")
    third.run()  # it closed while nobody watched
    assert kept(own) == [("/pay", NOON + 4 * MINUTE, NOON + 10 * MINUTE, 30, "fault", False, False)]
    assert told(own) == [("opened", "high"), ("closed", "high")]


def test_of_two_scanners_one_works_and_the_other_takes_over(
    dsn_of_scan: str, engine: sa.Engine, writer: LogWriter, own: Connection
) -> None:
    one = watched(engine, dsn_of_scan, NOON, holder="one", least="low")
    two = watched(engine, dsn_of_scan, NOON, holder="two", least="low")
    one.run()
    two.run()
    assert (one.scanner.holds, two.scanner.holds) == (True, False)
    store(writer, requests_of(NOON, 12, failing=[4, 5, 6]))
    for minute in range(1, 6):
        one.run(NOON + minute * MINUTE)
        two.run(NOON + minute * MINUTE)
    assert two.watches == []
    # The first one hangs for longer than its lease, and does not know.
    own.execute("update watch_state set leased_to = clock_timestamp() - interval '1 second'")
    two.run(NOON + 8 * MINUTE)
    assert two.scanner.holds
    one.at += 5 * MINUTE
    one.scanner.round()  # refused by the database
    assert not one.scanner.holds
    two.run(NOON + 12 * MINUTE)
    assert kept(own) == [("/pay", NOON + 4 * MINUTE, NOON + 7 * MINUTE, 15, "fault", False, False)]
    assert told(own) == [("opened", "high"), ("closed", "high")]


def test_rows_of_long_ago_get_their_findings_in_the_background_and_nobody_is_woken(
    dsn_of_scan: str, engine: sa.Engine, writer: LogWriter, own: Connection
) -> None:
    one = watched(engine, dsn_of_scan, NOON, least="low")
    one.run()
    long_ago = datetime(2015, 5, 17, 10, tzinfo=UTC)
    # An hour, and another one eleven hours later: nothing is between them, in no file.
    store(writer, requests_of(long_ago, 60, failing=[30, 31], service="old"), "import:access.log")
    store(writer, requests_of(long_ago + 12 * HOUR, 60, failing=[57, 58], service="old"), "import:access.log")
    one.run(NOON + MINUTE)
    found = kept(own)
    assert [row[1:3] for row in found] == [
        (long_ago + 30 * MINUTE, long_ago + 32 * MINUTE),
        # It lasts where the log ends; of its last minute there may be only a part.
        (long_ago + 12 * HOUR + 57 * MINUTE, long_ago + 12 * HOUR + 59 * MINUTE),
    ]
    assert all(row[5] for row in found)
    assert told(own) == []
    assert own.execute("select count(*) from watch_queue").fetchone() == (0,)
    with snapshot(engine) as reading:
        assert covered(reading, Range(long_ago, long_ago + HOUR), "old") == [Range(long_ago, long_ago + HOUR)]
        assert covered(reading, Range(long_ago + HOUR, long_ago + 12 * HOUR)) == []
        page = find(reading, Selection(Range(long_ago, long_ago + HOUR), Filters(service="old")), limit=10)
    assert [finding_of(each.payload).subject.route for each in page.findings] == ["/pay"]
    # Where there are no rows there was nothing to watch.
    span = {"start": (long_ago - HOUR).isoformat(), "end": (long_ago + 24 * HOUR).isoformat(), "service": "old"}
    answer = asked(engine, NOON, "anomalies", **span)
    assert answer["watched"] > 0.98
    assert {each["id"] is None for each in answer["findings"]} == {False}


def test_what_was_stored_before_the_first_start_is_searched_and_an_incident_that_lasts_goes_on(
    dsn_of_scan: str, engine: sa.Engine, writer: LogWriter, own: Connection
) -> None:
    store(writer, requests_of(NOON - 5 * HOUR, 310, failing=[20, 21, *range(290, 305)]))
    one = watched(engine, dsn_of_scan, NOON, least="low")
    one.run()
    begin = NOON - 5 * HOUR
    assert [row[1:3] for row in kept(own)] == [
        (begin + 20 * MINUTE, begin + 22 * MINUTE),
        (begin + 290 * MINUTE, None),
    ]
    one.run(NOON + 3 * MINUTE)
    assert told(own) == [("opened", "high")]  # of the one that lasts
    one.run(NOON + 10 * MINUTE)
    assert [row[2] for row in kept(own)] == [begin + 22 * MINUTE, begin + 305 * MINUTE]
    assert told(own) == [("opened", "high"), ("closed", "high")]


def test_rows_that_come_late_withdraw_what_they_show_to_be_none(
    dsn_of_scan: str, engine: sa.Engine, writer: LogWriter, own: Connection
) -> None:
    one = watched(engine, dsn_of_scan, NOON, least="low")
    one.run()
    store(writer, requests_of(NOON, 60, failing=[10, 11]))
    one.run(NOON + HOUR)
    assert [row[6] for row in kept(own)] == [False]
    late = requests_of(NOON + 10 * MINUTE, 2, a_minute=6)
    store(writer, [row._replace(path="/pay/late") for row in late])
    one.run(NOON + HOUR + MINUTE)
    assert [row[6] for row in kept(own)] == [True]
    with snapshot(engine) as reading:
        assert find(reading, Selection(), limit=10).findings == []


def test_the_scan_goes_on_where_it_was_when_the_database_comes_back(
    dsn_of_scan: str, closed_port_dsn: str, engine: sa.Engine, writer: LogWriter, own: Connection
) -> None:
    one = watched(engine, dsn_of_scan, NOON, least="low")
    one.run()
    store(writer, requests_of(NOON, 12, failing=[4, 5]))
    one.run(NOON + 3 * MINUTE)
    # It can still be read while nothing can be written: what was seen must not be lost.
    away = WatchStore(writing_pool(closed_port_dsn, max_size=1), "one")
    there, one.scanner._store = one.scanner._store, away
    one.at, one.seconds = NOON + 5 * MINUTE, one.seconds + 1
    with pytest.raises(DatabaseUnavailable):
        one.scanner.round()
    away.close()
    assert kept(own) == []
    one.scanner._store = there
    one.run(NOON + 12 * MINUTE)
    assert [row[1:3] for row in kept(own)] == [(NOON + 4 * MINUTE, NOON + 6 * MINUTE)]


def test_a_minute_that_the_search_cannot_stand_is_left_out(
    dsn_of_scan: str, engine: sa.Engine, writer: LogWriter, own: Connection
) -> None:
    one = watched(engine, dsn_of_scan, NOON, breaks_at=NOON + 2 * MINUTE)
    one.run()
    store(writer, requests_of(NOON, 12, failing=[5]))
    one.run(NOON + 4 * MINUTE)
    assert own.execute("select problem from watch_state").fetchone() is not None
    one.run(NOON + 12 * MINUTE)
    one.run()
    assert [row[1:3] for row in kept(own)] == [(NOON + 5 * MINUTE, NOON + 6 * MINUTE)]


def test_the_search_itself_finds_a_planted_break_in_three_minutes_and_its_end(
    dsn_of_scan: str, engine: sa.Engine, writer: LogWriter, own: Connection
) -> None:
    begin, breaks, mended = NOON - 4 * HOUR, NOON + 4 * MINUTE, NOON + 16 * MINUTE
    rows = [
        row
        for route, failing in (("/pay", range(244, 256)), ("/list", ()), ("/cart", ()))
        for row in requests_of(begin, 300, a_minute=6, route=route, failing=failing)
    ]
    store(writer, [row for row in rows if moment(row.ts) < NOON])
    one = scanned(engine, dsn_of_scan, NOON, "one", "low")
    one.run()
    assert kept(own) == []
    store(writer, [row for row in rows if moment(row.ts) >= NOON])
    for minute in range(1, 60):
        one.run(NOON + minute * MINUTE)
        if one.at == breaks + 3 * MINUTE:
            assert [row[:3] for row in kept(own)] == [("/pay", breaks, None)]
            assert told(own) == [("opened", "high")]
    ((route, start_at, end_at, _, cause, late, withdrawn),) = kept(own)
    assert (route, start_at, end_at) == ("/pay", breaks, mended)
    assert (cause, late, withdrawn) == ("fault", False, False)
    assert told(own) == [("opened", "high"), ("closed", "high")]


# ---- what the API says of it ----


def asked(engine: sa.Engine, at: datetime, path: str, **parameters: Any) -> Any:
    app = Flask(__name__)
    app.register_blueprint(api_blueprint(DashboardSettings(), engine, now=lambda: at, shared=Shared(0)))
    answer = app.test_client().get(f"/api/stats/{path}", query_string=parameters)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


@pytest.fixture
def two_found(dsn_of_scan: str, engine: sa.Engine, writer: LogWriter) -> datetime:
    """One that is over and one that lasts; returns the moment."""
    one = watched(engine, dsn_of_scan, NOON)
    one.run()
    store(writer, requests_of(NOON, 30, failing=[4, 5], service="shop"))
    store(writer, requests_of(NOON, 30, failing=[27, 28, 29], service="web", route="/cart"))
    one.run(NOON + 30 * MINUTE)
    return NOON + 32 * MINUTE


def test_anomalies_are_what_was_kept_of_the_range_and_the_filters(engine: sa.Engine, two_found: datetime) -> None:
    span = {"start": NOON.isoformat(), "end": (NOON + 30 * MINUTE).isoformat()}
    answer = asked(engine, two_found, "anomalies", **span, lang="en")
    assert (answer["watched"], answer["truncated"]) == (1.0, False)
    found = {each["about"]["service"]: each for each in answer["findings"]}
    assert found.keys() == {"shop", "web"}
    assert found["shop"] | {"cause": "", "recommendation": "", "sentence": "", "updated_at": "", "opened_at": ""} == {
        "id": found["shop"]["id"],
        "kind": "error_burst",
        "severity": "high",
        "subject": "POST /pay",
        "about": {
            "service": "shop", "method": "POST", "route": "/pay", "status": None, "client_ip": None, "network": None,
            "client_type": None,
        },
        "related": None,
        "start": "2026-05-04T12:04:00Z",
        "end": "2026-05-04T12:06:00Z",
        "state": "closed",
        "unit": "share",
        "observed": 1.0,
        "expected": 0.0,
        "effect": None,
        "score": 9.0,
        "p": 1e-9,
        "n": 10,
        "cause_class": "fault",
        "evidence": [{"name": "errors", "value": 5.0, "unit": "requests", "query": "/api/stats/summary"}],
        "incident": found["shop"]["incident"],
        "late": False,
        "cause": "", "recommendation": "", "sentence": "", "updated_at": "", "opened_at": "",
    }  # fmt: skip
    assert "POST /pay" in found["shop"]["sentence"]
    assert found["shop"]["cause"]
    assert found["shop"]["recommendation"]
    assert (found["web"]["end"], found["web"]["state"]) == (None, "open")
    for parameters, services in (
        ({"service": "shop"}, ["shop"]),
        ({"method": "post", "route": "/cart"}, ["web"]),
        ({"service": "shop", "route": "/cart"}, []),
        ({"status": "5xx"}, []),  # of no status alone
        ({"client_ip": "10.0.0.1"}, []),
    ):
        again = asked(engine, two_found, "anomalies", **span, **parameters)
        assert [each["about"]["service"] for each in again["findings"] if each["id"]] == services, parameters
    before = asked(engine, two_found, "anomalies", start=NOON.isoformat(), end=(NOON + 4 * MINUTE).isoformat())
    assert before["findings"] == []


def test_the_history_has_pages_states_and_kinds(engine: sa.Engine, two_found: datetime) -> None:
    first = asked(engine, two_found, "findings", limit=1)
    assert [each["subject"] for each in first["findings"]] == ["POST /cart"]
    assert first["truncated"]
    second = asked(engine, two_found, "findings", limit=1, before=first["next_before"])
    assert [each["subject"] for each in second["findings"]] == ["POST /pay"]
    assert (second["truncated"], second["next_before"]) == (False, None)
    for parameters, subjects in (
        ({"state": "open"}, ["POST /cart"]),
        ({"state": "closed"}, ["POST /pay"]),
        ({"kind": "outage"}, []),
        ({"kind": "error_burst", "last": "30m"}, ["POST /cart", "POST /pay"]),
        ({"start": (NOON - HOUR).isoformat(), "end": NOON.isoformat()}, []),
    ):
        found = asked(engine, two_found, "findings", **parameters)["findings"]
        assert [each["subject"] for each in found] == subjects, parameters


def test_what_is_of_a_whole_service_is_found_for_its_endpoints_and_errors_by_their_status(
    dsn_of_scan: str, engine: sa.Engine, own: Connection
) -> None:
    scan = WatchStore.open(dsn_of_scan, "test")
    scan.lease()
    rows = []
    for key, subject, counted in (
        ("endpoint", Subject("shop", "POST", "/pay"), "server_errors"),
        ("service", Subject("shop"), "client_errors"),
        ("client", Subject("shop", client_ip="10.0.0.1"), "requests"),
    ):
        evidence = (Evidence("requests", 90, "requests", ""), Evidence(counted, 9, "requests", ""))
        finding = Finding(
            "error_burst", "low", subject, NOON, NOON + HOUR, "share", 0.1, 0.0, None, 9.0, 1e-9, 90, "fault", evidence
        )
        rows.append(columns_of(key, finding, incident=key, late=False, watch=1))
    scan.keep(Step(1, rows=rows))
    scan.close()

    def keys(**filters: Any) -> list[str]:
        with snapshot(engine) as reading:
            return sorted(each.key for each in find(reading, Selection(None, Filters(**filters)), limit=10).findings)

    assert keys(service="shop") == ["client", "endpoint", "service"]
    assert keys(service="shop", method="POST", route="/pay") == ["endpoint", "service"]
    assert keys(service="shop", method="GET", route="/pay") == ["service"]
    assert keys(service="web", route="/pay") == []
    assert keys(route="/pay") == ["endpoint"]  # of which service is not known
    assert keys(status=(500, 999)) == keys(status=(503, 503)) == ["endpoint"]
    assert keys(status=(400, 499)) == keys(status=(404, 404)) == ["service"]
    assert keys(status=(400, 599)) == ["endpoint", "service"]
    assert keys(status=(200, 299)) == []


def test_that_a_log_has_ended_is_no_drop(dsn_of_scan: str, engine: sa.Engine, writer: LogWriter) -> None:
    begin = NOON - 90 * HOUR
    store(writer, requests_of(begin, 1200, a_minute=6), "import:access.log")
    span = {"start": (begin + 8 * HOUR).isoformat(), "end": (begin + 40 * HOUR).isoformat()}
    answer = asked(engine, NOON, "anomalies", **span)  # nobody has watched
    assert (answer["watched"], answer["findings"]) == (0.0, [])
    soon = asked(engine, begin + 30 * HOUR, "anomalies", **span)
    assert [each["kind"] for each in soon["findings"]] == ["traffic_drop"]


def test_findings_of_clients_are_found_by_address_and_by_network(
    dsn_of_scan: str, engine: sa.Engine, own: Connection
) -> None:
    scan = WatchStore.open(dsn_of_scan, "test")
    scan.lease()
    subjects = [
        Subject(client_ip="10.1.2.3"),
        Subject(network="10.1.2.0/24", status="404"),
        Subject(client_ip="2001:db8::7"),
        Subject(service="a", status="5xx"),
    ]
    rows = []
    for number, subject in enumerate(subjects):
        finding = Finding(
            "scanner", "low", subject, NOON + number * MINUTE, None, "paths", 90.0, 1.0, math.inf, math.inf, 0.0, 90,
            "probing", related=Subject("b", "GET", "/login"),
        )  # fmt: skip
        rows.append(columns_of(str(number), finding, incident=str(number), late=False, watch=1))
    scan.keep(Step(1, rows=rows))
    scan.close()

    def keys(**filters: Any) -> list[str]:
        with snapshot(engine) as reading:
            found = find(reading, Selection(None, Filters(**filters)), limit=10)
        assert all(math.isfinite(finding_of(each.payload).score) for each in found.findings)
        return sorted(each.key for each in found.findings)

    assert keys(client_ip="10.1.2.3") == ["0", "1"]
    assert keys(client_ip="10.1.0.0/16") == ["0", "1"]
    assert keys(client_ip="10.1.2.9") == ["1"]
    assert keys(client_ip="2001:db8::/32") == ["2"]
    assert keys(status=(404, 404)) == ["1"]
    assert keys(status=(400, 499)) == ["1"]
    assert keys(status=(500, 999)) == ["3"]
    assert keys(status=(503, 503)) == ["3"]
    assert keys(service="b", method="GET", route="/login") == ["0", "1", "2", "3"]  # the other side
    assert keys(service="a") == ["3"]
    assert keys(path_text="x") == []


# ---- what a watch knows of the time before ----


def test_the_past_of_a_watch_is_what_the_rows_are(
    dsn_of_scan: str, engine: sa.Engine, writer: LogWriter, own: Connection
) -> None:
    begin = NOON - 30 * HOUR
    store(writer, requests_of(begin, 60, a_minute=2, service="shop", latency_ms=20.0))
    store(writer, requests_of(begin + 2 * HOUR, 60, a_minute=1, service="web", failing=[0, 1]))
    store(writer, requests_of(NOON - 2 * HOUR, 60, a_minute=3, service="shop"))
    rests: list[float] = []
    past = history_before(engine, NOON, None, rest=rests.append)
    assert past.traffic == {
        "shop": {begin: 120, begin + 2 * HOUR: 0, NOON - 2 * HOUR: 180},
        "web": {begin + 2 * HOUR: 60, NOON - 2 * HOUR: 0},
    }
    hours = list(past.hours)
    assert [(hour.start, hour.width, int(hour.counts.sum())) for hour in hours] == [
        (begin, HOUR, 120),
        (begin + 2 * HOUR, HOUR, 60),
    ]
    assert hours[1].statuses == [200, 503]
    assert hours[1].counts.tolist() == [[58, 2]]
    assert int(hours[0].latencies.sum()) == 120
    minutes = list(past.minutes)
    assert [minute.start for minute in minutes] == [NOON - 3 * HOUR + i * MINUTE for i in range(180)]
    assert sum(int(minute.counts.sum()) for minute in minutes) == 180
    by_client = list(past.client_minutes)
    assert [minute.start for minute in by_client] == [NOON - 2 * HOUR + i * MINUTE for i in range(60)]
    assert {int(minute.n.sum()) for minute in by_client} == {3}
    assert past.endpoints == frozenset()  # the days are not in the aggregates yet
    many = {(service, f"10.0.0.{i + 1}", at.date()) for service, at, clients in (
        ("shop", begin, 2), ("web", begin, 1), ("shop", NOON, 3)
    ) for i in range(clients)}  # fmt: skip
    assert sorted(past.clients) == sorted(BusiestHour(*each, 60) for each in many)
    assert rests
    alone = history_before(engine, NOON, "web", rest=rests.append)
    assert alone.traffic.keys() == {"web"}
    assert history_before(engine, begin - HOUR, None, rest=rests.append) == History()


# ---- started ----


def until(connection: Connection, statement: str, seconds: float = 60.0) -> Any:
    """What a statement returns as soon as it returns something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (row := connection.execute(statement.encode()).fetchone()) is not None:
            return row
        time.sleep(0.1)
    raise AssertionError(f"nothing within {seconds} s: {statement}")


def test_a_dashboard_that_is_started_searches_tells_and_leaves_the_lease(
    dsn_of_scan: str,
    engine: sa.Engine,
    writer: LogWriter,
    own: Connection,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(search, "make_watch", lambda *_: StandIn())
    monkeypatch.setattr(search, "answer", read_answer)
    # Of the last hour: what is of today and short would wait for more.
    begin = floor(datetime.now(UTC), MINUTE) - 80 * MINUTE
    with http_receiver() as webhook:
        settings = DashboardSettings(
            alert_urls=f"json://127.0.0.1:{webhook.port}/",  # type: ignore[arg-type]
            alert_allow_internal=True,
            ui_language="en",
            canary=False,  # whoever listens at the default address is none of ours
        )
        store(writer, requests_of(begin, 80, failing=[40, 41, *range(70, 80)], a_minute=4))
        running = start(settings, dsn_of_scan, engine, lambda: datetime.now(UTC))
        try:
            assert until(own, "select start_at from finding where end_at is not null") == (begin + 40 * MINUTE,)
            assert until(own, "select start_at from finding where end_at is null") == (begin + 70 * MINUTE,)
            until(own, "select from alert where state = 'sent'")
        finally:
            running.stop()
        assert [each["title"].startswith("SOLOMONTECH: Incident [High]") for each in webhook.messages] == [True]
    assert own.execute("select holder from watch_state").fetchone() == (None,)
