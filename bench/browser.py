"""Every page in Chromium on the demo's day of traffic: how fast it shows and answers, and how much it loads.

A page is loaded with an empty cache and three times with a full one; the shift of its layout is the worst of these.
Then a viewer clicks and types on it: the interactions with the tool bar and with the page itself. A trace's points
are counted after each of them, so in ranges from 15 minutes to a day; of a heat map its columns count. The data are
what the server answers to the callbacks of a first load of a day. BENCH_DEMO_URL names a demo that runs already,
BENCH_PAGES the paths of the only pages to look at, such as /patterns,/endpoints.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.common.exceptions import TimeoutException
from selenium.webdriver import Chrome

from bench.chromium import WIDE, chromium, resize, wait_settled
from bench.page_actions import PAGES, RANGES, SHELL, Page, perform
from bench.processes import free_port, running
from bench.report import report
from dashapp import pages

GOAL_LCP_MS, GOAL_INP_MS, GOAL_SHIFT, GOAL_POINTS, GOAL_KB = 1500, 200, 0.1, 300, 200
A_DAY, FILL_S, WAIT_S = 100_000, 180, 60
LOADS = 3
QUIET_S = 1.0
_HERE = Path(__file__).parent
_POINTS = """
    var most = [0, ""];
    document.querySelectorAll(".js-plotly-plot").forEach(function (drawn) {
      (drawn._fullData || []).forEach(function (trace) {
        var points = Math.max((trace.x || []).length, trace.type === "heatmap" ? 0 : (trace.y || []).length);
        if (points > most[0]) {
          most = [points, (drawn.closest("[id]") || drawn).id + " " + trace.name];
        }
      });
    });
    return most;
"""


def measure() -> None:
    """Print the figures of every page."""
    wanted = os.environ.get("BENCH_PAGES")
    known = wanted.split(",") if wanted else [page.PATH for page in pages.PAGES]
    with _demo() as url, chromium() as driver:
        resize(driver, *WIDE)
        for page in PAGES:
            if page.link.partition("?")[0] in known:
                _measure(driver, url, page)


def _measure(driver: Chrome, url: str, page: Page) -> None:
    """Print the figures of one page."""
    with _before_scripts(driver, "vitals.js"):
        driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        cold = _load(driver, url, page)
        warm = [_load(driver, url, page) for _ in range(LOADS)]
        seen = _act(driver, page)
    lcp = statistics.median(each["lcp"] for each in warm)
    _report(
        page,
        "largest contentful paint",
        lcp,
        "ms",
        GOAL_LCP_MS,
        empty_cache_ms=round(cold["lcp"]),
        element=cold["largest"],
    )
    shift = max([cold, *warm], key=lambda each: float(each["shift"]))
    _report(page, "layout shift", shift["shift"], "", GOAL_SHIFT, moved=shift["worstShift"])
    times = sorted(seen.interactions.values(), key=lambda each: float(each["ms"]))
    p95 = times[min(len(times) - 1, int(0.95 * len(times)))]["ms"] if times else 0.0
    slowest = [f"{each['ms']:.0f} {each['what']}" for each in times[-3:]]
    _report(page, "interaction to next paint", p95, "ms, p95", GOAL_INP_MS, seen=len(times), slowest=slowest)
    _report(page, "most points of a trace", seen.points[0], "points", GOAL_POINTS, trace=seen.points[1])
    with _before_scripts(driver, "answers.js"):
        _load(driver, url, page, last="24h")
        answered = driver.execute_script("return window.answered")
    plain, small = (sum(map(len, each)) / 1024 for each in _bytes(answered))
    _report(page, "data, compressed", small, "KiB", GOAL_KB, plain_kib=round(plain, 1), answers=len(answered))


class _Seen:
    """What showed while a viewer acted on a page."""

    def __init__(self) -> None:
        self.interactions: dict[str, dict[str, Any]] = {}
        self.points: list[Any] = [0, ""]

    def look(self, driver: Chrome) -> None:
        """Take what the page holds now."""
        self.interactions |= driver.execute_script("return window.vitals.interactions")
        self.points = max(self.points, driver.execute_script(_POINTS), key=lambda each: int(each[0]))


def _act(driver: Chrome, page: Page) -> _Seen:
    """Use the page, and its tool bar."""
    seen = _Seen()
    seen.look(driver)
    for action in (*RANGES, *SHELL, *page.actions):
        if not perform(driver, action) and action in page.actions:
            report(f"{page.name}: cannot {action.selector}", 0, "", missing="not in sight")
        _wait(driver)
        seen.look(driver)
    return seen


def _load(driver: Chrome, url: str, page: Page, **more: str) -> dict[str, Any]:
    """Load the page until nothing moves any more, and return what it says about itself."""
    query = "".join(f"&{name}={value}" for name, value in {"refresh": "off", **more}.items())
    separator = "" if "?" in page.link else "?"
    driver.get("about:blank")
    driver.get(f"{url}{page.link}{separator}{query if not separator else query[1:]}")
    _wait(driver)
    time.sleep(QUIET_S)
    vitals: dict[str, Any] | None = driver.execute_script("return window.vitals")
    return vitals or {}


def _wait(driver: Chrome) -> None:
    """Wait until every part has its content and every chart is drawn."""
    try:
        wait_settled(driver, WAIT_S)
    except TimeoutException:
        raise SystemExit(f"{driver.current_url} does not get ready") from None


@contextmanager
def _before_scripts(driver: Chrome, name: str) -> Iterator[None]:
    """Run a script before those of every page that is loaded in the block."""
    source = {"source": (_HERE / name).read_text()}
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", source)
    try:
        yield
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def _bytes(answered: list[str]) -> tuple[list[bytes], list[bytes]]:
    plain = [each.encode() for each in answered]
    return plain, [gzip.compress(each, 6) for each in plain]


def _report(page: Page, name: str, figure: float, unit: str, goal: float, **more: object) -> None:
    load = round(os.getloadavg()[0], 2)
    report(f"{page.name}: {name}", float(figure), unit, goal, "the goal", **more, load=load)


@contextmanager
def _demo() -> Iterator[str]:
    """A dashboard over the demo's day of traffic."""
    if url := os.environ.get("BENCH_DEMO_URL"):
        yield url
        return
    ingest, dashboard = (f"127.0.0.1:{free_port()}" for _ in range(2))
    url = f"http://{dashboard}"
    with tempfile.TemporaryDirectory(prefix="bench-demo-") as data_dir:
        binds = {"INGEST_BIND": ingest, "DASHBOARD_BIND": dashboard}
        environment = {"DATA_DIR": data_dir, "DATABASE_URL": "", "INGEST_TOKENS": "", **binds}
        with running(["demo"], environment, f"{url}/healthz"):
            _wait_for_day(url)
            yield url


def _wait_for_day(url: str) -> None:
    deadline = time.monotonic() + FILL_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/api/stats/summary?last=24h", timeout=30) as answer:
                if json.load(answer)["total"] >= A_DAY:
                    return
        except urllib.error.URLError:
            pass  # the database may not be there yet
        time.sleep(1)
    raise SystemExit("the demo does not fill its day")
