"""Overview in a browser: what it shows equals what the API says, and everything on it leads on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from dashapp.comparison import change, points
from dashapp.stats import overview as reading
from sql.batch import Batch
from sql.writing import LogWriter
from tests.e2e.pages import Served, click_at, drag, place_in, search_of, served, wait_painted, wait_until
from tests.rows import log_row

pytestmark = pytest.mark.browser

START = datetime(2025, 7, 1, 0, 0, tzinfo=UTC)  # 09:00 in Seoul
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
RANGE = {"start": "2025-07-01T09:00", "end": "2025-07-01T10:00"}
TRAFFIC, LATENCY = "overview-traffic-graph", "overview-latency-graph"


def row_at(moment: datetime, service: str, i: int) -> Any:
    status = 503 if i % 29 == 0 else 404 if i % 13 == 0 else 302 if i % 11 == 0 else 200
    route = ("/api/cart", "/api/order/{id}", "/=evil")[i % 3]
    return log_row(ts=moment, service=service, route=route, path=route, status=status, latency_ms=10.0 + i % 90)


@pytest.fixture
def page(engine: sa.Engine, writer: LogWriter, service: str) -> Iterator[Served]:
    """An hour of requests, 20 a minute, and 16 a minute of the same hour the day before."""
    rows = [row_at(START + i * MINUTE / 20, service, i) for i in range(1200)]
    rows += [row_at(START - DAY + i * MINUTE / 16, service, 7 * i) for i in range(960)]
    # An import is never behind, so that the whole hour is final.
    writer.store(Batch("import:test", service, rows, []))
    with served(engine, START + 70 * MINUTE) as page:
        yield page


def show(browser: Any, page: Served, service: str, **parameters: str) -> None:
    browser.server_url = f"{page.url}/?{urlencode(RANGE | {'service': service} | parameters)}"
    browser.wait_for_text_to_equal("#overview-requests", "1,200", timeout=20)
    wait_painted(browser, TRAFFIC)


def suggested(browser: Any) -> list[str]:
    """Suggestions of the filter form, read at once: they are exchanged while the test looks."""
    values: list[str] = browser.driver.execute_script(
        "return Array.from(document.querySelectorAll('#shell-filter-values option'), option => option.value)"
    )
    return values


def ask(page: Served, what: str, service: str, day: datetime = START, **more: str) -> Any:
    ends = {"start": day.isoformat(), "end": (day + 60 * MINUTE).isoformat(), "service": service}
    return page.get(f"/api/stats/{what}?{urlencode(ends | more)}")


def test_a_click_on_a_status_row_filters_and_its_chip_takes_the_filter_away(
    page: Served, dash_br: Any, service: str
) -> None:
    show(dash_br, page, service)
    dash_br.find_element("#overview-status-rows a[href*='status=5xx']").click()
    errors = ask(page, "errors", service)["classes"]["5xx"]
    dash_br.wait_for_text_to_equal("#overview-requests", f"{errors}")
    assert "status=5xx" in search_of(dash_br)
    chips = dash_br.find_elements("#shell-chips .chip")
    assert [chip.text.split()[0] for chip in chips] == ["service", "status"]
    dash_br.find_elements("#shell-chips .chip a")[1].click()
    dash_br.wait_for_text_to_equal("#overview-requests", "1,200")
    assert "status=" not in search_of(dash_br)
    assert dash_br.get_logs() == []


def test_a_click_on_a_bar_goes_to_its_bucket_and_class(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service)
    buckets = ask(page, "traffic", service, interval="1")["buckets"]
    index = next(i for i, bucket in enumerate(buckets) if bucket["classes"]["5xx"] and i > 20)
    classes = buckets[index]["classes"]
    click_at(dash_br, TRAFFIC, place_in(dash_br, TRAFFIC, index, classes["4xx"] + classes["5xx"] / 2, "yaxis2"))
    wait_until(dash_br, lambda: "status=5xx" in search_of(dash_br))
    clock = f"2025-07-01T09:{index:02d}"
    assert f"start={clock}&" in search_of(dash_br) + "&"
    dash_br.wait_for_text_to_equal("#overview-requests", str(classes["5xx"]))
    dash_br.driver.back()
    dash_br.wait_for_text_to_equal("#overview-requests", "1,200")
    assert dash_br.get_logs() == []


def test_a_drag_zooms_the_page_and_back_undoes_it(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service)
    drag(dash_br, LATENCY, place_in(dash_br, LATENCY, 20, 30), place_in(dash_br, LATENCY, 39, 30))
    wait_until(dash_br, lambda: "start=2025-07-01T09:20" in search_of(dash_br))
    assert "end=2025-07-01T09:40" in search_of(dash_br)
    dash_br.wait_for_text_to_equal("#overview-requests", "400")
    dash_br.driver.back()
    dash_br.wait_for_text_to_equal("#overview-requests", "1,200")
    assert dash_br.get_logs() == []


def test_the_comparison_says_what_the_api_says_of_both_days(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service)
    dash_br.find_element("#shell-compare > summary").click()
    dash_br.find_element("#shell-vs-day").click()
    wait_until(dash_br, lambda: "vs=day" in search_of(dash_br))
    dash_br.wait_for_element("#overview-figures .chg")
    now, before = (ask(page, "summary", service, day) for day in (START, START - DAY))
    assert (now["total"], before["total"]) == (1200, 960)
    expected = [
        change(now["total"], before["total"]),
        points(now["error_rate"], before["error_rate"], good="down"),
        change(now["latency_ms"]["p95"], before["latency_ms"]["p95"], good="down"),
        change(now["total"], before["total"]),
    ]
    shown = [mark.get_attribute("textContent") for mark in dash_br.find_elements("#overview-figures .chg")]
    assert shown == [each.text for each in expected if each]
    classes = [ask(page, "errors", service, day) for day in (START, START - DAY)]
    shares = [points(*(each["classes"][name] / each["total"] for each in classes)) for name in ("2xx", "3xx")]
    columns = dash_br.find_elements("#overview-status-rows .compared .chg")
    assert [column.text for column in columns[:2]] == [each.text for each in shares if each]
    assert dash_br.find_elements("#shell-compare[open]") == []
    assert dash_br.get_logs() == []


def test_table_and_csv_of_a_card_hold_the_buckets_of_the_api(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service, vs="day", lang="en")
    menu = f".card:has(#{TRAFFIC}) .card-menu"
    dash_br.find_element(f"{menu} > summary").click()
    dash_br.find_element(f"{menu} [data-act='table']").click()
    rows = [row.text.split() for row in dash_br.find_elements(f".card:has(#{TRAFFIC}) .chart-table tbody tr")]
    days = [ask(page, "traffic", service, day, interval="1")["buckets"] for day in (START, START - DAY)]
    for row, now, before in zip(rows, *days, strict=True):
        counts = [now["classes"][f"{n}xx"] for n in (2, 3, 4, 5)]
        assert row[0:2] == ["2025-07-01", f"09:{row[1][3:]}"]
        assert [int(cell) for cell in row[2:]] == [*counts, now["total"], before["total"]]
    csv = dash_br.driver.execute_script(
        "var c = window.dash_clientside.accessboard; return c.csvOf(c.rowsOf(document.querySelector(arguments[0])))",
        f"#{TRAFFIC} .js-plotly-plot",
    ).split("\r\n")
    assert csv[0] == 'Time,2xx,3xx,4xx,5xx,Total,"yesterday, total"'
    assert [line.split(",")[5] for line in csv[1:]] == [str(bucket["total"]) for bucket in days[0]]
    cells = [["=1+1", "+a", "-5", "@b", "\tc", "＝1", "\n=1", "-", -5, 'say "x"', None]]
    line = dash_br.driver.execute_script("return window.dash_clientside.accessboard.csvOf(arguments[0])", cells)
    assert line == '\'=1+1,\'+a,\'-5,\'@b,\'\tc,\'＝1,"\'\n=1",-,-5,"say ""x""",'
    assert dash_br.get_logs() == []


def test_filters_are_added_by_the_form_and_refresh_is_a_choice(page: Served, dash_br: Any, service: str) -> None:
    show(dash_br, page, service)
    dash_br.find_element("#shell-filter > summary").click()
    dash_br.find_element("#shell-filter-field option[value='route']").click()
    wait_until(dash_br, lambda: "/api/cart" in suggested(dash_br))
    field = dash_br.find_element("#shell-filter-value input, input#shell-filter-value")
    field.send_keys("/api/cart")
    dash_br.find_element("#shell-filter-add").click()
    dash_br.wait_for_text_to_equal("#overview-requests", "400")
    assert "route=/api/cart" in search_of(dash_br)
    dash_br.find_element("#shell-auto > summary").click()
    dash_br.find_element("#shell-refresh-off").click()
    dash_br.wait_for_text_to_equal("#shell-refresh-name", "off")
    assert "refresh=off" in search_of(dash_br)
    assert dash_br.get_logs() == []


def test_a_part_that_fails_says_so_in_its_own_frame(
    page: Served, dash_br: Any, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ArithmeticError("planted")

    monkeypatch.setattr(reading, "statuses", fail)
    show(dash_br, page, service, lang="en")
    frame = dash_br.wait_for_element("#overview-status-rows-failed .button")
    text = dash_br.find_element("#overview-status-rows-failed").text
    assert "Status codes could not be loaded." in text
    assert "Request " in text
    assert dash_br.find_elements(".failed:not(:empty)") == [dash_br.find_element("#overview-status-rows-failed")]
    dash_br.wait_for_element("#overview-failing tbody tr")
    monkeypatch.undo()
    frame.click()
    dash_br.wait_for_element("#overview-status-rows .status-row")
    wait_until(dash_br, lambda: dash_br.find_elements(".failed:not(:empty)") == [])
    assert dash_br.get_logs() == []
