"""Records as the tests of the reader make them, and what a reader makes of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ingest_server.event import Refused
from ingest_server.fields import ALIASES
from ingest_server.reader import Reader
from ingest_server.route import route_of
from sql.batch import LogRow
from tests.rows import micros

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NOW = datetime(2026, 5, 2, tzinfo=UTC)
SOURCE = "web@10.0.0.1"
LEAST: dict[str, Any] = {"timestamp": "2026-05-01T10:15:30Z", "method": "GET", "path": "/api/user/list", "status": 200}
READER = Reader(lambda _, path: route_of(path))

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
field_names = st.sampled_from(
    [name for known in ALIASES.values() for name in known] + ["log", "message", "_id", "query", "x"]
)


def row_of(record: dict[str, Any], *, reader: Reader = READER, source: str = SOURCE) -> LogRow:
    return reader.row(record, service="shop", source=source, now_us=micros(NOW))


def row_or_refusal(record: dict[str, Any]) -> LogRow | str:
    try:
        return row_of(record)
    except Refused as refusal:
        return str(refusal)


def attributes_of(record: dict[str, Any]) -> Any:
    text = row_of(record).attributes
    return None if text is None else json.loads(text)
