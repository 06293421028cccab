"""What the dashboard says of itself, and the number that each request has."""

from __future__ import annotations

import json
import logging
import re

import sqlalchemy as sa
from flask import Flask

from accessboard.logs import JsonFormatter
from dashapp.app import create_app
from dashapp.settings import DashboardSettings


def served(engine: sa.Engine) -> Flask:
    server: Flask = create_app(DashboardSettings(_env_file=None), engine).server  # type: ignore[call-arg]
    return server


def figures(text: str) -> dict[str, float]:
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def test_requests_are_counted_by_route_and_not_by_address(engine: sa.Engine) -> None:
    client = served(engine).test_client()
    for path in ("/api/stats/summary?last=5m", "/api/stats/summary?last=15m", "/api/logs?limit=0", "/nowhere/at/all"):
        client.get(path)
    for made_up in ("PROPFIND", "XYZZY1", "XYZZY2"):
        client.open("/healthz", method=made_up)
    found = figures(client.get("/metrics").text)
    assert [name for name in found if "XYZZY" in name] == []
    named = 'accessboard_dashboard_requests_total{{method="GET",route="{}",status="{}"}}'
    assert found[named.format("/api/stats/summary", 200)] == 2
    assert found[named.format("/api/logs", 400)] == 1
    assert found[named.format("/<path:path>", 404)] == 1
    assert found['accessboard_dashboard_request_seconds_count{route="/api/stats/summary"}'] == 2
    assert found["accessboard_database_up"] == 1
    assert found["accessboard_complete_through_seconds"] > 1e9
    assert 'accessboard_findings_open{severity="high"}' in found


def test_a_database_that_is_away_is_a_figure_too() -> None:
    nowhere = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    answer = served(nowhere).test_client().get("/metrics")
    assert answer.status_code == 200
    assert figures(answer.text)["accessboard_database_up"] == 0


def test_a_request_has_the_number_that_the_proxy_gave_it_or_its_own(engine: sa.Engine) -> None:
    client = served(engine).test_client()
    assert (
        client.get("/healthz", headers={"X-Request-Id": "proxy-12345678"}).headers["X-Request-Id"] == "proxy-12345678"
    )
    for odd in ("", "short", "x" * 65, "with blank 1234"):
        own = client.get("/healthz", headers={"X-Request-Id": odd}).headers["X-Request-Id"]
        assert re.fullmatch(r"[0-9a-f]{8}", own)


def test_a_line_of_the_log_names_its_request(engine: sa.Engine) -> None:
    record = logging.LogRecord("a.b", logging.ERROR, __file__, 1, "it failed: %s", ("한글",), None)
    assert json.loads(JsonFormatter().format(record)).keys() == {"time", "level", "logger", "message"}
    with served(engine).test_request_context("/api/logs", headers={"X-Request-Id": "abcdefgh"}):
        line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["request_id"], line["path"]) == ("it failed: 한글", "abcdefgh", "/api/logs")
