from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pytest

from dashapp.components.what_changed import what_changed
from dashapp.insight.changes import Explanation, Measure
from dashapp.insight.groups import Window
from dashapp.stats.changes import Changed
from dashapp.values import filter_of
from dashapp.view import view_of
from dashapp.words import LANGUAGES, Words
from tests.unit.dashapp_ui.builders import SEOUL, START, components_of, text_of

EN = Words("en")
VIEW = view_of("?start=2026-11-23T09:00&end=2026-11-23T09:20&lang=en", START, SEOUL)
NOW, BEFORE = Window(3000, 240, 3000, 30), Window(2000, 20, 2000, 20)


def explanation(field: str, value: str | int, **changes: Any) -> Explanation:
    usual: dict[str, Any] = {
        "measure": "failures",
        "now": 200.0,
        "before": 4.0,
        "expected": 6.0,
        "share_now": 0.8333,
        "share_before": 0.2,
        "rate_now": 0.4,
        "rate_before": 0.01,
        "explains": 0.88,
        "p": 1e-12,
        "q": 1e-10,
        "exact": True,
    }
    return Explanation(field=field, value=value, **(usual | changes))


def shown(found: Mapping[Measure, list[Explanation]], words: Words = EN, now: Window = NOW) -> Any:
    return what_changed(Changed(VIEW.whole, VIEW.whole, now, BEFORE, 300.0, 5000, found), VIEW, words)


def test_values_are_ranked_with_shares_chance_and_one_click() -> None:
    node = shown({"failures": [explanation("route", "/api/pay", same=(("method", "POST"),))]})
    text = text_of(node)
    assert "Failures with route /api/pay rose from 4 to 200, which explains 88% of the difference." in text
    for part in ("83.33%", "20.00%", "+88%", "less than one in a million", "rate 1.00% → 40.00%", "method POST"):
        assert part in text
    links = [unquote(each.href) for each in components_of(node) if hasattr(each, "href")]
    assert links == [
        "?start=2026-11-23T09:00&end=2026-11-23T09:20&route=/api/pay&lang=en",
        "?start=2026-11-23T09:00&end=2026-11-23T09:20&method=POST&lang=en",
    ]
    assert text.count("Nothing differs beyond chance.") == 2
    assert "2,000 → 3,000" in text


def test_fewer_is_said_as_such_and_a_sample_says_about() -> None:
    each = explanation("network", "10.1.0.0/24", now=10.0, expected=90.0, explains=-0.4, exact=False, measure="slow")
    text = text_of(shown({"slow": [each]}))
    assert "Slow requests with network 10.1.0.0/24 fell from about 4 to about 10" in text
    assert "−40%" in text
    assert "drawn evenly" in text


def test_little_data_says_how_much_there_is() -> None:
    assert text_of(shown({}, now=Window(0, 0, 0, 0))) == "Not enough data: n = 0 now, n = 2,000 before."


@pytest.mark.parametrize(
    ("field", "filters"),
    [
        ("network", {"client_ip": "10.1.0.0/24"}),
        ("status", {"status": "10.1.0.0/24"}),
        ("client_type", {}),
        ("attributes.app_version", {"attribute": "app_version:10.1.0.0/24"}),
        ("attributes.odd:name", {}),
        ("product", {"agent": "10.1.0.0/24"}),
    ],
)
def test_only_what_an_address_can_filter_is_a_link(field: str, filters: dict[str, str]) -> None:
    assert filter_of(field, "10.1.0.0/24") == filters


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "field", ["service", "route", "method", "status", "client_ip", "network", "client_type", "product"]
)
def test_every_field_has_a_name(field: str, language: str) -> None:
    text = text_of(shown({"requests": [explanation(field, "bot", measure="requests")]}, Words(language)))
    assert field not in text or language == "en"
    assert "{" not in text


def test_a_comparison_without_data_is_said_to_have_none() -> None:
    nothing = Window(0, 0, 0, 0)
    node = what_changed(Changed(None, None, nothing, nothing, None, 0, {}), VIEW, EN)
    assert text_of(node) == "The time that it is compared with has no data."


def test_bars_are_named_where_there_are_any() -> None:
    assert "share now" in text_of(shown({"failures": [explanation("route", "/api/pay")]}))
    assert "share now" not in text_of(shown({"failures": []}))
