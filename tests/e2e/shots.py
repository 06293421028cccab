"""`make shots`: pictures of every page for people to look at, in both languages, both themes, on a screen and a phone.

They show the demo, started for them with its day of traffic; SHOTS_URL names a dashboard that runs already. A page
that scrolls is in its picture as a whole. Ends with 1 where the browser's console said anything, and prints it.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from selenium.webdriver import Chrome

from bench.chromium import PHONE, WIDE, chromium, resize, wait_settled
from dashapp import pages
from tests.e2e.conftest import ROOT, Stack

FOLDER = ROOT / "build" / "shots"
A_DAY = 100_000
WAIT_S = 60
HIGHEST = 6_000
MOST_RESIZES, PAUSE_S = 4, 0.4
LANGUAGES, THEMES, SIZES = ("ko", "en"), ("light", "dark"), (WIDE, PHONE)
CHECKOUT = {"method": "POST", "route": "/api/order/checkout"}


def main(arguments: list[str] | None = None) -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.shots", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these pages: overview, patterns, ...")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where they go (default: %(default)s)")
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    views = {name: link for name, link in _views().items() if not given.names or name in given.names}
    with _dashboard() as url, chromium() as driver:
        said = list(_pictures(driver, url, views, given.folder))
    for line in said:
        print(line, file=sys.stderr)
    return 1 if said else 0


def _views() -> dict[str, str]:
    """Every page as it opens, and one endpoint in depth."""
    views = {page.PATH.strip("/") or "overview": page.PATH for page in pages.PAGES}
    return views | {"endpoint": f"/endpoints?{urlencode(CHECKOUT)}"}


def _pictures(driver: Chrome, url: str, views: dict[str, str], folder: Path) -> Iterator[str]:
    """Take every picture; yields what the console said."""
    for size, theme in itertools.product(SIZES, THEMES):
        resize(driver, *size)
        chosen = {"source": f"localStorage.setItem('accessboard-theme', '{theme}')"}
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", chosen)  # of several the last one counts
        for language, (name, link) in itertools.product(LANGUAGES, views.items()):
            resize(driver, *size)
            separator = "&" if "?" in link else "?"
            driver.get(f"{url}{link}{separator}lang={language}&refresh=off")
            wait_settled(driver, WAIT_S)
            target = folder / f"{name}-{size[0]}-{theme}-{language}.png"
            _picture(driver, target, *size)
            print(target)
            for entry in driver.get_log("browser"):
                yield f"{target.name}: {entry['message']}"


def _picture(driver: Chrome, target: Path, width: int, height: int) -> None:
    """Write the page as high as it is; some parts grow with the window."""
    for _ in range(MOST_RESIZES):
        whole = driver.execute_script("return document.documentElement.scrollHeight")
        time.sleep(PAUSE_S)  # charts are drawn anew
        if whole <= height:
            break
        height = min(HIGHEST, whole)
        resize(driver, width, height)
    taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    target.write_bytes(base64.b64decode(taken["data"]))


@contextmanager
def _dashboard() -> Iterator[str]:
    """The demo with its day."""
    if running := os.environ.get("SHOTS_URL"):
        yield running
        return
    with tempfile.TemporaryDirectory(prefix="shots-") as data_dir:
        stack = Stack("demo", [], Path(data_dir), None)
        stack.start()
        try:
            deadline = time.monotonic() + 180
            while _stored(stack.url) < A_DAY and time.monotonic() < deadline:
                time.sleep(1)
            yield stack.url
        finally:
            stack.stop()


def _stored(url: str) -> int:
    with urllib.request.urlopen(f"{url}/api/stats/summary?last=24h", timeout=30) as answer:
        return int(json.load(answer)["total"])


if __name__ == "__main__":
    sys.exit(main())
