"""Tried as somebody would who sees the pages for the first time: what the demo plants is found in a few clicks.

The traffic is that of `make demo`, stored by the same code, but ends at a fixed hour: what a stranger can tell of an
incident must not hang on the hour at which the tests run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.remote.webelement import WebElement

from demo.__main__ import SEED
from demo.backfill import backfill
from demo.endpoints import ENDPOINTS
from demo.incidents import Incident, planted
from ingest_server.intake import open_intake
from ingest_server.settings import IngestSettings
from sql.writing import LogWriter
from tests.e2e.pages import Served, served, wait_painted, wait_until

pytestmark = pytest.mark.browser

# 21:00 in Seoul on a Wednesday, when most calls come: the first that an incident strikes fails seconds after its start.
END = datetime(2026, 3, 18, 12, 0, 17, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
KST = timedelta(hours=9)
MOST_CLICKS = 4
BUCKET = MINUTE


@pytest.fixture(scope="module")
def page(engine: sa.Engine, writer: LogWriter) -> Iterator[Served]:
    intake = open_intake(IngestSettings(_env_file=None), writer)  # type: ignore[call-arg]
    backfill(intake, writer, END - 4 * HOUR, END, seed=SEED, on_progress=lambda _: None)
    with served(engine, END + 2 * MINUTE) as page:
        yield page


class Visitor:
    """Somebody who clicks only on what is in sight, and counts."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.clicks = 0

    def click(self, selector: str) -> None:
        target = self.browser.wait_for_element(selector)
        assert target.is_displayed()
        self.browser.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", target)
        ActionChains(self.browser.driver).move_to_element(target).click().perform()
        self.clicks += 1

    def read(self, selector: str) -> str:
        """The text of a part once it has one."""
        wait_until(self.browser, lambda: self._seen(selector).text.strip() not in ("", "-"))
        return str(self._seen(selector).text)

    def _seen(self, selector: str) -> WebElement:
        found: WebElement = self.browser.wait_for_element(selector)
        assert found.is_displayed()
        return found


def checkout() -> tuple[Incident, str]:
    """The planted incident of the last hour, and the endpoint as pages write it."""
    incident = next(each for each in planted(END).incidents if END - each.start < HOUR)
    endpoint = next(each for each in ENDPOINTS if each.name == incident.endpoint)
    return incident, f"{endpoint.method} {endpoint.path}"


def test_a_stranger_finds_endpoint_start_and_clients_from_the_first_sentence(page: Served, dash_br: Any) -> None:
    incident, endpoint = checkout()
    visitor = Visitor(dash_br)
    dash_br.server_url = f"{page.url}/"

    assert said(visitor.read("#overview-insight a")) == said(endpoint)
    visitor.click("#overview-insight a")
    assert said(visitor.read("#endpoints-name")) == said(endpoint)

    common = visitor.read("#endpoints-common")
    assert abs(found_start(common) - incident.start) <= BUCKET
    assert f"app_version {incident.app_version}" in common.replace("\n", " ")
    assert visitor.clicks <= MOST_CLICKS
    assert dash_br.get_logs() == []


def test_a_stranger_finds_them_from_the_table_of_failing_endpoints(page: Served, dash_br: Any) -> None:
    incident, endpoint = checkout()
    visitor = Visitor(dash_br)
    dash_br.server_url = f"{page.url}/"

    first = "#overview-failing tbody tr:first-child td.name"
    assert said(visitor.read(first)) == said(endpoint)
    visitor.click(f"{first} a")
    wait_painted(dash_br, "endpoints-traffic-graph")
    visitor.click("#endpoints-among-failed")
    dash_br.wait_for_element("#endpoints-among-failed.on")
    wait_until(dash_br, lambda: "실패한" in visitor.read("#endpoints-common"))
    common = visitor.read("#endpoints-common")
    assert abs(found_start(common) - incident.start) <= BUCKET
    assert f"app_version {incident.app_version}" in common.replace("\n", " ")
    assert visitor.clicks <= MOST_CLICKS
    assert dash_br.get_logs() == []


def said(text: str) -> str:
    """A text without the room between its parts, which may be a margin."""
    return "".join(text.split())


def found_start(common: str) -> datetime:
    """The start of the time in which the failed requests crowd, as the page says it."""
    start = re.search(r"(\d\d)-(\d\d) (\d\d):(\d\d) – ", common)
    assert start is not None, common
    month, day, hour, minute = map(int, start.groups())
    return datetime(END.year, month, day, hour, minute, tzinfo=UTC) - KST
