"""A posted record reaches the pages; the other commands share the running database."""

from __future__ import annotations

import json
import time
import urllib.request
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError

import pytest
from selenium.webdriver.support.ui import WebDriverWait

from sql.connection import connect
from tests.e2e.conftest import Stack


def record(path: str, service: str) -> bytes:
    return json.dumps(
        {"timestamp": datetime.now(UTC).isoformat(), "service": service, "method": "GET", "path": path, "status": 200}
    ).encode()


@pytest.mark.browser
def test_posted_record_appears_on_realtime_logs_within_three_seconds(stack: Stack, dash_br: Any, service: str) -> None:
    dash_br.server_url = f"{stack.url}/realtime"
    dash_br.wait_for_element("#realtime-rows")
    path = f"/seen/{service}"
    assert stack.post(record(path, service))[0] == 200
    WebDriverWait(dash_br.driver, 3, poll_frequency=0.1).until(
        lambda _: path in dash_br.find_element("#realtime-rows").text
    )
    assert dash_br.get_logs() == []


def test_summary_counts_a_record_as_soon_as_it_is_acknowledged(stack: Stack, service: str) -> None:
    stack.post(record("/now", service))
    day = datetime.now(UTC).date().isoformat()
    found = stack.get(f"/api/stats/summary?start={day}T00:00:00Z&end={day}T23:59:59.999999Z&service={service}")
    assert found["total"] == 1


def test_other_commands_use_the_running_database(stack: Stack, service: str) -> None:
    done = stack.run("doctor")
    assert "migrations: up to date" in done.stdout
    log_file = stack.data_dir / "plain.log"
    log_file.write_text("2025-05-01T10:15:30Z GET /api/user/list 200 123ms\n")
    assert stack.run("import", str(log_file), "--service", service).stdout.startswith("received 1 ")
    found = stack.get(f"/api/stats/summary?start=2025-05-01T00:00:00Z&end=2025-05-02T00:00:00Z&service={service}")
    assert (found["total"], found["latency_ms"]["mean"]) == (1, 123)


def test_refresh_jobs_run_by_themselves(stack: Stack, service: str) -> None:
    log_file = stack.data_dir / "old.log"
    log_file.write_text("2025-06-01T10:15:30Z GET /a 200 5ms\n")
    stack.run("import", str(log_file), "--service", service)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        words = stack.run("doctor").stdout
        if "lag: 0 minutes and" in words:
            return
        time.sleep(1)
    pytest.fail(words)


def test_errors_of_the_api_have_one_shape(stack: Stack) -> None:
    with pytest.raises(HTTPError) as refused:
        stack.get("/api/stats/summary?start=yesterday&end=today")
    assert refused.value.code == 400
    assert set(json.load(refused.value)["error"]) == {"code", "message"}


def test_nothing_is_fetched_from_elsewhere(stack: Stack) -> None:
    with urllib.request.urlopen(stack.url, timeout=10) as answer:
        page = answer.read().decode()
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "//cdn" not in page


def test_refresh_policies_have_run_on_a_native_server(stack: Stack, stack_dsn: str | None) -> None:
    if stack_dsn is None:
        pytest.skip("the embedded database has no background workers; a thread runs its jobs")
    statement = (
        "select job_id, total_successes from timescaledb_information.job_stats "
        "join timescaledb_information.jobs using (job_id) "
        "where proc_name = 'policy_refresh_continuous_aggregate'"
    )
    levels = "select count(*) from timescaledb_information.continuous_aggregates"
    deadline = time.monotonic() + 60
    with connect(stack_dsn) as connection:
        ((expected,),) = connection.execute(levels.encode()).fetchall()
        while time.monotonic() < deadline:
            runs = connection.execute(statement.encode()).fetchall()
            if len(runs) == expected and all(int(str(successes or 0)) > 0 for _, successes in runs):
                return
            time.sleep(1)
    pytest.fail(str(runs))
