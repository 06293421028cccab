"""Ingest over HTTP with everything on: identities, ledger, quarantine, routes, all aggregates and their jobs."""

from __future__ import annotations

import os
import threading
from typing import Any

from bench.processes import answers, cpu_seconds, family, free_port, machine_cpu_seconds, memory_mb, running
from bench.report import report
from sql.connection import connect, is_embedded

SECONDS = float(os.environ.get("BENCH_SECONDS", "15"))
CONNECTIONS = 4
SINGLE_CONNECTIONS = (8, 64)
BODIES = (1_000, 5_000)
MILLION = 1_000_000


def measure(dsn: str) -> None:
    """Print rates, acknowledgement times, memory and what a million records cost."""
    with connect(dsn) as connection:
        embedded = is_embedded(connection)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {"DATABASE_URL": dsn, "INGEST_BIND": f"127.0.0.1:{port}", "INGEST_TOKENS": ""}
    with running(["accessboard", "ingest-server"], environment, f"{url}/readyz"):
        # Single records first: the refresh of millions of rows would run beside them.
        singles = {
            connections: answers(["bench.load", f"{url}/log/ingest", 1, connections, SECONDS, 0])[0]
            for connections in SINGLE_CONNECTIONS
        }
    for connections, single in singles.items():
        _single_posts(dsn, connections, single, embedded=embedded)
    with running(["accessboard", "ingest-server"], environment, f"{url}/readyz") as pid:
        for records in BODIES:
            _full_speed(dsn, pid, url, records, embedded=embedded)


def _full_speed(dsn: str, pid: int, url: str, records: int, *, embedded: bool) -> None:
    floor = None if embedded else _floor(dsn, records)
    servers = family(pid)
    machine, server, database = machine_cpu_seconds(), cpu_seconds(servers), _database_cpu(dsn)
    memory = _Memory(servers)
    client = answers(["bench.load", f"{url}/log/ingest", records, CONNECTIONS, SECONDS, 0])[0]
    peak = memory.stop()
    machine, server = machine_cpu_seconds() - machine, cpu_seconds(servers) - server
    database = _database_cpu(dsn) - database
    rate, millions = client["records"] / client["seconds"], client["records"] / MILLION
    name = f"ingest over HTTP, {records:,} records a body"
    report(name, rate, "records/s", floor, "two processes that parse and COPY the same bodies" if floor else None)
    per_million = {
        "client": client["cpu"] / millions,
        "ingest server": server / millions,
        "its database sessions": database / millions,
        "all else on the machine (aggregates, WAL, bodies made before)": (machine - server - database - client["cpu"])
        / millions,
    }
    report(f"{name}: processor time", machine / millions, "CPU s per million records", parts=_rounded(per_million))
    report(f"{name}: memory of the ingest server at its highest", peak, "MB")
    half = answers(["bench.load", f"{url}/log/ingest", records, CONNECTIONS, SECONDS, rate / 2])[0]
    report(f"{name}: acknowledgement at half load, p99", half["p99_ms"], "ms", p50_ms=round(half["p50_ms"], 1))


def _floor(dsn: str, records: int) -> float:
    command = ["bench.floor", dsn, records, SECONDS]
    done = answers(command, command)
    return sum(float(one["records"]) / float(one["seconds"]) for one in done)


def _single_posts(dsn: str, connections: int, single: dict[str, Any], *, embedded: bool) -> None:
    rate, baseline = single["records"] / single["seconds"], None
    if not embedded:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        command = ["uvicorn", "--port", str(port), "--workers", "2", "--no-access-log", "--log-level", "error"]
        with running([*command, "bench.row_per_request:app"], {"DATABASE_URL": dsn}, f"{url}/docs"):
            slow = answers(["bench.load", f"{url}/log/ingest", 1, connections, SECONDS, 0])[0]
        baseline = slow["records"] / slow["seconds"]
    of = "FastAPI and SQLAlchemy, two processes, one row a transaction" if baseline else None
    report(
        f"single records, {connections} connections", rate, "records/s", baseline, of, p99_ms=round(single["p99_ms"], 1)
    )


def _database_cpu(dsn: str) -> float:
    """Processor time of the sessions of the ingest server, where the database runs on this machine."""
    with connect(dsn) as connection:
        pids = connection.execute(
            "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
            "and backend_type = 'client backend'"
        ).fetchall()
    try:
        return cpu_seconds([int(str(pid)) for (pid,) in pids])
    except OSError:
        return 0.0


class _Memory(threading.Thread):
    """Watches the memory of processes until it is stopped."""

    def __init__(self, pids: list[int]) -> None:
        super().__init__(daemon=True)
        self._pids = pids
        self._ended = threading.Event()
        self._highest = 0.0
        self.start()

    def run(self) -> None:
        while not self._ended.wait(0.5):
            self._highest = max(self._highest, memory_mb(self._pids))

    def stop(self) -> float:
        self._ended.set()
        self.join()
        return self._highest


def _rounded(parts: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in parts.items()}
