"""Where the report is, and what is said where it cannot be printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from accessboard import report
from accessboard.cli import cli


@pytest.mark.parametrize(
    ("bind", "host"),
    [("127.0.0.1:8050", "127.0.0.1:8050"), ("0.0.0.0:80", "127.0.0.1:80"), ("[::]:8050", "127.0.0.1:8050")],
)
def test_address_is_on_this_machine_and_names_only_what_was_asked_for(bind: str, host: str) -> None:
    asked = report.report_address(bind, {"last": None, "start": "2026-05-01T09:30", "service": "a b&c", "lang": "en"})
    assert asked == f"http://{host}/report?start=2026-05-01T09:30&service=a+b%26c&lang=en"


def test_without_a_dashboard_it_says_what_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_BIND", "127.0.0.1:1")
    done = CliRunner().invoke(cli, ["report", str(tmp_path / "a.pdf")])
    assert done.exit_code == 1
    assert "start `accessboard up` first" in done.output
    assert not (tmp_path / "a.pdf").exists()


def test_without_a_browser_it_says_where_to_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_require_dashboard", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(report.NoReport, match=r"open .* in yours"):
        report.print_report("http://127.0.0.1:1/report", tmp_path / "a.pdf")


def test_a_browser_that_prints_nothing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_require_dashboard", lambda _: None)
    with pytest.raises(report.NoReport, match="printed nothing"):
        report.print_report("http://127.0.0.1:1/report", tmp_path / "a.pdf", browser="/bin/true")
