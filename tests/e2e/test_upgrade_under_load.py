"""From the program of before to this one while records stream in: each is stored once, and none is missing.

The program of before is the last one without accounts, taken from the history of this repository.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from accessboard.embedded.database import running_dsn
from demo.shipper import Shipper
from demo.wire import Chunk, compressed
from sql.connection import connect
from tests.conftest import NATIVE_DSN, native_database
from tests.e2e.conftest import ROOT, Stack

FIRST_AFTER = "sql/migrations/0012_accounts.sql"
RECORDS_A_CHUNK, HASTE = 20, 10
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def program_of_before(tmp_path: Path) -> Path:
    """A checkout of it, which shares what is installed for the embedded database."""
    found = git("log", "--diff-filter=A", "--format=%H", "--", FIRST_AFTER)
    if not found:
        pytest.skip("the history of the repository is not here")
    folder = tmp_path / "before"
    folder.mkdir()
    archive = subprocess.run(["git", "archive", f"{found}^"], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x"], cwd=folder, input=archive.stdout, check=True)
    installed = ROOT / "accessboard/embedded/node_modules"
    (folder / "accessboard/embedded/node_modules").symlink_to(installed)
    return folder


@pytest.fixture
def own_dsn() -> Iterator[str | None]:
    """A native database that nobody migrated, or None for the embedded one."""
    if NATIVE_DSN is None:
        yield None
        return
    yield from native_database(NATIVE_DSN)


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


class Sending(threading.Thread):
    """Sends as Fluent Bit does: what was not taken is sent again, ten times as soon."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._shipper = Shipper(url)
        self._over = threading.Event()
        self.made = 0

    def run(self) -> None:
        while not self._over.wait(0.05):
            self._shipper.offer(self._chunk(), self._now())
            self._shipper.flush(self._now())
        deadline = time.monotonic() + 60
        while self._shipper.pending() and time.monotonic() < deadline:
            self._shipper.flush(self._now())
            time.sleep(0.05)

    def finish(self) -> Shipper:
        self._over.set()
        self.join(90)
        return self._shipper

    @staticmethod
    def _now() -> float:
        return time.monotonic() * HASTE

    def _chunk(self) -> Chunk:
        lines = []
        for _ in range(RECORDS_A_CHUNK):
            self.made += 1
            record = {"date": datetime.now(UTC).isoformat(), "method": "GET", "path": f"/n/{self.made}", "status": 200}
            lines.append(json.dumps(record | {"_id": str(uuid.uuid4())}))
        return Chunk("load", RECORDS_A_CHUNK, compressed("\n".join(lines).encode() + b"\n"))


@contextmanager
def sending(stack: Stack) -> Iterator[Sending]:
    thread = Sending(stack.ingest_url)
    thread.start()
    yield thread
    thread.finish()


def test_an_upgrade_while_records_stream_in_loses_and_doubles_none(
    tmp_path: Path, program_of_before: Path, own_dsn: str | None
) -> None:
    stack = Stack("accessboard", ["up"], tmp_path, own_dsn)
    stack.environment |= {"PYTHONPATH": str(program_of_before)}
    stack.start()
    try:
        with sending(stack) as load:
            wait_for(load, 600)
            if NATIVE_DSN:
                # As docs/operations.md says: the server of before goes on while the tables change.
                stack.environment |= {"PYTHONPATH": str(ROOT)}
                migrated = stack.run("migrate")
                assert migrated.returncode == 0, migrated.stderr
                assert "applied 0012_accounts" in migrated.stdout
                wait_for(load, load.made + 600)
            stack.stop()
            stack.environment |= {"PYTHONPATH": str(ROOT)}
            wait_for(load, load.made + 200)  # while nobody answers
            stack.start()
            wait_for(load, load.made + 600)
            shipper = load.finish()
        assert (shipper.sent.dropped, shipper.pending()) == (0, 0)
        assert shipper.sent.retries > 0
        assert shipper.sent.delivered == load.made
        totals = stack.get("/api/collection/sources?last=1h")["totals"]
        assert totals["stored"] == load.made
        assert totals["received"] == totals["stored"] + totals["duplicate"] + totals["quarantined"]
        dsn = own_dsn or running_dsn(tmp_path)
        assert dsn is not None
        with connect(dsn) as connection:
            row = connection.execute(
                "select count(*), count(distinct path) from access_log where path like '/n/%'"
            ).fetchone()
        assert row == (load.made, load.made)
    finally:
        stack.stop()


def wait_for(load: Sending, number: int) -> None:
    deadline = time.monotonic() + 60
    while load.made < number:
        assert load.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.05)
