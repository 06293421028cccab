from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest

from dashapp.agent import short_agent
from dashapp.components.console import bar_length, console_row
from dashapp.components.endpoint_grid import column_defs, grid_rows, total_row
from dashapp.components.endpoint_tables import failing_table, slowest_table
from dashapp.components.key_figures import key_figures, sparkline
from dashapp.components.statuses import status_rows
from dashapp.stats.errors import StatusCount, Statuses
from dashapp.stats.tally import Latency
from dashapp.view import View, view_of
from dashapp.words import Words
from tests.unit.dashapp_ui.builders import (
    LATENCY,
    SEOUL,
    START,
    components_of,
    endpoint,
    listed_of,
    summary_of,
    text_of,
    traffic_of,
)

KO = Words("ko")


@pytest.fixture
def view() -> View:
    return view_of("?last=6h&lang=ko", START, SEOUL)


def value_of(nodes: Any, figure_id: str) -> str:
    return next(text_of(node) for node in components_of(nodes) if getattr(node, "id", None) == figure_id)


def test_key_figures_are_written_by_one_set_of_rules() -> None:
    shown = key_figures(summary_of(580_890, 4591, 689), traffic_of([1, 2]), seconds=3600, zone=SEOUL, words=KO)
    assert value_of(shown, "overview-requests") == "580,890"
    assert value_of(shown, "overview-error-rate") == "0.91%"
    assert value_of(shown, "overview-p95") == "244 ms"
    assert value_of(shown, "overview-throughput") == "161.4 req/s"
    assert "±2.44%" in text_of(shown)


def test_latency_of_a_log_without_it_is_unknown_not_zero(view: View) -> None:
    none = Latency()
    shown = key_figures(summary_of(10, latency=none), traffic_of([0, 0]), seconds=60, zone=SEOUL, words=KO)
    assert value_of(shown, "overview-p95") == "-"
    assert text_of(slowest_table([endpoint("/a", 5, latency=none)], view, KO)) == KO("no_latency")
    (row,) = grid_rows(listed_of([endpoint("/a", 5, latency=none)]), view)
    assert row["p95"] is None
    assert row["text"]["p95"] == "-"


def test_a_sparkline_keeps_its_gaps() -> None:
    for values, paths in (([1, 2, None, 3, None, 4, 5], 3), ([None, 1], 0)):
        line: Any = sparkline(values)
        assert unquote(line.style["maskImage"]).count("<path") == paths


def test_status_shares_sum_to_a_hundred_and_lead_on(view: View) -> None:
    found = Statuses(
        3, {"2xx": 1, "3xx": 0, "4xx": 1, "5xx": 1}, [StatusCount(code, 1, 1 / 3) for code in (200, 404, 503)]
    )
    rows = status_rows(found, view, KO)
    text = text_of(rows)
    assert [share in text for share in ("33.34%", "33.33%", "0.00%")] == [True, True, True]
    assert "404Not Found" in text
    links = [node.href for node in components_of(rows) if hasattr(node, "href")]
    assert "?last=6h&status=4xx&lang=ko" in links
    assert "?last=6h&status=503&lang=ko" in links


def test_failing_endpoints_are_red_only_for_server_faults(view: View) -> None:
    table = failing_table([endpoint("/login", 100, client=90), endpoint("/pay", 100, server=5)], view, KO)
    cells = {text_of(node): node.className for node in components_of(table) if getattr(node, "className", None)}
    assert cells["90.00%"] == "n"
    assert cells["5.00%"] == "n bad"


def test_the_grid_shows_the_servers_text_and_a_phone_has_four_columns(view: View) -> None:
    (row,) = grid_rows(listed_of([endpoint("/a", 1234, server=100)]), view)
    assert row["href"] == "/endpoints?last=6h&method=GET&route=/a&lang=ko"
    assert row["text"]["count"] == "1,234"
    assert row["notable"] is True
    columns = column_defs(KO, phone=True)
    assert len([column for column in columns if not column.get("hide")]) == 4
    assert not any("dangerously" in str(column) for column in columns)


def test_a_row_has_the_change_of_its_p95_and_its_course_with_gaps(view: View) -> None:
    now = [endpoint("/a", 9, latency=replace(LATENCY, p95=110.0)), endpoint("/new", 1)]
    before = [endpoint("/a", 9, latency=replace(LATENCY, p95=100.0))]
    rows = grid_rows(listed_of(now, now, before), view, courses={("GET", "/a"): [5, None, 15, 10]})
    assert rows[0]["change"] == 0.1
    assert rows[0]["mark"] == ["+10%", 1, "worse"]
    assert rows[0]["trend"] == [0, None, 99, 50]
    assert rows[1]["change"] is None
    assert "trend" not in rows[1]
    plain, long = grid_rows(listed_of([endpoint("/a.b", 1), endpoint("/" + "x" * 200, 1)]), view, by_path=True)
    # The whole path and no other: a list of the requests is as long as the row says.
    assert unquote(plain["href"]) == r"/endpoints?last=6h&method=GET&regex=^/a\.b$&lang=ko"
    assert "text=/xxx" in long["href"]


def test_the_sums_of_the_table_are_the_key_figures_as_they_are_written_elsewhere() -> None:
    row = total_row(summary_of(1234, client=10, server=2), KO)
    assert row["text"] | {} == {
        "count": "1,234",
        "share": "100.00%",
        "error_rate": "0.97%",
        "mean": "100",
        "p50": "80",
        "p90": "180",
        "p95": "244",
        "p99": "395",
    }


def test_console_rows_are_plain_values() -> None:
    row = console_row(
        {
            "ts": datetime(2026, 11, 23, 5, 34, 7, 904_000, tzinfo=UTC),
            "status": 504,
            "method": "GET",
            "path": "/<script>",
            "latency_ms": None,
            "client_ip": None,
            "user_agent": None,
            "service": "shop",
        },
        SEOUL,
    )
    assert row["time"] == "14:34:07.904"
    assert row["latency"] == "-"
    assert row["record"]["path"] == "/<script>"
    assert row["kind"] == 5
    assert row["agent"] == "-"


@pytest.mark.parametrize(("latency", "length"), [(None, 0), (0, 0), (1, 0.037), (100, 0.5), (10_000, 1), (10**6, 1)])
def test_console_bars_are_on_a_log_scale(latency: float | None, length: float) -> None:
    assert bar_length(latency) == pytest.approx(length, abs=0.001)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36", "Chrome 141"),
        ("Mozilla/5.0 (X11) AppleWebKit/537 (KHTML, like Gecko) Chrome/141.0 Safari/537 Edg/141.0", "Edge 141"),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605 (KHTML, like Gecko) Version/18.0 Safari/605", "Safari 18"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot 2.1"),
        ("python-requests/2.32.3", "python-requests 2.32"),
        ("SolomonShop-iOS/5.2.1 (iPhone16,2; iOS 19.1)", "SolomonShop-iOS 5.2"),
        ("", "-"),
        (None, "-"),
        ("(" * 100, "(" * 40),
    ],
)
def test_user_agents_are_shortened(text: str | None, short: str) -> None:
    assert short_agent(text) == short
