"""The drawer of one request: where it leads to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashapp.components.record import around_link, record_body
from dashapp.stats.record_context import RecordContext
from dashapp.view import View, view_of
from dashapp.words import Words
from sql.filters import Filters
from sql.plan import Range
from tests.unit.dashapp_ui.builders import LATENCY, SEOUL, components_of

NEW_YORK = ZoneInfo("America/New_York")
SECOND = timedelta(seconds=1)
# In New York the clock shows 01:30 for the second time.
TWICE = datetime(2025, 11, 2, 6, 30, 0, 250_000, tzinfo=UTC)


def record(moment: datetime) -> dict[str, Any]:
    return {
        "ts": moment.isoformat(),
        "service": "shop",
        "method": "POST",
        "path": "/pay",
        "route": "/pay",
        "status": 503,
        "latency_ms": 12.5,
        "client_ip": "10.0.0.7",
    }


def followed(href: str, zone: ZoneInfo) -> View:
    return view_of(href.partition("?")[2], datetime(2026, 1, 1, tzinfo=UTC), zone)


@pytest.mark.parametrize("zone", [SEOUL, NEW_YORK], ids=str)
def test_around_a_request_is_its_client_whatever_the_view_filters(zone: ZoneInfo) -> None:
    view = view_of("?last=1h&service=web&method=GET&route=/cart&status=5xx&text=a", TWICE, zone)
    shown = followed(around_link(record(TWICE), TWICE, view, zone), zone)
    assert shown.filters == Filters(service="shop", client_ip="10.0.0.7")
    assert shown.whole.start <= TWICE - 30 * SECOND < shown.whole.start + SECOND
    assert shown.whole.end - SECOND <= TWICE + 30 * SECOND < shown.whole.end


@pytest.mark.parametrize("zone", [SEOUL, NEW_YORK], ids=str)
def test_the_number_of_like_answers_leads_to_these(zone: ZoneInfo) -> None:
    span = Range(datetime(2025, 11, 2, 6, 0, tzinfo=UTC), datetime(2025, 11, 2, 7, 0, tzinfo=UTC))
    context = RecordContext(span, calls=40, same_status=7, latency=LATENCY)
    view = view_of("?last=1h&client_ip=10.0.0.9", TWICE, zone)
    body = record_body(record(TWICE), context, view, "/logs", zone, Words("en"))
    (href,) = [node.href for node in components_of(body) if getattr(node, "children", None) == "Show them"]
    shown = followed(href, zone)
    assert shown.filters == Filters(service="shop", method="POST", route="/pay", status=(503, 503))
    assert shown.whole == span
