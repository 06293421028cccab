"""What the watch costs: the processor time of one minute at 10 million requests a day, and of getting warm."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench import databases, prepare
from bench.processes import cpu_seconds
from bench.report import report
from dashapp.scan.run import VERSION, Scanner
from dashapp.scan.search import answer, make_watch
from sql.connection import connect, reading_engine
from sql.plan import MINUTE
from sql.watching import WatchStore

A_DAY = 10_000_000
# As many hours as a watch looks back on, and one that it goes through.
HOURS = 5
MINUTES = 30
ALLOWED_S = 2.0


def measure(dsn: str) -> None:
    """Load some hours, let a watch get warm, and go through the last minutes one by one.

    Not on the embedded server, whose processor time nobody tells apart, and to which two million rows are much.
    """
    if databases.server() is None:
        return
    a_minute = A_DAY // 1440
    prepare.add_minutes(dsn, [a_minute] * (HOURS * 60))
    end = datetime.now(UTC).replace(second=0, microsecond=0) - 2 * MINUTE
    at = start = end - MINUTES * MINUTE
    engine = reading_engine(dsn)
    store = WatchStore.open(dsn, "bench")
    scanner = Scanner(engine, store, lambda: at, make_watch, answer, clock=lambda: 0.0)
    assert store.lease() is not None
    store.begin(start, VERSION, [])
    used = _used_by(dsn)

    def round_at(moment: datetime) -> float:
        nonlocal at
        at, before = moment, used()
        while scanner.round():
            pass
        return used() - before

    warm = round_at(start)
    costs = [round_at(start + (i + 1) * MINUTE) for i in range(MINUTES)]
    name = f"watch at {A_DAY / 1e6:g} million requests a day"
    report(f"{name}: processor time of a minute", statistics.median(costs), "s", ALLOWED_S, "allowed",
           worst=round(max(costs), 3), requests=a_minute)  # fmt: skip
    report(f"{name}: getting warm after a restart", warm, "s", minutes=180)
    store.close()
    engine.dispose()


def _used_by(dsn: str) -> Callable[[], float]:
    """Processor time of this process and of the database's, where they are on this machine."""

    def used() -> float:
        with connect(dsn) as connection:
            rows = connection.execute(
                "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
                "and backend_type in ('client backend', 'parallel worker')"
            ).fetchall()
        pids = [int(str(row[0])) for row in rows]
        return sum(os.times()[:2]) + cpu_seconds([pid for pid in pids if Path(f"/proc/{pid}/stat").exists()])

    return used
