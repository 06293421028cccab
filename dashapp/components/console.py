"""Rows of the live console as plain values; assets/console.js sets them as text, never as markup."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashapp import format as fmt
from dashapp.agent import short_agent

SLOW_MS = 1000
_LONGEST_MS = 10_000


def console_row(row: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """What the console shows of one stored request."""
    latency: float | None = row["latency_ms"]
    status: int = row["status"]
    moment: datetime = row["ts"]
    return {
        "day": f"{moment.astimezone(zone):%Y-%m-%d}",
        "time": fmt.clock_ms(moment, zone),
        "status": str(status),
        "kind": min(max(status // 100, 1), 5),
        "method": row["method"],
        "path": row["path"],
        "latency": fmt.duration(latency),
        "bar": bar_length(latency),
        "slow": latency is not None and latency >= SLOW_MS,
        "client": row["client_ip"] or fmt.UNKNOWN,
        "agent": short_agent(row["user_agent"]),
        "agent_full": row["user_agent"] or "",
        "service": row["service"],
    }


def bar_length(latency_ms: float | None) -> float:
    """Length of the latency bar, 0 to 1, on a log scale from 1 ms to 10 s."""
    if latency_ms is None or latency_ms <= 0:
        return 0
    return round(min(max(math.log10(latency_ms), 0.15) / math.log10(_LONGEST_MS), 1), 3)
