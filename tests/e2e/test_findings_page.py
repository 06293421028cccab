"""Findings in a browser: each opens to numbers that the API gives too, leads to its requests, and marks the charts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from dashapp import format as fmt
from sql.batch import Batch
from sql.writing import LogWriter
from tests.e2e.axe import violations
from tests.e2e.pages import Served, search_of, served, wait_painted, wait_until
from tests.rows import log_row

pytestmark = pytest.mark.browser

START = datetime(2025, 10, 6, 0, 0, tzinfo=UTC)  # 09:00 in Seoul
MINUTE = timedelta(minutes=1)
RANGE = {"start": "2025-10-06T09:00", "end": "2025-10-06T11:00"}
BURST = range(40, 60)  # minutes


@pytest.fixture
def page(engine: sa.Engine, writer: LogWriter, service: str) -> Iterator[Served]:
    """Four hours, 30 requests a minute; of the last two, twenty minutes of one endpoint fail by half."""
    rows = []
    for i in range(-120 * 30, 120 * 30):
        minute, pays = i // 30, i % 3 == 0
        failed = pays and minute in BURST and i % 2 == 0
        rows.append(
            log_row(
                ts=START + i * MINUTE / 30,
                service=service,
                method="POST" if pays else "GET",
                route="/api/pay" if pays else "/api/cart",
                path="/api/pay" if pays else "/api/cart",
                status=503 if failed or i % 401 == 0 else 200,
                latency_ms=20.0 + i % 40,
            )
        )
    writer.store(Batch("import:test", service, rows, []))
    with served(engine, START + 130 * MINUTE) as page:
        yield page


def show(browser: Any, page: Served, path: str, service: str, **more: str) -> None:
    query = RANGE | {"service": service, "lang": "en"} | more
    browser.server_url = f"{page.url}{path}?{urlencode(query)}"


def shown_search(browser: Any, part: str) -> None:
    wait_until(browser, lambda: part in search_of(browser))


def test_a_finding_opens_to_numbers_of_the_api_and_stays_open_on_refresh(
    page: Served, dash_br: Any, service: str
) -> None:
    show(dash_br, page, "/", service)
    dash_br.wait_for_contains_text("#overview-insight", "The error rate of POST /api/pay", timeout=20)
    dash_br.wait_for_element("#overview-findings .find").click()
    link = dash_br.wait_for_element("#overview-findings .panel .evid a")
    path = link.get_attribute("href").removeprefix(page.url)
    answer = page.get(path)
    assert link.text == fmt.rate(answer["error_rate"])
    assert answer["total"] == 200
    sentence = dash_br.find_element("#overview-findings .said-one").text
    assert link.text in sentence
    (found,) = page.get(f"/api/stats/anomalies?{urlencode(api_range() | {'service': service, 'lang': 'en'})}")[
        "findings"
    ]
    assert found["sentence"].startswith("The error rate of POST /api/pay")
    assert found["observed"] == pytest.approx(answer["error_rate"])
    panel = dash_br.find_element("#overview-findings .panel").text
    assert found["cause"] in panel
    assert found["recommendation"] in panel

    # As the clock of the page does it; a click elsewhere would close it.
    for tick in (7, 8):
        dash_br.driver.execute_script(f"window.dash_clientside.set_props('shell-tick', {{data: {tick}}})")
        time.sleep(1)
        wait_until(dash_br, lambda: dash_br.redux_state_is_loading is False)
        assert dash_br.find_element("#overview-findings .panel").is_displayed()
    assert violations(dash_br.driver) == []
    dash_br.driver.execute_script("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))")
    assert not dash_br.find_element("#overview-findings .panel").is_displayed()
    assert dash_br.get_logs() == []


def test_a_finding_leads_to_its_time_its_requests_and_its_subject(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, "/", service)
    dash_br.wait_for_element("#overview-findings .find", timeout=20).click()
    texts = [link.text for link in dash_br.find_elements("#overview-findings .acts a")]
    assert texts == ["See the requests", "Analyse the endpoint", "Show 09:40 – 10:00", "Show only this"]
    dash_br.find_elements("#overview-findings .acts a")[3].click()
    shown_search(dash_br, "method=POST&route=/api/pay")
    dash_br.wait_for_text_to_equal("#overview-requests", "1,200")
    assert not dash_br.find_elements("#overview-findings details[open]")
    dash_br.driver.back()
    dash_br.wait_for_text_to_equal("#overview-requests", "3,600")
    dash_br.find_element("#overview-findings .find").click()
    dash_br.find_elements("#overview-findings .acts a")[2].click()
    shown_search(dash_br, "start=2025-10-06T09:40&end=2025-10-06T10:00")
    dash_br.wait_for_text_to_equal("#overview-requests", "200")
    assert dash_br.get_logs() == []


def test_its_time_is_marked_on_the_charts(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, "/", service)
    for graph_id in ("overview-traffic-graph", "overview-latency-graph"):
        wait_painted(dash_br, graph_id)
        shapes = dash_br.driver.execute_script(
            f"return document.querySelector('#{graph_id} .js-plotly-plot').layout.shapes"
        )
        tints = [(each["x0"], each["x1"]) for each in shapes if each["type"] == "rect"]
        assert ("2025-10-06T09:40:00", "2025-10-06T10:00:00") in tints
    labels = dash_br.driver.execute_script(
        "return document.querySelector('#overview-traffic-graph .js-plotly-plot').layout.annotations.map(a => a.text)"
    )
    assert "09:40 error burst" in labels
    assert dash_br.get_logs() == []


def test_the_history_chooses_by_state_and_kind_in_the_address(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, "/findings", service)
    dash_br.wait_for_element("#findings-list .find", timeout=20)
    found = page.get(f"/api/stats/anomalies?{urlencode(api_range() | {'service': service})}")["findings"]
    assert len(dash_br.find_elements("#findings-list .find")) == len(found)
    assert f"Findings in this range: {len(found)}" in dash_br.find_element("#findings-said").text
    dash_br.find_element("#findings-list .find").click()
    assert dash_br.find_element("#findings-list .evid a").is_displayed()
    assert violations(dash_br.driver) == []
    dash_br.find_element("#findings-state-open").click()
    shown_search(dash_br, "state=open")
    dash_br.wait_for_text_to_equal("#findings-list .note", "No finding matches what was chosen.")
    dash_br.find_element("#findings-state-all").click()
    wait_until(dash_br, lambda: "state=" not in search_of(dash_br))
    dash_br.wait_for_element("#findings-kind-error_burst").click()
    shown_search(dash_br, "kind=error_burst")
    dash_br.wait_for_element("#findings-list .find")
    dash_br.driver.back()
    wait_until(dash_br, lambda: "kind=" not in search_of(dash_br))
    # A tab forgets what was chosen among findings.
    dash_br.find_element("#shell-tabs a").click()
    dash_br.wait_for_text_to_equal("#overview-requests", "3,600")
    assert dash_br.get_logs() == []


def test_pattern_analysis_and_the_report_tell_the_range_in_words(page: Served, dash_br: Any, service: str) -> None:
    asked = urlencode(api_range() | {"service": service})
    summary, errors = (page.get(f"/api/stats/{name}?{asked}") for name in ("summary", "errors"))
    used = page.get(f"/api/stats/usage?{asked}")["endpoints"]
    slow = page.get(f"/api/stats/bottlenecks?{asked}")["slowest_endpoints"][0]
    texts = {}
    for path, block in (("/patterns", "#patterns-words"), ("/report", "#report-words")):
        show(dash_br, page, path, service)
        dash_br.wait_for_element(f"{block} #analysis-r5", timeout=20)
        texts[path] = [dash_br.find_element(f"{block} #analysis-r{n}").text for n in range(1, 6)]
        assert violations(dash_br.driver) == []
    assert texts["/patterns"] == texts["/report"]
    traffic, endpoints, statuses, bottlenecks, beyond = texts["/patterns"]
    assert f"The range has {summary['total']:,} requests" in traffic
    assert f"The most calls went to {used[0]['method']} {used[0]['route']}: {used[0]['count']:,}" in endpoints
    assert f"There are {summary['errors']:,} errors" in statuses
    worst = errors["by_endpoint"][0]
    assert f"Most errors come from {worst['method']} {worst['route']} ({worst['errors']:,}" in statuses
    assert f"The slowest endpoint is {slow['method']} {slow['route']}: mean {slow['mean_ms']:.0f} ms" in bottlenecks
    assert "The error rate of POST /api/pay" in beyond
    assert "Presumed cause" in beyond
    assert dash_br.get_logs() == []


def api_range() -> dict[str, str]:
    return {"start": START.isoformat(), "end": (START + 120 * MINUTE).isoformat()}
