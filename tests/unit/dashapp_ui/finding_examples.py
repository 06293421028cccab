"""A finding of every kind, with values as the search gives them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from dashapp.insight.finding import Evidence, Finding, Kind, Subject, Unit
from tests.unit.dashapp_ui.builders import START

ENDPOINT = Subject(service="shop", method="POST", route="/api/order/checkout")
SHOP = Subject(service="shop")
CLIENT = Subject(service="shop", client_ip="203.0.113.4")
QUERY = "/api/stats/summary?start=2026-11-23T00:00:00Z&end=2026-11-23T00:12:00Z&service=shop"
_NUMBERS: dict[Kind, tuple[Unit, float, float]] = {
    "traffic_spike": ("per_minute", 1200, 300),
    "traffic_drop": ("per_minute", 12, 300),
    "outage": ("per_minute", 0, 300),
    "new_failing_route": ("share", 0.96, 0),
    "client_volume": ("requests", 4100, 41),
    "scanner": ("paths", 312, 2),
    "credential_guessing": ("requests", 412, 3),
    "scraper": ("paths", 4120, 30),
    "canary_lost": ("minutes", 12, 0),
}
_SUBJECTS: dict[Kind, Subject] = {
    "traffic_spike": SHOP,
    "traffic_drop": SHOP,
    "outage": SHOP,
    "client_volume": CLIENT,
    "scanner": CLIENT,
    "credential_guessing": CLIENT,
    "scraper": CLIENT,
    "canary_lost": Subject(),
}


def example(kind: Kind, **changes: Any) -> Finding:
    """A finding of a kind; errors are shares, latencies milliseconds."""
    by_default: tuple[Unit, float, float] = ("ms", 412.0, 198.0)
    if kind == "error_burst":
        by_default = ("share", 0.171, 0.004)
    unit, observed, expected = _NUMBERS.get(kind, by_default)
    return replace(
        Finding(
            kind=kind,
            severity="high",
            subject=_SUBJECTS.get(kind, ENDPOINT),
            start=START,
            end=START + timedelta(minutes=12),
            unit=unit,
            observed=observed,
            expected=expected,
            effect=observed / expected if expected else None,
            score=9.0,
            p=1e-9,
            n=1234,
            cause="unknown",
            evidence=(Evidence("error_rate", observed, unit, QUERY),),
        ),
        **changes,
    )
