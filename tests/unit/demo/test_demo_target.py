from __future__ import annotations

import json
import random
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from werkzeug.serving import make_server

from demo.access_log import KEEP_FILES, DatedFile
from demo.endpoints import ENDPOINTS, INDEX
from demo.incidents import QUIET, planted
from demo.model import requests
from demo.target_server import create_app, outcome
from demo.visitors import run_visitors, visit

NOW = datetime(2026, 9, 16, 6, 0, tzinfo=UTC)
APP = "ShopApp/4.2.1 (Android 15; SM-A556S)"


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def target(log_file: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setenv("TRUSTED_PROXIES", "1")
    return create_app(str(log_file), plan=QUIET, patience=0.0)


def lines(log_file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log_file.read_text("utf-8").splitlines()]


def test_a_call_is_one_line_with_the_keys_of_a_plain_application(target: Flask, log_file: Path) -> None:
    answer = target.test_client().get(
        "/api/user/list?page=2",
        headers={"User-Agent": APP, "X-Forwarded-For": "10.128.0.9", "Referer": "https://shop.example/"},
    )
    [entry] = lines(log_file)
    assert list(entry)[:9] == [
        "time",
        "method",
        "path",
        "status",
        "latency_ms",
        "bytes",
        "client_ip",
        "user_agent",
        "service",
    ]
    assert datetime.fromisoformat(str(entry["time"])).tzinfo is not None
    assert entry["method"] == "GET"
    assert entry["path"] == "/api/user/list?page=2"
    assert entry["status"] == answer.status_code
    assert entry["bytes"] == len(answer.data)
    assert entry["client_ip"] == "10.128.0.9"
    assert entry["user_agent"] == APP
    assert entry["service"] == "auth-api"
    assert entry["app_version"] == "4.2.1"
    assert entry["referer"] == "https://shop.example/"


def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(
    log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRUSTED_PROXIES", raising=False)
    create_app(str(log_file), plan=QUIET, patience=0.0).test_client().get(
        "/api/cart", headers={"X-Forwarded-For": "10.128.0.9"}
    )
    assert lines(log_file)[0]["client_ip"] == "127.0.0.1"


def test_every_declared_endpoint_is_served(target: Flask, log_file: Path) -> None:
    client = target.test_client()
    for one in requests(NOW - timedelta(minutes=30), NOW, 3, plan=QUIET):
        client.open(one.path, method=one.method, headers={"User-Agent": one.user_agent})
    entries = lines(log_file)
    assert {entry["service"] for entry in entries} == {"shop-api", "auth-api", "report-api"}
    assert {entry["status"] for entry in entries} >= {200, 201, 304}


def test_an_unknown_path_is_logged_and_a_health_check_is_not(target: Flask, log_file: Path) -> None:
    client = target.test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/.env").status_code == 404
    [entry] = lines(log_file)
    assert (entry["path"], entry["status"], entry["service"]) == ("/.env", 404, "gateway")


def test_outcomes_follow_the_declaration() -> None:
    login, chance = ENDPOINTS[INDEX["login"]], chance_of(4)
    found = [outcome(login, (), None, NOW, chance) for _ in range(4_000)]
    assert sum(status == 401 for status, _ in found) / len(found) == pytest.approx(0.06, abs=0.015)
    assert float(np.median([latency for _, latency in found])) == pytest.approx(96, rel=0.05)


def test_an_incident_strikes_its_version_only() -> None:
    checkout, chance = ENDPOINTS[INDEX["checkout"]], chance_of(4)
    at, plan = NOW - timedelta(minutes=30), planted(NOW)
    struck = [outcome(checkout, plan.incidents, "4.2.1", at, chance) for _ in range(300)]
    spared = [outcome(checkout, plan.incidents, "4.2.0", at, chance) for _ in range(300)]
    assert sum(status in (502, 504) and latency == 3_000 for status, latency in struck) > 250
    assert sum(status >= 500 for status, _ in spared) < 15


def test_a_log_file_a_day_and_old_ones_go(tmp_path: Path) -> None:
    import logging

    now = NOW
    handler = DatedFile(str(tmp_path / "access-%Y%m%d.log"), now=lambda: now)
    (tmp_path / "other-20260101.log").touch()
    for day in range(KEEP_FILES + 3):
        now = NOW + timedelta(days=day)
        handler.emit(logging.LogRecord("a", logging.INFO, "", 0, f"line {day}", None, None))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        *(f"access-{NOW + timedelta(days=day):%Y%m%d}.log" for day in range(3, KEEP_FILES + 3)),
        "other-20260101.log",
    ]
    assert (tmp_path / names[0]).read_text() == "line 3\n"


def test_visitors_call_the_target_and_survive_its_absence(
    target: Flask, log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.visitors.PAUSE_S", 0.02)
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    stop, answered = threading.Event(), list[int]()
    visitors = threading.Thread(
        target=lambda: answered.append(run_visitors(f"http://127.0.0.1:{port}", stop, seed=1, rate=60)),
    )
    visitors.start()  # nobody answers yet
    assert not stop.wait(0.3)
    server = make_server("127.0.0.1", port, target, threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    for _ in range(600):
        if log_file.exists():
            break
        stop.wait(0.05)
    stop.set()
    visitors.join(60)
    server.shutdown()
    serving.join()
    server.server_close()
    assert answered[0] > 0
    assert {str(entry["client_ip"]) for entry in lines(log_file)} != {"127.0.0.1"}


def test_a_visit_sends_what_was_drawn(target: Flask, log_file: Path) -> None:
    server = make_server("127.0.0.1", 0, target, threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    drawn = next(one for one in requests(NOW - timedelta(minutes=5), NOW, 3, plan=QUIET) if one.method == "POST")
    status = visit(f"http://127.0.0.1:{server.server_port}", drawn)
    server.shutdown()
    serving.join()
    server.server_close()
    [entry] = lines(log_file)
    assert entry["status"] == status
    assert [entry[name] for name in ("method", "path", "client_ip", "user_agent")] == [
        drawn.method,
        drawn.path,
        drawn.client_ip,
        drawn.user_agent,
    ]
