from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from demo import backfill as module
from demo.backfill import BATCH_RECORDS, ORIGIN, backfill, missing_range
from demo.model import requests
from ingest_server.intake import Intake, Origin
from ingest_server.route import RouteRules
from ingest_server.route_book import RouteBook
from sql.batch import NOTHING, Batch, Receipt
from sql.connection import DatabaseUnavailable
from sql.writing import LogWriter
from tests.rows import moment

NOW = datetime(2026, 9, 16, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
INTAKE = Intake(RouteBook(RouteRules.default(), 1000, list))


class KeptBatches:
    """A writer that stores nothing and remembers what it was given."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.batches: list[Batch] = []
        self._fails_at = fails_at

    def store(self, batch: Batch) -> Receipt:
        if len(self.batches) == self._fails_at:
            raise DatabaseUnavailable("gone")
        self.batches.append(batch)
        return Receipt(len(batch.rows) + len(batch.quarantined), len(batch.rows), 0, len(batch.quarantined))


@pytest.mark.parametrize(
    ("newest", "expected"),
    [
        pytest.param(None, (NOW - DAY, NOW), id="empty database"),
        pytest.param(NOW - timedelta(days=9), (NOW - DAY, NOW), id="nothing of the last day"),
        pytest.param(
            NOW - timedelta(hours=3), (NOW - timedelta(hours=3) + timedelta(microseconds=1), NOW), id="off for a while"
        ),
        pytest.param(NOW - timedelta(seconds=2), None, id="running just now"),
        pytest.param(NOW + timedelta(minutes=1), None, id="newest ahead of the clock"),
    ],
)
def test_what_is_missing(newest: datetime | None, expected: tuple[datetime, datetime] | None) -> None:
    assert missing_range(newest, NOW) == expected


def test_a_day_goes_through_the_intake_whole() -> None:
    kept, told = KeptBatches(), list[int]()
    receipt = backfill(INTAKE, cast("LogWriter", kept), NOW - DAY, NOW, seed=2, on_progress=told.append, rate=0.2)
    expected = list(requests(NOW - DAY, NOW, 2, rate=0.2))
    assert receipt == Receipt(len(expected), len(expected), 0, 0)
    rows = [row for batch in kept.batches for row in batch.rows]
    assert [moment(row.ts) for row in rows] == [datetime.fromisoformat(one.timestamp) for one in expected]
    assert {row.service for row in rows} == {one.service for one in expected}
    assert all(len(batch.rows) <= BATCH_RECORDS for batch in kept.batches)
    assert told == sorted(told)
    assert told[-1] == len(expected)
    # Every record has an id, so a batch that is sent twice is known again.
    assert all(batch.identity for batch in kept.batches)


def test_rows_keep_the_attributes_and_a_route_per_endpoint() -> None:
    kept = KeptBatches()
    backfill(INTAKE, cast("LogWriter", kept), NOW - timedelta(hours=2), NOW, seed=2, on_progress=lambda _: None)
    rows = [row for batch in kept.batches for row in batch.rows]
    assert len({(row.method, row.route) for row in rows}) <= 30
    assert all("upstream" in json.loads(row.attributes or "{}") for row in rows)
    assert any("app_version" in json.loads(row.attributes or "{}") for row in rows)
    assert all(row.latency_ms and row.client_ip and row.user_agent for row in rows)


def test_an_empty_range_stores_nothing() -> None:
    kept = KeptBatches()
    assert backfill(INTAKE, cast("LogWriter", kept), NOW, NOW, seed=2, on_progress=lambda _: None) == NOTHING
    assert kept.batches == []


def test_a_failing_database_ends_it_and_the_rest_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_RECORDS", 500)
    start, kept = NOW - timedelta(hours=1), KeptBatches(fails_at=2)
    with pytest.raises(DatabaseUnavailable):
        backfill(INTAKE, cast("LogWriter", kept), start, NOW, seed=2, on_progress=lambda _: None)
    stored = [row for batch in kept.batches for row in batch.rows]
    rest = missing_range(moment(stored[-1].ts), NOW)
    assert rest is not None
    again = KeptBatches()
    backfill(INTAKE, cast("LogWriter", again), *rest, seed=2, on_progress=lambda _: None)
    everything = [moment(row.ts) for batch in (*kept.batches, *again.batches) for row in batch.rows]
    assert everything == [datetime.fromisoformat(one.timestamp) for one in requests(start, NOW, 2)]


def test_the_ledger_names_the_demo() -> None:
    assert Origin("demo", "demo") == ORIGIN
