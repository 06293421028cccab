"""The embedded database's process: one per directory, and what was committed outlives a crash."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from accessboard.embedded import database as database_module
from accessboard.embedded.database import AlreadyRunning, EmbeddedDatabase, EmbeddedFailed, opened, running_dsn
from accessboard.embedded.node import NodeMissing, find_node
from sql.batch import Batch
from sql.connection import DatabaseUnavailable, connect, reading_engine, snapshot, writing_pool
from sql.filters import Filters
from sql.migrate import load, migrate
from sql.plan import EPOCH, Range
from sql.reading import breakdown
from sql.scheduler import JobScheduler
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN
from tests.rows import log_row, micros

pytestmark = pytest.mark.skipif(bool(NATIVE_DSN), reason="these are about the embedded database")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def started(data_dir: Path) -> Iterator[EmbeddedDatabase]:
    database = EmbeddedDatabase(data_dir)
    database.start()
    yield database
    database.stop()


def engine_pid(database: EmbeddedDatabase) -> int:
    process = database._process
    assert process is not None
    return process.pid


def kill_engine(database: EmbeddedDatabase) -> None:
    os.kill(engine_pid(database), signal.SIGKILL)
    while not database.ended():
        time.sleep(0.05)


def write_numbers(dsn: str, first: int, number: int) -> None:
    with connect(dsn) as connection:
        connection.execute("create table if not exists numbers (id int)")
        for i in range(first, first + number):
            connection.execute("insert into numbers values (%s)", (i,))


def numbers(dsn: str) -> list[int]:
    with connect(dsn) as connection:
        return [int(str(row[0])) for row in connection.execute("select id from numbers order by id")]


def test_second_start_on_a_directory_is_refused_in_one_sentence(
    started: EmbeddedDatabase, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "LOCK_WAIT_S", 0.2)
    second = EmbeddedDatabase(data_dir)
    with pytest.raises(AlreadyRunning, match=r"accessboard already runs on .*: stop it first, or set another DATA_DIR"):
        second.start()
    assert running_dsn(data_dir) == started.dsn
    with connect(started.dsn) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_running_database_is_found_and_only_its_owner_can_read_its_address(
    started: EmbeddedDatabase, data_dir: Path
) -> None:
    assert running_dsn(data_dir) == started.dsn
    with opened(data_dir) as dsn:
        assert dsn == started.dsn
    assert not started.ended()
    for name in (database_module.STATE_FILE, database_module.LOCK_FILE):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_stopped_database_is_found_no_more_and_keeps_its_rows(data_dir: Path) -> None:
    assert running_dsn(data_dir) is None
    with opened(data_dir) as dsn:
        assert migrate(dsn) == [each.name for each in load()]
        write_numbers(dsn, 0, 5)
        row = log_row(ts=EPOCH.replace(year=2024), service="s")
        with writing_pool(dsn, max_size=1) as pool:
            LogWriter(pool).store(Batch("test", "s", [row], []))
    assert running_dsn(data_dir) is None
    assert not (data_dir / database_module.STATE_FILE).exists()
    with opened(data_dir) as dsn:
        assert migrate(dsn) == []
        assert numbers(dsn) == list(range(5))
        # After a restart the hypertable takes writes, too, and refreshes run.
        with writing_pool(dsn, max_size=1) as pool:
            LogWriter(pool).store(Batch("test", "s", [row] * 2, []))
        with connect(dsn) as connection:
            connection.execute("call refresh_touched_minutes()")
        engine = reading_engine(dsn)
        with snapshot(engine) as reading:
            cells = breakdown(reading, Range(EPOCH, EPOCH.replace(year=2025)), Filters(), ["service"])
        engine.dispose()
        assert [(cell.keys, cell.n) for cell in cells] == [(("s",), 3)]


def test_killed_engine_leaves_every_committed_row_and_a_free_lock(started: EmbeddedDatabase, data_dir: Path) -> None:
    migrate(started.dsn)
    write_numbers(started.dsn, 0, 200)
    address = started.dsn
    with connect(started.dsn) as connection:
        connection.autocommit = False
        connection.execute("insert into numbers values (9999)")
        kill_engine(started)
        with contextlib.suppress(Exception):
            connection.rollback()
    with pytest.raises(DatabaseUnavailable):
        connect(address)

    started.restart()
    assert started.dsn == address
    assert numbers(address) == list(range(200))
    write_numbers(address, 200, 10)

    kill_engine(started)
    started.stop()
    assert running_dsn(data_dir) is None
    with opened(data_dir) as dsn:
        assert numbers(dsn) == list(range(210))
        assert migrate(dsn) == []


def test_engine_ends_with_the_process_that_started_it(data_dir: Path) -> None:
    program = (
        "import sys, time, pathlib\n"
        "from accessboard.embedded.database import EmbeddedDatabase\n"
        "database = EmbeddedDatabase(pathlib.Path(sys.argv[1]))\n"
        "database.start()\n"
        "print(database.dsn, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(data_dir)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdout is not None
    address = parent.stdout.readline().strip()
    assert address == running_dsn(data_dir)
    write_numbers(address, 0, 3)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    # The engine of the killed parent may be closing still; its address must not be handed out.
    with opened(data_dir) as dsn:
        assert numbers(dsn) == [0, 1, 2]
        assert dsn != address


def test_directory_that_cannot_be_written_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    database = EmbeddedDatabase(tmp_path / "file" / "data")
    with pytest.raises(EmbeddedFailed, match="cannot write to DATA_DIR"):
        database.start()


def test_damaged_data_is_refused_in_one_sentence(data_dir: Path) -> None:
    (data_dir / "pgdata").mkdir(parents=True)
    (data_dir / "pgdata" / "PG_VERSION").write_text("9.6\n", encoding="utf-8")
    database = EmbeddedDatabase(data_dir)
    with pytest.raises(EmbeddedFailed) as caught:
        database.start()
    assert str(caught.value).startswith("the embedded database did not start: ")
    assert "\n" not in str(caught.value)
    assert running_dsn(data_dir) is None


def test_lock_of_a_process_that_serves_nothing_is_said(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "START_TIMEOUT_S", 0.5)
    data_dir.mkdir()
    holder = EmbeddedDatabase(data_dir)
    holder._take_lock()
    (data_dir / database_module.STATE_FILE).write_text(json.dumps({"port": 1}), encoding="utf-8")
    with pytest.raises(EmbeddedFailed, match="is in use by a process that does not serve it"):
        running_dsn(data_dir)
    holder.stop()
    assert running_dsn(data_dir) is None


def test_find_node_says_what_to_do_where_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(NodeMissing, match=r"needs Node 20 or later with npm: .*set DATABASE_URL"):
        find_node()


@pytest.mark.parametrize("says", ["18.20.1 /opt/real/node", "nonsense", ""], ids=["old", "nonsense", "nothing"])
def test_find_node_refuses_what_is_no_new_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str) -> None:
    install_fake_node(tmp_path, says)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", "/nowhere")
    version = "18" if says.startswith("18") else "unknown"
    with pytest.raises(NodeMissing, match=rf"needs Node 20 or later with npm \(.*/node is version {version}\)"):
        find_node()


def test_find_node_returns_the_program_behind_a_wrapper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folder, says in (("old", "18.20.1 /opt/old/node"), ("new", "20.0.1 /opt/real node/node")):
        install_fake_node(tmp_path / folder, says)
    monkeypatch.setenv("PATH", os.pathsep.join(str(tmp_path / folder) for folder in ("none", "old", "new")))
    monkeypatch.setattr(sys, "prefix", "/nowhere")
    assert find_node() == (Path("/opt/real node/node"), tmp_path / "new" / "npm")


def install_fake_node(folder: Path, says: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in ("node", "npm"):
        (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
        (folder / name).chmod(0o755)


# ---- the jobs ----


def wait_until_settled(dsn: str, seconds: float = 60) -> int:
    """Wait until no settled minute is left; returns how many are still open."""
    deadline = time.monotonic() + seconds
    with connect(dsn) as connection:
        while True:
            row = connection.execute(
                "select count(*) filter (where minute < now() - interval '90 seconds'), count(*) from touched_minute"
            ).fetchone()
            assert row is not None
            settled, every = (int(str(value)) for value in row)
            if not settled:
                return every
            assert time.monotonic() < deadline, f"{settled} settled minutes are left"
            time.sleep(0.2)


def test_job_scheduler_refreshes_settled_minutes_and_leaves_open_ones(started: EmbeddedDatabase) -> None:
    migrate(started.dsn)
    with connect(started.dsn) as connection:
        row = connection.execute("select now()").fetchone()
    assert row is not None
    now = EPOCH.fromisoformat(str(row[0]))
    usual = log_row(ts=now, service="s")
    old = [usual._replace(ts=micros(now.replace(year=2024, month=1, day=1 + i % 2))) for i in range(100)]
    scheduler = JobScheduler(started.dsn)
    with writing_pool(started.dsn, max_size=1) as pool:
        writer = LogWriter(pool)
        writer.store(Batch("test", "s", [*old, usual], []))
        scheduler.start()
        try:
            assert wait_until_settled(started.dsn) == 1
            # It keeps running, and it survives the engine.
            kill_engine(started)
            started.restart()
            writer_after = LogWriter(pool)
            for _ in range(50):
                with contextlib.suppress(DatabaseUnavailable):
                    writer_after.store(Batch("test", "s", old[:10], [], b"after"))
                    break
            assert wait_until_settled(started.dsn) == 1
        finally:
            scheduler.stop()
    with connect(started.dsn) as connection:
        found = connection.execute("select sum(n)::int from traffic_1m where bucket < '2025-01-01'").fetchone()
    assert found == (110,)


def test_answers_do_not_pile_up_in_the_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A million rows through a heap that could not hold a quarter of them."""
    monkeypatch.setenv("NODE_OPTIONS", "--max-old-space-size=96")
    database = EmbeddedDatabase(tmp_path)
    database.start()
    try:
        with connect(database.dsn) as connection:
            for _ in range(300):
                rows = connection.execute("select i, repeat('x', 100) from generate_series(1, 3000) as i").fetchall()
                assert len(rows) == 3000
        assert not database.ended()
    finally:
        database.stop()
