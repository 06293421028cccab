"""Processes of a benchmark: started, found ready, their processor time read, ended."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def running(command: Sequence[str], environment: dict[str, str], probe: str) -> Iterator[int]:
    """Run a server until the block ends; yields its process id when `probe` answers."""
    process = subprocess.Popen([sys.executable, "-m", *command], env=os.environ | environment)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(probe, timeout=2).close()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise SystemExit(f"{' '.join(command)} does not answer at {probe}") from None
                time.sleep(0.2)
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(*commands: Sequence[object]) -> list[dict[str, Any]]:
    """Run modules side by side and return the JSON object that each prints."""
    started = [
        subprocess.Popen([sys.executable, "-m", *map(str, command)], stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    outputs = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise SystemExit("a part of the benchmark failed")
    return [json.loads(output) for output in outputs]


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def cpu_seconds(pids: Sequence[int]) -> float:
    """Processor time of processes until now."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def machine_cpu_seconds() -> float:
    """Processor time of everything on this machine until now, idling and waiting not counted."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
    return (user + nice + system + irq + softirq) / _TICKS


def memory_mb(pids: Sequence[int]) -> float:
    """Resident memory of processes, shared pages counted once a process by proportion."""
    total = 0.0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024
        except (OSError, StopIteration):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_MB
    return total
