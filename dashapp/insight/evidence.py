"""The query of the read API that gives a number. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

from dashapp.insight.finding import Subject


def query_of(path: str, subject: Subject, start: datetime, end: datetime, **more: str) -> str:
    """Address of an answer under /api/stats for a subject and a span."""
    span = {name: moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for name, moment in _span(start, end)}
    return f"/api/stats/{path}?{urlencode(span | subject.parameters() | more)}"


def _span(start: datetime, end: datetime) -> tuple[tuple[str, datetime], ...]:
    return ("start", start), ("end", end)
