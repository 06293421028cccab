"""The read API: shapes as promised, numbers as SQL counts them, errors as JSON."""

from __future__ import annotations

import json
import logging
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from dashapp.api import api_blueprint
from dashapp.settings import DashboardSettings
from dashapp.sharing import Shared
from sql.batch import Batch, LogRow
from sql.connection import reading_engine
from sql.writing import LogWriter
from tests.rows import micros

Connection = psycopg.Connection[tuple[object, ...]]

# A year in which no other test has rows; the data is complete up to noon.
START = datetime(2022, 6, 1, 10, 0, tzinfo=UTC)
NOON = datetime(2022, 6, 1, 12, 0, tzinfo=UTC)
NOW = NOON + timedelta(minutes=2, seconds=30)
END = NOON + timedelta(minutes=30)


def client_of(engine: sa.Engine, zone: str = "Asia/Seoul") -> FlaskClient:
    app = Flask(__name__)
    settings = DashboardSettings(display_timezone=zone)
    app.register_blueprint(api_blueprint(settings, engine, now=lambda: NOW, shared=Shared(0)))
    return app.test_client()


@pytest.fixture(scope="module")
def client(engine: sa.Engine) -> FlaskClient:
    return client_of(engine)


@pytest.fixture(scope="module")
def shop(writer: LogWriter) -> str:
    """A service with two and a half hours of requests, the newest half hour not complete yet."""
    name = f"shop-{uuid.uuid4().hex[:12]}"
    draw = random.Random(20220601)
    rows = []
    for _ in range(1_500):
        method, path, route, slow = draw.choice(
            [
                ("GET", f"/item/{draw.randrange(9)}", "/item/{id}", 1.0),
                ("POST", "/cart", "/cart", 5.0),
                ("GET", "/health", "/health", None),
            ]
        )
        rows.append(
            LogRow(
                ts=micros(START + timedelta(seconds=draw.uniform(0, 9_000))),
                service=name,
                method=method,
                path=path,
                route=route,
                status=draw.choice([200] * 8 + [201, 304, 404, 404, 429, 500, 503, 600]),
                latency_ms=None if slow is None else slow * draw.lognormvariate(3, 1),
                bytes=draw.choice([None, draw.randrange(10_000)]),
                client_ip=draw.choice(["10.0.0.1", "10.0.0.2", "2001:db8::1", None]),
                user_agent="Mozilla/5.0 한글",
                referer=None,
                attributes=json.dumps({"trace": draw.randrange(100)}),
                record_key=None,
            )
        )
    writer.store(Batch("web@10.0.0.1", name, rows, []))
    return name


def span(start: datetime = START, end: datetime = NOON, **parameters: Any) -> dict[str, Any]:
    return {"start": start.isoformat(), "end": end.isoformat()} | parameters


def get(client: FlaskClient, path: str, parameters: dict[str, Any]) -> Any:
    answer = client.get(f"/api/stats/{path}", query_string=parameters)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.content_type == "application/json"
    # What is no number in JSON must not slip in.
    return json.loads(answer.data, parse_constant=lambda word: pytest.fail(f"{word} in an answer"))


def rows_of(connection: Connection, where: str, *values: Any) -> list[tuple[Any, ...]]:
    return connection.execute(
        f"select method, route, status, latency_ms, bytes, ts from access_log where {where}".encode(), values
    ).fetchall()


def percentile(rows: list[tuple[Any, ...]], share: float) -> float:
    return float(np.percentile([row[3] for row in rows if row[3] is not None], share))


# ---- summary ----

FILTERS: list[Any] = [
    pytest.param({}, "true", id="none"),
    pytest.param({"method": "post"}, "method = 'POST'", id="method"),
    pytest.param({"route": "/item/{id}"}, "route = '/item/{id}'", id="route"),
    pytest.param({"status": "404"}, "status = 404", id="code"),
    pytest.param({"status": "5xx"}, "status >= 500", id="class"),
    pytest.param({"status": "2XX"}, "status between 200 and 299", id="class in capitals"),
    pytest.param({"client_ip": "10.0.0.1"}, "client_ip = '10.0.0.1'", id="client"),
    pytest.param({"client_ip": "2001:DB8:0::1"}, "client_ip = '2001:db8::1'", id="client v6"),
    pytest.param({"client_ip": "10.0.0.0/31"}, "client_ip <<= '10.0.0.0/31'", id="network"),
    pytest.param({"client_ip": "2001:DB8::/32"}, "client_ip <<= '2001:db8::/32'", id="network v6"),
    pytest.param(
        {"method": "GET", "status": "4xx", "client_ip": "10.0.0.2"},
        "method = 'GET' and status between 400 and 499 and client_ip = '10.0.0.2'",
        id="several",
    ),
]


@pytest.mark.parametrize(("filters", "where"), FILTERS)
@pytest.mark.parametrize(
    ("start", "end"),
    [(START, NOON), (START + timedelta(minutes=7, seconds=13, microseconds=5), NOON - timedelta(seconds=1))],
    ids=["whole hours", "ragged"],
)
def test_summary_equals_sql(
    client: FlaskClient,
    connection: Connection,
    shop: str,
    filters: dict[str, str],
    where: str,
    start: datetime,
    end: datetime,
) -> None:
    rows = rows_of(connection, f"service = %s and ts >= %s and ts < %s and {where}", shop, start, end)
    assert rows
    found = get(client, "summary", span(start, end, service=shop) | filters)
    latencies = [row[3] for row in rows if row[3] is not None]
    client_errors = sum(400 <= row[2] < 500 for row in rows)
    server_errors = sum(row[2] >= 500 for row in rows)
    latency, query = found.pop("latency_ms"), found.pop("query")
    assert query["statements"] >= 1
    assert query["rows_read"] >= 1
    assert query["not_kept"] == []
    assert found == {
        "start": start.isoformat().replace("+00:00", "Z"),
        "end": end.isoformat().replace("+00:00", "Z"),
        "complete_through": "2022-06-01T12:00:00Z",
        "total": len(rows),
        "errors": client_errors + server_errors,
        "client_errors": client_errors,
        "server_errors": server_errors,
        "error_rate": (client_errors + server_errors) / len(rows),
        "bytes": sum(row[4] or 0 for row in rows),
    }
    assert latency["mean"] == pytest.approx(sum(round(each * 1000) for each in latencies) / len(latencies) / 1000)
    assert latency["max"] == max(latencies)
    for share in (50, 90, 95, 99):
        assert latency[f"p{share}"] == pytest.approx(percentile(rows, share), rel=latency["error_bound"])
    assert 0 < latency["error_bound"] < 0.03


def test_summary_without_a_service_counts_all_services(client: FlaskClient, connection: Connection, shop: str) -> None:
    rows = rows_of(connection, "ts >= %s and ts < %s", START, NOON)
    assert get(client, "summary", span())["total"] == len(rows)


def test_summary_of_requests_without_a_latency_says_null_and_not_zero(client: FlaskClient, shop: str) -> None:
    found = get(client, "summary", span(service=shop, route="/health"))
    assert found["total"] > 0
    latency = found["latency_ms"]
    assert {name: latency[name] for name in ("mean", "p50", "p90", "p95", "p99", "max")} == dict.fromkeys(
        ("mean", "p50", "p90", "p95", "p99", "max")
    )


def test_summary_of_nothing_has_zeros_and_no_rate(client: FlaskClient) -> None:
    found = get(client, "summary", span(service="nobody"))
    assert (found["total"], found["errors"], found["bytes"], found["error_rate"]) == (0, 0, 0, None)


def test_summary_without_a_range_is_the_last_hour_of_complete_data(client: FlaskClient) -> None:
    found = get(client, "summary", {})
    assert (found["start"], found["end"]) == ("2022-06-01T11:00:00Z", "2022-06-01T12:00:00Z")
    found = get(client, "summary", {"last": "5m"})
    assert (found["start"], found["end"]) == ("2022-06-01T11:55:00Z", "2022-06-01T12:00:00Z")


def test_summary_takes_a_range_in_any_offset(client: FlaskClient, shop: str) -> None:
    utc = get(client, "summary", span(service=shop))
    seoul = {"start": "2022-06-01T19:00:00+09:00", "end": "2022-06-01T21:00:00+09:00", "service": shop}
    for answer in (found := get(client, "summary", seoul), utc):
        answer["query"].pop("ms")
    assert found == utc


# ---- traffic ----


@pytest.mark.parametrize("interval", [1, 5, 7, 30, 60, 1440])
def test_traffic_buckets_equal_sql_and_end_with_null(
    client: FlaskClient, connection: Connection, shop: str, interval: int
) -> None:
    found = get(client, "traffic", span(end=END, service=shop, interval=interval))
    assert found["interval_minutes"] == interval
    assert found["complete_through"] == "2022-06-01T12:00:00Z"
    starts = [datetime.fromisoformat(bucket["start"]) for bucket in found["buckets"]]
    width = timedelta(minutes=interval)
    assert starts[0] <= START < starts[0] + width
    assert starts == [starts[0] + i * width for i in range(len(starts))]
    assert starts[-1] < END <= starts[-1] + width
    for start, bucket in zip(starts, found["buckets"], strict=True):
        rows = rows_of(
            connection, "service = %s and ts >= %s and ts < %s", shop, max(start, START), min(start + width, END)
        )
        if start + width > NOON:
            assert {bucket[name] for name in ("total", "errors", "mean_ms", "p95_ms")} == {None}
            continue
        assert bucket["total"] == len(rows)
        assert bucket["errors"] == sum(row[2] >= 400 for row in rows)
        assert sum(bucket["classes"].values()) == len(rows)
        latencies = [row[3] for row in rows if row[3] is not None]
        assert bucket["mean_ms"] == (pytest.approx(np.mean(latencies), abs=0.001) if latencies else None)
        if latencies:
            assert bucket["p95_ms"] == pytest.approx(percentile(rows, 95), rel=0.025)


def test_traffic_sums_to_the_summary(client: FlaskClient, shop: str) -> None:
    for filters in ({}, {"status": "5xx"}, {"client_ip": "10.0.0.1"}, {"route": "/cart", "method": "POST"}):
        total = get(client, "summary", span(service=shop) | filters)["total"]
        buckets = get(client, "traffic", span(service=shop, interval=10) | filters)["buckets"]
        assert sum(bucket["total"] for bucket in buckets) == total


def test_traffic_of_a_known_time_without_requests_is_zero(client: FlaskClient, shop: str) -> None:
    minute = span(START + timedelta(minutes=1), START + timedelta(minutes=2), service=shop, method="DELETE")
    found = get(client, "traffic", minute)
    assert [(bucket["total"], bucket["mean_ms"]) for bucket in found["buckets"]] == [(0, None)]
    assert found["interval_minutes"] == 1


def test_traffic_of_a_service_that_never_sent_is_null(client: FlaskClient) -> None:
    found = get(client, "traffic", span(service="nobody", interval=60))
    assert [bucket["total"] for bucket in found["buckets"]] == [None, None]


def test_traffic_before_the_first_stored_request_is_null(client: FlaskClient, shop: str) -> None:
    early = datetime(1985, 1, 1, tzinfo=UTC)
    found = get(client, "traffic", span(early, early + timedelta(minutes=3), service=shop))
    assert [(bucket["total"], bucket["errors"]) for bucket in found["buckets"]] == [(None, None)] * 3


def test_traffic_counts_day_buckets_from_local_midnight(engine: sa.Engine, shop: str) -> None:
    parameters = span(NOON - timedelta(days=2), NOON, service=shop, interval=1440)
    for zone, hour in (("Asia/Seoul", "15:00"), ("America/New_York", "04:00"), ("Asia/Kolkata", "18:30")):
        starts = [bucket["start"] for bucket in get(client_of(engine, zone), "traffic", parameters)["buckets"]]
        assert {start[11:16] for start in starts} == {hour}


# ---- usage ----


@pytest.mark.parametrize("by", ["route", "path"])
@pytest.mark.parametrize("filters", [{}, {"status": "4xx"}, {"client_ip": "10.0.0.1"}], ids=["all", "errors", "client"])
def test_usage_equals_sql(
    client: FlaskClient, connection: Connection, shop: str, by: str, filters: dict[str, str]
) -> None:
    where = {"status": "and status between 400 and 499", "client_ip": "and client_ip = '10.0.0.1'"}
    rows = connection.execute(
        f"select method, {by}, status, latency_ms from access_log where service = %s and ts < %s "
        f"{' '.join(where[name] for name in filters)}".encode(),
        (shop, NOON),
    ).fetchall()
    found = get(client, "usage", span(service=shop, by=by) | filters)
    endpoints = found["endpoints"]
    assert found["total"] == len(rows)
    assert found["truncated"] is False
    assert {(e["method"], e[by]): e["count"] for e in endpoints} == Counter((row[0], row[1]) for row in rows)
    assert sum(e["share"] for e in endpoints) == pytest.approx(1)
    assert [e["count"] for e in endpoints] == sorted((e["count"] for e in endpoints), reverse=True)
    for endpoint in endpoints:
        own: list[Any] = [row for row in rows if (row[0], row[1]) == (endpoint["method"], endpoint[by])]
        assert endpoint["share"] == pytest.approx(len(own) / len(rows))
        assert endpoint["error_rate"] == pytest.approx(sum(row[2] >= 400 for row in own) / len(own))
        latencies = [row[3] for row in own if row[3] is not None]
        names = ("mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms")
        if not latencies:
            assert [endpoint[name] for name in names] == [None] * 6
            continue
        assert endpoint["mean_ms"] == pytest.approx(np.mean(latencies), abs=0.001)
        assert endpoint["max_ms"] == max(latencies)
        for share in (50, 90, 95, 99):
            assert endpoint[f"p{share}_ms"] == pytest.approx(np.percentile(latencies, share), rel=0.025)


def test_usage_limit_cuts_the_list_and_says_so(client: FlaskClient, shop: str) -> None:
    everything = get(client, "usage", span(service=shop))
    found = get(client, "usage", span(service=shop, limit=2))
    assert found["endpoints"] == everything["endpoints"][:2]
    assert found["total"] == everything["total"]
    assert found["truncated"] is True


def test_usage_of_nothing_is_empty(client: FlaskClient) -> None:
    nothing = {"total": 0, "truncated": False, "routes": {"kept": 0, "capped": False}, "endpoints": []}
    found = get(client, "usage", span(service="nobody"))
    assert {name: found[name] for name in nothing} == nothing


# ---- errors ----


def test_errors_equal_sql(client: FlaskClient, connection: Connection, shop: str) -> None:
    rows = rows_of(connection, "service = %s and ts < %s", shop, NOON)
    found = get(client, "errors", span(service=shop, interval=30))
    assert found["total"] == len(rows)
    classes = Counter(f"{min(row[2] // 100, 5)}xx" for row in rows)
    assert found["classes"] == {name: classes[name] for name in ("2xx", "3xx", "4xx", "5xx")}
    assert {each["status"]: each["count"] for each in found["statuses"]} == Counter(row[2] for row in rows)
    assert sum(each["share"] for each in found["statuses"]) == pytest.approx(1)
    counts = [each["count"] for each in found["statuses"]]
    assert counts == sorted(counts, reverse=True)
    failing = Counter((row[0], row[1]) for row in rows if row[2] >= 400)
    assert {(e["method"], e["route"]): e["errors"] for e in found["by_endpoint"]} == failing
    for endpoint in found["by_endpoint"]:
        assert endpoint["errors"] == endpoint["client_errors"] + endpoint["server_errors"]
        assert endpoint["error_rate"] == pytest.approx(endpoint["errors"] / endpoint["count"])
    assert [bucket["errors"] for bucket in found["by_bucket"]] == [
        bucket["client_errors"] + bucket["server_errors"] for bucket in found["by_bucket"]
    ]
    assert sum(bucket["errors"] for bucket in found["by_bucket"]) == sum(failing.values())


def test_errors_buckets_that_cannot_be_known_are_null(client: FlaskClient, shop: str) -> None:
    buckets = get(client, "errors", span(NOON - timedelta(minutes=10), END, service=shop, interval=10))["by_bucket"]
    names = ("total", "errors", "client_errors", "server_errors")
    assert [[bucket[name] is None for name in names] for bucket in buckets] == [[False] * 4] + [[True] * 4] * 3


def test_errors_of_nothing_are_zero(client: FlaskClient) -> None:
    found = get(client, "errors", span(service="nobody"))
    assert found["total"] == 0
    assert found["classes"] == {"2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0}
    assert found["statuses"] == found["by_endpoint"] == []


# ---- recent logs ----


def test_recent_logs_follow_a_cursor(client: FlaskClient, writer: LogWriter, shop: str) -> None:
    first = get(client, "recent-logs", {"service": shop})
    assert len(first["logs"]) == 50
    assert {
        "ts",
        "received_at",
        "service",
        "method",
        "path",
        "route",
        "status",
        "latency_ms",
        "bytes",
        "client_ip",
    } <= (first["logs"][0].keys())
    assert first["logs"][0]["user_agent"] == "Mozilla/5.0 한글"
    assert isinstance(first["logs"][0]["attributes"]["trace"], int)
    stamps = [log["ts"] for log in first["logs"]]
    assert stamps == sorted(stamps, reverse=True)
    assert all(datetime.fromisoformat(stamp).tzinfo for stamp in stamps)
    row = LogRow(micros(NOON), "recent", "GET", "/new", "/new", 404, *[None] * 7)
    writer.store(Batch("test", "recent", [row] * 3, []))
    second = get(client, "recent-logs", {"after": first["cursor"], "limit": 2})
    assert [log["path"] for log in second["logs"]] == ["/new", "/new"]
    assert second["skipped"] == 1
    assert second["logs"][0]["latency_ms"] is None
    assert get(client, "recent-logs", {"after": second["cursor"]})["logs"] == []
    assert get(client, "recent-logs", {"after": first["cursor"], "status": "5xx"})["logs"] == []


# ---- wrong parameters, and faults ----

ENDPOINTS = ("summary", "traffic", "usage", "errors")
BAD_ANYWHERE: list[dict[str, str]] = [
    {"start": "2022-06-01T10:00:00Z"},
    {"end": "2022-06-01T10:00:00Z"},
    {"start": "2022-06-01T10:00:00", "end": "2022-06-01T11:00:00"},
    {"start": "2022-06-01T11:00:00Z", "end": "2022-06-01T10:00:00Z"},
    {"start": "yesterday", "end": "today"},
    {"start": "0001-01-01T00:00:00Z", "end": "2022-06-01T10:00:00Z"},
    {"start": "2022-06-01T10:00:00Z", "end": "9999-12-31T23:59:59Z"},
    {"start": "0001-01-01T00:00:00+14:00", "end": "9999-12-31T23:59:59-12:00"},
    {"last": "2m"},
    {"status": "abc"},
    {"status": "4xy"},
    {"client_ip": "nowhere"},
    {"client_ip": "fe80::1%eth0"},
    {"service": "a\x00b"},
]
BAD: list[Any] = [
    *((name, parameters) for name in ENDPOINTS for parameters in BAD_ANYWHERE),
    ("traffic", {"interval": "0"}),
    ("traffic", {"interval": "-5"}),
    ("traffic", {"interval": "five"}),
    ("traffic", {"interval": "999999999"}),
    ("traffic", span(NOON - timedelta(days=3650)) | {"interval": "1"}),
    ("errors", {"interval": "1.5"}),
    ("usage", {"limit": "0"}),
    ("usage", {"limit": "10001"}),
    ("usage", {"by": "client"}),
    ("recent-logs", {"limit": "1001"}),
    ("recent-logs", {"after": "abc"}),
    ("recent-logs", {"after": "5:3:"}),
    ("recent-logs", {"after": "99999999999999999999:99999999999999999999:"}),
    ("recent-logs", {"status": "abc"}),
]


@pytest.mark.parametrize(("path", "parameters"), BAD, ids=str)
def test_bad_parameter_is_refused_in_one_sentence(client: FlaskClient, path: str, parameters: dict[str, str]) -> None:
    answer = client.get(f"/api/stats/{path}", query_string=parameters)
    assert answer.status_code == 400
    assert answer.content_type == "application/json"
    error = answer.get_json()["error"]
    assert set(answer.get_json()) == {"error"}
    assert error["code"] == "bad_parameter"
    assert 5 < len(error["message"]) < 300
    assert "\n" not in error["message"]


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    "parameters",
    [
        {"start": "1971-01-01T00:00:00Z", "end": "2199-12-31T23:59:59Z"},
        {"service": "a' or true --", "route": "/{id}%_\\", "method": "'"},
        {"service": "이름 😀"},
        {"status": "", "client_ip": "", "interval": "", "limit": ""},
    ],
    ids=["all time", "quotes", "emoji", "empty"],
)
def test_odd_parameter_is_answered(client: FlaskClient, path: str, parameters: dict[str, str]) -> None:
    get(client, path, parameters)


@pytest.fixture
def away_client(closed_port_dsn: str) -> Iterator[FlaskClient]:
    engine = reading_engine(closed_port_dsn)
    yield client_of(engine)
    engine.dispose()


@pytest.mark.parametrize("path", [*ENDPOINTS, "recent-logs"])
def test_read_api_says_that_the_database_is_away(away_client: FlaskClient, path: str) -> None:
    answer = away_client.get(f"/api/stats/{path}")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.get_json()["error"]["code"] == "database_unavailable"
    assert "Traceback" not in answer.get_data(as_text=True)
    assert "select" not in answer.get_data(as_text=True).lower()


def test_read_api_keeps_an_unforeseen_fault_to_the_log(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError("secret words of ours")

    monkeypatch.setattr("dashapp.api.figures.summary", broken)
    with caplog.at_level(logging.ERROR):
        answer = client_of(engine).get("/api/stats/summary")
    assert answer.status_code == 500
    assert "secret" not in answer.get_data(as_text=True)
    assert answer.get_json()["error"]["message"].split()[-1] in caplog.text
    assert "secret words of ours" in caplog.text


def test_reading_engine_cannot_write(engine: sa.Engine) -> None:
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="read-only transaction"):
        connection.execute(sa.text("delete from quarantine"))
