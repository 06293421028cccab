"""Where the report is, and what is said where it cannot be printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from accessboard import report
from accessboard.cli import cli


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command starts an embedded database: not in the folder of whoever runs the tests."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


@pytest.mark.parametrize(
    ("bind", "host"),
    [("127.0.0.1:8050", "127.0.0.1:8050"), ("0.0.0.0:80", "127.0.0.1:80"), ("[::]:8050", "127.0.0.1:8050")],
)
def test_address_is_on_this_machine(bind: str, host: str) -> None:
    asked = report.report_address(bind, {"start": "2026-05-01T09:30", "service": "a b&c", "lang": "en"})
    assert asked == f"http://{host}/report?start=2026-05-01T09:30&service=a+b%26c&lang=en"


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ([], "/report?last=24h"),
        (["--last", "7d", "--vs", "prev", "--lang", "en"], "/report?last=7d&vs=prev&lang=en"),
        (["--start", "2026-05-01 09:30", "--end", "2026-05-02"], "/report?start=2026-05-01+09:30&end=2026-05-02"),
    ],
)
def test_only_what_was_asked_for_is_in_the_address(
    given: list[str], address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(asked: str, _: Path) -> int:
        raise report.NoReport(asked)

    monkeypatch.setattr(report, "print_report", refuse)
    done = CliRunner().invoke(cli, ["report", str(tmp_path / "a.pdf"), *given])
    assert done.output.strip().endswith(f":8050{address}")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["--last", "3d"], "last must be one of 5m"),
        (["--start", "2026-05-01"], "start and end go together"),
        (["--end", "2026-05-01"], "start and end go together"),
        (["--start", "yesterday", "--end", "2026-05-01"], "start is no ISO 8601 time"),
        (["--start", "2026-05-02", "--end", "2026-05-01"], "start must be before end"),
        (["--vs", "month"], "'month' is not one of"),
    ],
)
def test_a_range_that_cannot_be_meant_is_no_report_of_another_one(
    given: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "print_report", lambda *_: pytest.fail("printed"))
    done = CliRunner().invoke(cli, ["report", str(tmp_path / "a.pdf"), *given])
    assert done.exit_code != 0
    assert why in done.output


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
