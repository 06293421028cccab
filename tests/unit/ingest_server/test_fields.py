"""The table of names and units."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_server.fields import ALIASES, milliseconds, pick

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def test_no_name_belongs_to_two_columns() -> None:
    names = [name for known in ALIASES.values() for name in known]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "value", "latency_ms"),
    [
        ("latency_ms", 12.5, 12.5),
        ("duration_us", 12_500, 12.5),
        ("response_time_us", "12500", 12.5),
        ("duration_ns", 12_500_000, 12.5),
        ("duration_s", 0.0125, 12.5),
        ("request_time", "0.0125", 12.5),
        ("request_time", 0.0125, 12.5),
        ("duration", 12.5, 12.5),
        ("duration", "12.5ms", 12.5),
        ("request_time", "12.5ms", 12.5),
        ("latency", "12.5ms", 12.5),
        ("took", 12.5, 12.5),
        ("elapsed", "12.5", 12.5),
        ("response_time", 12.5, 12.5),
    ],
)
def test_latency_has_the_unit_of_its_name(name: str, value: Any, latency_ms: float) -> None:
    found = pick({name: value}, "latency_ms")
    assert found is not None
    assert milliseconds(found[1], found[2]) == pytest.approx(latency_ms)


def test_a_name_that_states_its_unit_comes_first() -> None:
    factors = list(ALIASES["latency_ms"].items())
    stated = [
        at for at, (name, _) in enumerate(factors) if name.rsplit("_", 1)[-1] in ("ms", "us", "ns", "s", "seconds")
    ]
    assert stated == list(range(len(stated)))


def test_pick_takes_the_first_name_that_says_something() -> None:
    assert pick({"status": None, "code": "-", "http_status": 404}, "status") == ("http_status", 404, 1)
    assert pick({"status": ""}, "status") is None
    assert pick({"status": 0}, "status") == ("status", 0, 1)
    assert pick({"date": 1.0, "time": "t"}, "timestamp") == ("time", "t", 1)
    assert pick({"host": "10.0.0.1", "remote_addr": "10.0.0.2"}, "client_ip") == ("remote_addr", "10.0.0.2", 1)


@pytest.mark.parametrize(
    ("text", "factor", "expected"),
    [
        ("1.5ms", 1, 1.5),
        ("1.5 ms", 1000, 1.5),
        ("1s", 1, 1000.0),
        ("2m3.5s", 1, 123_500.0),
        ("1h", 1, 3_600_000.0),
        ("350µs", 1, 0.35),
        ("350μs", 1, 0.35),
        ("7ns", 1, 7e-6),
        (" 5 ", 1000, 5000.0),
        ("-5", 1, None),
        ("-5ms", 1, None),
        ("nan", 1, None),
        ("inf", 1, None),
        ("fast", 1, None),
        ("", 1, None),
        ("ms", 1, None),
        ("5 parsecs", 1, None),
        ("1ms" * 1000, 1, None),
    ],
)
def test_milliseconds_of_a_text(text: str, factor: float, expected: float | None) -> None:
    assert milliseconds(text, factor) == (None if expected is None else pytest.approx(expected))


@relaxed
@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none(), st.lists(st.integers())))
def test_milliseconds_of_anything(value: object) -> None:
    number = milliseconds(value, 1000)
    assert number is None or (math.isfinite(number) and number >= 0)


def test_milliseconds_of_an_integer_that_no_float_holds() -> None:
    assert milliseconds(10**400) is None
    assert milliseconds(True) is None
