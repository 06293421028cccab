"""Processes: one that is kept running as an operator's service manager would, and those that are there."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
STOP_S = 30.0
RESTART_DELAY_S = 0.2


class Kept:
    """A command that is started again whenever it ends."""

    def __init__(self, arguments: list[str], environment: dict[str, str], cwd: Path) -> None:
        """Remember the command, `accessboard ARGUMENTS`; its output is appended to a file in `cwd`."""
        self._command = [sys.executable, "-m", "accessboard", *arguments]
        self._environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name=f"keeper-{arguments[0]}", daemon=True)
        self.log = cwd / f"{arguments[0]}.log"
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def start(self) -> None:
        """Start it, and keep it running."""
        self._keeper.start()

    def stop(self) -> None:
        """End it in order; a process that does not listen is killed."""
        self._stopping.set()
        if self._keeper.ident is not None:
            self._keeper.join(STOP_S)
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _keep(self) -> None:
        with self.log.open("ab") as log:
            while not self._stopping.wait(RESTART_DELAY_S if self.starts else 0):
                self._process = subprocess.Popen(
                    self._command, env=self._environment, cwd=self._cwd, stdout=log, stderr=subprocess.STDOUT
                )
                self.starts += 1
                while self._process.poll() is None and not self._stopping.wait(0.05):
                    pass


def parent_of(pid: int) -> int | None:
    """Parent of a process; None where it is gone."""
    try:
        # The name in parentheses may hold anything, blanks too.
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def all_processes() -> Iterator[int]:
    """Every process of this machine."""
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())


def children(parent: int) -> Iterator[int]:
    """Processes whose parent is `parent`."""
    return (pid for pid in all_processes() if parent_of(pid) == parent)


def having(setting: bytes) -> Iterator[int]:
    """Processes, ours excepted, that were started with a setting in their environment."""
    for pid in all_processes():
        with contextlib.suppress(OSError):
            if pid != os.getpid() and setting in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                yield pid


def command_line(pid: int) -> bytes:
    """Arguments of a process; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def send_signal(pid: int, number: signal.Signals) -> bool:
    """Signal a process; False where it has gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
