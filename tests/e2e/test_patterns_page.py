"""Pattern Analysis in a browser: what it shows equals what the API says, and everything on it leads on."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from selenium.webdriver.common.action_chains import ActionChains

from dashapp.comparison import change
from dashapp.stats import pattern_page
from sql.batch import Batch
from sql.writing import LogWriter
from tests.e2e.pages import Served, click_at, drag, place_in, search_of, served, wait_painted, wait_until
from tests.rows import log_row

pytestmark = pytest.mark.browser

START = datetime(2025, 7, 6, 15, tzinfo=UTC)  # Monday 00:00 in Seoul
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
RANGE = {"start": "2025-07-08T00:00", "end": "2025-07-10T00:00"}
WEEK, ERRORS, P95 = "patterns-graph", "patterns-errors-graph", "patterns-p95-graph"
STATUS, SPREAD = "patterns-status-graph", "patterns-spread-graph"


def row_at(moment: datetime, service: str, draw: random.Random) -> Any:
    method = draw.choice(["GET", "GET", "GET", "POST"])
    return log_row(
        ts=moment,
        service=service,
        method=method,
        # One method fares worse, so that there is a group to be named.
        status=draw.choice(
            [200, 200, 200, 302, 404, 503, 503] if method == "POST" else [200, 200, 200, 200, 200, 302, 404]
        ),
        latency_ms=round(draw.lognormvariate(4, 0.8), 1),
        client_ip=f"10.24.{draw.randrange(3)}.{draw.randrange(1, 6)}",
    )


@pytest.fixture
def page(engine: sa.Engine, writer: LogWriter, service: str) -> Iterator[Served]:
    """Monday to Wednesday, more requests the later the hour; of Wednesday the last half hour is not final yet."""
    draw = random.Random(3)
    rows = []
    for hour in range(72):
        n = 6 + hour % 24
        rows += [row_at(START + hour * HOUR + i * HOUR / n, service, draw) for i in range(n)]
    writer.store(Batch("test", service, rows, []))
    with served(engine, START + 3 * DAY - 28 * MINUTE) as page:
        yield page


def show(browser: Any, page: Served, service: str, **parameters: str) -> None:
    browser.server_url = f"{page.url}/patterns?{urlencode(RANGE | {'service': service} | parameters)}"
    browser.wait_for_element("#patterns-sentence p", timeout=20)
    wait_painted(browser, WEEK)


def ask(page: Served, what: str, service: str, **more: str) -> Any:
    ends = {"start": (START + DAY).isoformat(), "end": (START + 3 * DAY).isoformat(), "service": service}
    return page.get(f"/api/stats/{what}?{urlencode(ends | more)}")


def drawn(browser: Any, graph_id: str, script: str) -> Any:
    """What a script returns for a drawn chart, `g`."""
    return browser.driver.execute_script(
        f"var g = document.querySelector('#{graph_id} .js-plotly-plot'); return {script}"
    )


def total_of(page: Served, browser: Any, service: str) -> int:
    """Requests of the view in the address, as the API counts them."""
    pairs = [part.split("=", 1) for part in search_of(browser).removeprefix("?").split("&")]
    asked = {name: value for name, value in pairs if name not in ("start", "end", "lang")}
    ends = {name: f"{value}+09:00" for name, value in pairs if name in ("start", "end")}
    return int(page.get(f"/api/stats/summary?{urlencode(ends | asked)}")["total"])


def test_the_matrices_hold_what_the_api_says_and_hatch_what_it_does_not_know(
    page: Served, dash_br: Any, service: str
) -> None:
    show(dash_br, page, service, lang="en")
    hours = ask(page, "patterns", service, lang="en")
    for graph_id, name in ((WEEK, "per_hour"), (ERRORS, "error_rate"), (P95, "p95_ms")):
        wait_painted(dash_br, graph_id)
        values = [value for row in drawn(dash_br, graph_id, "g.layout.meta.values") for value in row]
        known = [hour["covered_minutes"] >= 30 for hour in hours["hours"]]
        expected = [hour[name] if held else None for hour, held in zip(hours["hours"], known, strict=True)]
        assert values == [None if value is None else pytest.approx(value) for value in expected]
        hatched = drawn(dash_br, graph_id, "g._fullData.find(t => t.name === 'gap').width")
        assert sum(hatched) == known.count(False)
    # Monday and Thursday to Sunday are not in the range; Wednesday 23:00 is half there.
    assert known.count(True) == 48
    # Nothing is wider than the page, the sentences least of all.
    assert dash_br.driver.execute_script(
        "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    text = dash_br.find_element("#patterns-sentence").text
    assert hours["findings"][0] in text
    shown = [line.text for line in dash_br.find_elements("#patterns-facts li")]
    assert set(shown) - {shown[-1]} <= set(hours["findings"])
    assert dash_br.get_logs() == []


def test_a_click_on_a_cell_goes_to_its_latest_hour_and_back_undoes_it(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service)
    place = drawn(
        dash_br,
        WEEK,
        "[g._fullLayout.xaxis._offset + g._fullLayout.xaxis.d2p(9) - g.getBoundingClientRect().width / 2,"
        " g._fullLayout.yaxis._offset + g._fullLayout.yaxis.d2p(2) - g.getBoundingClientRect().height / 2]",
    )
    click_at(dash_br, WEEK, (round(place[0]), round(place[1])))
    wait_until(dash_br, lambda: "start=2025-07-09T09:00&end=2025-07-09T10:00" in search_of(dash_br))
    dash_br.wait_for_text_to_equal("#patterns-times .note", "기간에 온전한 한 시간이 없습니다.", timeout=15)
    assert total_of(page, dash_br, service) == 15
    dash_br.driver.back()
    wait_until(dash_br, lambda: "start=2025-07-08T00:00" in search_of(dash_br))
    dash_br.wait_for_element("#patterns-times .hour-row")
    assert dash_br.get_logs() == []


def test_a_click_on_the_distribution_filters_by_time_and_latency(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service)
    wait_painted(dash_br, SPREAD)
    values = drawn(dash_br, SPREAD, "g.layout.meta.values")
    buckets = ask(page, "traffic", service, interval="10")["buckets"]
    for column, bucket in enumerate(buckets):
        if bucket["total"] is not None:
            assert sum(row[column] for row in values) == bucket["total"]
    # A cell below all lines of percentiles, which would be named instead.
    columns = range(90, 280)
    row, column = next((r, c) for r, line in enumerate(values) for c in columns if line[c])
    heat = "g._fullData.find(t => t.type === 'heatmap')"
    low, high = drawn(dash_br, SPREAD, f"[{heat}.y[{row}], {heat}.y[{row + 1}]]")
    click_at(dash_br, SPREAD, place_in(dash_br, SPREAD, column, low * (high / low) ** 0.5))
    wait_until(dash_br, lambda: "start=2025-07-08T00:00" not in search_of(dash_br))
    assert "latency_min" in search_of(dash_br)
    assert total_of(page, dash_br, service) == values[row][column]
    dash_br.driver.back()
    wait_until(dash_br, lambda: "start=2025-07-08T00:00" in search_of(dash_br))
    wait_until(dash_br, lambda: drawn(dash_br, SPREAD, "g.layout.meta.edges.length") > 200)
    drag(dash_br, SPREAD, place_in(dash_br, SPREAD, 60, 60), place_in(dash_br, SPREAD, 119, 60))
    wait_until(dash_br, lambda: "start=2025-07-08T10:0" in search_of(dash_br))
    assert dash_br.get_logs() == []


def test_table_of_the_distribution_and_shares_equal_the_api(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service, lang="en", vs="day")
    wait_painted(dash_br, SPREAD)
    wait_painted(dash_br, STATUS)
    buckets = ask(page, "traffic", service, interval="10")["buckets"]
    rows = dash_br.driver.execute_script(
        "return window.dash_clientside.accessboard.rowsOf(document.querySelector(arguments[0]))",
        f"#{SPREAD} .js-plotly-plot",
    )
    assert rows[0][:5] == ["Time", "p50", "p95", "p99", "yesterday, p95"]
    known = [bucket for bucket in buckets if bucket["total"] is not None]
    for line, bucket in zip(rows[1:], known, strict=True):
        assert line[0] == datetime.fromisoformat(bucket["start"]).astimezone(UTC).replace(tzinfo=None).__add__(
            9 * HOUR
        ).strftime("%Y-%m-%d %H:%M")
        assert line[2] == (None if bucket["p95_ms"] is None else pytest.approx(bucket["p95_ms"]))
        assert sum(line[5:]) == bucket["total"]
    shares = drawn(dash_br, STATUS, "g._fullData.filter(t => t.yaxis === 'y').map(t => [t.name, Array.from(t.y)])")
    for name, values in dict(shares).items():
        if name != "gap":
            expected = [b["classes"][name] / b["total"] * 100 if b["total"] else None for b in known]
            assert values == [None if share is None else pytest.approx(share, abs=1e-3) for share in expected]
    assert drawn(dash_br, STATUS, "g._fullData.map(t => t.name)").count("yesterday, error rate") == 1
    assert dash_br.get_logs() == []


def test_groups_apart_equal_the_api_and_filter(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service, lang="en")
    asked = ask(page, "patterns", service)
    rows = dash_br.find_elements("#patterns-apart tbody tr")
    assert len(rows) == len(asked["segments"][:8]) > 0
    for row, each in zip(rows, asked["segments"], strict=False):
        numbers = [cell.text for cell in row.find_elements("css selector", "td.n")]
        assert numbers[:2] == [f"{each[name] * 100:.2f}%" for name in ("rate", "rate_others")]
        assert numbers[2].endswith(f"{each['n']:,}")
    assert dash_br.find_element("#patterns-novelties").text.startswith("Nothing is new or gone since")
    link = dash_br.find_element("#patterns-apart tbody a")
    value = link.text
    link.click()
    wait_until(dash_br, lambda: value in search_of(dash_br))
    assert dash_br.get_logs() == []


def test_segments_equal_the_api_and_filter(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service, lang="en", vs="day")
    asked = {name: ask(page, name, service) for name in ("methods", "networks", "clients")}
    before = page.get(
        "/api/stats/methods?"
        + urlencode({"start": START.isoformat(), "end": (START + 2 * DAY - HOUR / 2).isoformat(), "service": service})
    )
    now = page.get(
        "/api/stats/methods?"
        + urlencode(
            {
                "start": (START + DAY).isoformat(),
                "end": (START + 3 * DAY - HOUR / 2).isoformat(),
                "service": service,
            }
        )
    )
    cells = [row.text.split() for row in dash_br.find_elements("#patterns-methods tbody tr")]
    counts = {each["method"]: each["count"] for each in before["methods"]}
    later = {each["method"]: each["count"] for each in now["methods"]}
    marks = dash_br.find_elements("#patterns-methods .chg")
    for line, mark, each in zip(cells, marks, asked["methods"]["methods"], strict=True):
        moved = change(later[each["method"]], counts[each["method"]])
        assert line[0:2] == [each["method"], str(each["count"])]
        assert line[3] == f"{each['error_rate'] * 100:.2f}%"
        assert moved is not None
        assert mark.get_attribute("textContent") == moved.text
    lines = [row.text.split() for row in dash_br.find_elements("#patterns-networks tbody tr")]
    networks = asked["networks"]["networks"]
    assert [line[:3] for line in lines] == [[n["network"], str(n["clients"]), str(n["count"])] for n in networks]
    lines = [row.text.split() for row in dash_br.find_elements("#patterns-clients tbody tr")]
    assert [line[:2] for line in lines] == [[c["client_ip"], str(c["count"])] for c in asked["clients"]["clients"][:7]]
    dash_br.find_element("#patterns-networks tbody a").click()
    wait_until(dash_br, lambda: f"client_ip={networks[0]['network']}" in search_of(dash_br))
    dash_br.wait_for_element("#shell-chips .chip")
    wait_until(dash_br, lambda: len(dash_br.find_elements("#patterns-networks tbody tr")) == 1)
    assert total_of(page, dash_br, service) == networks[0]["count"]
    assert dash_br.get_logs() == []


def test_a_part_that_fails_says_so_in_its_own_frame(
    page: Served, dash_br: Any, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ArithmeticError("planted")

    monkeypatch.setattr(pattern_page, "networks", fail)
    show(dash_br, page, service, lang="en")
    button = dash_br.wait_for_element("#patterns-networks-failed .button")
    assert "Client networks could not be loaded." in dash_br.find_element("#patterns-networks-failed").text
    assert len(dash_br.find_elements(".failed:not(:empty)")) == 1
    dash_br.wait_for_element("#patterns-methods tbody tr")
    monkeypatch.undo()
    button.click()
    dash_br.wait_for_element("#patterns-networks tbody tr")
    wait_until(dash_br, lambda: dash_br.find_elements(".failed:not(:empty)") == [])
    assert dash_br.get_logs() == []


def test_traces_are_short_and_the_page_is_light(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service)
    size = 0
    for graph_id in (WEEK, ERRORS, P95, STATUS, SPREAD):
        wait_painted(dash_br, graph_id)
        assert drawn(dash_br, graph_id, "Math.max(...g._fullData.map(t => t.type === 'bar' ? t.x.length : 0))") <= 300
        figure = drawn(dash_br, graph_id, "JSON.stringify({data: g.data, layout: g.layout})")
        size += len(gzip.compress(json.dumps(json.loads(figure)).encode()))
    assert size < 200_000
    ActionChains(dash_br.driver).move_to_element(dash_br.find_element(f"#{SPREAD} .nsewdrag")).perform()
    assert dash_br.get_logs() == []


def test_an_empty_range_says_where_there_is_data(page: Served, dash_br: Any, service: str) -> None:
    query = {"start": "2024-01-01T00:00", "end": "2024-01-02T00:00", "service": service, "lang": "en"}
    dash_br.server_url = f"{page.url}/patterns?{urlencode(query)}"
    dash_br.wait_for_contains_text("#patterns-empty", "There are no requests in this range", timeout=20)
    assert not dash_br.find_element("#patterns-body").is_displayed()
    assert dash_br.get_logs() == []
