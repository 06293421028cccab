"""Test records: stored on trial and counted nowhere, and a finding while none comes back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from pydantic import SecretStr

from dashapp.api import api_blueprint
from dashapp.ingest_client import IngestAddress
from dashapp.scan import search
from dashapp.scan.canary import EVERY, LOST, Canary, post
from dashapp.scan.live import warmed
from dashapp.settings import DashboardSettings
from ingest_server.service import open_service
from ingest_server.settings import IngestSettings
from sql.canary import CANARY_SERVICE, CanaryStore
from sql.connection import DatabaseUnavailable, connect, reading_engine
from sql.watching import WatchStore
from tests.ingest_server import Client, serving
from tests.scanning import forget_all

Connection = psycopg.Connection[Any]
TABLES = ("access_log", "ingest_batch", "ingest_ledger", "quarantine", "touched_minute", "service", "route")
TOKEN = "a-token-of-the-canary"


@pytest.fixture
def own(module_quiet_dsn: str) -> Iterator[Connection]:
    with connect(module_quiet_dsn) as connection:
        forget_all(connection)
        connection.execute("delete from canary")
        yield connection


@pytest.fixture(scope="module")
def ingest(module_quiet_dsn: str) -> Iterator[Client]:
    settings = IngestSettings(ingest_tokens=SecretStr(TOKEN))
    with serving(settings, lambda: open_service(settings, module_quiet_dsn)) as client:
        yield client


@pytest.fixture
def canaries(module_quiet_dsn: str) -> Iterator[CanaryStore]:
    store = CanaryStore.open(module_quiet_dsn)
    yield store
    store.close()


@pytest.fixture
def engine(module_quiet_dsn: str) -> Iterator[sa.Engine]:
    engine = reading_engine(module_quiet_dsn)
    yield engine
    engine.dispose()


@pytest.fixture
def watch(module_quiet_dsn: str, own: Connection) -> Iterator[WatchStore]:
    store = WatchStore.open(module_quiet_dsn, "this process")
    store.lease()
    yield store
    store.close()


class Clock:
    """A time that a test sets; whole minutes, so that spans are."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(second=7, microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def minute(self) -> None:
        self.now += EVERY


class Wire:
    """What lies between the dashboard and the ingest server."""

    def __init__(self) -> None:
        self.cut = False

    def send(self, address: IngestAddress, canary: uuid.UUID, now: datetime) -> str | None:
        if self.cut:
            return post(IngestAddress("http://127.0.0.1:9", None), canary, now)
        return post(address, canary, now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def canary(
    engine: sa.Engine, canaries: CanaryStore, watch: WatchStore, ingest: Client, clock: Clock, wire: Wire
) -> Canary:
    return new_canary(engine, canaries, watch, ingest, clock, wire)


def new_canary(
    engine: sa.Engine, canaries: CanaryStore, watch: WatchStore, ingest: Client, clock: Clock, wire: Wire
) -> Canary:
    address = IngestAddress(f"http://127.0.0.1:{ingest.port}", TOKEN)
    return Canary(engine, canaries, watch, address, clock, may=lambda: True, least="low", send=wire.send)


def sizes(connection: Connection) -> dict[str, int]:
    return {name: one(connection, f"select count(*) from {name}") for name in TABLES}


def one(connection: Connection, statement: str) -> Any:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]


def kept(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute("select kind, start_at, end_at, n, observed from finding order by start_at").fetchall()


def told(connection: Connection) -> list[str]:
    return [what for (what,) in connection.execute("select what from alert order by id").fetchall()]


def record(canary: uuid.UUID) -> bytes:
    fields = {"timestamp": datetime.now(UTC).isoformat(), "method": "GET", "path": "/canary", "status": 200}
    return json.dumps(fields | {"service": CANARY_SERVICE, "canary": str(canary)}).encode()


def send(ingest: Client, body: bytes) -> dict[str, int]:
    answer = ingest.send("POST", "/log/ingest", body, {"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 200, answer.body
    receipt: dict[str, int] = answer.json
    return receipt


def flights(connection: Connection) -> list[tuple[bool, bool, str | None]]:
    found = connection.execute(
        "select stored_at is not null, seen_at is not null, problem from canary order by sent_at"
    )
    return found.fetchall()


def test_a_record_that_comes_back_leaves_no_trace_in_any_figure(canary: Canary, own: Connection, clock: Clock) -> None:
    before = sizes(own)
    for _ in range(3):
        canary.round()
        clock.minute()
    assert flights(own) == [(True, True, None)] * 3
    assert sizes(own) == before
    assert kept(own) == []


def test_one_is_sent_a_minute_and_only_by_who_watches(
    canary: Canary, own: Connection, clock: Clock, engine: sa.Engine, canaries: CanaryStore, watch: WatchStore
) -> None:
    for _ in range(5):
        canary.round()
    assert len(flights(own)) == 1
    idle = Canary(engine, canaries, watch, IngestAddress("http://127.0.0.1:9", None), clock, may=lambda: False)
    idle.round()
    assert len(flights(own)) == 1


def test_the_trial_goes_the_whole_way_of_a_record(ingest: Client, own: Connection, canaries: CanaryStore) -> None:
    """What would refuse a record refuses the test record too."""
    own.execute("alter table access_log add constraint refuse check (path <> '/canary') not valid")
    try:
        canaries.announce(sent := uuid.uuid4(), datetime.now(UTC))
        answer = ingest.send("POST", "/log/ingest", record(sent), {"Authorization": f"Bearer {TOKEN}"})
        assert answer.status == 503
        assert flights(own) == [(False, False, None)]
    finally:
        own.execute("alter table access_log drop constraint refuse")


def test_what_nobody_announced_is_a_record_like_any_other(
    ingest: Client, own: Connection, canaries: CanaryStore
) -> None:
    before = sizes(own)["access_log"]
    assert send(ingest, record(uuid.uuid4()))["stored"] == 1
    assert sizes(own)["access_log"] == before + 1
    canaries.announce(sent := uuid.uuid4(), datetime.now(UTC))
    assert send(ingest, record(sent)) == {"received": 1, "stored": 1, "duplicate": 0, "quarantined": 0}
    assert sizes(own)["access_log"] == before + 1
    assert send(ingest, record(sent))["stored"] == 1  # a second time it is no test record
    assert sizes(own)["access_log"] == before + 2


def test_among_other_records_it_is_one_of_them(ingest: Client, own: Connection, canaries: CanaryStore) -> None:
    before = sizes(own)["access_log"]
    canaries.announce(sent := uuid.uuid4(), datetime.now(UTC))
    assert send(ingest, record(sent) + b"\n" + record(sent).replace(b"/canary", b"/real"))["stored"] == 2
    assert sizes(own)["access_log"] == before + 2
    assert flights(own) == [(False, False, None)]


def test_a_finding_opens_goes_on_and_closes(canary: Canary, own: Connection, clock: Clock, wire: Wire) -> None:
    canary.round()
    wire.cut = True
    began = clock.now + EVERY
    for number in range(1, LOST + 3):
        clock.minute()
        canary.round()
        expected = [("canary_lost", began.replace(second=0), None, number, float(number))]
        assert kept(own) == (expected if number >= LOST else [])
    assert told(own) == ["opened"]
    wire.cut = False
    clock.minute()
    canary.round()
    [(_, start, end, lost, _)] = kept(own)
    assert (end - start, lost) == (timedelta(minutes=LOST + 2), LOST + 2)
    assert told(own) == ["opened", "closed"]
    clock.minute()
    canary.round()
    assert len(kept(own)) == 1


def test_a_restart_of_the_ingest_server_is_no_finding(
    canary: Canary, own: Connection, clock: Clock, wire: Wire
) -> None:
    for cut in (False, True, True, False, True, True, False):
        wire.cut = cut
        canary.round()
        clock.minute()
    assert kept(own) == []


def test_another_process_goes_on_with_what_it_finds_open(
    canary: Canary,
    own: Connection,
    clock: Clock,
    wire: Wire,
    engine: sa.Engine,
    canaries: CanaryStore,
    watch: WatchStore,
    ingest: Client,
) -> None:
    wire.cut = True
    for _ in range(LOST):
        canary.round()
        clock.minute()
    other = new_canary(engine, canaries, watch, ingest, clock, wire)
    other.round()
    assert [(n, end) for _, _, end, n, _ in kept(own)] == [(LOST + 1, None)]
    wire.cut = False
    clock.minute()
    new_canary(engine, canaries, watch, ingest, clock, wire).round()
    assert [(n, end is not None) for _, _, end, n, _ in kept(own)] == [(LOST + 1, True)]
    assert told(own) == ["opened", "closed"]


def test_a_database_that_was_away_is_told_afterwards(
    canary: Canary, own: Connection, clock: Clock, canaries: CanaryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise DatabaseUnavailable("the database cannot be reached")

    with monkeypatch.context() as patch:
        patch.setattr(canaries, "announce", away)
        patch.setattr(canaries, "note", away)
        for _ in range(LOST + 1):
            with pytest.raises(DatabaseUnavailable):
                canary.round()
            clock.minute()
    assert kept(own) == []
    canary.round()
    [(kind, start, end, lost, _)] = kept(own)
    assert (kind, end - start, lost) == ("canary_lost", timedelta(minutes=LOST + 1), LOST + 1)
    assert flights(own) == [(False, False, "the database cannot be reached")] * (LOST + 1) + [(True, True, None)]


def test_the_watch_leaves_the_finding_alone(
    canary: Canary, own: Connection, clock: Clock, wire: Wire, engine: sa.Engine, watch: WatchStore
) -> None:
    """It knows nothing of test records, and must not take for gone what it does not find."""
    wire.cut = True
    for _ in range(LOST):
        canary.round()
        clock.minute()
    _, step = warmed(engine, search.make_watch, search.answer, clock.now.replace(second=0), version=1, least=None)
    watch.keep(step)
    assert [(end, n) for _, _, end, n, _ in kept(own)] == [(None, LOST)]
    assert own.execute("select count(*) from finding where withdrawn_at is not null").fetchone() == (0,)


def test_the_number_of_the_finding_is_that_of_the_read_api(
    canary: Canary, own: Connection, clock: Clock, wire: Wire, engine: sa.Engine
) -> None:
    wire.cut = True
    for _ in range(LOST):
        canary.round()
        clock.minute()
    server = Flask(__name__)
    server.register_blueprint(api_blueprint(DashboardSettings(), engine, now=clock))
    client = server.test_client()
    [evidence] = one(own, "select payload -> 'evidence' from finding")
    answer = client.get(evidence["query"]).get_json()
    assert (answer["lost"], answer["sent"]) == (evidence["value"], LOST)
    assert "does not answer" in answer["flights"][0]["problem"]


def test_a_wrong_token_is_a_reason(canary: Canary, engine: sa.Engine, ingest: Client, clock: Clock) -> None:
    problem = post(IngestAddress(f"http://127.0.0.1:{ingest.port}", "wrong"), uuid.uuid4(), clock.now)
    assert problem is not None
    assert "401" in problem
    assert "wrong" not in problem


def test_old_ones_are_forgotten(canary: Canary, own: Connection) -> None:
    own.execute("insert into canary (id, sent_at) values (gen_random_uuid(), now() - interval '32 days')")
    canary.round()
    assert len(flights(own)) == 1
