"""Endpoint Analysis in a browser: its numbers equal the API's, and everything on it leads on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
import sqlalchemy as sa
from selenium.webdriver.common.keys import Keys

from dashapp import format as fmt
from dashapp.comparison import change
from dashapp.stats import endpoint_page
from sql.batch import Batch
from sql.writing import LogWriter
from tests.e2e.pages import Served, click_at, drag, place_in, search_of, served, wait_painted, wait_until
from tests.rows import log_row

pytestmark = pytest.mark.browser

START = datetime(2025, 8, 1, 0, 0, tzinfo=UTC)  # 09:00 in Seoul
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
RANGE = {"start": "2025-08-01T09:00", "end": "2025-08-01T10:00"}
ROUTES = (("GET", "/api/cart", 20.0), ("POST", "/api/order/{id}", 80.0), ("GET", "/<b>=evil", 40.0))
ENDPOINT: dict[str, Any] = {"method": "POST", "route": "/api/order/{id}"}
HEAT, TRAFFIC, LATENCY = "endpoints-heat-graph", "endpoints-traffic-graph", "endpoints-latency-graph"


def row_at(moment: datetime, service: str, i: int, *, calm: bool = False) -> Any:
    method, route, usual = ROUTES[0 if i % 6 < 3 else 1 if i % 6 < 5 else 2]
    struck = not calm and route.startswith("/api/order") and 600 <= i < 800 and i % 3
    status = 504 if struck else 404 if i % 13 == 0 else 200
    return log_row(
        ts=moment,
        service=service,
        method=method,
        route=route,
        path=route.replace("{id}", str(i)),
        status=status,
        latency_ms=3000.0 + i % 7 if struck else usual + i % 30,
        client_ip=f"10.0.0.{i % 8}",
        user_agent="ShopApp/4.2.1 (Android 16)" if struck else f"ShopApp/4.{i % 3} (Android 16)",
        attributes=json.dumps({"upstream": "pg-2" if struck else f"pg-{i % 2}"}),
    )


@pytest.fixture
def page(engine: sa.Engine, writer: LogWriter, service: str) -> Iterator[Served]:
    """An hour of requests, 20 a minute, and a calm one the day before."""
    rows = [row_at(START + i * MINUTE / 20, service, i) for i in range(1200)]
    rows += [row_at(START - DAY + i * MINUTE / 16, service, i, calm=True) for i in range(960)]
    writer.store(Batch("test", service, rows, []))
    with served(engine, START + 63 * MINUTE) as page:
        yield page


def show(browser: Any, page: Served, service: str, **parameters: str) -> None:
    browser.server_url = f"{page.url}/endpoints?{urlencode(RANGE | {'service': service} | parameters)}"
    if "route" in parameters:
        wait_painted(browser, TRAFFIC)
    else:
        # It is there before it is shown: its columns have to find their places.
        total = browser.wait_for_element("#endpoints-grid .ag-floating-bottom [col-id='count']", timeout=20)
        wait_until(browser, total.is_displayed)


def ask(page: Served, what: str, service: str, *, day: datetime = START, **more: str) -> Any:
    ends = {"start": day.isoformat(), "end": (day + 60 * MINUTE).isoformat(), "service": service}
    return page.get(f"/api/stats/{what}?{urlencode(ends | more)}")


def column(browser: Any, name: str) -> list[str]:
    """The texts of a column, from the first row on."""
    script = """
        var name = arguments[0];
        function place(row) { return Number(row.getAttribute("row-index")); }
        return Array.from(document.querySelectorAll("#endpoints-grid .ag-center-cols-container .ag-row"))
          .sort(function (a, b) { return place(a) - place(b); })
          .map(function (row) {
            var cell = row.querySelector("[col-id='" + name + "']");
            return cell ? cell.textContent : null;
          });
        """
    return list(browser.driver.execute_script(script, name))


def test_the_table_says_what_the_api_says_and_its_sums_are_the_summary(
    page: Served, dash_br: Any, service: str
) -> None:
    show(dash_br, page, service, vs="day", lang="en")
    usage = ask(page, "usage", service)["endpoints"]
    wait_until(dash_br, lambda: len(column(dash_br, "route")) == len(usage) == 3)
    assert column(dash_br, "route") == [each["method"] + each["route"] for each in usage]
    assert column(dash_br, "count") == [fmt.count(each["count"]) for each in usage]
    assert column(dash_br, "share") == [fmt.rate(each["share"]) for each in usage]
    assert column(dash_br, "error_rate") == [fmt.rate(each["error_rate"]) for each in usage]
    for name in ("mean", "p50", "p90", "p95", "p99"):
        assert column(dash_br, name) == [fmt.ms_number(each[f"{name}_ms"]) for each in usage]
    before = {(e["method"], e["route"]): e for e in ask(page, "usage", service, day=START - DAY)["endpoints"]}
    changes = [change(e["p95_ms"], before[e["method"], e["route"]]["p95_ms"], good="down") for e in usage]
    assert column(dash_br, "change") == [each.text for each in changes if each]
    total = ask(page, "summary", service)
    sums = {
        name: dash_br.find_element(f"#endpoints-grid .ag-floating-bottom [col-id='{name}']").text
        for name in ("count", "error_rate", "p95")
    }
    assert sums == {
        "count": fmt.count(total["total"]),
        "error_rate": fmt.rate(total["error_rate"]),
        "p95": fmt.ms_number(total["latency_ms"]["p95"]),
    }
    assert len(dash_br.find_elements("#endpoints-grid .trend path")) == 3
    assert dash_br.get_logs() == []


def test_sorting_searching_and_the_csv_of_what_is_left(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service, lang="en")
    wait_until(dash_br, lambda: len(column(dash_br, "route")) == 3)
    dash_br.find_element("#endpoints-grid .ag-header-cell[col-id='p50']").click()
    slowest = sorted(ask(page, "usage", service)["endpoints"], key=lambda each: -each["p50_ms"])
    wait_until(dash_br, lambda: column(dash_br, "p50") == [fmt.ms_number(each["p50_ms"]) for each in slowest])
    dash_br.find_element("#endpoints-search").send_keys("get /")
    wait_until(dash_br, lambda: len(column(dash_br, "route")) == 2)
    csv = dash_br.driver.execute_script(
        "var c = window.dash_clientside.accessboard; return c.csvOf(c.gridRows(document.querySelector('.ag-theme-ab')))"
    ).split("\r\n")
    assert csv[0] == "Method,Endpoint,Calls,Share,Error rate,Mean,p50,p90,p95,p99"
    kept = [each for each in slowest if each["method"] == "GET"]
    assert [line.split(",")[:3] for line in csv[1:]] == [["GET", e["route"], str(e["count"])] for e in kept]
    assert [float(line.split(",")[4]) for line in csv[1:]] == [e["error_rate"] for e in kept]
    assert dash_br.get_logs() == []


def test_a_row_opens_its_endpoint_and_back_closes_it(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service, vs="day", lang="en")
    wait_until(dash_br, lambda: len(column(dash_br, "route")) == 3)
    dash_br.find_element("#endpoints-grid [row-id='POST /api/order/{id}'] [col-id='p99']").click()
    wait_until(dash_br, lambda: "route=/api/order/{id}" in search_of(dash_br))
    assert "method=POST" in search_of(dash_br)
    dash_br.wait_for_text_to_equal("#endpoints-name", "POST /api/order/{id}")
    detail = ask(page, "endpoint-detail", service, **ENDPOINT)
    shown = {
        "requests": fmt.count(detail["total"]),
        "error-rate": fmt.rate(detail["error_rate"]),
        **{name: fmt.duration(detail["latency_ms"][name]) for name in ("mean", "p50", "p90", "p95", "p99", "max")},
    }
    for name, text in shown.items():
        dash_br.wait_for_text_to_equal(f"#endpoints-{name}", text)
    times = dash_br.find_elements("#endpoints-slow tbody tr")
    latencies = [each.find_element("css selector", "td.n:nth-child(3)").text for each in times]
    assert latencies == [fmt.ms_number(each["latency_ms"]) for each in detail["slowest_requests"]]
    clients = [each.text.split("\n") for each in dash_br.find_elements("#endpoints-clients .client-row")]
    assert [each[:2] for each in clients] == [
        [each["client_ip"], fmt.count(each["count"])] for each in detail["top_clients"]["clients"][:8]
    ]
    common = ask(page, "endpoint-common", service, **ENDPOINT)["values"]
    wait_until(dash_br, lambda: len(dash_br.find_elements("#endpoints-common li")) == len(common) > 2)
    rows = dash_br.find_elements("#endpoints-common li")
    for row, each in zip(rows, common, strict=True):
        assert fmt.rate(each["share_inside"]) in row.text
        assert fmt.rate(each["share_outside"]) in row.text
    assert {"upstream", "program"} <= {row.find_element("css selector", ".lab").text for row in rows}
    assert not dash_br.find_element("#endpoints-body").is_displayed()
    dash_br.driver.back()
    wait_until(dash_br, lambda: dash_br.find_element("#endpoints-body").is_displayed())
    assert not dash_br.find_element("#endpoints-depth").is_displayed()
    assert dash_br.get_logs() == []


def test_enter_opens_a_row_and_the_link_leads_back_to_all(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service)
    wait_until(dash_br, lambda: len(column(dash_br, "route")) == 3)
    cell = dash_br.find_element("#endpoints-grid [row-id='GET /api/cart'] [col-id='count']")
    dash_br.driver.execute_script("arguments[0].focus()", cell)
    cell.send_keys(Keys.ENTER)
    dash_br.wait_for_text_to_equal("#endpoints-name", "GET /api/cart")
    dash_br.find_element("#endpoints-back").click()
    wait_until(dash_br, lambda: "route=" not in search_of(dash_br))
    wait_until(dash_br, lambda: len(column(dash_br, "route")) == 3)
    assert dash_br.get_logs() == []


def test_everything_about_an_endpoint_filters_or_zooms(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service, **ENDPOINT)
    wait_painted(dash_br, LATENCY)
    total = ask(page, "endpoint-detail", service, **ENDPOINT)["total"]
    dash_br.wait_for_text_to_equal("#endpoints-requests", fmt.count(total))
    drag(dash_br, LATENCY, place_in(dash_br, LATENCY, 20, 90), place_in(dash_br, LATENCY, 39, 90))
    wait_until(dash_br, lambda: "start=2025-08-01T09:20" in search_of(dash_br))
    dash_br.driver.back()
    dash_br.wait_for_text_to_equal("#endpoints-requests", fmt.count(total))
    wait_painted(dash_br, HEAT)
    dash_br.driver.execute_script("window.scrollTo(0, 0)")
    click_at(dash_br, HEAT, place_in(dash_br, HEAT, 33, 400))
    wait_until(dash_br, lambda: "latency_min=" in search_of(dash_br))
    assert "start=2025-08-01T09:33" in search_of(dash_br)
    dash_br.driver.back()
    dash_br.wait_for_text_to_equal("#endpoints-requests", fmt.count(total))
    href = dash_br.find_element("#endpoints-slow tbody tr:first-child a").get_attribute("href")
    link = urlparse(href)
    slowest = ask(page, "endpoint-detail", service, **ENDPOINT)["slowest_requests"][0]
    asked = {name: values[0] for name, values in parse_qs(link.query).items()}
    assert link.path == "/logs"
    assert asked["start"] < asked["end"]
    assert float(asked["latency_min"]) <= slowest["latency_ms"]
    dash_br.find_element("#endpoints-among-failed").click()
    wait_until(dash_br, lambda: "among=failed" in search_of(dash_br))
    failed = ask(page, "endpoint-common", service, among="failed", **ENDPOINT)
    wait_until(dash_br, lambda: fmt.count(failed["examined"]) in dash_br.find_element("#endpoints-common .basis").text)
    dash_br.find_element("#endpoints-clients a").click()
    wait_until(dash_br, lambda: "client_ip=10.0.0." in search_of(dash_br))
    assert dash_br.get_logs() == []


def test_a_part_that_fails_says_so_in_its_own_frame(
    page: Served, dash_br: Any, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ArithmeticError("planted")

    monkeypatch.setattr(endpoint_page, "endpoint_common", fail)
    show(dash_br, page, service, lang="en", method="GET", route="/api/cart")
    dash_br.wait_for_element("#endpoints-common-failed .button")
    assert "In common could not be loaded." in dash_br.find_element("#endpoints-common-failed").text
    assert {each.get_attribute("id") for each in dash_br.find_elements(".failed:not(:empty)")} == {
        "endpoints-common-failed",
        "endpoints-slow-failed",
    }
    dash_br.wait_for_element("#endpoints-statuses .status-row")
    monkeypatch.undo()
    dash_br.find_element("#endpoints-common-failed .button").click()
    wait_until(dash_br, lambda: dash_br.find_elements(".failed:not(:empty)") == [])
    assert dash_br.get_logs() == []


def test_an_endpoint_without_requests_says_where_there_are_some(page: Served, dash_br: Any, service: str) -> None:
    dash_br.server_url = (
        f"{page.url}/endpoints?{urlencode(RANGE | {'service': service, 'method': 'GET', 'route': '/nothing'})}"
    )
    dash_br.wait_for_element("#endpoints-empty-go")
    assert not dash_br.find_element("#endpoints-depth").is_displayed()
    assert dash_br.get_logs() == []
