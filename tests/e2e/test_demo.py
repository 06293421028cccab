"""`make demo`, as a stranger meets it: charts with a day of traffic, and new requests coming."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Stack

A_DAY = 50_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, stack_dsn: str | None) -> Iterator[Stack]:
    if stack_dsn is not None:
        pytest.skip("the demo runs on the embedded database")
    demo = Stack("demo", [], tmp_path_factory.mktemp("demo"), None)
    demo.start()
    yield demo
    demo.stop()


@pytest.mark.timeout(300)
def test_demo_fills_a_day_and_goes_on(demo: Stack) -> None:
    deadline = time.monotonic() + 120
    total = 0
    while total < A_DAY:
        assert time.monotonic() < deadline, total
        time.sleep(1)
        total = demo.get("/api/stats/summary?last=24h")["total"]
    summary = demo.get("/api/stats/summary?last=24h")
    assert summary["client_errors"] > 0
    assert summary["server_errors"] > 0
    assert summary["latency_ms"]["p50"] < summary["latency_ms"]["p99"]
    first = demo.get("/api/stats/recent-logs?limit=1")["cursor"]
    deadline = time.monotonic() + 20
    while not demo.get(f"/api/stats/recent-logs?after={first}")["logs"]:
        assert time.monotonic() < deadline
        time.sleep(0.5)


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_demo_shows_charts(demo: Stack, dash_br: Any) -> None:
    dash_br.server_url = f"{demo.url}/?last=6h"
    dash_br.wait_for_element("#overview-traffic-graph .bars .point path", timeout=120)
    total = dash_br.wait_for_element("#overview-requests").text
    assert int(total.replace(",", "")) > 1000
    for page in ("patterns", "endpoints", "realtime", "ai"):
        dash_br.server_url = f"{demo.url}/{page}"
        dash_br.wait_for_element("main", timeout=20)
    assert dash_br.get_logs() == []
