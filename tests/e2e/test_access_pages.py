"""Signing in and administration in a browser: found by keyboard and by axe, in both themes, on a phone too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from sql.accounts import AccountStore
from tests.e2e.axe import violations
from tests.e2e.pages import served, wait_until
from tests.signing_in import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def address(engine: sa.Engine, dsn: str, connection: psycopg.Connection[Any]) -> Iterator[str]:
    """A dashboard that is open to this machine, since nobody has an account."""
    tables = "account, session, invitation, access_token, shared_view, audit"
    connection.execute(f"truncate {tables} cascade".encode())
    store = AccountStore.open(dsn)
    with served(engine, datetime.now(UTC), accounts=store) as page:
        yield page.url
    store.close()
    connection.execute(f"truncate {tables} cascade".encode())


def field(browser: Any, selector: str) -> Any:
    return browser.driver.find_element(By.CSS_SELECTOR, selector)


def set_theme(browser: Any, theme: str) -> None:
    browser.driver.execute_script(f"localStorage.setItem('accessboard-theme', '{theme}')")


def test_from_an_open_dashboard_to_one_with_accounts(dash_br: Any, address: str) -> None:
    browser = dash_br
    browser.driver.get(f"{address}/admin?lang=en")
    assert "open to this machine" in field(browser, "main").text
    field(browser, "#new-name").send_keys("operator", Keys.ENTER)
    wait_until(browser, lambda: "shown only now" in field(browser, "main").text)
    link = field(browser, ".once").text
    assert violations(browser.driver) == []
    field(browser, "#token-name").send_keys("grafana", Keys.ENTER)
    wait_until(browser, lambda: field(browser, ".once").text.startswith("ab_"))
    field(browser, "#view-name").send_keys("a customer")
    field(browser, "#view-address").clear()
    field(browser, "#view-address").send_keys("/patterns?service=shop", Keys.ENTER)
    wait_until(browser, lambda: "/s/" in field(browser, ".once").text)
    for theme in ("light", "dark"):
        set_theme(browser, theme)
        browser.driver.get(f"{address}/admin?lang=ko")
        assert violations(browser.driver) == []

        browser.driver.get(f"{address}/health?lang=ko")
        assert violations(browser.driver) == []

    browser.driver.get(link)
    for name in ("#password", "#again"):
        field(browser, name).send_keys(PASSWORD)
    field(browser, "form .button").click()
    browser.wait_for_element("#shell-complete")
    assert browser.find_element(".who").text == "operator"
    browser.driver.get(f"{address}/admin/audit")
    assert "first_administrator" not in field(browser, "main").text
    assert {"account_added", "token_made", "view_shared", "password_set", "sign_in"} <= {
        each.text for each in browser.driver.find_elements(By.CSS_SELECTOR, "td a")
    }
    assert violations(browser.driver) == []

    browser.driver.get(f"{address}/account?lang=en")
    assert violations(browser.driver) == []
    field(browser, "form[action='/signout'] .button").click()
    browser.driver.get(f"{address}/patterns?last=24h")
    wait_until(browser, lambda: "/signin" in browser.driver.current_url)
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for theme in ("light", "dark"):
        set_theme(browser, theme)
        browser.driver.refresh()
        assert violations(browser.driver) == []
    assert browser.driver.execute_script("return document.documentElement.scrollWidth") == 390
    assert browser.driver.switch_to.active_element.get_attribute("id") == "name"
    browser.driver.switch_to.active_element.send_keys("operator", Keys.TAB, "wrong", Keys.ENTER)
    wait_until(browser, lambda: "wrong" in field(browser, "[role='alert']").text)
    wait_until(browser, lambda: browser.driver.switch_to.active_element.get_attribute("id") == "password")
    browser.driver.switch_to.active_element.send_keys(PASSWORD, Keys.ENTER)
    wait_until(browser, lambda: "/patterns?last=24h" in browser.driver.current_url)
    browser.wait_for_element("#shell-complete")
