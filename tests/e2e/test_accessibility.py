"""axe finds nothing wrong: every page, in both themes, and Overview in each of its states."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from dashapp import pages
from sql.batch import Batch
from sql.writing import LogWriter
from tests.e2e.axe import violations
from tests.e2e.pages import Served, served, wait_painted, wait_until
from tests.rows import log_row

pytestmark = pytest.mark.browser

START = datetime(2025, 7, 1, 0, 0, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
RANGE = {"start": "2025-07-01T09:00", "end": "2025-07-01T10:00"}
TRAFFIC = "overview-traffic-graph"


@pytest.fixture
def page(engine: sa.Engine, writer: LogWriter, service: str) -> Iterator[Served]:
    """An hour with errors, twenty requests a minute, and the same hour of the day before."""
    rows = [
        log_row(
            ts=start + i * MINUTE / 20,
            service=service,
            route=("/api/cart", "/api/order/{id}")[i % 2],
            status=503 if i % 29 == 0 or (start is START and 600 < i < 700) else 404 if i % 13 == 0 else 200,
            latency_ms=10.0 + i % 90,
        )
        for start in (START, START - DAY)
        for i in range(1200)
    ]
    writer.store(Batch("import:test", service, rows, []))
    with served(engine, START + 70 * MINUTE) as page:
        yield page


def go(browser: Any, page: Served, path: str, **parameters: str) -> None:
    browser.server_url = f"{page.url}{path}?{urlencode(RANGE | parameters)}"
    browser.wait_for_element("#shell-complete")


def wait_idle(browser: Any) -> None:
    """Wait until nothing is asked any more and no part that is seen waits for its content."""
    waiting = "[...document.querySelectorAll('.part > div > .skeleton')].some(each => each.offsetParent)"
    wait_until(browser, lambda: not browser.driver.execute_script(f"return {waiting}"))
    wait_until(browser, lambda: browser.redux_state_is_loading is False if browser.redux_state_paths else False)


def in_both_themes(browser: Any) -> dict[str, list[str]]:
    """What axe finds in the theme that is shown, and in the other one."""
    found = {}
    for _ in range(2):
        theme = browser.driver.execute_script("return document.documentElement.dataset.bsTheme")
        found[theme] = violations(browser.driver)
        browser.driver.execute_script("document.getElementById('shell-theme').click()")
        other = {"dark": "light", "light": "dark"}[theme]
        wait_until(
            browser,
            lambda other=other: (
                browser.driver.execute_script("return document.documentElement.dataset.bsTheme") == other
            ),
        )
    return found


CLEAN: dict[str, list[str]] = {"light": [], "dark": []}


@pytest.mark.parametrize("path", [page.PATH for page in pages.PAGES])
def test_no_page_breaks_a_rule_in_either_theme(page: Served, dash_br: Any, service: str, path: str) -> None:
    go(dash_br, page, path, service=service, lang="en", refresh="off")
    wait_idle(dash_br)
    assert in_both_themes(dash_br) == CLEAN


def test_overview_breaks_no_rule_with_comparison_open_menus_and_a_table(
    page: Served, dash_br: Any, service: str
) -> None:
    go(dash_br, page, "/", service=service, status="4xx", vs="day", lang="ko", refresh="off")
    wait_painted(dash_br, TRAFFIC)
    dash_br.wait_for_element("#overview-slowest tbody tr")
    dash_br.driver.execute_script("document.querySelector(\".card-menu [data-act='table']\").click()")
    dash_br.wait_for_element(".chart-table tbody tr")
    for menu in ("#shell-filter", "#shell-auto", "#shell-compare", "#shell-export", ".card-menu"):
        dash_br.driver.execute_script(
            "document.querySelectorAll('details').forEach(each => { each.open = false; });"
            "document.querySelector(arguments[0]).open = true;",
            menu,
        )
        assert (menu, violations(dash_br.driver)) == (menu, [])


def test_an_endpoint_in_depth_breaks_no_rule(page: Served, dash_br: Any, service: str) -> None:
    endpoint = {"method": "GET", "route": "/api/cart", "vs": "day", "among": "failed"}
    go(dash_br, page, "/endpoints", service=service, lang="ko", refresh="off", **endpoint)
    wait_painted(dash_br, "endpoints-heat-graph")
    dash_br.wait_for_element("#endpoints-common .basis")
    assert in_both_themes(dash_br) == CLEAN


def test_overview_breaks_no_rule_on_a_phone_with_a_sheet(page: Served, dash_br: Any, service: str) -> None:
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    dash_br.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    go(dash_br, page, "/", service=service, vs="day", lang="ko", refresh="off")
    wait_painted(dash_br, TRAFFIC)
    assert dash_br.driver.execute_script("return document.documentElement.scrollWidth") == 390
    dash_br.driver.execute_script("document.querySelector('#shell-filter').open = true")
    assert violations(dash_br.driver) == []


def test_a_page_without_data_breaks_no_rule(page: Served, dash_br: Any, service: str) -> None:
    go(dash_br, page, "/", service=service, method="LINK", lang="ko")
    dash_br.wait_for_element("#overview-empty-go")
    assert in_both_themes(dash_br) == CLEAN


def test_a_page_without_its_database_breaks_no_rule(dash_br: Any) -> None:
    nowhere = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with served(nowhere, START) as page:
        go(dash_br, page, "/", lang="ko")
        dash_br.wait_for_element("#overview-failing-failed .button")
        assert in_both_themes(dash_br) == CLEAN
