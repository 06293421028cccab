"""The alerts on the Collection page: the test button sends a message, and the page says what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from sql.alerts import AlertStore
from tests.e2e.axe import violations
from tests.e2e.pages import Served, served, wait_until
from tests.receivers import Received, http_receiver

pytestmark = pytest.mark.browser

NOW = datetime(2025, 11, 3, 3, tzinfo=UTC)


@pytest.fixture
def webhook() -> Iterator[Received]:
    with http_receiver() as received:
        yield received


@pytest.fixture
def page(engine: sa.Engine, dsn: str, webhook: Received) -> Iterator[Served]:
    settings: dict[str, Any] = {"alert_urls": f"json://127.0.0.1:{webhook.port}/hook", "alert_allow_internal": True}
    with closing(AlertStore.open(dsn)) as alerts, served(engine, NOW, alerts=alerts, **settings) as page:
        yield page


def open_card(browser: Any, page: Served) -> None:
    browser.server_url = f"{page.url}/collection?lang=en&refresh=off"
    browser.wait_for_contains_text("#collection-alert-channels", "JSON 127.0.0.1", timeout=20)


def test_the_button_sends_a_message_and_the_table_says_so(page: Served, dash_br: Any, webhook: Received) -> None:
    open_card(dash_br, page)
    dash_br.find_element("#collection-alert-test").click()
    dash_br.wait_for_text_to_equal("#collection-alert-result", "JSON 127.0.0.1: sent.", timeout=20)
    assert len(webhook.messages) == 1
    wait_until(dash_br, lambda: "sent" in dash_br.find_element("#collection-alert-channels td:nth-child(3)").text)
    state = page.get("/api/alerts")
    assert [(each["name"], each["last_state"]) for each in state["channels"]] == [("JSON 127.0.0.1", "sent")]
    told = [row.text for row in dash_br.find_elements("#collection-alert-told tr")]
    assert len(told) == min(len(state["told"]), 8)
    assert "Test" in told[0]
    assert violations(dash_br.driver) == []
    # Whoever presses again at once is told to wait; the browser itself notes the answer 429.
    dash_br.find_element("#collection-alert-test").click()
    dash_br.wait_for_contains_text("#collection-alert-result", "try again soon")
    assert len(webhook.messages) == 1
    assert all("429" in entry["message"] for entry in dash_br.get_logs())


def test_a_channel_that_fails_is_told_with_the_reason(page: Served, dash_br: Any, webhook: Received) -> None:
    webhook.status = 503
    open_card(dash_br, page)
    dash_br.find_element("#collection-alert-test").click()
    dash_br.wait_for_contains_text(
        "#collection-alert-result", "JSON 127.0.0.1: not sent (the channel answered 503).", timeout=20
    )
    wait_until(
        dash_br, lambda: "failed: the channel answered 503" in dash_br.find_element("#collection-alert-channels").text
    )
    assert dash_br.get_logs() == []


def test_without_channels_there_is_nothing_to_test(engine: sa.Engine, dash_br: Any) -> None:
    with served(engine, NOW) as page:
        dash_br.server_url = f"{page.url}/collection?lang=en&refresh=off"
        dash_br.wait_for_contains_text("#collection-alert-channels", "ALERT_URLS", timeout=20)
        assert not dash_br.find_element("#collection-alert-test").is_enabled()
        assert dash_br.get_logs() == []
