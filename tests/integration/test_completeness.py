"""The moment up to which numbers are final waits for a source that is behind, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from dashapp import completeness
from dashapp.completeness import Completeness
from dashapp.sharing import Shared
from sql.batch import Batch
from sql.connection import reading_engine, snapshot, writing_pool
from sql.lagging import replayed_to
from sql.writing import LogWriter
from tests.rows import log_row

SETTLE_S = 120


@pytest.fixture
def engine(own_quiet_dsn: str) -> Iterator[sa.Engine]:
    engine = reading_engine(own_quiet_dsn)
    yield engine
    engine.dispose()


@pytest.fixture
def writer(own_quiet_dsn: str) -> Iterator[LogWriter]:
    with writing_pool(own_quiet_dsn, max_size=1) as pool:
        yield LogWriter(pool)


def send(writer: LogWriter, source: str, *ages_s: float) -> None:
    now = datetime.now(UTC)
    rows = [log_row(ts=now - timedelta(seconds=age), service="s") for age in ages_s]
    writer.store(Batch(source, "s", rows, []))


def behind_s(engine: sa.Engine) -> float:
    """Seconds by which the moment lies before now."""
    now = datetime.now(UTC)
    through = Completeness(engine, SETTLE_S, lambda: now, Shared(0)).through()
    assert (through.second, through.microsecond) == (0, 0)
    return (now - through).total_seconds()


def test_complete_through_is_settle_seconds_ago(engine: sa.Engine, writer: LogWriter) -> None:
    assert SETTLE_S <= behind_s(engine) < SETTLE_S + 60
    send(writer, "live", 1, 900)
    assert SETTLE_S <= behind_s(engine) < SETTLE_S + 60


def test_a_replica_tells_nothing_of_what_it_has_not_replayed(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with snapshot(engine) as reading:
        assert replayed_to(reading) is None  # a primary has
    ten_minutes_ago = datetime.now(UTC) - timedelta(minutes=10)
    monkeypatch.setattr(completeness, "replayed_to", lambda _: ten_minutes_ago)
    assert SETTLE_S + 600 <= behind_s(engine) < SETTLE_S + 660


def test_a_snapshot_within_a_snapshot_is_refused_before_it_waits_for_itself(engine: sa.Engine) -> None:
    """Clients of the embedded server take turns: both would wait until the server drops one of them."""
    now = datetime.now(UTC)
    known_since = Completeness(engine, SETTLE_S, lambda: now, Shared(3600))
    known = known_since.through()
    with snapshot(engine) as reading:
        with pytest.raises(RuntimeError), snapshot(engine):
            pass
        with pytest.raises(RuntimeError):  # though it is known already: it will not always be
            known_since.through()
        assert reading.execute(sa.text("select 1")).scalar_one() == 1
    assert known_since.through() == known


def test_complete_through_waits_for_a_shipper_that_works_off_what_it_held_back(
    engine: sa.Engine, writer: LogWriter
) -> None:
    send(writer, "live", 1)
    send(writer, "held back", 4_000, 3_000)
    assert 3_000 <= behind_s(engine) < 3_070
    send(writer, "held back", 600)  # it is catching up
    assert 600 <= behind_s(engine) < 670
    send(writer, "held back", 1)
    assert SETTLE_S <= behind_s(engine) < SETTLE_S + 60


def test_complete_through_does_not_wait_for_an_import_or_a_backfill(engine: sa.Engine, writer: LogWriter) -> None:
    send(writer, "import:access.log", 3_000)
    send(writer, "old", 90_000)
    send(writer, "older", 10 * 365 * 86_400)
    assert SETTLE_S <= behind_s(engine) < SETTLE_S + 60


def test_complete_through_is_known_without_a_database(closed_port_dsn: str) -> None:
    engine = reading_engine(closed_port_dsn)
    assert SETTLE_S <= behind_s(engine) < SETTLE_S + 60
    engine.dispose()
