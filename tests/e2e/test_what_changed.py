"""What changed in a browser: a part of the time is brushed, its card says what the API says, and a click filters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from dashapp import format as fmt
from dashapp.stats import changes
from sql.batch import Batch
from sql.writing import LogWriter
from tests.e2e.axe import violations
from tests.e2e.pages import Served, drag, place_in, search_of, served, wait_painted, wait_until
from tests.rows import log_row

pytestmark = pytest.mark.browser

START = datetime(2025, 10, 13, 0, 0, tzinfo=UTC)  # 09:00 in Seoul
MINUTE = timedelta(minutes=1)
RANGE = {"start": "2025-10-13T09:00", "end": "2025-10-13T11:00"}
ROUTES = tuple(f"/api/{name}" for name in ("cart", "pay", "list", "item", "user", "search", "help", "login"))
BURST = range(60, 80)  # minutes
LATENCY = "overview-latency-graph"
BRUSHED = {"start": "2025-10-13T10:00", "end": "2025-10-13T10:20"}


@pytest.fixture
def page(engine: sa.Engine, writer: LogWriter, service: str) -> Iterator[Served]:
    """Two hours, 80 requests a minute over eight routes; of twenty minutes one route fails by half."""
    rows = []
    for i in range(120 * 80):
        route = ROUTES[i % 8]
        newer = route == "/api/pay" and (i // 8) % 2 == 0
        failed = newer and i // 80 in BURST
        rows.append(
            log_row(
                ts=START + i * MINUTE / 80,
                service=service,
                route=route,
                path=route,
                status=503 if failed else 404 if i % 97 == 0 else 200,
                latency_ms=20.0 + i % 40,
                client_ip=f"10.{i % 7}.{i % 5}.{i % 11}",
                user_agent="ShopApp/4.2.1 (iPhone)" if newer else "ShopApp/4.2.0 (iPhone)",
                attributes=json.dumps({"app_version": "4.2.1" if newer else "4.2.0"}),
            )
        )
    writer.store(Batch("import:test", service, rows, []))
    with served(engine, START + 130 * MINUTE) as page:
        yield page


def show(browser: Any, page: Served, path: str, service: str, **more: str) -> None:
    browser.server_url = f"{page.url}{path}?{urlencode(RANGE | {'service': service, 'lang': 'en'} | more)}"


def ask(page: Served, browser: Any, service: str) -> Any:
    """What the API says of the view in the address."""
    view = dict(part.split("=", 1) for part in search_of(browser).removeprefix("?").split("&"))
    ends = {name: f"{view[name]}+09:00" for name in ("start", "end")}
    return page.get(f"/api/stats/changes?{urlencode(ends | {'service': service})}")


def test_brushing_a_time_tells_what_changed_in_it_and_a_click_filters(
    page: Served, dash_br: Any, service: str
) -> None:  # fmt: skip
    show(dash_br, page, "/", service)
    dash_br.wait_for_text_to_equal("#overview-requests", "9,600", timeout=20)
    wait_painted(dash_br, LATENCY)
    drag(dash_br, LATENCY, place_in(dash_br, LATENCY, 60, 50), place_in(dash_br, LATENCY, 79, 50))
    wait_until(dash_br, lambda: "start=2025-10-13T10:00" in search_of(dash_br))
    dash_br.wait_for_contains_text("#overview-changed .changed-of:nth-child(2)", "/api/pay", timeout=20)
    said = ask(page, dash_br, service)
    failures = dash_br.find_element("#overview-changed .changed-of:nth-child(2)").text
    assert f"{said['sums_before']['failures']:,} → {said['sums_now']['failures']:,}" in failures
    first = said["failures"][0]
    assert fmt.rate(first["share_now"]) in failures
    assert fmt.rate(first["share_before"]) in failures
    pays = [first, *first["same"]]
    assert ("route", "/api/pay") in [(each["field"], each["value"]) for each in pays]
    assert said["requests"] == []
    assert "Nothing differs beyond chance." in dash_br.find_element("#overview-changed .changed-of").text
    assert (
        "10:00 – 10:20, against 10-13 09:40 – 10:00 (previous period)"
        in dash_br.find_element("#overview-changed-unit").text
    )
    assert violations(dash_br.driver) == []

    dash_br.find_element("#overview-changed a[href*='route=']").click()
    wait_until(dash_br, lambda: "route=/api/pay" in search_of(dash_br))
    dash_br.wait_for_text_to_equal("#overview-requests", "200")
    dash_br.driver.back()
    dash_br.wait_for_text_to_equal("#overview-requests", "1,600")
    assert dash_br.get_logs() == []


def test_a_quick_range_has_no_card_and_a_comparison_brings_it(page: Served, dash_br: Any, service: str) -> None:
    query = {"last": "30m", "service": service, "lang": "en", "refresh": "off"}
    dash_br.server_url = f"{page.url}/?{urlencode(query)}"
    dash_br.wait_for_element("#overview-requests", timeout=20)
    assert not dash_br.find_element("#overview-changed-card").is_displayed()
    dash_br.server_url = f"{page.url}/?{urlencode(query | {'vs': 'prev'})}"
    wait_until(dash_br, lambda: dash_br.find_element("#overview-changed-card").is_displayed())
    assert dash_br.get_logs() == []


def test_an_endpoint_in_depth_has_the_card_too(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, "/endpoints", service, method="GET", route="/api/pay", **BRUSHED)
    dash_br.wait_for_contains_text("#endpoints-changed", "3 → 101", timeout=20)
    assert "status 503" in dash_br.find_element("#endpoints-changed").text.replace("\n", " ")
    for value in ("status=503", "attribute=app_version:4.2.1", "agent=ShopApp"):
        dash_br.find_element(f"#endpoints-changed a[href*='{value}']").click()
        wait_until(dash_br, lambda value=value: value in search_of(dash_br))
        dash_br.wait_for_text_to_equal("#endpoints-requests", "100")
        dash_br.driver.back()
        dash_br.wait_for_contains_text("#endpoints-changed", "3 → 101", timeout=20)
    assert dash_br.get_logs() == []


def test_a_card_that_fails_says_so_in_its_own_frame(
    page: Served, dash_br: Any, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ArithmeticError("planted")

    monkeypatch.setattr(changes, "what_changed", fail)
    show(dash_br, page, "/", service, **BRUSHED)
    dash_br.wait_for_contains_text("#overview-changed-failed", "What changed? could not be loaded.", timeout=20)
    dash_br.wait_for_text_to_equal("#overview-requests", "1,600")
    assert dash_br.get_logs() == []
