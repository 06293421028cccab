"""Log search and the live console in a browser: rows, counts, drawer, pages and marks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
import sqlalchemy as sa
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from sql.batch import Batch
from sql.writing import LogWriter
from tests.e2e.pages import Served, click_at, drag, place_in, search_of, served, wait_painted, wait_until
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


def test_rows_wrap_and_are_copied_as_lines_and_as_json(page: Served, dash_br: Any, service: str) -> None:
    open_logs(dash_br, page, service)
    wait_until(dash_br, lambda: len(shown(dash_br, ".c-path")) == 100)
    # What goes into the clipboard; a browser without a screen may not read it back.
    dash_br.driver.execute_script(
        "window.copied = []; navigator.clipboard.writeText = t => { window.copied.push(t); return Promise.resolve(); }"
    )
    dash_br.find_element("#console-copy-json").click()
    dash_br.wait_for_contains_text("#console-copied", "100")
    dash_br.find_element("#console-copy-lines").click()
    wait_until(dash_br, lambda: len(dash_br.driver.execute_script("return window.copied")) == 2)
    as_json, as_lines = dash_br.driver.execute_script("return window.copied")
    rows = asked(page, service, "logs", limit="100")["logs"]
    copied = [json.loads(line) for line in as_json.splitlines()]
    assert [(each["path"], each["status"], each["latency_ms"]) for each in copied] == [
        (row["path"], row["status"], row["latency_ms"]) for row in rows
    ]
    assert [line.split(" ")[2:5] for line in as_lines.splitlines()][1:] == [
        [row["client_ip"] or "-", row["method"], row["path"]] for row in rows
    ][1:]
    wrap = dash_br.find_element("#console-wrap")
    wrap.click()
    wait_until(dash_br, lambda: wrap.get_attribute("aria-pressed") == "true")
    style = "return getComputedStyle(document.querySelector('.log .c-path')).whiteSpace"
    assert dash_br.driver.execute_script(style) == "normal"
    wrap.click()
    wait_until(dash_br, lambda: dash_br.driver.execute_script(style) == "nowrap")
    assert dash_br.get_logs() == []


def test_the_histogram_filters_by_a_click_and_zooms_by_a_drag(page: Served, dash_br: Any, service: str) -> None:
    open_logs(dash_br, page, service)
    wait_painted(dash_br, "logs-graph")
    buckets = asked(page, service, "stats/traffic", interval="1")["buckets"]
    index = next(i for i, bucket in enumerate(buckets) if bucket["classes"]["4xx"])
    click_at(dash_br, "logs-graph", place_in(dash_br, "logs-graph", index, buckets[index]["classes"]["2xx"] / 2))
    wait_until(dash_br, lambda: "status=2xx" in search_of(dash_br))
    assert f"start=2025-07-01T09:{index:02d}" in search_of(dash_br)
    wait_until(dash_br, lambda: len(shown(dash_br, ".c-path")) == buckets[index]["classes"]["2xx"])
    dash_br.driver.back()
    wait_until(dash_br, lambda: len(shown(dash_br, ".c-path")) == 100)
    wait_painted(dash_br, "logs-graph")
    drag(dash_br, "logs-graph", place_in(dash_br, "logs-graph", 10, 1), place_in(dash_br, "logs-graph", 19, 1))
    wait_until(dash_br, lambda: "start=2025-07-01T09:10" in search_of(dash_br))
    within = sum(bucket["total"] for bucket in buckets[10:20])
    wait_until(dash_br, lambda: dash_br.find_element("#logs-count").text == f"{within} matching rows")
    assert dash_br.get_logs() == []


def test_rows_are_walked_and_opened_by_keyboard(page: Served, dash_br: Any, service: str) -> None:
    open_logs(dash_br, page, service)
    wait_until(dash_br, lambda: len(shown(dash_br, ".c-path")) == 100)
    keys = ActionChains(dash_br.driver)
    dash_br.driver.execute_script("document.getElementById('logs-rows').focus()")
    keys.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_UP, Keys.ENTER).perform()
    second = asked(page, service, "logs", limit="2")["logs"][1]
    wait_until(dash_br, lambda: second["path"] in dash_br.find_element("#record-body").text)
    ActionChains(dash_br.driver).send_keys(Keys.ESCAPE).perform()
    wait_until(dash_br, lambda: not dash_br.find_element("#record-drawer").is_displayed())
    assert dash_br.driver.execute_script("return document.activeElement.className").startswith("log-row")
    assert dash_br.get_logs() == []


def test_a_paused_console_counts_what_it_can_no_longer_hold(
    page: Served, dash_br: Any, writer: LogWriter, service: str
) -> None:
    dash_br.server_url = f"{page.url}/realtime?{urlencode({'service': service, 'lang': 'en'})}"
    wait_until(dash_br, lambda: len(shown(dash_br, ".c-path")) == 200)
    keep = int(dash_br.find_element("#realtime-rows").get_attribute("data-keep"))
    dash_br.find_element("#realtime-pause").click()
    looks = keep // MOST_A_LOOK + 2
    for look in range(1, looks + 1):
        rows = [row_at(10_000 * look + i, service) for i in range(MOST_A_LOOK)]
        writer.store(Batch("import:test", service, rows, []))
        came = f"{look * MOST_A_LOOK:,} new rows"
        wait_until(dash_br, lambda: dash_br.find_element("#realtime-waiting").text == came)  # noqa: B023
    dash_br.find_element("#realtime-pause").click()
    wait_until(dash_br, lambda: shown(dash_br, ".c-path")[0].endswith(str(10_000 * looks + MOST_A_LOOK - 1)))
    shown_rows = len(shown(dash_br, ".c-path"))
    assert shown_rows <= keep
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
