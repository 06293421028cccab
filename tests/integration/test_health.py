"""The state of the servers: what works, what is late, what fails, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from dashapp.app import create_app
from dashapp.settings import DashboardSettings
from ingest_server.service import open_service
from ingest_server.settings import IngestSettings
from tests.ingest_server import serving

Connection = psycopg.Connection[Any]


def client(engine: sa.Engine, port: int, **settings: Any) -> FlaskClient:
    read = DashboardSettings(_env_file=None, ingest_url=f"http://127.0.0.1:{port}", **settings)  # type: ignore[call-arg]
    made: FlaskClient = create_app(read, engine, now=lambda: datetime.now(UTC)).server.test_client()
    return made


@pytest.fixture
def ingest_port(dsn: str) -> Iterator[int]:
    settings = IngestSettings()
    with serving(settings, lambda: open_service(settings, dsn)) as server:
        yield server.port


@pytest.fixture
def watched(connection: Connection) -> Iterator[None]:
    """A search that is up to date; what it was before is put back."""
    before = connection.execute("select through, problem from watch_state").fetchone()
    assert before is not None
    connection.execute(
        "update watch_state set through = %s, problem = null", (datetime.now(UTC) - timedelta(minutes=3),)
    )
    yield
    connection.execute("update watch_state set through = %s, problem = %s", before)


def states(answer: Any) -> dict[str, str]:
    return {each["part"]: each["state"] for each in answer.get_json()["checks"]}


def test_where_all_works_it_says_so(engine: sa.Engine, ingest_port: int, watched: None) -> None:
    web = client(engine, ingest_port)
    answer = web.get("/api/health")
    assert states(answer) | {"figures": ""} == {
        "ingest": "fine", "database": "fine", "jobs": "fine", "search": "fine", "canary": "late", "figures": ""
    }  # fmt: skip
    for language, word in (("ko", "서버 상태"), ("en", "State of the servers")):
        shown = web.get(f"/health?lang={language}")
        assert shown.status_code == 200
        assert word in shown.text


def test_what_fails_is_named(engine: sa.Engine, unused_port: int, watched: None, connection: Connection) -> None:
    connection.execute("update watch_state set problem = 'no room'")
    web = client(engine, unused_port)
    answer = web.get("/api/health")
    assert answer.status_code == 503
    assert (states(answer)["ingest"], states(answer)["search"]) == ("failing", "failing")
    texts = [each["text"] for each in answer.get_json()["checks"]]
    assert "It cannot look: no room." in texts
    assert web.get("/health").status_code == 200


def test_what_is_late_or_off_is_no_failure(
    engine: sa.Engine, ingest_port: int, watched: None, connection: Connection
) -> None:
    connection.execute("update watch_state set through = %s", (datetime.now(UTC) - timedelta(hours=2),))
    answer = client(engine, ingest_port).get("/api/health")
    assert (answer.status_code, states(answer)["search"]) == (200, "late")
    assert states(client(engine, ingest_port, scan=False).get("/api/health"))["search"] == "off"


def test_the_last_test_record_is_told(
    engine: sa.Engine, ingest_port: int, watched: None, connection: Connection
) -> None:
    def state(**settings: Any) -> tuple[int, str]:
        answer = client(engine, ingest_port, **settings).get("/api/health")
        return answer.status_code, states(answer)["canary"]

    sent = "insert into canary (id, sent_at, seen_at, problem) values (gen_random_uuid(), %s, %s, %s)"
    now = datetime.now(UTC)
    long_ago = now - timedelta(hours=1)
    try:
        connection.execute(sent, (long_ago, long_ago, None))
        assert state() == (200, "late")
        connection.execute(sent, (now - timedelta(minutes=2), now - timedelta(minutes=2), None))
        assert state() == (200, "fine")
        connection.execute(sent, (now - timedelta(minutes=1), None, "127.0.0.1:1 does not answer"))
        assert state() == (503, "failing")
        connection.execute(sent, (now - timedelta(seconds=1), None, None))  # on its way
        assert state() == (503, "failing")
        assert state(canary=False) == (200, "off")
        metrics = client(engine, ingest_port).get("/metrics").text
        [line] = [each for each in metrics.splitlines() if each.startswith("accessboard_canary_seen_seconds ")]
        assert float(line.split()[1]) == pytest.approx((now - timedelta(minutes=2)).timestamp(), abs=0.01)
    finally:
        connection.execute("delete from canary")


def test_a_database_that_is_away_is_named(ingest_port: int) -> None:
    nowhere = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    answer = client(nowhere, ingest_port).get("/api/health")
    assert (answer.status_code, states(answer)) == (503, {"ingest": "fine", "database": "failing"})
    assert client(nowhere, ingest_port).get("/health").status_code == 200
