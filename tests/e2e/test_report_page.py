"""The report: the numbers of the API on paper, as a page and as a PDF file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from accessboard.report import find_browser, print_report
from sql.batch import Batch
from sql.writing import LogWriter
from tests.e2e.pages import Served, search_of, served, wait_painted, wait_until
from tests.rows import log_row

pytestmark = pytest.mark.browser

START = datetime(2025, 9, 1, 0, 0, tzinfo=UTC)  # 09:00 in Seoul
RANGE = {"start": "2025-09-01T09:00", "end": "2025-09-01T10:00"}


@pytest.fixture
def page(engine: sa.Engine, writer: LogWriter, service: str) -> Iterator[Served]:
    rows = [
        log_row(
            ts=START + timedelta(seconds=3 * i),
            service=service,
            route=("/api/cart", "/<b>bold</b>")[i % 2],
            status=503 if i % 29 == 0 else 200,
            latency_ms=10.0 + i % 90,
            client_ip=f"203.0.113.{i % 3}",
        )
        for i in range(1200)
    ]
    writer.store(Batch("import:test", service, rows, []))
    with served(engine, START + timedelta(minutes=70)) as page:
        yield page


def asked(service: str) -> str:
    moments = {"start": START.isoformat(), "end": (START + timedelta(hours=1)).isoformat()}
    return urlencode(moments | {"service": service})


def rows_of(browser: Any, table: str) -> list[list[str]]:
    rows = browser.find_elements(f"#{table} tbody tr")
    return [[cell.text for cell in row.find_elements("css selector", "td")] for row in rows]


def test_report_holds_the_numbers_of_the_api_and_nothing_that_is_not_for_paper(
    page: Served, dash_br: Any, service: str
) -> None:
    dash_br.server_url = f"{page.url}/?{urlencode(RANGE | {'service': service, 'lang': 'en'})}"
    dash_br.wait_for_text_to_equal("#overview-requests", "1,200", timeout=20)
    dash_br.find_element("#shell-export > summary").click()
    dash_br.wait_for_element("#shell-export-choices a[href^='/report']").click()
    dash_br.wait_for_element("#report-busiest tbody tr", timeout=20)
    assert f"service={service}" in search_of(dash_br)
    for graph in ("report-traffic-graph", "report-latency-graph"):
        wait_painted(dash_br, graph)
    summary = page.get(f"/api/stats/summary?{asked(service)}")
    assert dash_br.find_element("#overview-requests").text == f"{summary['total']:,}"
    endpoints = page.get(f"/api/stats/usage?{asked(service)}")["endpoints"]
    shown = {row[0].split()[-1]: row[1] for row in rows_of(dash_br, "report-busiest")}
    assert shown == {each["route"]: f"{each['count']:,}" for each in endpoints}
    clients = page.get(f"/api/stats/clients?{asked(service)}")["clients"]
    listed = [row[:2] for row in rows_of(dash_br, "report-clients")]
    assert listed == [[each["client_ip"], f"{each['count']:,}"] for each in clients]
    assert f"service {service}" in dash_br.find_element("#report-head").text
    assert dash_br.find_elements("#report-body b b") == []

    dash_br.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    for gone in (".topbar", ".bar", "#report-print"):
        assert not dash_br.find_element(gone).is_displayed()
    assert dash_br.find_element("#report-head").is_displayed()
    dash_br.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    dash_br.find_element("#report-back").click()
    wait_until(dash_br, lambda: dash_br.find_elements("#overview-traffic-graph"))
    assert dash_br.get_logs() == []


def test_report_of_an_empty_range_says_where_data_is(page: Served, dash_br: Any, service: str) -> None:
    empty = {"start": "2025-09-02T09:00", "end": "2025-09-02T10:00", "service": service, "lang": "en"}
    dash_br.server_url = f"{page.url}/report?{urlencode(empty)}"
    dash_br.wait_for_contains_text("#report-empty", "Stored requests run from", timeout=20)
    assert not dash_br.find_element("#report-body").is_displayed()


def test_report_becomes_a_pdf_file(page: Served, service: str, tmp_path: Path) -> None:
    if find_browser() is None:
        pytest.skip("no browser that prints is installed")
    path = tmp_path / "report.pdf"
    size = print_report(f"{page.url}/report?{urlencode(RANGE | {'service': service})}", path)
    assert size == path.stat().st_size > 20_000  # an empty page takes a tenth
    assert path.read_bytes().count(b"/Type /Page\n") >= 2
