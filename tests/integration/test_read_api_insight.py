"""Bottlenecks, endpoints, clients, patterns and anomalies of the read API equal a plain computation over the rows."""

from __future__ import annotations

import random
import uuid
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from dashapp.api import api_blueprint
from dashapp.settings import DashboardSettings
from dashapp.sharing import Shared
from sql.batch import Batch, LogRow
from sql.writing import LogWriter
from tests.rows import log_row, moment

# Monday noon in Seoul; a year in which no other test has rows.
START = datetime(2017, 5, 1, 3, tzinfo=UTC)
END = START + timedelta(hours=6)
NOW = END + timedelta(minutes=5)
SEOUL = ZoneInfo("Asia/Seoul")
ROUTES = {("GET", "/list"): 10.0, ("GET", "/item/{id}"): 30.0, ("POST", "/pay"): 200.0, ("GET", "/rare"): 9_000.0}


@pytest.fixture(scope="module")
def client(engine: sa.Engine) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(api_blueprint(DashboardSettings(), engine, now=lambda: NOW, shared=Shared(0)))
    return app.test_client()


@pytest.fixture(scope="module")
def rows() -> list[LogRow]:
    name = f"insight-{uuid.uuid4().hex[:12]}"
    draw = random.Random(20170501)
    found = []
    for i in range(4_000):
        method, route = ("GET", "/rare") if i % 500 == 0 else draw.choice(list(ROUTES)[:3])
        ts = START + timedelta(seconds=draw.uniform(0, 6 * 3600))
        slow_client = draw.random() < 0.02
        found.append(
            log_row(
                ts=ts,
                service=name if draw.random() < 0.8 else f"{name}-2",
                method=method,
                route=route,
                path=route.replace("{id}", str(draw.randrange(99))),
                status=draw.choice([200] * 18 + [404, 500]),
                latency_ms=None
                if draw.random() < 0.05
                else ROUTES[method, route] * draw.lognormvariate(0, 0.5) * (50 if slow_client else 1),
                bytes=draw.choice([None, draw.randrange(10_000)]),
                client_ip="10.9.9.9" if slow_client else draw.choice([None, f"10.9.0.{draw.randrange(40)}"]),
            )
        )
    return found


@pytest.fixture(scope="module")
def service(rows: list[LogRow], writer: LogWriter) -> str:
    name = min(row.service for row in rows)
    writer.store(Batch("import:insight.log", name, rows, []))
    return name


def get(client: FlaskClient, path: str, **parameters: Any) -> Any:
    asked = {"start": START.isoformat(), "end": END.isoformat()} | parameters
    answer = client.get(f"/api/stats/{path}", query_string=asked)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def of(rows: list[LogRow], **equal: Any) -> list[LogRow]:
    return [row for row in rows if all(getattr(row, name) == value for name, value in equal.items())]


def latencies(rows: list[LogRow]) -> list[float]:
    return [row.latency_ms for row in rows if row.latency_ms is not None]


# ---- bottlenecks ----


@pytest.mark.parametrize(
    ("parameters", "equal"),
    [({}, {}), ({"status": "500"}, {"status": 500}), ({"client_ip": "10.9.9.9"}, {"client_ip": "10.9.9.9"})],
    ids=["all", "status", "client"],
)
def test_bottlenecks_equal_a_plain_sort(
    client: FlaskClient, rows: list[LogRow], service: str, parameters: dict[str, str], equal: dict[str, Any]
) -> None:
    found = get(client, "bottlenecks", service=service, top_n=3, **parameters)
    mine = of(rows, service=service, **equal)
    slowest = sorted((row for row in mine if row.latency_ms is not None), key=lambda row: -(row.latency_ms or 0))
    assert [(each["latency_ms"], each["path"]) for each in found["slowest_requests"]] == [
        (row.latency_ms, row.path) for row in slowest[:3]
    ]
    groups: dict[tuple[str, str], list[LogRow]] = defaultdict(list)
    for row in mine:
        groups[row.method, row.route].append(row)
    p95 = {key: float(np.percentile(latencies(group), 95)) for key, group in groups.items() if latencies(group)}
    enough = {key: len(latencies(groups[key])) >= 20 for key in p95}
    expected = sorted(p95, key=lambda key: (not enough[key], -p95[key]))[:3]
    assert [(each["method"], each["route"]) for each in found["slowest_endpoints"]] == expected
    everything = sum(latencies(mine))
    for each in found["slowest_endpoints"]:
        key = each["method"], each["route"]
        assert each["count"] == len(groups[key])
        assert each["enough_calls"] is enough[key]
        assert each["p95_ms"] == pytest.approx(p95[key], rel=0.025)
        assert each["time_ms"] == pytest.approx(sum(latencies(groups[key])), abs=len(groups[key]) / 1000)
        assert each["time_share"] == pytest.approx(sum(latencies(groups[key])) / everything, abs=0.001)
    assert found["truncated"] == (len(p95) > 3)
    assert found["examined"] == min(20, len(slowest))


def test_bottlenecks_say_what_the_slowest_requests_share(client: FlaskClient, rows: list[LogRow], service: str) -> None:
    found = get(client, "bottlenecks", service=service)
    mine = of(rows, service=service)
    slowest = sorted(mine, key=lambda row: -(row.latency_ms or 0))[:20]
    fields = {name: name for name in ("service", "method", "route", "status", "client_ip")}
    assert {each["field"] for each in found["common"]} >= {"client_ip", "route"}
    assert ("client_ip", "10.9.9.9") in [(each["field"], each["value"]) for each in found["common"]]
    for each in found["common"]:
        if each["field"] == "hour":
            in_slowest, overall = (
                sum(moment(row.ts).astimezone(SEOUL).hour == each["value"] for row in group)
                for group in (slowest, mine)
            )
        else:
            name = fields[each["field"]]
            in_slowest, overall = (
                sum(getattr(row, name) == each["value"] for row in group) for group in (slowest, mine)
            )
        assert each["count"] == in_slowest > 1
        assert each["share_in_slowest"] == in_slowest / 20
        assert each["share_overall"] == pytest.approx(overall / len(mine))
        assert each["share_in_slowest"] > each["share_overall"]
    excess = [each["share_in_slowest"] - each["share_overall"] for each in found["common"]]
    assert excess == sorted(excess, reverse=True)


def test_bottlenecks_of_nothing_are_empty(client: FlaskClient) -> None:
    found = get(client, "bottlenecks", service="nobody")
    assert found["slowest_endpoints"] == found["slowest_requests"] == found["common"] == []
    assert found["examined"] == 0


# ---- endpoints ----


def test_endpoints_are_listed_by_service_and_searched(client: FlaskClient, rows: list[LogRow], service: str) -> None:
    found = get(client, "endpoints", q="/ITEM", limit=1_000)
    counts = Counter((row.service, row.method, row.route) for row in rows if "/item" in row.route)
    listed = {(e["service"], e["method"], e["route"]): e["count"] for e in found["endpoints"]}
    assert counts.items() <= listed.items()
    found = get(client, "endpoints", service=service)
    counts = Counter((row.service, row.method, row.route) for row in of(rows, service=service))
    assert [((e["service"], e["method"], e["route"]), e["count"]) for e in found["endpoints"]] == counts.most_common()
    assert found["total"] == sum(counts.values())
    assert (found["found"], found["truncated"]) == (4, False)
    cut = get(client, "endpoints", service=service, limit=2)
    assert (len(cut["endpoints"]), cut["found"], cut["truncated"]) == (2, 4, True)
    assert cut["total"] == found["total"]


def test_endpoint_detail_equals_the_rows(client: FlaskClient, rows: list[LogRow], service: str) -> None:
    found = get(client, "endpoint-detail", service=service, method="get", route="/item/{id}", interval=60)
    mine = of(rows, service=service, method="GET", route="/item/{id}")
    assert (found["method"], found["route"], found["total"]) == ("GET", "/item/{id}", len(mine))
    assert found["latency_ms"]["mean"] == pytest.approx(np.mean(latencies(mine)), abs=0.001)
    assert {each["status"]: each["count"] for each in found["statuses"]} == Counter(row.status for row in mine)
    assert sum(bucket["total"] for bucket in found["buckets"]) == len(mine)
    assert len(found["buckets"]) == 6
    assert sum(each["count"] for each in found["distribution"]) == len(latencies(mine))
    for each in found["distribution"]:
        inside = [ms for ms in latencies(mine) if each["from_ms"] <= ms < each["to_ms"]]
        assert abs(len(inside) - each["count"]) <= 1  # a latency on the edge
        assert each["to_ms"] <= each["from_ms"] * 1.0501
    slowest = sorted(latencies(mine), reverse=True)[:10]
    assert [each["latency_ms"] for each in found["slowest_requests"]] == slowest
    counts = Counter(row.client_ip for row in mine)
    clients = found["top_clients"]
    assert (clients["truncated"], clients["since"]) == (False, "2017-05-01T03:00:00Z")
    assert [each["count"] for each in clients["clients"]] == [n for _, n in counts.most_common(10)]
    assert all(each["count"] == counts[each["client_ip"]] for each in clients["clients"])


def test_endpoint_detail_agrees_with_the_summary(client: FlaskClient, service: str) -> None:
    endpoint = {"service": service, "method": "POST", "route": "/pay", "status": "2xx"}
    detail, total = get(client, "endpoint-detail", **endpoint), get(client, "summary", **endpoint)
    names = ("total", "errors", "error_rate", "latency_ms", "bytes", "start", "end")
    assert {name: detail[name] for name in names} == {name: total[name] for name in names}


# ---- clients ----


@pytest.mark.parametrize(
    ("parameters", "equal"),
    [({}, {}), ({"method": "POST"}, {"method": "POST"}), ({"status": "404"}, {"status": 404})],
    ids=["all", "method", "status"],
)
def test_clients_equal_a_plain_count(
    client: FlaskClient, rows: list[LogRow], service: str, parameters: dict[str, str], equal: dict[str, Any]
) -> None:
    found = get(client, "clients", service=service, limit=7, **parameters)
    mine = of(rows, service=service, **equal)
    counts = Counter(row.client_ip for row in mine if row.client_ip)
    assert found["total"] == len(mine)
    assert [each["count"] for each in found["clients"]] == [n for _, n in counts.most_common(7)]
    assert found["truncated"] is True
    for each in found["clients"]:
        calls = of(mine, client_ip=each["client_ip"])
        assert each["count"] == len(calls)
        assert each["share"] == pytest.approx(len(calls) / len(mine))
        assert each["errors"] == sum(row.status >= 400 for row in calls)
        assert each["error_rate"] == pytest.approx(each["errors"] / len(calls))
        assert each["bytes"] == sum(row.bytes or 0 for row in calls)
        assert each["max_ms"] == max(latencies(calls), default=None)


def test_clients_are_all_there_where_the_limit_allows(client: FlaskClient, rows: list[LogRow], service: str) -> None:
    found = get(client, "clients", service=service, limit=1_000)
    assert found["truncated"] is False
    assert len(found["clients"]) == len({row.client_ip for row in of(rows, service=service)} - {None})


# ---- patterns ----


def test_patterns_sum_to_the_total_and_speak(client: FlaskClient, rows: list[LogRow], service: str) -> None:
    found = get(client, "patterns", service=service, lang="en")
    mine = of(rows, service=service)
    assert len(found["hours"]) == 168
    places = Counter((local.weekday(), local.hour) for local in (moment(r.ts).astimezone(SEOUL) for r in mine))
    assert {(h["weekday"], h["hour"]): h["total"] for h in found["hours"] if h["total"] is not None} == places
    assert sum(h["errors"] or 0 for h in found["hours"]) == sum(row.status >= 400 for row in mine)
    assert sum(h["covered_minutes"] for h in found["hours"]) == 360
    (busiest, most), *_ = places.most_common(1)
    assert (found["busiest"]["weekday"], found["busiest"]["hour"], found["busiest"]["total"]) == (*busiest, most)
    assert found["findings"][0].startswith(f"The busiest hour is Mon {busiest[1]:02d}:00")
    assert "errors fall into" in found["findings"][1]
    assert "요청이 가장 많고" in get(client, "patterns", service=service)["findings"][0]


def test_patterns_of_nothing_compare_nothing(client: FlaskClient) -> None:
    found = get(client, "patterns", service="nobody", lang="en")
    assert (found["busiest"], found["quietest"]) == (None, None)
    assert found["findings"] == ["The range is too short to compare hours."]
    assert all(hour["total"] is None for hour in found["hours"])


# ---- anomalies ----


def quiet_rows(service: str, draw: random.Random, hours: int = 12) -> list[LogRow]:
    return [
        log_row(
            ts=START - timedelta(seconds=draw.uniform(0, hours * 3600)),
            service=service,
            method="GET",
            route=draw.choice(["/a", "/b"]),
            status=500 if draw.random() < 0.01 else 200,
            latency_ms=20 * draw.lognormvariate(0, 0.5),
        )
        for _ in range(hours * 600)
    ]


def anomalies(client: FlaskClient, service: str, **parameters: Any) -> Any:
    span = {"start": (START - timedelta(hours=3)).isoformat(), "end": START.isoformat()}
    return get(client, "anomalies", service=service, **span, **parameters)["findings"]


def test_anomalies_of_quiet_data_are_none(client: FlaskClient, writer: LogWriter, service: str) -> None:
    name = f"quiet-{service}"
    writer.store(Batch("import:test.log", name, quiet_rows(name, random.Random(3)), []))
    assert anomalies(client, name) == []
    assert anomalies(client, "nobody") == []


def test_anomalies_name_what_was_planted(client: FlaskClient, writer: LogWriter, service: str) -> None:
    name = f"loud-{service}"
    draw = random.Random(4)
    rows = []
    for row in quiet_rows(name, draw):
        at = (START - moment(row.ts)) / timedelta(minutes=1)
        if row.route == "/a" and 60 <= at < 80:
            row = row._replace(status=503 if draw.random() < 0.5 else 200)
        if row.route == "/b" and at < 180:
            row = row._replace(latency_ms=(row.latency_ms or 0) * 6)
        rows.append(row)
    burst = START - timedelta(minutes=30)
    rows += [log_row(ts=burst + timedelta(seconds=i / 5), service=name, route="/c") for i in range(900)]
    writer.store(Batch("import:test.log", name, rows, []))
    found = {each["kind"]: each for each in anomalies(client, name, lang="en")}
    assert set(found) == {"error_burst", "latency_shift", "traffic_spike"}
    errors = found["error_burst"]
    assert (errors["subject"], errors["unit"], errors["severity"]) == ("GET /a", "share", "high")
    assert errors["start"] <= (START - timedelta(minutes=80)).isoformat().replace("+00:00", "Z")
    assert 0.3 < errors["observed"] < 0.7
    assert errors["expected"] < 0.05
    latency = found["latency_shift"]
    assert (latency["subject"], latency["unit"]) == ("GET /b", "ms")
    assert 4 < latency["observed"] / latency["expected"] < 8
    spike = found["traffic_spike"]
    assert (spike["subject"], spike["unit"]) == ("*", "requests")
    assert (spike["start"], spike["end"]) == ("2017-05-01T02:30:00Z", "2017-05-01T02:33:00Z")
    assert spike["observed"] > 900
    assert all(each["cause"] and each["recommendation"] and each["score"] > 2 for each in found.values())
    korean = {each["kind"]: each["sentence"] for each in anomalies(client, name)}
    assert "오류율" in korean["error_burst"]
