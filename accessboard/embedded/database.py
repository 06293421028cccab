"""Start the embedded database on a data directory, or find the one that runs on it already."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import random
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accessboard.embedded.node import FOLDER, ensure_engine, find_node
from sql.connection import DatabaseUnavailable, connect

log = logging.getLogger(__name__)

LOCK_FILE = "lock"
STATE_FILE = "embedded.json"
LOCK_WAIT_S = 5.0
LEAST_FREE_BYTES = 64 * 2**20  # a few segments of the write-ahead log, without which it cannot start
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
PORTS = range(20_000, 32_000)


class EmbeddedFailed(Exception):
    """The embedded database cannot be used; the text is one sentence that says what to do."""


class AlreadyRunning(EmbeddedFailed):
    """Another process holds the data directory."""


class EmbeddedDatabase:
    """One Node process on one data directory.

    The lock on the directory is held by the Node process too (it inherits the open file), so it is free
    only when nobody uses the data any more, however this process ended. Two engines on one directory
    would destroy it.
    """

    def __init__(self, data_dir: Path) -> None:
        """Remember the directory; `start` does the work."""
        self._data_dir = data_dir.resolve()
        self._password = secrets.token_urlsafe(24)
        self._port = 0  # chosen at the start, kept over restarts
        self._lock: int | None = None
        self._process: subprocess.Popen[str] | None = None

    @property
    def dsn(self) -> str:
        """Address for clients; the same over restarts of the process."""
        return _dsn(self._port, self._password)

    def start(self) -> None:
        """Take the lock, start the engine and wait until it serves.

        Raises:
            AlreadyRunning: another process holds the directory.
            EmbeddedFailed: the directory cannot be written, or the engine did not start.
            NodeMissing: no Node, or the engine cannot be installed.
        """
        node = find_node()
        ensure_engine(node)
        self._take_lock()
        try:
            self._require_room()
            self._port = _free_port()
            self._spawn(node.program)
        except BaseException:
            self.stop()
            raise
        state = self._data_dir / STATE_FILE
        state.touch(mode=0o600)
        state.write_text(json.dumps({"port": self._port, "password": self._password}), encoding="utf-8")

    def ended(self) -> bool:
        """Whether the engine, once started, has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def restart(self) -> None:
        """Start an engine that ended again, at the same address. Raises as `start` does."""
        self._spawn(find_node().program)

    def stop(self) -> None:
        """Close the database in order and give the lock back."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()  # the server ends when its standard input does
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        if self._lock is not None:
            (self._data_dir / STATE_FILE).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _require_room(self) -> None:
        free = shutil.disk_usage(self._data_dir).free
        if free < LEAST_FREE_BYTES:
            raise EmbeddedFailed(
                f"the disk of DATA_DIR {self._data_dir} is full ({free // 2**20} MiB free): "
                f"free at least {LEAST_FREE_BYTES // 2**20} MiB"
            )

    def _take_lock(self) -> None:
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self._data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise EmbeddedFailed(f"cannot write to DATA_DIR {self._data_dir}: {error.strerror}") from error
        deadline = time.monotonic() + LOCK_WAIT_S  # a predecessor that was killed may still be closing
        while not _locked(lock):
            if time.monotonic() > deadline:
                os.close(lock)
                raise AlreadyRunning(
                    f"accessboard already runs on {self._data_dir}: stop it first, or set another DATA_DIR"
                )
            time.sleep(0.1)
        self._lock = lock
        (self._data_dir / STATE_FILE).unlink(missing_ok=True)

    def _spawn(self, program: Path) -> None:
        assert self._lock is not None
        process = subprocess.Popen(
            [str(program), str(FOLDER / "server.mjs"), str(self._data_dir / "pgdata"), str(self._port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=(self._lock,),
            start_new_session=True,
        )
        self._process = process
        errors: list[str] = []
        threading.Thread(target=_collect, args=(process, errors), daemon=True).start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(self._password + "\n")
        process.stdin.flush()
        watchdog = threading.Timer(START_TIMEOUT_S, process.kill)
        watchdog.start()
        said = process.stdout.readline().split()
        watchdog.cancel()
        if said != ["ready"]:
            process.wait()
            time.sleep(0.1)  # lets the collector read the last words
            why = errors[-1] if errors else "it ended without a word"
            raise EmbeddedFailed(f"the embedded database did not start: {why}")


def running_dsn(data_dir: Path) -> str | None:
    """Address of the embedded database that runs on a directory, or None where none does.

    Raises:
        EmbeddedFailed: the directory is in use, but by a process that has not said where it serves.
    """
    try:
        lock = os.open(data_dir / LOCK_FILE, os.O_RDWR)
    except OSError:
        return None
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if _locked(lock):
                return None
            dsn = _served(data_dir)
            if dsn is not None:
                return dsn
            time.sleep(0.2)  # it is just starting or just ending
    finally:
        os.close(lock)
    raise EmbeddedFailed(f"{data_dir} is in use by a process that does not serve it: stop that process")


def _served(data_dir: Path) -> str | None:
    """Address that the state file names, if somebody answers there."""
    try:
        state = json.loads((data_dir / STATE_FILE).read_text(encoding="utf-8"))
        dsn = _dsn(state["port"], state["password"])
        connect(dsn).close()
    except (OSError, ValueError, KeyError, DatabaseUnavailable):
        return None
    return dsn


@contextmanager
def opened(data_dir: Path) -> Iterator[str]:
    """Yield the address of the embedded database, which is started for the while if it does not run."""
    dsn = running_dsn(data_dir)
    if dsn is not None:
        yield dsn
        return
    database = EmbeddedDatabase(data_dir)
    database.start()
    try:
        yield database.dsn
    finally:
        database.stop()


def _free_port() -> int:
    """A port below those that the system gives to outgoing connections.

    A client that keeps trying to reach a port of that range may be given the very port for its own end,
    and then sits on it when the engine comes back.
    """
    for port in random.sample(PORTS, 50):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise EmbeddedFailed(f"no port between {PORTS.start} and {PORTS.stop} is free for the embedded database")


def _dsn(port: int, password: str) -> str:
    return f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres?sslmode=disable"


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _collect(process: subprocess.Popen[str], lines: list[str]) -> None:
    """Read what the engine says on standard error; a pipe nobody reads would block it."""
    assert process.stderr is not None
    for line in process.stderr:
        if words := line.strip():
            del lines[:-20]
            lines.append(words)
            log.warning("embedded database: %s", words)
