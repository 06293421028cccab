"""Figures and component trees for the tests of the user interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashapp.stats.endpoint_page import Listed
from dashapp.stats.summary import Summary
from dashapp.stats.tally import Latency
from dashapp.stats.traffic import Traffic, TrafficBucket
from dashapp.stats.usage import Endpoint, Usage
from sql.collection import RouteCount

SEOUL = ZoneInfo("Asia/Seoul")
START = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)  # 09:00 in Seoul
LATENCY = Latency(100.0, 80.0, 180.0, 244.0, 395.0, 900.0)


def traffic_of(totals: Sequence[int | None], minutes: int = 1) -> Traffic:
    return Traffic(minutes, [_bucket(i, total, minutes) for i, total in enumerate(totals)])


def _bucket(index: int, total: int | None, minutes: int) -> TrafficBucket:
    start = START + timedelta(minutes=index * minutes)
    if total is None:
        return TrafficBucket(start)
    classes = {"2xx": total, "3xx": 0, "4xx": 0, "5xx": 0}
    return TrafficBucket(start, total, 0, classes, LATENCY if total else Latency())


def endpoint(route: str, count: int, client: int = 0, server: int = 0, latency: Latency = LATENCY) -> Endpoint:
    errors = client + server
    return Endpoint("GET", route, count, 0.5, errors, client, server, errors / count, latency)


def listed_of(
    endpoints: list[Endpoint], now: list[Endpoint] | None = None, before: list[Endpoint] | None = None
) -> Listed:
    whole, *sides = (
        None if each is None else Usage(each, len(each), sum(e.count for e in each))
        for each in (endpoints, now, before)
    )
    assert whole is not None
    return Listed(whole, summary_of(whole.total), RouteCount(len(endpoints), capped=False), None, *sides)


def summary_of(total: int, client: int = 0, server: int = 0, latency: Latency = LATENCY) -> Summary:
    errors = client + server
    return Summary(START, START, START, total, errors, client, server, errors / total if total else None, latency, 0)


def text_of(node: Any) -> str:
    """All text of a component tree, in order."""
    if node is None:
        return ""
    if isinstance(node, list | tuple):
        return "".join(text_of(child) for child in node)
    return text_of(node.children) if hasattr(node, "children") else str(node)


def components_of(node: Any) -> Iterator[Any]:
    """Every component of a tree."""
    if isinstance(node, list | tuple):
        for child in node:
            yield from components_of(child)
    elif hasattr(node, "to_plotly_json"):
        yield node
        yield from components_of(getattr(node, "children", None))
