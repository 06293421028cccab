"""Chromium without a screen: one way to start it for the benchmark, the browser tests and the pictures of pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.support.ui import WebDriverWait

WIDE, PHONE = (1440, 1000), (390, 844)
PHONE_BELOW = 768
SETTLED = (Path(__file__).parent / "settled.js").read_text()
_FLAGS = (
    "headless=new",
    "no-sandbox",  # root, in a container
    "disable-gpu",
    "disable-dev-shm-usage",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "no-first-run",
    "disable-quic",
    "force-prefers-reduced-motion",  # what is scrolled to can be clicked at once
    f"window-size={WIDE[0]},{WIDE[1]}",
)


def options() -> Options:
    """How Chromium starts: without a screen, as root, and without calling anybody."""
    built = Options()
    for flag in _FLAGS:
        built.add_argument(f"--{flag}")
    os.environ["SE_OFFLINE"] = "true"
    return built


@contextmanager
def chromium() -> Iterator[Chrome]:
    """A browser of its own until the block ends."""
    driver = Chrome(options=options())
    try:
        yield driver
    finally:
        driver.quit()


def resize(driver: Chrome, width: int, height: int) -> None:
    """Show pages in a window of this size; a narrow one is that of a phone."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < PHONE_BELOW}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def wait_settled(driver: Chrome, seconds: float) -> None:
    """Wait until the page has all of its content.

    Raises:
        TimeoutException: it does not get there.
    """
    WebDriverWait(driver, seconds, poll_frequency=0.1).until(lambda each: each.execute_script(SETTLED))
