"""Log search and the live console in a browser: rows, counts, drawer, pages and marks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
import sqlalchemy as sa

from sql.batch import Batch
from sql.writing import LogWriter
from tests.e2e.pages import Served, search_of, served, wait_painted, wait_until
from tests.rows import log_row

pytestmark = pytest.mark.browser

START = datetime(2025, 7, 1, 0, 0, tzinfo=UTC)  # 09:00 in Seoul
RANGE = {"start": "2025-07-01T09:00", "end": "2025-07-01T10:00", "lang": "en"}
MOST_A_LOOK = 300
EVIL = "<img src=x onerror=window.evil=1>"


def row_at(i: int, service: str, path: str = "") -> Any:
    status = 503 if i % 29 == 0 else 404 if i % 13 == 0 else 200
    return log_row(
        ts=START + timedelta(seconds=12 * i),
        service=service,
        route="/api/order/{id}",
        path=path or f"/api/order/{i}",
        status=status,
        latency_ms=10.0 + i,
        user_agent=EVIL,
        attributes=json.dumps({"trace": EVIL}),
    )


@pytest.fixture
def page(engine: sa.Engine, writer: LogWriter, service: str) -> Iterator[Served]:
    """250 requests of an hour; the newest has a path that would be markup."""
    rows = [row_at(i, service, f"/{EVIL}" if i == 249 else "") for i in range(250)]
    writer.store(Batch("import:test", service, rows, []))
    with served(engine, START + timedelta(minutes=70)) as page:
        yield page


def shown(browser: Any, column: str) -> list[str]:
    script = "return Array.from(document.querySelectorAll('.log .log-row ' + arguments[0]), e => e.textContent)"
    found: list[str] = browser.driver.execute_script(script, column)
    return found


def open_logs(browser: Any, page: Served, service: str, **more: str) -> None:
    browser.server_url = f"{page.url}/logs?{urlencode(RANGE | {'service': service} | more)}"


def asked(page: Served, service: str, what: str, **more: str) -> Any:
    ends = {"start": START.isoformat(), "end": (START + timedelta(hours=1)).isoformat(), "service": service}
    return page.get(f"/api/{what}?{urlencode(ends | more)}")


def test_rows_pages_and_counts_equal_the_api(page: Served, dash_br: Any, service: str) -> None:
    open_logs(dash_br, page, service)
    wait_until(dash_br, lambda: len(shown(dash_br, ".c-path")) == 100)
    first = asked(page, service, "logs", limit="100")
    assert shown(dash_br, ".c-path") == [row["path"] for row in first["logs"]]
    assert dash_br.driver.execute_script("return window.evil") is None
    dash_br.find_element("#logs-more").click()
    wait_until(dash_br, lambda: len(shown(dash_br, ".c-path")) == 200)
    second = asked(page, service, "logs", limit="100", before=first["next_before"])
    assert shown(dash_br, ".c-path")[100:] == [row["path"] for row in second["logs"]]
    total = asked(page, service, "stats/summary")["total"]
    wait_until(dash_br, lambda: dash_br.find_element("#logs-count").text == f"{total:,} matching rows")
    wait_painted(dash_br, "logs-graph")
    drawn = dash_br.driver.execute_script(
        "return document.querySelector('#logs-graph .js-plotly-plot')._fullData.filter(t => t.yaxis !== 'y2')"
        ".flatMap(t => Array.from(t.y)).reduce((a, b) => a + (b || 0), 0)"
    )
    assert drawn == total
    href = dash_br.find_element("#logs-download-ndjson").get_attribute("href")
    assert parse_qs(href.partition("?")[2])["service"] == [service]
    assert dash_br.get_logs() == []


def test_a_row_opens_the_whole_record_as_text(page: Served, dash_br: Any, service: str) -> None:
    open_logs(dash_br, page, service)
    wait_until(dash_br, lambda: len(shown(dash_br, ".c-path")) == 100)
    dash_br.find_element(".log .log-row").click()
    wait_until(dash_br, lambda: "trace" in dash_br.find_element("#record-drawer").text)
    text = dash_br.find_element("#record-drawer").text
    assert text.count(EVIL) == 3  # path, user agent, attribute
    assert dash_br.driver.execute_script("return window.evil") is None
    dash_br.find_element("#record-close").click()
    wait_until(dash_br, lambda: not dash_br.find_element("#record-drawer").is_displayed())
    assert dash_br.get_logs() == []


def test_a_refused_pattern_is_explained_and_text_filters(page: Served, dash_br: Any, service: str) -> None:
    open_logs(dash_br, page, service, regex="a(b")
    wait_until(dash_br, lambda: "parentheses" in dash_br.find_element("#logs-problem").text)
    open_logs(dash_br, page, service, regex=r"(a)\1")
    wait_until(dash_br, lambda: "refer back" in dash_br.find_element("#logs-problem").text)
    open_logs(dash_br, page, service)
    wait_until(dash_br, lambda: len(shown(dash_br, ".c-path")) == 100)
    dash_br.find_element("#console-text").send_keys("order/12")
    matching = asked(page, service, "logs", text="order/12")["logs"]
    wait_until(dash_br, lambda: shown(dash_br, ".c-path") == [row["path"] for row in matching])
    assert "text=order/12" in search_of(dash_br)
    assert dash_br.get_logs() == []


def test_live_console_pauses_resumes_and_marks_what_it_skipped(
    page: Served, dash_br: Any, writer: LogWriter, service: str
) -> None:
    dash_br.server_url = f"{page.url}/realtime?{urlencode({'service': service, 'lang': 'en'})}"
    wait_until(dash_br, lambda: len(shown(dash_br, ".c-path")) == 200)
    dash_br.find_element("#realtime-pause").click()
    before = shown(dash_br, ".c-path")
    writer.store(Batch("import:test", service, [row_at(1000 + i, service) for i in range(3)], []))
    wait_until(dash_br, lambda: dash_br.find_element("#realtime-waiting").text == "3 new rows")
    assert shown(dash_br, ".c-path") == before
    dash_br.find_element("#realtime-pause").click()
    wait_until(dash_br, lambda: shown(dash_br, ".c-path")[0] == "/api/order/1002")
    writer.store(Batch("import:test", service, [row_at(2000 + i, service) for i in range(MOST_A_LOOK + 7)], []))
    wait_until(dash_br, lambda: bool(dash_br.find_elements(".log-skipped")))
    mark = dash_br.find_element(".log-skipped")
    assert mark.text.startswith("7 rows skipped")
    assert "/logs?" in mark.find_element("css selector", "a").get_attribute("href")
    dash_br.find_element(".log .log-row").click()
    wait_until(dash_br, lambda: "/api/order/" in dash_br.find_element("#record-body").text)
    assert dash_br.get_logs() == []
