"""On a native server TimescaleDB's own scheduler keeps the aggregates up to date."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest

from sql.batch import Batch, LogRow
from sql.plan import CLIENT, ENDPOINT, ROUTE, TRAFFIC
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN

MOMENT = datetime(2024, 7, 1, 12, 30, tzinfo=UTC)
MOST_SECONDS = 100
# endpoint_1m keeps the last day only.
VIEWS = sorted({level.view for level in (*TRAFFIC, *ENDPOINT[1:], *ROUTE[1:], *CLIENT)})


@pytest.mark.native
@pytest.mark.skipif(not NATIVE_DSN, reason="the embedded engine has no background workers; see test_embedded_database")
def test_server_refreshes_settled_minutes_by_itself(
    connection: psycopg.Connection[tuple[object, ...]],
    writer: LogWriter,
    service: str,
    make_row: Callable[..., LogRow],
) -> None:
    writer.store(Batch("test", service, [make_row(ts=MOMENT) for _ in range(3)], []))
    connection.execute(
        "select alter_job(job_id, config => '{\"patience\": 0}') from timescaledb_information.jobs "
        "where proc_name = 'refresh_stale_buckets'"
    )
    listed = (
        "select from touched_minute where minute = %(at)s union all "
        "select from stale_bucket join aggregate_level using (view) where bucket <= %(at)s and bucket + width > %(at)s"
    )
    deadline = time.monotonic() + MOST_SECONDS
    while connection.execute(listed.encode(), {"at": MOMENT}).fetchone() is not None:
        assert time.monotonic() < deadline, "the minute or one of its buckets is still listed"
        time.sleep(0.5)
    for view in VIEWS:
        row = connection.execute(f"select sum(n)::int from {view} where service = %s".encode(), (service,)).fetchone()
        assert row == (3,), view
