from __future__ import annotations

from datetime import UTC, datetime
from types import ModuleType
from urllib.parse import parse_qs

import pytest

from dashapp import pages
from dashapp.pages.logs import download_links
from dashapp.shell import navigation
from dashapp.shell.menus import api_address, compare_choices, compare_label, refresh_choices
from dashapp.view import View, view_of
from dashapp.words import Words
from tests.unit.dashapp_ui.builders import SEOUL, components_of, text_of

KO = Words("ko")
COMPLETE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def view_at(search: str) -> View:
    return view_of(search, COMPLETE, SEOUL)


def links(nodes: object) -> list[str]:
    return [node.href for node in components_of(nodes) if hasattr(node, "href")]


def test_every_filter_that_counts_has_a_chip_that_takes_it_away() -> None:
    view = view_at("?service=shop&status=9&text=cart&latency_min=500")
    chips = navigation.chips("/", view, KO)
    assert [text_of(chip.children[0]) for chip in chips] == ["service", "text", "latency ≥"]
    assert links(chips)[1] == "/?service=shop&status=9&latency_min=500"


def test_a_page_is_one_entry_of_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    page = ModuleType("log_search")
    page.__dict__.update(PATH="/logs", TAB="", PARENT="/realtime")
    monkeypatch.setattr(pages, "PAGES", (*pages.PAGES, page))
    tabs = navigation.tabs("/logs", view_at("?last=6h&by=path"))
    assert len(tabs) == sum(bool(each.TAB) for each in pages.PAGES)
    (current,) = [tab for tab in tabs if "aria-current" in tab.to_plotly_json()["props"]]
    assert text_of(current) == "Realtime Logs"
    assert links(tabs)[1] == "/patterns?last=6h"


def test_menus_lead_to_the_same_view_with_one_thing_changed() -> None:
    view = view_at("?last=6h&vs_start=2026-11-20T09:00&status=5xx")
    assert links(compare_choices("/", view, KO)) == [
        "/?last=6h&status=5xx",
        "/?last=6h&vs=prev&status=5xx",
        "/?last=6h&vs=day&status=5xx",
        "/?last=6h&vs=week&status=5xx",
    ]
    assert "11-20 09:00부터" in text_of(compare_label(view, SEOUL, KO))
    assert links(refresh_choices("/", view_at("")))[0] == "/?refresh=off"


def test_a_comparison_is_offered_where_a_page_shows_one() -> None:
    assert [page.PATH for page in pages.PAGES if not navigation.compares(page.PATH)] == ["/logs", "/ai", "/collection"]
    assert navigation.compares("/unknown")


def test_exports_ask_the_api_for_the_same_rows() -> None:
    view = view_at("?last=1h&status=5xx&route=/a b&lang=ko")
    assert api_address("/api/logs/export", view, format="csv") == (
        "/api/logs/export?start=2026-11-23T11:00:00Z&end=2026-11-23T12:00:00Z&route=/a+b&status=5xx&format=csv"
    )


def test_exports_leave_out_what_the_page_leaves_out() -> None:
    view = view_at("?last=1h&service=shop&status=9&client_ip=me&latency_min=-1")
    for address in (api_address("/api/logs/export", view), *links(download_links(view))):
        query = parse_qs(address.partition("?")[2])
        assert query.keys() - {"format", "gzip"} == {"start", "end", "service"}


def test_a_page_that_explains_a_pattern_is_not_said_to_do_without_it() -> None:
    said = {path: navigation.problem(path, view_at(r"?regex=(a)\1"), KO) for path in ("/", "/logs", "/realtime")}
    assert "이 필터는 빼고 보여줍니다" in (said.pop("/") or "")
    assert set(said.values()) == {None}
    assert navigation.problem("/logs", view_at("?status=9"), KO)
