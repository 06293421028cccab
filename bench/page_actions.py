"""What a viewer does on each page, for the benchmark of the browser: clicks and keys on what is in sight."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

SETTLE_S = 0.7
_CHECKOUT = urlencode({"method": "POST", "route": "/api/order/checkout"})


@dataclass(frozen=True, slots=True)
class Action:
    """A click on what a selector names; `keys` are typed after it."""

    selector: str
    keys: str = ""


RANGES = tuple(Action(f"#shell-ranges > span:nth-of-type({place}) a") for place in (2, 5, 6, 4))  # 15m, 6h, 24h, 1h
SHELL = (
    Action("#shell-filter-open"),
    Action("#shell-filter-value", "pay"),
    Action("#shell-filter-open"),
    Action("#shell-compare-open"),
    Action("#shell-compare-open"),
    Action("#shell-theme"),
    Action("#shell-theme"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its name in the figures, its address, and what is done on it after the tool bar's own actions."""

    name: str
    link: str
    actions: Sequence[Action] = ()


PAGES = (
    Page(
        "Overview",
        "/",
        (
            Action("#overview-traffic-graph .legendtoggle"),
            Action("#shell-compare-open"),
            Action("#shell-vs-day"),
            Action("#overview-failing tbody a"),
        ),
    ),
    Page("Pattern Analysis", "/patterns", (Action(".card-menu > summary"), Action("#patterns-networks tbody a"))),
    Page(
        "Endpoint Analysis",
        "/endpoints",
        (
            Action("#endpoints-search", "order"),
            Action("#endpoints-grid .ag-header-cell[col-id='p95']"),
            Action("#endpoints-grid .ag-row [col-id='route']"),
        ),
    ),
    Page(
        "one endpoint",
        f"/endpoints?{_CHECKOUT}",
        (Action("#endpoints-among-failed"), Action("#endpoints-among-slow"), Action("#endpoints-back")),
    ),
    Page(
        "Realtime Logs",
        "/realtime",
        (Action("#realtime-pause"), Action("#realtime-pause"), Action("#realtime-rows .log-row")),
    ),
    Page("Log search", "/logs", (Action("#logs-rows .log-row"),)),
    Page(
        "Collection",
        "/collection",
        (Action("#collection-ways label + label"), Action("#collection-upload-service", "x")),
    ),
    Page("AI", "/ai", (Action("#ai-analyze"),)),
    Page("report", "/report", (Action("#report-back"),)),
)


def perform(driver: Chrome, action: Action) -> bool:
    """Do it as a person would, through mouse and keys; False where nothing of the kind is in sight."""
    target = _in_sight(driver, action.selector)
    if target is None:
        return False
    ActionChains(driver).move_to_element(target).click().perform()
    for key in action.keys:
        ActionChains(driver).send_keys(key).pause(0.05).perform()
    if action.keys and action.selector == "#shell-filter-value":
        ActionChains(driver).send_keys(Keys.BACKSPACE * len(action.keys)).perform()
    time.sleep(SETTLE_S)
    return True


def _in_sight(driver: Chrome, selector: str) -> WebElement | None:
    for each in driver.find_elements(By.CSS_SELECTOR, selector):
        if each.is_displayed():
            driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", each)
            return each
    return None
