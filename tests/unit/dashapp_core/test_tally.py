"""Sums of cells: rates, means and percentiles, and their absence."""

from __future__ import annotations

import pytest

from dashapp.stats.tally import Latency, Tally, named_classes, tally_by
from sql.reading import Cell
from sql.sketch import ERROR_BOUND, FIELD_DIGITS
from tests.plain import sketch_of

# Slot 96 holds 10 ms, slot 190 about 1,000 ms: see sql/sketch.py.
TEN_MS, SECOND = 10 ** (FIELD_DIGITS * 95), 10 ** (FIELD_DIGITS * 189)


def cell(status_class: int, n: int, *, n_lat: int = 0, us: int = 0, mx: float | None = None, sketch: int = 0) -> Cell:
    one, two, three, four, five = (n if each == status_class else 0 for each in range(1, 6))
    slots = sketch_of(sketch) if sketch else None
    return Cell(0, (status_class,), n, (one, two, three, four, five), n_lat, us, mx, bytes=n * 100, sketch=slots)


def test_tally_sums_cells_by_status_class() -> None:
    tally = Tally()
    for status_class, n in ((2, 90), (3, 2), (4, 5), (5, 3)):
        tally.add(cell(status_class, n))
    assert (tally.n, tally.client_errors, tally.server_errors, tally.errors) == (100, 5, 3, 8)
    assert tally.error_rate == 0.08
    assert tally.bytes == 10_000


def test_tally_of_nothing_has_no_rate_and_no_latency() -> None:
    tally = Tally()
    assert tally.error_rate is None
    assert tally.mean_ms is None
    assert tally.latency() == Latency(None, None, None, None, None, None)


def test_tally_without_a_latency_says_null_and_not_zero() -> None:
    tally = Tally()
    tally.add(cell(2, 7))
    assert tally.n == 7
    assert tally.latency() == Latency()


def test_tally_mean_and_maximum_are_exact_over_the_requests_that_have_a_latency() -> None:
    tally = Tally()
    tally.add(cell(2, 5, n_lat=2, us=20_000, mx=10.0, sketch=2 * TEN_MS))
    tally.add(cell(5, 1, n_lat=1, us=1_000_001, mx=1000.001, sketch=SECOND))
    tally.add(cell(4, 9))
    latency = tally.latency()
    assert latency.mean == 1_020_001 / 3 / 1000
    assert latency.max == 1000.001
    assert latency.p50 == pytest.approx(10, rel=0.06)
    assert latency.p99 == pytest.approx(980, rel=0.06)
    assert latency.error_bound == pytest.approx(ERROR_BOUND, abs=1e-4)


def test_tally_of_zero_latencies_is_zero_and_not_absent() -> None:
    tally = Tally()
    tally.add(cell(2, 3, n_lat=3, us=0, mx=0.0, sketch=3))
    assert tally.latency() == Latency(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_tally_by_groups_in_the_order_of_first_appearance() -> None:
    cells = [cell(2, 5), cell(5, 2), cell(2, 1)]
    tallies = tally_by(cells)
    assert list(tallies) == [(2,), (5,)]
    assert (tallies[(2,)].n, tallies[(2,)].errors, tallies[(5,)].errors) == (6, 0, 2)


def test_classes_have_names_and_the_first_only_where_it_occurs() -> None:
    assert named_classes([]) == {"2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0}
    assert named_classes([(0, 7, 0, 1, 2), (0, 1, 0, 0, 0)]) == {"2xx": 8, "3xx": 0, "4xx": 1, "5xx": 2}
    assert named_classes([(3, 0, 0, 0, 0)]) == {"1xx": 3, "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0}
