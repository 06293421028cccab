"""Parts of the scan that need no database."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from dashapp.insight.finding import Evidence, Finding, Subject
from dashapp.scan.course import alike
from dashapp.scan.incidents import TOGETHER, Member, incident_of
from dashapp.scan.kept import columns_of, finding_of, key_of, payload_of
from dashapp.scan.reading import client_minute_of, minute_of
from dashapp.scan.thread import Rounds
from sql.client_minutes import ClientEntry
from sql.connection import DatabaseUnavailable
from sql.plan import MINUTE
from sql.reading import Cell
from sql.sketch import SLOTS

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
FINDING = Finding(
    "error_burst", "low", Subject("shop", "POST", "/pay", status="503"), NOON, NOON + MINUTE, "ratio", 4.0, 1.0, 4.0,
    12.5, 1e-12, 40, "call", (Evidence("errors", 12.0, "requests", "/api/stats/summary?start=x"),),
    Subject("auth", "GET", "/token"), {"lag": "2", "path": "/한글"},
)  # fmt: skip


# ---- kept ----


@pytest.mark.parametrize("finding", [FINDING, replace(FINDING, end=None, related=None, p=None, effect=None)])
def test_a_finding_comes_back_as_it_was_kept(finding: Finding) -> None:
    text = json.dumps(payload_of(finding), allow_nan=False)
    assert finding_of(json.loads(text)) == finding


def test_numbers_that_json_has_no_word_for_are_kept_as_others() -> None:
    odd = replace(FINDING, score=math.inf, effect=math.inf, observed=math.nan, p=math.nan)
    kept = finding_of(json.loads(json.dumps(payload_of(odd), allow_nan=False)))
    assert (kept.score, kept.effect, kept.observed, kept.p) == (1e300, None, 0.0, None)


def test_a_finding_has_its_name_from_what_it_is_and_when_it_began() -> None:
    worse = replace(FINDING, severity="high", end=None, observed=9.0)
    assert key_of(worse) == key_of(FINDING)
    others = [
        replace(FINDING, start=NOON + MINUTE),
        replace(FINDING, kind="latency_tail"),
        replace(FINDING, subject=Subject("shop", "POST", "/pay")),
        replace(FINDING, subject=Subject("shop", "POST/pay", status="503")),
    ]
    assert len({key_of(each) for each in [FINDING, *others]}) == 5


def test_a_subject_that_is_no_address_is_kept_without() -> None:
    row = columns_of(
        "k",
        replace(FINDING, subject=Subject(client_ip="unix:", network="10.1.2.3/24")),
        incident="k",
        late=False,
        watch=1,
    )
    assert (row["client_ip"], row["network"]) == (None, "10.1.2.0/24")
    assert row["payload"]["subject"] == {"client_ip": "unix:", "network": "10.1.2.3/24"}


# ---- incidents ----


@pytest.mark.parametrize(
    ("service", "after", "incident"),
    [
        ("shop", timedelta(0), "first"),
        ("shop", TOGETHER, "first"),
        ("shop", TOGETHER + MINUTE, "new"),
        (None, MINUTE, "first"),
        ("auth", MINUTE, "new"),
    ],
)
def test_what_begins_in_a_service_at_about_the_same_time_is_one_incident(
    service: str | None, after: timedelta, incident: str
) -> None:
    assert incident_of("new", service, NOON + after, [Member("first", "shop", NOON)]) == incident


def test_a_finding_goes_with_its_own_service_first() -> None:
    lasting = [Member("all", None, NOON), Member("own", "shop", NOON - MINUTE)]
    assert incident_of("new", "shop", NOON, lasting) == "own"


def test_the_same_thing_after_a_restart_is_the_one_that_began_nearest() -> None:
    known = [
        ("far", replace(FINDING, start=NOON - 9 * MINUTE)),
        ("near", replace(FINDING, start=NOON - MINUTE)),
        ("other", replace(FINDING, kind="latency_tail")),
        ("long ago", replace(FINDING, start=NOON - timedelta(days=1), end=NOON - timedelta(hours=9))),
    ]
    assert alike(FINDING, known, timedelta(minutes=15)) == "near"
    assert alike(FINDING, known[2:], timedelta(minutes=15)) is None


# ---- minutes ----


def cell(route: str, status: int, n: int, slot: int | None = None) -> Cell:
    sketch = None
    if slot is not None:
        sketch = np.zeros(SLOTS + 2, np.int64)
        sketch[slot] = n
    return Cell(0, ("shop", "GET", route, status), n, (0, n, 0, 0, 0), n, 0, None, 0, sketch)


def test_a_minute_has_a_row_for_each_endpoint_and_a_column_for_each_status() -> None:
    minute = minute_of(NOON, [cell("/a", 503, 1), cell("/a", 200, 9, 50), cell("/b", 200, 4, 60)])
    assert [each.route for each in minute.endpoints] == ["/a", "/b"]
    assert minute.statuses == [200, 503]
    assert minute.counts.tolist() == [[9, 1], [4, 0]]
    assert (minute.latencies[0, 50], minute.latencies[1, 60], minute.latencies.sum()) == (9, 4, 13)


def test_a_minute_without_requests_is_empty() -> None:
    minute = minute_of(NOON, [])
    assert (minute.counts.shape, minute.latencies.shape) == ((0, 0), (0, SLOTS + 2))


def test_a_client_has_the_agent_of_most_of_its_requests() -> None:
    def entry(route: str, status: int, n: int, agent: str | None) -> ClientEntry:
        return ClientEntry(NOON, "10.0.0.1", "shop", "GET", route, status, n, 2, agent)

    entries = [
        entry("/a", 200, 3, "curl"),
        entry("/b", 200, 2, "bot"),
        entry("/c", 404, 2, "bot"),
        entry("/d", 200, 9, None),
    ]
    minute = client_minute_of(NOON, entries)
    assert (minute.clients, minute.agents) == (["10.0.0.1"], ["bot"])
    assert minute.failed_paths.tolist() == [0, 0, 2, 0]
    assert minute.paths.tolist() == [2, 2, 2, 2]


# ---- the thread ----


def test_the_thread_survives_whatever_a_round_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashapp.scan.thread._AWAY_S", 0.01)
    done = threading.Event()
    outcomes: list[Any] = [DatabaseUnavailable("away"), ZeroDivisionError("a fault"), True, False, False]

    def work() -> bool:
        outcome = outcomes.pop(0)
        if not outcomes:
            done.set()
            outcomes.append(False)
        if isinstance(outcome, Exception):
            raise outcome
        return bool(outcome)

    rounds = Rounds("test", work, tick_s=0.01)
    rounds.start()
    assert done.wait(10)
    rounds.stop()
    assert not rounds._thread.is_alive()
