"""The same figures by reading the rows: what each call of the read API would cost without aggregates."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import Any

import psycopg

from sql.connection import connect
from sql.plan import Range

LIMIT_S = 5.0  # a scan that takes longer is broken off: the baseline is then at least this
RUNS = 3
_SUMS = (
    "count(*), count(latency_ms), sum(round(latency_ms * 1000)::bigint), max(latency_ms), sum(bytes), "
    "sum(latency_sketch(latency_ms))"
)
# What the rows of a figure are grouped by; %(width)s is the bucket of a chart.
_BUCKET = "time_bucket(%(width)s::interval, ts)"
GROUPS = {
    "total": "status",
    "traffic": f"{_BUCKET}, status",
    "endpoints": "method, route, status",
    "errors": f"{_BUCKET}, method, route, status",
    "hours": "time_bucket('1 hour', ts), status",
    "clients": "client_ip",
}
_WHERE = {
    "service": "service = %(service)s",
    "method": "method = %(method)s",
    "route": "route = %(route)s",
    "status": "status between 500 and 999",
    "client_ip": "client_ip = %(client_ip)s::inet",
}


class Scans:
    """Times scans of the rows; one that was broken off is not tried again over a longer range."""

    def __init__(self, dsn: str) -> None:
        """Open a connection of its own."""
        self._connection = connect(dsn)
        self._connection.execute(f"set statement_timeout = {int(1000 * LIMIT_S)}".encode())
        self._times: dict[tuple[str, str, str], tuple[float, bool]] = {}
        self._hopeless: dict[tuple[str, str], float] = {}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def milliseconds(self, group: str, name: str, whole: Range, filters: Mapping[str, str]) -> tuple[float, bool]:
        """Median of a few runs, and whether it is only the limit, which the scan went over.

        Args:
            group: what the rows are summed by: a key of GROUPS.
            name: of the range.
            whole: the range; every range of a name takes about as long.
            filters: parameters of the call that narrow the rows.
        """
        cell = (group, str(sorted(filters.items())))
        seconds = (whole.end - whole.start).total_seconds()
        if self._hopeless.get(cell, seconds) < seconds:
            return 1000 * LIMIT_S, True
        if (key := (*cell, name)) not in self._times:
            self._times[key] = self._measure(group, whole, filters)
            if self._times[key][1]:
                self._hopeless[cell] = seconds
        return self._times[key]

    def _measure(self, group: str, whole: Range, filters: Mapping[str, str]) -> tuple[float, bool]:
        conditions = "".join(f" and {_WHERE[name]}" for name in filters)
        statement = (
            f"select {GROUPS[group]}, {_SUMS} from access_log where ts >= %(start)s and ts < %(end)s{conditions}"
        )
        statement += f" group by {GROUPS[group]}"
        minutes = max(1, round((whole.end - whole.start).total_seconds() / 60 / 300))
        values: dict[str, Any] = {
            "start": whole.start, "end": whole.end, "width": f"{minutes} minutes", **filters
        }  # fmt: skip
        times: list[float] = []
        while len(times) < RUNS and sum(times) < 1000 * LIMIT_S / 2:
            started = time.perf_counter()
            try:
                self._connection.execute(statement.encode(), values).fetchall()
            except psycopg.errors.QueryCanceled:
                return 1000 * LIMIT_S, True
            times.append(1000 * (time.perf_counter() - started))
        return statistics.median(times), False
