"""The check itself: it reports what is lost, doubled and invented, and passes only what adds up."""

from __future__ import annotations

import json

import pytest

from tests.chaos.verdict import Ledger, Tally, Verdict, tally

EXACT = Ledger(received=5, stored=3, duplicate=2, quarantined=0, rows=3, api_total=3)


def verdict(**changes: object) -> Verdict:
    return Verdict(seed=1, faults={"kill_worker": 2}, ledger=EXACT, **changes)  # type: ignore[arg-type]


def test_each_record_once_is_conserved() -> None:
    assert tally({0, 1, 2}, 3, [2, 0, 1]) == Tally()
    assert verdict().failures() == []


def test_stored_but_never_acknowledged_is_no_fault() -> None:
    assert tally({0}, 2, [0, 1]) == Tally()


def test_lost_doubled_and_invented_records_are_reported() -> None:
    found = tally({0, 1, 2}, 3, [0, 2, 2, 7, None])
    assert found == Tally(lost=(1,), doubled=(2,), invented=(7, None))
    said = verdict(tally=found)
    assert len(said.failures()) == 3
    line = json.loads(said.as_json())
    assert (line["verdict"], line["lost"], line["doubled"], line["invented"]) == ("failed", 1, 1, 2)
    assert (line["seed"], line["faults"], line["faults_total"]) == (1, {"kill_worker": 2}, 2)


@pytest.mark.parametrize(
    "ledger",
    [
        pytest.param(Ledger(6, 3, 2, 0, 3, 3), id="received is not the sum"),
        pytest.param(Ledger(5, 3, 2, 0, 4, 4), id="a row that the ledger does not know"),
        pytest.param(Ledger(5, 3, 2, 0, 2, 2), id="a row of the ledger is not there"),
        pytest.param(Ledger(5, 3, 1, 1, 3, 3), id="a good record in the quarantine"),
        pytest.param(Ledger(5, 3, 2, 0, 3, 2), id="the API counts another number"),
    ],
)
def test_ledger_that_does_not_add_up_fails(ledger: Ledger) -> None:
    assert len(ledger.disagreements()) == 1


def test_unacknowledged_records_and_complaints_fail() -> None:
    assert verdict(unacknowledged=3).failures() == ["3 records never acknowledged"]
    assert verdict(complaints=["400 throws 2 records away"]).failures() == ["400 throws 2 records away"]
