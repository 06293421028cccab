"""What was acknowledged is stored, once, whatever fails meanwhile: process, database, network, disk."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sql.connection import connect
from tests.chaos.__main__ import run
from tests.chaos.campaign import Campaign
from tests.chaos.kinds import embedded_kinds
from tests.chaos.records import PATH_PREFIX
from tests.chaos.servers import EmbeddedStack
from tests.chaos.verdict import read_ledger, stored_numbers, tally
from tests.conftest import NATIVE_DSN

FAULTS = 50
SCALE, BURST_RECORDS = 0.2, 15  # the embedded database takes some thousand records a second
DISK_MIB = 192


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | str]:
    """A disk that may be filled, or the reason why there is none."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=700", "tmpfs"]
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield f"no disk to fill: {done.stderr.strip()}"
        return
    yield folder
    # Lazily: whatever still looks at it must not keep it for ever.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.timeout(400)
def test_no_fault_loses_or_doubles_a_record(
    tmp_path: Path, small_disk: Path | str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="tests.chaos")
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbits(32))
    disk_is_ours = isinstance(small_disk, Path)
    data_dir = small_disk / "data" if isinstance(small_disk, Path) else tmp_path / "data"
    kinds = embedded_kinds(disk_is_ours=disk_is_ours)
    skipped = {} if disk_is_ours else {"disk_full": str(small_disk)}
    stack = EmbeddedStack(tmp_path, data_dir)
    try:
        stack.start()
        campaign = Campaign(
            stack, kinds, FAULTS, seed, scale=SCALE, burst_records=BURST_RECORDS, seconds_limit=240, skipped=skipped
        )
        verdict = campaign.run()
        with capsys.disabled():
            print(f"\nconservation, seed {seed}: {verdict.as_json()}")  # noqa: T201
        assert verdict.failures() == [], f"{stack.up.log.read_text()[-4000:]}"
        assert set(verdict.faults) == {kind.name for kind in kinds}
        assert sum(verdict.faults.values()) >= 30
        assert verdict.retries > 0
        check_notices_tampering(stack, verdict.issued)
    finally:
        stack.stop()


@pytest.mark.native
@pytest.mark.timeout(400)
@pytest.mark.skipif(NATIVE_DSN is None, reason="TEST_DATABASE_URL is not set")
def test_no_fault_loses_or_doubles_a_record_on_a_native_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert NATIVE_DSN is not None
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbits(32))
    verdict = run(NATIVE_DSN, FAULTS, seed, seconds_limit=240)
    with capsys.disabled():
        print(f"\nconservation, seed {seed}: {verdict.as_json()}")  # noqa: T201
    assert verdict.failures() == []
    assert sum(verdict.faults.values()) >= 30


def check_notices_tampering(stack: EmbeddedStack, issued: int) -> None:
    """A check that cannot fail proves nothing: it must report a row that is removed, copied or made up."""
    everything = set(range(issued))
    with connect(stack.dsn()) as connection:
        connection.execute("delete from access_log where path = %s", (f"{PATH_PREFIX}0",))
        copy_row(connection, 1, lambda number: number)
        copy_row(connection, 2, lambda _number: issued + 7)
    found = tally(everything, issued, stored_numbers(stack.dsn()))
    assert (found.lost, found.doubled, found.invented) == ((0,), (1,), (issued + 7,))
    disagreements = read_ledger(stack.dsn(), None).disagreements()
    assert len(disagreements) == 1, "one row more than the ledger says"


def copy_row(connection: psycopg.Connection[tuple[object, ...]], number: int, renumbered: Callable[[int], int]) -> None:
    """Store a row a second time, a moment later so that no key forbids it, under the same number or another."""
    connection.execute("create table tampered as select * from access_log where path = %s", (f"{PATH_PREFIX}{number}",))
    connection.execute(
        "update tampered set ts = ts + interval '1 microsecond', path = %s", (f"{PATH_PREFIX}{renumbered(number)}",)
    )
    connection.execute("insert into access_log select * from tampered")
    connection.execute("drop table tampered")
