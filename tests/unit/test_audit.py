"""What the audit of dependencies makes of what it is told."""

from __future__ import annotations

from datetime import date

import pytest

from tests.audit import Audit, accepted, of_node, of_python, verdict

TODAY = date(2026, 11, 27)
# As the two programs print it, shortened.
PYTHON = {
    "dependencies": [
        {
            "name": "flask",
            "version": "0.5",
            "vulns": [{"id": "PYSEC-2019-179", "fix_versions": ["1.0"], "aliases": []}],
        },
        {"name": "dash", "version": "4.4.0", "vulns": []},
        {"name": "ours", "skip_reason": "Dependency not found on PyPI and could not be audited: ours (1)"},
    ],
    "fixes": [],
}
NODE = {
    "auditReportVersion": 2,
    "vulnerabilities": {
        "ws": {"name": "ws", "severity": "high", "via": [{"url": "https://github.com/advisories/GHSA-3h5v"}]},
        "server": {"name": "server", "severity": "high", "via": ["ws"]},
    },
}
REFUSED = {"message": "405 Method Not Allowed", "statusCode": 405}


def test_a_hole_is_told_and_is_wrong() -> None:
    lines, wrong = verdict({"python": of_python(PYTHON), "node": of_node(NODE, 9)}, set())
    assert wrong
    assert "python: flask 0.5 has PYSEC-2019-179" in lines
    assert "node: ws has GHSA-3h5v" in lines
    assert "python: no advisories could be had for 1 packages" in lines


def test_what_cannot_be_asked_is_told_and_passes() -> None:
    lines, wrong = verdict({"python": of_python({}), "node": of_node(REFUSED, 9)}, set())
    assert lines == ["python: nobody could be asked", "node: no advisories could be had for 9 packages"]
    assert not wrong


def test_what_is_accepted_passes_until_its_day() -> None:
    text = "# a remark\nPYSEC-2019-179 until 2026-12-01: we never do that\nGHSA-old until 2026-01-01: long ago\n"
    assert accepted(text, TODAY) == {"PYSEC-2019-179"}
    assert accepted(text, date(2026, 12, 2)) == set()
    assert verdict({"python": of_python(PYTHON)}, accepted(text, TODAY))[1] is False


def test_a_line_without_a_day_or_a_reason_is_refused() -> None:
    for line in ("PYSEC-1", "PYSEC-1 until 2026-12-01:", "PYSEC-1 until soon: later"):
        with pytest.raises(ValueError, match="write ID until"):
            accepted(line, TODAY)


def test_without_holes_nothing_is_wrong() -> None:
    assert verdict({"python": Audit(3, 0)}, set()) == (["python: 3 packages asked about"], False)
