"""From which moment on records are taken, and that the database is asked seldom."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from ingest_server.event import OLDEST_US
from ingest_server.horizon import Horizon
from ingest_server.intake import Intake, Origin
from ingest_server.route import RouteRules
from ingest_server.route_book import FAIL_FOR_S, READ_AGAIN_S, RouteBook
from sql.batch import Batch
from sql.connection import DatabaseUnavailable
from tests.rows import micros

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
BORDER = datetime(2026, 5, 1, tzinfo=UTC)


class Database:
    def __init__(self, announced: datetime | None) -> None:
        self.announced = announced
        self.reads, self.away, self.seconds = 0, False, 0.0

    def __call__(self) -> int | None:
        self.reads += 1
        if self.away:
            raise DatabaseUnavailable("it is away")
        return None if self.announced is None else micros(self.announced)

    def clock(self) -> float:
        return self.seconds


def batch_of(horizon: Horizon, **fields: object) -> Batch:
    intake = Intake(RouteBook(RouteRules.default(), 10, list), horizon)
    record = {"timestamp": NOW.isoformat(), "method": "GET", "path": "/", "status": 200} | fields
    return intake.batch(json.dumps(record).encode(), Origin("test", "test"), micros(NOW))


def kinds(batch: Batch) -> list[str]:
    return [one.kind for one in batch.quarantined]


def test_older_records_are_refused_and_told_why() -> None:
    horizon = Horizon(Database(BORDER))
    batch = batch_of(horizon, timestamp=(BORDER - timedelta(microseconds=1)).isoformat())
    assert kinds(batch) == ["older_than_kept"]
    assert batch.quarantined[0].reason == "rows before 2026-05-01 00:00 UTC are not kept (KEEP_LOG_DAYS, KEEP_LOG_GB)"
    assert kinds(batch_of(horizon, timestamp=BORDER.isoformat())) == []


def test_records_that_are_read_with_care_are_held_to_it_too() -> None:
    late = {"timestamp": (BORDER - timedelta(days=1)).isoformat(), "latency_ms": "fast"}
    assert kinds(batch_of(Horizon(Database(BORDER)), **late)) == ["older_than_kept"]
    assert kinds(batch_of(Horizon(Database(None)), **late)) == []


def test_what_no_log_can_hold_is_called_so() -> None:
    assert kinds(batch_of(Horizon(Database(BORDER)), timestamp="1970-01-01T00:00:01Z")) == ["too_old"]


def test_the_database_is_asked_once_a_while_and_a_moment_may_move_both_ways() -> None:
    database = Database(BORDER)
    horizon = Horizon(database, database.clock)
    for _ in range(3):
        horizon.refresh()
    assert (database.reads, horizon.oldest_us, horizon.fresh) == (1, micros(BORDER), True)
    database.announced = None
    database.seconds = READ_AGAIN_S
    assert not horizon.fresh
    horizon.refresh()
    assert (database.reads, horizon.oldest_us) == (2, OLDEST_US)


def test_the_last_moment_serves_while_the_database_is_away() -> None:
    database = Database(BORDER)
    horizon = Horizon(database, database.clock)
    horizon.refresh()
    database.away, database.seconds = True, READ_AGAIN_S
    for _ in range(3):
        horizon.refresh()
    assert (database.reads, horizon.oldest_us) == (2, micros(BORDER))
    database.away, database.announced = False, NOW
    database.seconds += FAIL_FOR_S
    horizon.refresh()
    assert horizon.oldest_us == micros(NOW)
