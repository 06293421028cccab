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


def test_a_browser_that_prints_nothing_is_an_error_also_over_an_earlier_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "_require_dashboard", lambda _: None)
    path = tmp_path / "a.pdf"
    for _ in range(2):
        with pytest.raises(report.NoReport, match="printed nothing"):
            report.print_report("http://127.0.0.1:1/report", path, browser="/bin/true")
        path.write_bytes(b"%PDF of last week")
    assert path.read_bytes() == b"%PDF of last week"


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_require_dashboard", lambda _: None)
    browser = tmp_path / "browser"
    browser.write_text(
        '#!/bin/sh\nfor each; do case "$each" in --print-to-pdf=*) echo "%PDF" > "${each#*=}";; esac; done\n'
    )
    browser.chmod(0o755)
    assert report.print_report("http://127.0.0.1:1/report", tmp_path / "a.pdf", browser=str(browser)) == 5
    with pytest.raises(report.NoReport, match="cannot be written"):
        report.print_report("http://127.0.0.1:1/report", tmp_path / "no" / "a.pdf", browser=str(browser))
