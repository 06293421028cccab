from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from dashapp.insight.changes import what_changed
from dashapp.stats.change_fields import (
    Together,
    counted_fields,
    sampled_fields,
    slow_from_ms,
    slow_slot,
    window_of,
)
from sql.reading import Cell
from sql.sample import SampledRequest
from sql.sketch import SLOTS

START = datetime(2026, 11, 23, tzinfo=UTC)


def cell(route: str, n: int, failed: int = 0, slots: dict[int, int] | None = None) -> Cell:
    sketch = np.zeros(SLOTS + 2, np.int64)
    for slot, count in (slots or {100: n}).items():
        sketch[slot] = count
    keys = ("shop", "GET", route, 500 if failed == n and n else 200)
    return Cell(0, keys, n, (0, n - failed, 0, 0, failed), n, 1000 * n, 900.0, 0, sketch)


def row(**changes: Any) -> SampledRequest:
    usual: dict[str, Any] = {
        "ts": START,
        "service": "shop",
        "path": "/a",
        "status": 200,
        "latency_ms": 20.0,
        "user_agent": "curl/8.1",
        "attributes": {"version": "4.1", "trace": "x"},
        "client_ip": "10.1.2.3",
        "method": "GET",
        "route": "/a",
    }
    return SampledRequest(**(usual | changes))


def test_slow_is_what_is_as_slow_as_a_twentieth_of_the_comparison() -> None:
    before = [cell("/a", 100, slots={100: 94, 150: 6})]
    slot = slow_slot(before)
    assert slot == 150
    assert window_of(before, slot).slow == 0
    assert window_of([cell("/a", 100, slots={100: 90, 200: 10})], slot).slow == 10
    assert slow_from_ms(slot) == pytest.approx(0.1 * 1.05**150)
    assert slow_slot([]) is None
    assert slow_from_ms(None) is None


def test_every_request_counts_once_in_each_exact_field() -> None:
    now, before = [cell("/a", 300), cell("/b", 20, 20)], [cell("/a", 100)]
    fields = counted_fields(now, before, slow_slot(before))
    assert [field.name for field in fields] == ["route", "status"]  # all have the same service and method
    for field in fields:
        assert field.now.n.sum() == field.now_seen.n == 320
        assert field.now.failed.sum() == 20
        assert field.before.n.sum() == 100
        assert field.exact


def test_fields_of_drawn_requests_leave_out_what_names_single_ones() -> None:
    now = [row(attributes={"version": "4.2", "trace": f"t{i}"}, client_ip=f"10.1.{i % 2}.9") for i in range(300)]
    fields = {field.name: field for field in sampled_fields(now, [row()] * 100, None)}
    assert set(fields) == {"client_ip", "network", "attributes.version"}
    assert fields["network"].values == ["10.1.0.0/24", "10.1.1.0/24", "10.1.2.0/24"]
    assert fields["attributes.version"].now.n.tolist() == [0, 300]
    assert not fields["client_ip"].exact


def test_what_values_share_is_exact_for_aggregates_and_drawn_otherwise() -> None:
    cells = ([cell("/a", 60), cell("/b", 40)], [cell("/a", 100)])
    rows = ([row(client_ip="10.9.9.9", method="POST")] * 30 + [row()] * 10, [row()] * 40)
    joint = Together(cells, rows, None)
    assert joint("requests", ("service", "shop"), ("route", "/a")) == (0.6, 1.0)
    assert joint("requests", ("client_ip", "10.9.9.9"), ("method", "POST")) == (1.0, 0.0)
    assert joint("failures", ("service", "shop"), ("route", "/a")) is None


def test_a_burst_of_one_route_is_named_and_all_is_quiet_otherwise() -> None:
    before = [cell(f"/r{i}", 200) for i in range(12)]
    now = [*before[1:], cell("/r0", 150), cell("/r0", 120, 120)]
    slot = slow_slot(before)
    windows = window_of(now, slot), window_of(before, slot)
    found = what_changed(counted_fields(now, before, slot), *windows, joint=Together((now, before), ([], []), slot))
    assert {each.value for each in found["failures"]} & {"/r0", 500}
    quiet = what_changed(counted_fields(before, before, slot), windows[1], windows[1])
    assert not any(quiet.values())
