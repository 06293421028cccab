"""The dashboard in this process, with a clock that stands still: what pages show is compared with what is stored."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.ui import WebDriverWait
from werkzeug.serving import make_server

from dashapp.app import create_app
from dashapp.settings import DashboardSettings
from sql.accounts import AccountStore
from sql.ai_history import AiStore
from sql.alerts import AlertStore

WAIT_S = 45
# Between finding an element and asking it something the page may have drawn it anew.
_REDRAWN = (StaleElementReferenceException,)


class Served:
    """A running dashboard and its address."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def served(
    engine: sa.Engine,
    now: datetime,
    *,
    alerts: AlertStore | None = None,
    ai: AiStore | None = None,
    accounts: AccountStore | None = None,
    **settings: Any,
) -> Iterator[Served]:
    """Serve the dashboard at a free port until the block ends."""
    read = DashboardSettings(_env_file=None, **settings)  # type: ignore[call-arg]
    app = create_app(read, engine, now=lambda: now, alerts=alerts, ai=ai, accounts=accounts)
    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join(10)


def search_of(browser: Any) -> str:
    """The query string of the browser's address."""
    return str(browser.driver.execute_script("return decodeURIComponent(location.search)"))


def wait_until(browser: Any, condition: Any) -> None:
    """Wait until a condition holds."""
    WebDriverWait(browser.driver, WAIT_S, 0.1, ignored_exceptions=_REDRAWN).until(lambda _: condition())


def wait_painted(browser: Any, graph_id: str) -> Any:
    """Wait until a chart has its figure, and return its element."""
    wait_until(
        browser,
        lambda: browser.driver.execute_script(
            "var g = document.querySelector(arguments[0]); return !!(g && g._fullData && g._fullData.length)",
            f"#{graph_id} .js-plotly-plot",
        ),
    )
    return browser.find_element(f"#{graph_id} .js-plotly-plot")


def place_in(browser: Any, graph_id: str, index: int, value: float, axis: str = "yaxis") -> tuple[int, int]:
    """Pixels, from the middle of a chart's element, of the middle of a bucket at a value of an axis."""
    x, y = browser.driver.execute_script(
        """
        var drawn = document.querySelector(arguments[0]), layout = drawn._fullLayout, meta = drawn.layout.meta;
        var x = layout.xaxis, y = layout[arguments[3]], box = drawn.getBoundingClientRect();
        var width = x._length / (meta.edges.length - 1);
        return [x._offset + (arguments[1] + 0.5) * width - box.width / 2,
                y._offset + y.d2p(arguments[2]) - box.height / 2];
        """,
        f"#{graph_id} .js-plotly-plot",
        index,
        value,
        axis,
    )
    return round(x), round(y)


def _in_sight(browser: Any, graph_id: str) -> Any:
    """A chart, scrolled to: the pointer cannot go where the window does not show."""
    drawn = browser.find_element(f"#{graph_id} .js-plotly-plot")
    browser.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", drawn)
    return drawn


def click_at(browser: Any, graph_id: str, place: tuple[int, int]) -> None:
    """Click into a chart."""
    drawn = _in_sight(browser, graph_id)
    ActionChains(browser.driver).move_to_element_with_offset(drawn, *place).pause(0.3).click().perform()


def drag(browser: Any, graph_id: str, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Drag from one place of a chart to another."""
    drawn = _in_sight(browser, graph_id)
    moves = ActionChains(browser.driver).move_to_element_with_offset(drawn, *start).click_and_hold()
    moves.move_by_offset((end[0] - start[0]) // 2, 0).pause(0.2)
    moves.move_by_offset(end[0] - start[0] - (end[0] - start[0]) // 2, 0).pause(0.2).release().perform()
