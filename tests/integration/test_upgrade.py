"""A database of a previous version, with its data, becomes what a new one is, and loses nothing on the way."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from dashapp.time_range import bucket_starts
from sql.batch import Batch, LogRow, Quarantined
from sql.connection import connect, reading_engine, snapshot
from sql.filters import Filters
from sql.migrate import MIGRATIONS, load, migrate
from sql.plan import Range
from tests.catalogue import Catalogue, catalogue, chunks_without_an_index, differences
from tests.conftest import NATIVE_DSN
from tests.integration.conftest import own_database, pause_jobs
from tests.old_version import store, store_again
from tests.plain import drawn_rows, plain_breakdown, stored_breakdown

Connection = psycopg.Connection[tuple[object, ...]]

FIRST_RELEASE, SECOND_RELEASE = 4, 5
# In few pieces: a refresh has a fixed price, and these rows are far apart.
WHOLE = '{"window": "10 days", "gap": "10 days", "budget": "10 minutes", "patience": 0}'
A_PIECE = '{"window": "1 hour", "budget": "1 microsecond"}'
# Lists of what is to be done, and the migrations themselves, grow with a migration.
GROWING = ("schema_migration", "touched_minute", "refresh_run")
# Touched minutes whose bucket is on no list of a level that a later version added.
UNMARKED = (
    "select view, minute from touched_minute, (values ('route_1h'), ('route_1d'), ('client_1h'), ('client_1d'), "
    "('traffic_5m')) as added (view) join aggregate_level using (view) where not exists (select from stale_bucket "
    "as stale where stale.view = added.view and bucket = time_bucket(width, minute))"
)


@dataclass(frozen=True)
class Upgraded:
    """A database after its upgrade, and what it held before."""

    dsn: str
    now: datetime
    rows: Sequence[LogRow]
    columns: Mapping[str, str]
    digests: Mapping[str, object]
    # As the migrations left them: other tests let the jobs work through the lists.
    touched: int
    unmarked: Sequence[tuple[object, ...]]


@pytest.fixture(scope="module", params=[FIRST_RELEASE, SECOND_RELEASE], ids=["from 0004", "from 0005"])
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    version: int = request.param
    earlier, later = load()[:version], load()[version:]
    folder = tmp_path_factory.mktemp("migrations")
    for migration in earlier:
        shutil.copy(MIGRATIONS / f"{migration.name}.sql", folder)
    with own_database(tmp_path_factory.mktemp("old")) as dsn:
        migrate(dsn, folder)
        pause_jobs(dsn)
        with connect(dsn) as connection:
            now = datetime.now(UTC)
            rows = fill(connection, version, now)
            columns = columns_of_tables(connection)
            held = digests(connection, columns)
        assert migrate(dsn) == [migration.name for migration in later]
        pause_jobs(dsn)
        with connect(dsn) as connection:
            touched = one(connection, "select count(*) from touched_minute")
            unmarked = connection.execute(UNMARKED.encode()).fetchall()
        yield Upgraded(dsn, now, rows, columns, held, touched, unmarked)


def fill(connection: Connection, version: int, now: datetime) -> list[LogRow]:
    """Rows that only the aggregates know to be there, rows refreshed halfway, and late ones beside refreshed ones."""
    draw = random.Random(version)
    rows: list[LogRow] = []
    # The late ones leave hours and days alone, both weeks ago and today, and a service with routes of its own.
    for refresh, late in ((WHOLE, False), (A_PIECE, True), (None, True)):
        part = drawn_rows(draw, 150, now - timedelta(days=40), timedelta(days=2 if late else 4))
        part += drawn_rows(draw, 150, now - timedelta(hours=10 if late else 30), timedelta(hours=10 if late else 30))
        if not late:
            alone = drawn_rows(draw, 50, now - timedelta(days=50), timedelta(days=2))
            part += [row._replace(service="alone", route="/alone", attributes='{"host": "a"}') for row in alone]
        if version >= SECOND_RELEASE:
            part = [row._replace(record_key=draw.choice([None, draw.randbytes(16)])) for row in part]
        store_parts(connection, version, part, draw)
        rows += part
        if refresh is not None:
            connection.execute(f"call refresh_touched_minutes(null, '{refresh}')".encode())
    assert one(connection, "select sum(n) from traffic_1d") > 300
    assert one(connection, "select count(*) from touched_minute") > 300
    return rows


def store_parts(connection: Connection, version: int, rows: Sequence[LogRow], draw: random.Random) -> None:
    for service in sorted({row.service for row in rows}):
        refused = [Quarantined("unreadable", "not JSON", b"{\xff")] * draw.randrange(3)
        own = [row for row in rows if row.service == service]
        batch = Batch("agent@10.0.0.1", service, own, refused, identity=draw.randbytes(32))
        store(connection, version, batch)
        store_again(connection, version, batch)


def one(connection: Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(str(row[0]))


def columns_of_tables(connection: Connection) -> dict[str, str]:
    rows = connection.execute(
        "select relname, string_agg(attname, ', ' order by attnum) from pg_class join pg_attribute on attrelid = oid "
        "where relkind = 'r' and relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped "
        "and relname <> all(%s) group by 1",
        (list(GROWING),),
    ).fetchall()
    return {str(name): str(columns) for name, columns in rows}


def digests(connection: Connection, columns: Mapping[str, str]) -> dict[str, object]:
    """Of each table: how many rows, and a hash over these columns of all of them."""
    return {
        table: connection.execute(
            f"select count(*), md5(string_agg(part::text, ';' order by part::text)) "
            f"from (select {names} from {table}) as part".encode()
        ).fetchone()
        for table, names in columns.items()
    }


# ---- the catalogue ----


@pytest.fixture(scope="module")
def fresh(module_quiet_dsn: str) -> Iterator[Connection]:
    with connect(module_quiet_dsn) as connection:
        yield connection


@pytest.fixture(scope="module")
def fresh_catalogue(fresh: Connection) -> Catalogue:
    return catalogue(fresh)


def test_upgraded_database_has_the_catalogue_of_a_fresh_one(upgraded: Upgraded, fresh_catalogue: Catalogue) -> None:
    with connect(upgraded.dsn) as connection:
        assert differences(catalogue(connection), fresh_catalogue) == []
        # Chunks that were there before an index came have it too.
        assert chunks_without_an_index(connection) == []


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        ("create index stray on service (first_seen)", "+ index: CREATE INDEX stray"),
        ("create index on traffic_1h (n)", "+ index: CREATE INDEX _materialized_hypertable_<traffic_1h>_n_idx"),
        ("alter table route alter first_seen drop default", "- column: route | 3 | first_seen"),
        ("alter table quarantine alter kind drop not null", "- column: quarantine | "),
        ("alter table quarantine add constraint stray check (size > 0)", "+ constraint: quarantine | stray"),
        ("alter table touched_minute disable trigger refuse_before_horizon", "- trigger: CREATE TRIGGER refuse"),
        ("alter function latency_sketch volatile", "- routine: latency_sketch(double precision)"),
        ("comment on column access_log.path is null", "- comment: public.access_log.path"),
        ("alter sequence stale_mark increment 2", "- sequence: stale_mark"),
        ("grant insert on route to public", "+ grant on relation: route | =a/"),
        ("update aggregate_level set patience = '1 day' where view = 'client_1d'", "- level: "),
        ("alter materialized view traffic_1d set (timescaledb.materialized_only = false)", "- aggregate: "),
        ("alter table access_log set (timescaledb.orderby = 'ts')", "- columnstore: "),
        ("select set_chunk_time_interval('access_log', interval '2 days')", "- dimension: "),
        ("select alter_job(job_id, config => '{}') from timescaledb_information.jobs where config ? 'rest'", "- job: "),
    ],
)
def test_catalogue_tells_a_change(fresh: Connection, fresh_catalogue: Catalogue, change: str, sign: str) -> None:
    with fresh.transaction(force_rollback=True):
        fresh.execute(change.encode())
        found = differences(catalogue(fresh), fresh_catalogue)
    assert [line for line in found if line.startswith(sign)], found
    assert differences(catalogue(fresh), fresh_catalogue) == []


# ---- the data ----


def test_new_levels_wait_for_what_a_job_of_the_version_before_may_have_begun(upgraded: Upgraded) -> None:
    """Such a job takes a minute off the list without a word about levels that came while it ran."""
    if NATIVE_DSN and not upgraded.touched:
        pytest.skip("the jobs of a native server began at once and have worked through the list")
    assert upgraded.touched > 0
    assert upgraded.unmarked == []


def test_upgraded_database_has_every_row_and_every_figure(upgraded: Upgraded) -> None:
    with connect(upgraded.dsn) as connection:
        check_rows(connection, upgraded)
        check_figures(upgraded)  # from what the version before had refreshed
        settled = refresh(connection)
        check_levels(connection, settled)
        check_figures(upgraded)
        connection.execute('call age_data(null, \'{"quiet": "0 seconds", "budget": "10 minutes"}\')')
        assert connection.execute("select problem, converted > 0, dropped from data_aging").fetchone() == (
            None,
            True,
            0,
        )
        check_figures(upgraded)  # from the columnstore, in chunks of the version before
        check_rows(connection, upgraded)


def check_rows(connection: Connection, upgraded: Upgraded) -> None:
    assert digests(connection, upgraded.columns) == upgraded.digests
    sums = "select sum(received), sum(stored), sum(duplicate), sum(quarantined)"
    receipts = connection.execute(f"{sums} from ingest_batch".encode()).fetchone()
    assert connection.execute(f"{sums} from ingest_ledger".encode()).fetchone() == receipts
    named, logged = "select service, name from route", "select distinct service, route from access_log"
    assert (
        connection.execute(f"({named} except {logged}) union all ({logged} except {named})".encode()).fetchall() == []
    )


def check_figures(upgraded: Upgraded) -> None:
    whole = Range(upgraded.now - timedelta(days=51), upgraded.now + timedelta(minutes=1))
    today = Range(upgraded.now - timedelta(hours=29), upgraded.now)
    hours = bucket_starts(today, 60, ZoneInfo("UTC"))[1:]
    engine = reading_engine(upgraded.dsn)
    with snapshot(engine) as reading:
        for by in ((), ("service", "status"), ("method", "route"), ("route", "status"), ("client_ip",), ("path",)):
            for span, edges in ((whole, []), (today, hours)):
                for filters in (Filters(), Filters(service="exact-a", status=(500, 999))):
                    found = stored_breakdown(reading, span, filters, by, edges)
                    assert found == plain_breakdown(upgraded.rows, span, filters, by, edges), (by, span, filters)
    engine.dispose()


def refresh(connection: Connection) -> datetime:
    """Let the jobs do all that is due, and return up to when everything was."""
    settled = datetime.now(UTC) - timedelta(seconds=90)
    for job in ("refresh_touched_minutes", "refresh_stale_buckets"):
        connection.execute(f"call {job}(null, '{WHOLE}')".encode())
    due = connection.execute(
        "select '', minute from touched_minute where minute < %(settled)s union all "
        "select view, bucket from stale_bucket join aggregate_level using (view) where bucket + width < %(settled)s",
        {"settled": settled},
    ).fetchall()
    assert due == []
    return settled


def check_levels(connection: Connection, settled: datetime) -> None:
    """Each level holds every row of the buckets that have ended; endpoint_1m those of a day."""
    levels = connection.execute("select view, width, kept from aggregate_level").fetchall()
    for view, width, kept in levels:
        first = datetime.min.replace(tzinfo=UTC) if kept is None else settled - timedelta(hours=24)
        held = connection.execute(
            f"select sum(n) from {view} where bucket >= %s and bucket + %s < %s".encode(), (first, width, settled)
        ).fetchone()
        logged = connection.execute(
            "select count(*) from (select time_bucket(%s, ts) as bucket from access_log) as log "
            "where bucket >= %s and bucket + %s < %s",
            (width, first, width, settled),
        ).fetchone()
        assert held == logged, view
