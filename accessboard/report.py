"""Print the report of the dashboard into a PDF file, with a browser that is at hand."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
PATIENCE_S = 90.0
# Milliseconds of the browser's own clock, which stands still while it waits for an answer.
_SETTLE_MS = 15_000
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # it opens nothing but the dashboard, and as root it starts only so
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--no-pdf-header-footer",
    f"--virtual-time-budget={_SETTLE_MS}",
)


class NoReport(Exception):
    """Why there is no report, and what to do."""


def report_address(bind: str, parameters: dict[str, str]) -> str:
    """Address of the report on this machine. Pure."""
    host, _, port = bind.rpartition(":")
    everywhere = host.strip("[]") in ("", "0.0.0.0", "::")  # noqa: S104 (compared with, not listened on)
    query = urlencode(parameters, safe=":/")
    return f"http://{'127.0.0.1' if everywhere else host}:{port}/report?{query}"


def print_report(address: str, path: Path, *, browser: str | None = None) -> int:
    """Write the page of an address to a PDF file and return its size in bytes.

    Raises:
        NoReport: no dashboard answers, no browser is installed, it printed nothing, or the file cannot be written.
    """
    _require_dashboard(address)
    program = browser or find_browser()
    if program is None:
        raise NoReport(f"no browser was found ({', '.join(BROWSERS)}): open {address} in yours and print it from there")
    with tempfile.TemporaryDirectory() as folder:
        # Not to `path`: a report of an earlier day that stands there must not pass for this one.
        printed = Path(folder) / "report.pdf"
        command = [program, *_FLAGS, f"--user-data-dir={folder}/profile", f"--print-to-pdf={printed}", address]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        except subprocess.TimeoutExpired:
            raise NoReport(f"{program} did not finish within {PATIENCE_S:g} s") from None
        if not printed.is_file() or not printed.read_bytes().startswith(b"%PDF"):
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise NoReport(f"{program} printed nothing: {last}")
        try:
            shutil.copyfile(printed, path)
        except OSError as error:
            raise NoReport(f"{path} cannot be written: {error.strerror}") from None
    return path.stat().st_size


def find_browser() -> str | None:
    """The first installed browser that can print."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def _require_dashboard(address: str) -> None:
    health = address.partition("/report")[0] + "/healthz"
    try:
        urllib.request.urlopen(health, timeout=10).close()
    except (urllib.error.URLError, OSError) as error:
        raise NoReport(f"no dashboard answers at {health} ({error}): start `accessboard up` first") from None
