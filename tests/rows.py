"""Rows as the tests make them, and moments as rows have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sql.batch import LogRow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
USUAL_MOMENT = datetime(2024, 5, 1, 10, 15, 30, 123456, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)


def log_row(**columns: Any) -> LogRow:
    """A row; a test names only the columns that it is about. `ts` may be a datetime."""
    usual: dict[str, Any] = {
        "ts": USUAL_MOMENT,
        "service": "test",
        "method": "GET",
        "path": "/api/user/17",
        "route": "/api/user/{id}",
        "status": 200,
        "latency_ms": 12.5,
        "bytes": 345,
        "client_ip": "10.0.0.1",
        "user_agent": "curl/8",
        "referer": None,
        "attributes": None,
        "record_key": None,
    }
    row = usual | columns
    if isinstance(row["ts"], datetime):
        row["ts"] = micros(row["ts"])
    return LogRow(**row)
