"""A real Fluent Bit (FLUENT_BIT names the program) tails a growing file while everything behind it fails."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from sql.connection import DatabaseUnavailable, connect
from tests.chaos.campaign import http_proxy
from tests.chaos.faults import Field, kill_engine, kill_server, kill_worker, restart_server
from tests.chaos.kinds import Kind, trouble_kinds
from tests.chaos.oracle import Oracle
from tests.chaos.records import PATH_PREFIX
from tests.chaos.servers import EmbeddedStack
from tests.chaos.verdict import read_ledger, stored_numbers, tally

FLUENT_BIT = os.environ.get("FLUENT_BIT")
LINES_A_SECOND = 400
SETTLE_S = 90.0

# As in our documentation, but for waiting: an answer and the next attempt come sooner than by default.
CONFIGURATION = """
[SERVICE]
    Flush                 0.3
    Grace                 2
    Parsers_File          {folder}/parsers.conf
    storage.path          {folder}/storage
    scheduler.base        1
    scheduler.cap         2
[INPUT]
    Name                  tail
    Path                  {log}
    Tag                   nginx.access
    Parser                access
    DB                    {folder}/tail.db
    Read_from_Head        true
    storage.type          filesystem
    path_key              file
    offset_key            offset
[FILTER]
    Name                  record_modifier
    Match                 *
    Record                source_host web-1
    uuid_key              _id
[OUTPUT]
    Name                  http
    Match                 *
    Host                  127.0.0.1
    Port                  {port}
    URI                   /log/ingest?service=shop
    Format                json_lines
    json_date_format      iso8601
    compress              gzip
    header_tag            X-Fluent-Tag
    Retry_Limit           no_limits
    http.response_timeout 2s
    log_response_payload  off
"""
PARSERS = r"""
[PARSER]
    Name        access
    Format      regex
    Regex       ^(?<remote>\S+) - - \[(?<time>[^\]]+)\] "(?<method>\S+) (?<path>\S+) [^"]+" (?<code>\d+) (?<size>\d+)$
    Time_Key    time
    Time_Format %d/%b/%Y:%H:%M:%S %z
"""


class Log:
    """An access log that grows until told to stop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self._full = threading.Event()
        self._thread = threading.Thread(target=self._grow, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        self._full.set()
        self._thread.join(10)

    def _grow(self) -> None:
        with self.path.open("a", encoding="ascii") as file:
            while not self._full.wait(0.05):
                moment = f"{datetime.now(UTC):%d/%b/%Y:%H:%M:%S %z}"
                for _ in range(LINES_A_SECOND // 20):
                    number = self.lines
                    client = f"10.0.0.{number % 250}"
                    file.write(f'{client} - - [{moment}] "GET {PATH_PREFIX}{number} HTTP/1.1" 200 {number % 999}\n')
                    self.lines += 1
                file.flush()


@contextmanager
def fluent_bit(folder: Path, log: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "parsers.conf").write_text(PARSERS, encoding="utf-8")
    configuration = folder / "fluent-bit.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, log=log, port=port), encoding="utf-8")
    with (folder / "fluent-bit.log").open("wb") as output:
        process = subprocess.Popen(
            [str(FLUENT_BIT), "-c", str(configuration)], stdout=output, stderr=subprocess.STDOUT, cwd=folder
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def stored(stack: EmbeddedStack) -> int:
    """Rows there are; -1 while the database is away."""
    try:
        with connect(stack.dsn()) as connection:
            row = connection.execute("select count(*) from access_log").fetchone()
    except (psycopg.Error, DatabaseUnavailable):
        return -1
    return int(str(row[0])) if row else 0


def wait_for_rows(stack: EmbeddedStack, rows: int, limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while stored(stack) < rows:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


@pytest.mark.timeout(400)
@pytest.mark.skipif(
    FLUENT_BIT is None or shutil.which(FLUENT_BIT) is None, reason="FLUENT_BIT does not name a fluent-bit program"
)
def test_every_line_is_stored_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbits(32))
    rng = random.Random(seed)
    stack = EmbeddedStack(tmp_path, tmp_path / "data")
    kinds = [
        *(kind for kind in trouble_kinds() for _ in range(2)),
        *[Kind("kill_worker", 1, kill_worker)] * 3,
        Kind("kill_server", 1, kill_server),
        Kind("restart_server", 1, restart_server),
        *[Kind("kill_database", 1, kill_engine)] * 2,
    ]
    rng.shuffle(kinds)
    log = Log(tmp_path / "access.log")
    try:
        stack.start()
        with http_proxy(stack, rng) as proxy, fluent_bit(tmp_path, log.path, proxy.port) as shipper:
            field = Field(stack, proxy, Oracle(stack.ingest, seed), rng, burst_records=1)
            assert wait_for_rows(stack, 1, 30), (tmp_path / "fluent-bit.log").read_text()
            happened = []
            for kind in kinds:
                if kind.inject(field) is not None:
                    happened.append(kind.name)
                before = stored(stack)
                assert wait_for_rows(stack, before + 1, SETTLE_S), f"nothing was stored any more after {kind.name}"
            log.finish()
            settled = wait_for_rows(stack, log.lines, SETTLE_S)
            assert shipper.poll() is None
        found = tally(set(range(log.lines)), log.lines, stored_numbers(stack.dsn()))
        with capsys.disabled():
            print(f"\nfluent bit, seed {seed}: {log.lines} lines, {len(happened)} faults, {found}")  # noqa: T201
        assert settled, (tmp_path / "fluent-bit.log").read_text()[-4000:]
        assert (found.lost, found.doubled, found.invented) == ((), (), ())
        assert set(happened) == {kind.name for kind in kinds}
        assert read_ledger(stack.dsn(), stack.dashboard_url).disagreements() == []
    finally:
        log.finish()
        stack.stop()
