"""Rows of the console as plain values; assets/console-rows.js sets them as text, never as markup."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashapp import format as fmt
from dashapp.agent import short_agent

SLOW_MS = 1000
_LONGEST_MS = 10_000
# A browser keeps some thousand rows; what is longer than this is cut.
MOST_ATTRIBUTES = 16_000
_PLAIN = ("service", "method", "path", "route", "status", "latency_ms", "bytes", "client_ip", "user_agent", "referer")


def console_row(row: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """What the console shows of one stored request, and under `record` all that is stored of it."""
    latency: float | None = row["latency_ms"]
    moment: datetime = row["ts"]
    return {
        "day": f"{moment.astimezone(zone):%Y-%m-%d}",
        "time": fmt.clock_ms(moment, zone),
        "kind": min(max(row["status"] // 100, 1), 5),
        "latency": fmt.duration(latency),
        "bar": bar_length(latency),
        "slow": latency is not None and latency >= SLOW_MS,
        "agent": short_agent(row["user_agent"]),
        "record": record_of(row),
    }


def record_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored request as JSON has it; `attributes_cut` stands for attributes that are too long."""
    record: dict[str, Any] = {"ts": utc_text(row["ts"]), **{name: row.get(name) for name in _PLAIN}}
    attributes = row.get("attributes")
    text = json.dumps(attributes, ensure_ascii=False) if attributes else ""
    if len(text) > MOST_ATTRIBUTES:
        record["attributes_cut"] = text[:MOST_ATTRIBUTES]
    else:
        record["attributes"] = attributes
    if row.get("received_at"):
        record |= {"received_at": utc_text(row["received_at"]), "source": row.get("source")}
    return record


def utc_text(moment: datetime) -> str:
    """A moment in UTC to the microsecond, so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def bar_length(latency_ms: float | None) -> float:
    """Length of the latency bar, 0 to 1, on a log scale from 1 ms to 10 s."""
    if latency_ms is None or latency_ms <= 0:
        return 0
    return round(min(max(math.log10(latency_ms), 0.15) / math.log10(_LONGEST_MS), 1), 3)
