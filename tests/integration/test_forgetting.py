"""A client who is forgotten: every figure stays, and nothing names him."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import psycopg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from accessboard.forget import forget, stored_address
from dashapp.stats.clients import clients
from dashapp.stats.summary import summary
from ingest_server.settings import IngestSettings
from sql.batch import Batch, Quarantined
from sql.connection import connect, snapshot, writing_pool
from sql.filters import Filters
from sql.forgetting import Forgotten, count_client, forget_client, pattern_of
from sql.plan import Range
from sql.writing import LogWriter
from tests.rows import log_row

START = datetime(2024, 2, 1, tzinfo=UTC)
WHOLE = Range(START, START + timedelta(hours=5))
HIM, ANOTHER = "198.18.77.23", "198.18.77.230"


def stored(writer: LogWriter, service: str) -> None:
    rows = [
        log_row(ts=START + timedelta(minutes=i), service=service, route="/a", client_ip=(HIM, ANOTHER)[i % 3 == 0],
                user_agent="his own/1.0", attributes='{"user": "kim"}')
        for i in range(240)
    ]  # fmt: skip
    held = [Quarantined("no_path", "no path", f'{{"ip": "{address}"}}'.encode()) for address in (HIM, ANOTHER)]
    writer.store(Batch("test", service, rows, held))


def test_every_figure_stays_and_nothing_names_him(
    engine: sa.Engine, writer: LogWriter, service: str, connection: psycopg.Connection[Any]
) -> None:
    stored(writer, service)
    filters = Filters(service=service)
    connection.execute('call refresh_touched_minutes(null, \'{"window": "10 days", "gap": "10 days", "patience": 0}\')')
    connection.execute('call refresh_stale_buckets(null, \'{"patience": 0, "budget": "1 minute"}\')')
    connection.execute(
        "insert into ai_analysis (kind, token, viewer, language, pack) values ('analysis', %s, 'x', 'ko', %s)",
        (service, json.dumps({"names": {"client-1": {"value": HIM}}})),
    )

    def read() -> tuple[Any, dict[str, int]]:
        with snapshot(engine) as reading:
            found = {each.client_ip: each.count for each in clients(reading, WHOLE, filters, most=10).clients}
            return summary(reading, WHOLE, filters, WHOLE.end), found

    before, callers = read()
    assert callers == {HIM: 160, ANOTHER: 80}
    assert count_client(connection, HIM) == Forgotten(160, 0, 1, 1)
    others = count_client(connection, ANOTHER)
    assert forget_client(connection, HIM) == Forgotten(160, 0, 1, 1)
    after, callers = read()
    assert after == before
    assert HIM not in callers
    assert callers[ANOTHER] == 80
    connection.execute('call refresh_stale_buckets(null, \'{"patience": 0, "budget": "1 minute"}\')')
    assert read()[1] == callers
    left = connection.execute(
        "select count(*) filter (where user_agent is null and attributes is null), count(*) from access_log "
        "where service = %s and client_ip is null",
        (service,),
    ).fetchone()
    assert left == (160, 160)
    assert count_client(connection, HIM) == Forgotten(0, 0, 0, 0)
    assert count_client(connection, ANOTHER) == others


@pytest.mark.parametrize(
    ("text", "found"),
    [("198.18.77.23", True), ('{"ip":"198.18.77.23"}', True), ("from 198.18.77.23.", True),
     ("198.18.77.23:443", True), ("198.18.77.230", False), ("1198.18.77.23", False), ("5.198.18.77.23", False),
     ("198.18.77.23.9", False)],
)  # fmt: skip
def test_an_address_is_not_found_in_a_longer_one(connection: psycopg.Connection[Any], text: str, found: bool) -> None:
    row = connection.execute("select %s ~ %s", (text, pattern_of(HIM))).fetchone()
    assert row == (found,)


def test_the_command_asks_for_an_address_that_the_log_has(
    dsn: str, writer: LogWriter, service: str, capsys: pytest.CaptureFixture[str], connection: psycopg.Connection[Any]
) -> None:
    stored(writer, service)
    forget(dsn, HIM, confirmed=True)
    assert "the names of 160 requests" in capsys.readouterr().out
    forget(dsn, HIM, confirmed=True)
    assert "nothing of this client" in capsys.readouterr().out
    line = connection.execute("select action, target, detail from audit order by id desc limit 1").fetchone()
    assert line is not None
    assert (line[0], line[1], line[2]["requests"]) == ("client_forgotten", None, 160)


def test_what_is_not_stored_whole_is_found_by_its_hash_or_not_at_all() -> None:
    def settings(**given: Any) -> IngestSettings:
        return IngestSettings(_env_file=None, **given)  # type: ignore[call-arg]

    hashed = stored_address(HIM, settings(client_addresses="hashed", client_key=SecretStr("a key that is long")))
    assert hashed.startswith("fd")
    assert stored_address("::ffff:1", settings()) == "::ffff:1"
    for given, kind in ((HIM, "truncated"), ("shop", "whole")):
        with pytest.raises(click.ClickException):
            stored_address(given, settings(client_addresses=kind))


def test_rows_in_the_columnstore_are_forgotten_too(own_quiet_dsn: str, service: str) -> None:
    with writing_pool(own_quiet_dsn, max_size=1) as pool:
        stored(LogWriter(pool), service)
    with connect(own_quiet_dsn) as connection:
        connection.execute('call refresh_touched_minutes(null, \'{"budget": "1 minute"}\')')
        connection.execute('call refresh_stale_buckets(null, \'{"patience": 0, "budget": "1 minute"}\')')
        connection.execute('call age_data(null, \'{"quiet": "0 seconds", "budget": "10 minutes"}\')')
        converted = connection.execute("select converted from data_aging").fetchone()
        assert converted is not None
        assert int(str(converted[0])) > 0
        assert forget_client(connection, HIM).requests == 160
        left = connection.execute(
            "select count(*), count(*) filter (where client_ip = %s::inet), count(*) filter (where client_ip is null) "
            "from access_log",
            (HIM,),
        ).fetchone()
        assert left == (240, 0, 160)
