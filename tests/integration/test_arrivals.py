"""The live log: every row that becomes visible is seen once, whatever order batches commit in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from sql.batch import Batch, LogRow
from sql.connection import connect, snapshot
from sql.filters import Filters
from sql.live import Arrivals, arrivals
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN
from tests.rows import moment

MakeRow = Callable[..., LogRow]
MOMENT = datetime(2024, 6, 1, 12, tzinfo=UTC)


def look(engine: sa.Engine, after: str | None = None, limit: int = 50, filters: Filters | None = None) -> Arrivals:
    with snapshot(engine) as connection:
        return arrivals(connection, filters or Filters(), limit=limit, after=after)


def paths(arrived: Arrivals) -> list[str]:
    return [row["path"] for row in arrived.rows]


def test_arrivals_first_look_returns_the_newest_rows_first(
    writer: LogWriter, engine: sa.Engine, service: str, make_row: MakeRow
) -> None:
    rows = [make_row(ts=MOMENT + timedelta(seconds=i), path=f"/{i}") for i in range(30)]
    writer.store(Batch("web@10.0.0.1", service, rows, []))
    arrived = look(engine, limit=10)
    assert paths(arrived) == [f"/{i}" for i in range(29, 19, -1)]
    assert arrived.more == 0
    newest = arrived.rows[0]
    assert newest["ts"] == moment(rows[-1].ts)
    assert newest["received_at"] >= newest["ts"]
    assert {
        name: newest[name] for name in ("service", "source", "method", "route", "status", "client_ip", "bytes")
    } == {
        "service": service,
        "source": "web@10.0.0.1",
        "method": "GET",
        "route": "/api/user/{id}",
        "status": 200,
        "client_ip": "10.0.0.1",
        "bytes": 345,
    }


def test_arrivals_after_a_cursor_are_what_came_since(
    writer: LogWriter, engine: sa.Engine, service: str, make_row: MakeRow
) -> None:
    writer.store(Batch("test", service, [make_row(path="/before")], []))
    first = look(engine)
    assert look(engine, first.cursor).rows == []
    writer.store(Batch("test", service, [make_row(ts=MOMENT, path="/one")], []))
    # Older than everything seen before, and in another chunk: what counts is when it arrived.
    writer.store(Batch("test", service, [make_row(ts=MOMENT - timedelta(days=400), path="/late")], []))
    second = look(engine, first.cursor)
    assert paths(second) == ["/one", "/late"]
    assert second.more == 0
    assert look(engine, second.cursor).rows == []
    assert paths(look(engine, first.cursor)) == ["/one", "/late"]


def test_arrivals_count_what_they_leave_out(
    writer: LogWriter, engine: sa.Engine, service: str, make_row: MakeRow
) -> None:
    cursor = look(engine).cursor
    for part in range(3):
        rows = [make_row(ts=MOMENT + timedelta(seconds=part * 10 + i), path=f"/{part * 10 + i}") for i in range(10)]
        writer.store(Batch("test", service, rows, []))
    arrived = look(engine, cursor, limit=4)
    assert paths(arrived) == ["/29", "/28", "/27", "/26"]
    assert (arrived.more, arrived.more_from, arrived.uncounted) == (26, MOMENT, False)


def test_arrivals_count_what_they_leave_out_of_what_matches(
    writer: LogWriter, engine: sa.Engine, service: str, make_row: MakeRow
) -> None:
    cursor = look(engine).cursor
    rows = [make_row(ts=MOMENT + timedelta(seconds=i), path=f"/{i}", status=(200, 500)[i % 2]) for i in range(20)]
    writer.store(Batch("test", service, rows, []))
    arrived = look(engine, cursor, limit=4, filters=Filters(status=(500, 500)))
    assert paths(arrived) == ["/19", "/17", "/15", "/13"]
    assert (arrived.more, arrived.more_from) == (6, MOMENT + timedelta(seconds=1))
    whole = look(engine, cursor, limit=10, filters=Filters(status=(500, 500)))
    assert (len(whole.rows), whole.more, whole.more_from) == (10, 0, None)


def test_arrivals_of_more_batches_than_are_looked_into_are_counted_all_the_same(
    writer: LogWriter, engine: sa.Engine, service: str, make_row: MakeRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sql.live.MOST_BATCHES", 2)
    cursor = look(engine).cursor
    for i in range(4):
        writer.store(Batch("test", service, [make_row(ts=MOMENT + timedelta(seconds=i), path=f"/{i}")], []))
    arrived = look(engine, cursor)
    assert paths(arrived) == ["/3", "/2"]
    assert (arrived.more, arrived.more_from, arrived.uncounted) == (2, MOMENT, False)
    assert look(engine, cursor, filters=Filters(service=service)).uncounted


def test_arrivals_of_repeated_and_refused_batches_are_none(
    writer: LogWriter, engine: sa.Engine, service: str, make_row: MakeRow
) -> None:
    batch = Batch("test", service, [make_row(path="/once")], [], service.encode())
    writer.store(batch)
    cursor = look(engine).cursor
    writer.store(batch)
    assert look(engine, cursor).rows == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(method="POST"), ["/3", "/1"]),
        (Filters(route="/r2"), ["/2"]),
        (Filters(status=(404, 404)), ["/2"]),
        (Filters(status=(400, 999)), ["/3", "/2"]),
        (Filters(client_ip="2001:db8::1"), ["/1"]),
        (Filters(method="POST", status=(500, 999)), ["/3"]),
        (Filters(service="somebody else"), []),
    ],
    ids=["method", "route", "code", "class", "client", "two", "service"],
)
def test_arrivals_filter(
    writer: LogWriter,
    engine: sa.Engine,
    service: str,
    make_row: MakeRow,
    filters: Filters,
    expected: list[str],
) -> None:
    cursor = look(engine).cursor
    rows = [
        make_row(ts=MOMENT, path="/0"),
        make_row(ts=MOMENT + timedelta(seconds=1), path="/1", method="POST", client_ip="2001:db8::1"),
        make_row(ts=MOMENT + timedelta(seconds=2), path="/2", route="/r2", status=404),
        make_row(ts=MOMENT + timedelta(seconds=3), path="/3", method="POST", status=500),
    ]
    writer.store(Batch("test", service, rows, []))
    assert paths(look(engine, cursor, filters=filters)) == expected
    narrowed = Filters(filters.service or service, filters.method, filters.route, filters.status, filters.client_ip)
    assert paths(look(engine, filters=narrowed)) == expected


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "abc",
        "1:2",
        "1;2;",
        "5:3:",
        "10:20:25",
        "10:20:5",
        "10:20:12,11",
        "1:1:1",
        "0:0:",
        "99999999999999999999:99999999999999999999:",
        "1:2:' or true --",
        "1:2:\n",
    ],
)
def test_arrivals_refuse_what_is_no_cursor(engine: sa.Engine, cursor: str) -> None:
    with pytest.raises(ValueError, match="after is no cursor"):
        look(engine, cursor)


@pytest.mark.parametrize("cursor", ["10:20:12,15", "10:10:", "100000000000000000:100000000000000000:"])
def test_arrivals_take_any_cursor_that_could_be_one(engine: sa.Engine, cursor: str) -> None:
    assert look(engine, cursor).cursor


@pytest.mark.native
@pytest.mark.skipif(not NATIVE_DSN, reason="the embedded server has one session: no two transactions overlap")
def test_arrivals_see_a_batch_that_began_earlier_and_commits_later_exactly_once(
    dsn: str, writer: LogWriter, engine: sa.Engine, service: str, make_row: MakeRow
) -> None:
    insert_batch = (
        "insert into ingest_batch (source, service, received, stored, duplicate, quarantined, first_ts, last_ts) "
        "values ('slow', %s, 1, 1, 0, 0, %s, %s) returning id"
    )
    # The chunk exists already: making one is what two transactions do wait for.
    writer.store(Batch("test", service, [make_row(ts=MOMENT, path="/before")], []))
    with connect(dsn) as slow:
        with slow.transaction():
            batch = slow.execute(insert_batch, (service, MOMENT, MOMENT)).fetchone()
            assert batch is not None
            slow.execute(
                "insert into access_log (ts, service, method, path, route, status, batch_id) "
                "values (%s, %s, 'GET', '/slow', '/slow', 200, %s)",
                (MOMENT, service, batch[0]),
            )
            first = look(engine)
            writer.store(Batch("test", service, [make_row(ts=MOMENT, path="/fast")], []))
            second = look(engine, first.cursor)
            assert paths(second) == ["/fast"]
        third = look(engine, second.cursor)
    assert paths(third) == ["/slow"]
    assert look(engine, third.cursor).rows == []
