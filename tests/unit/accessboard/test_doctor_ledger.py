"""What the doctor says about arrivals, and that it knows every reason that the ingest server gives."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import ingest_server
from accessboard.doctor_ledger import LOSING, QUARANTINE, REFUSALS, Arrivals, findings_of
from accessboard.finding import Finding
from ingest_server.intake import UNREADABLE

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
QUIET = Arrivals(0, {}, {}, {}, None)


def said(arrivals: Arrivals) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings_of(arrivals, NOW)}


def test_a_quiet_ledger_is_fine_and_says_where_to_begin() -> None:
    findings = said(QUIET)
    assert all(finding.fine for finding in findings.values())
    assert "README" in findings["arrivals"].words
    assert findings["quarantine"].words == "empty"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "119 min"), (7_200, "2 h"), (200_000, "2 d"), (-3, "0 s")],
)
def test_the_age_of_the_last_arrival_is_in_words(seconds: int, words: str) -> None:
    last = NOW - timedelta(seconds=seconds)
    found = said(Arrivals(1_234, {}, {}, {}, last))["arrivals"]
    assert found == Finding("arrivals", True, f"1,234 records in the last hour; the last arrived {words} ago")


def test_refusals_that_cost_data_are_faults() -> None:
    findings = said(Arrivals(0, {}, {"bad_token": 2, "overload": 1, "new": 1}, {}, NOW))
    assert {name: finding.fine for name, finding in findings.items() if "refused" in name} == {
        "refused, bad_token": False,
        "refused, overload": True,
        "refused, new": True,
    }
    assert "INGEST_TOKENS" in findings["refused, bad_token"].words


def test_new_records_in_quarantine_are_a_fault_old_dropped_and_usual_ones_are_not() -> None:
    findings = said(
        Arrivals(9, {"no_path": 2, "too_deep": 4, "bad_path": 1}, {}, {"no_path": 5, "bad_time": 3, "bad_path": 1}, NOW)
    )
    assert not findings["quarantine, no_path"].fine
    assert findings["quarantine, no_path"].words.startswith("5 kept, 2 came in the last hour; ")
    assert findings["quarantine, bad_time"].fine
    assert findings["quarantine, too_deep"].fine
    assert findings["quarantine, bad_path"].fine


def test_every_reason_of_the_ingest_server_has_its_advice() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in Path(ingest_server.__file__).parent.rglob("*.py"))
    kinds = set(re.findall(r'Refused\("(\w+)"', code)) | {f"no_{name}" for name in ("method", "path", "status")}
    assert kinds | {UNREADABLE, "refused_by_database"} == QUARANTINE.keys()
    assert set(re.findall(r'refused\(request, "(\w+)"', code)) == REFUSALS.keys()
    assert REFUSALS.keys() >= LOSING
