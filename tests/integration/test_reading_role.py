"""Who reads cannot write, cannot read for ever, and is told what it cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from sql.batch import Batch
from sql.connection import BadPattern, DatabaseUnavailable, TooSlow, reading_engine, snapshot
from sql.filters import Filters
from sql.plan import Range
from sql.reading import breakdown
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN
from tests.integration.conftest import RowMaker

START = datetime(2024, 6, 1, tzinfo=UTC)
WHOLE = Range(START, START + timedelta(hours=1))


@pytest.fixture
def reader(dsn: str) -> Iterator[sa.Engine]:
    engine = reading_engine(dsn)
    yield engine
    engine.dispose()


def test_a_reading_is_of_the_role_that_may_only_select(reader: sa.Engine) -> None:
    with snapshot(reader) as reading:
        assert reading.execute(sa.text("select current_user")).scalar_one() == "accessboard_reader"
        rights = "has_table_privilege('access_log', '{}')"
        may = {
            right: f"select {rights.format(right)}" for right in ("select", "insert", "update", "delete", "truncate")
        }
        assert {right: reading.execute(sa.text(ask)).scalar_one() for right, ask in may.items()} == {
            "select": True,
            "insert": False,
            "update": False,
            "delete": False,
            "truncate": False,
        }


def test_a_reading_cannot_write(reader: sa.Engine) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"read-only|permission denied"), snapshot(reader) as reading:
        reading.execute(sa.text("delete from quarantine"))


def test_the_role_ends_with_the_reading(reader: sa.Engine) -> None:
    with snapshot(reader):
        pass
    with reader.connect() as connection:
        assert connection.execute(sa.text("select current_user")).scalar_one() != "accessboard_reader"


@pytest.mark.skipif(not NATIVE_DSN, reason="statement_timeout does not fire on the embedded server")
def test_a_reading_that_takes_too_long_is_ended_and_says_so(reader: sa.Engine) -> None:
    limit = pytest.raises(TooSlow, match=r"longer than 0\.2 s: choose a shorter range")
    with limit, snapshot(reader, seconds=0.2) as reading:
        reading.execute(sa.text("select pg_sleep(30)"))


def test_an_impossible_pattern_is_not_the_databases_fault(reader: sa.Engine) -> None:
    with pytest.raises(BadPattern, match="invalid regular expression"), snapshot(reader) as reading:
        breakdown(reading, WHOLE, Filters(path_regex="(unclosed"))


def test_a_reading_counts_statements_and_rows(reader: sa.Engine, writer: LogWriter, make_row: RowMaker) -> None:
    rows = [make_row(ts=START + timedelta(seconds=i)) for i in range(30)]
    writer.store(Batch("test", rows[0].service, rows, []))
    with snapshot(reader) as reading:
        (cell,) = breakdown(reading, WHOLE, Filters(service=rows[0].service))
        assert cell.n == 30
        assert 0 < reading.rows_read <= 30  # fewer once the minute is in an aggregate
        before = reading.statements
        breakdown(reading, WHOLE, Filters(service=rows[0].service), ["status"])
        assert reading.statements == before + 1  # what is fresh was read once
        assert reading.seconds > 0
