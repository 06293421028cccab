"""A real log file, tailed by Fluent Bit and sent twice in other pieces: each line is stored once."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingest_server.intake import Intake, Origin, open_intake, take_in
from ingest_server.settings import IngestSettings
from sql.batch import NOTHING, Receipt
from sql.writing import LogWriter

REAL_LOG = Path(__file__).parents[3] / "shared" / "data" / "apache_access.log"
LINES = 10_000
# Fluent Bit's own parser `apache2`, in Python's words.
APACHE2 = re.compile(
    r"^(?P<host>[^ ]*) [^ ]* (?P<user>[^ ]*) \[(?P<time>[^\]]*)\] "
    r'"(?P<method>\S+)(?: +(?P<path>[^ ]*) +\S*)?" (?P<code>[^ ]*) (?P<size>[^ ]*)'
    r'(?: "(?P<referer>[^\"]*)" "(?P<agent>.*)")?$'
)
TIME_FORMAT = "%d/%b/%Y:%H:%M:%S %z"
FIRST_READ, READ_AGAIN = 1_700_000_000.25, 1_700_003_600.75

pytestmark = pytest.mark.skipif(not REAL_LOG.exists(), reason="the real log is not beside this checkout")


def record(line: bytes, offset: int, host: str, read_at: float) -> dict[str, Any]:
    """What Fluent Bit's tail makes of a line; one that its parser cannot read is left as it is, in `log`."""
    found = APACHE2.match(line.decode())
    if found is None:
        date, fields = read_at, {"log": line.decode()}
    else:
        fields = {name: value for name, value in found.groupdict().items() if value}
        date = datetime.strptime(fields.pop("time"), TIME_FORMAT).timestamp()  # noqa: DTZ007 (the format has %z)
    return {"date": date, **fields, "file": "/var/log/apache2/access.log", "offset": offset, "source_host": host}


def records(host: str, read_at: float) -> Iterator[dict[str, Any]]:
    offset = 0
    for line in REAL_LOG.read_bytes().splitlines(keepends=True):
        yield record(line.rstrip(b"\n"), offset, host, read_at)
        offset += len(line)


def bodies(host: str, read_at: float, size: int) -> list[bytes]:
    """The file as json_lines, cut after `size` bytes or a little more."""
    cut, body = [], bytearray()
    for one in records(host, read_at):
        body += json.dumps(one, separators=(",", ":")).encode() + b"\n"
        if len(body) >= size:
            cut.append(bytes(body))
            body.clear()
    return [*cut, bytes(body)] if body else cut


def sent(intake: Intake, writer: LogWriter, origin: Origin, pieces: list[bytes]) -> Receipt:
    total = NOTHING
    for piece in pieces:
        total += take_in(piece, origin, intake, writer)
    return total


def ledger(connection: psycopg.Connection[Any], service: str) -> tuple[Any, ...]:
    found = connection.execute(
        "select sum(received)::int, sum(stored)::int, sum(duplicate)::int, sum(quarantined)::int, sum(bytes)::int, "
        "count(distinct kind)::int from ingest_ledger where service = %s",
        (service,),
    ).fetchone()
    assert found is not None
    return tuple(found)


def test_file_sent_twice_is_stored_once(
    intake: Intake, writer: LogWriter, connection: psycopg.Connection[Any], service: str
) -> None:
    origin = Origin(f"apache.access@{service}", service)
    first, second = bodies(service, FIRST_READ, 2_000_000), bodies(service, READ_AGAIN, 1_500_000)
    assert len(first) != len(second)
    assert sent(intake, writer, origin, first) == Receipt(LINES, LINES, 0, 0)
    assert ledger(connection, service) == (LINES, LINES, 0, 0, sum(map(len, first)), 1)

    # The file is read again by a shipper that lost its place, and answered by a server that was started again.
    again = open_intake(IngestSettings(), writer)
    assert sent(again, writer, origin, second) == Receipt(LINES, 0, LINES, 0)
    size = sum(map(len, first)) + sum(map(len, second))
    assert ledger(connection, service) == (2 * LINES, LINES, LINES, 0, size, 1)

    rows = connection.execute(
        "select count(*), count(distinct record_key), min(ts), max(ts) from access_log where service = %s", (service,)
    ).fetchone()
    moments = [datetime.strptime(found["time"], TIME_FORMAT) for found in map(APACHE2.match, lines()) if found]  # noqa: DTZ007
    assert rows == (LINES, LINES, min(moments), max(moments))


def test_bodies_sent_again_as_they_were_are_known(
    intake: Intake, writer: LogWriter, connection: psycopg.Connection[Any], service: str
) -> None:
    origin = Origin(f"apache.access@{service}", service)
    pieces = [piece[: piece.index(b"\n", 100_000) + 1] for piece in bodies(service, FIRST_READ, 2_000_000)]
    number = sum(piece.count(b"\n") for piece in pieces)
    for again in (0, 1, 2):
        expected = Receipt(number, 0, number, 0) if again else Receipt(number, number, 0, 0)
        assert sent(intake, writer, origin, pieces) == expected
    assert ledger(connection, service)[:4] == (3 * number, number, 2 * number, 0)


def test_rows_are_what_the_lines_say(
    intake: Intake, writer: LogWriter, connection: psycopg.Connection[Any], service: str
) -> None:
    origin = Origin(f"apache.access@{service}", service)
    assert sent(intake, writer, origin, bodies(service, FIRST_READ, 2_000_000)).stored == LINES
    # Plain text splitting, nothing of ours.
    expected = Counter(
        (line.split('"')[1].split()[0], line.split('"')[1].split()[1].split("?")[0], int(line.split('"')[2].split()[0]))
        for line in lines()
    )
    sizes = [line.split('"')[2].split()[1] for line in lines()]
    found = connection.execute(
        "select method, path, status, count(*) from access_log where service = %s group by 1, 2, 3", (service,)
    ).fetchall()
    assert Counter({(method, path, status): n for method, path, status, n in found}) == expected
    totals = connection.execute(
        "select sum(bytes)::bigint, count(bytes), count(client_ip), count(distinct host(client_ip)), "
        "count(*) filter (where attributes ->> 'source_host' = service), "
        "sum((attributes ->> 'offset')::bigint)::bigint from access_log where service = %s",
        (service,),
    ).fetchone()
    addresses = [line.split(" ", 1)[0] for line in lines()]
    offsets = sum(one["offset"] for one in records(service, FIRST_READ))
    known = [int(size) for size in sizes if size != "-"]
    assert totals == (sum(known), len(known), LINES, len(set(addresses)), LINES, offsets)


def lines() -> list[str]:
    return REAL_LOG.read_text().splitlines()


def test_shape_is_that_of_the_parser() -> None:
    made = list(records("web-1", FIRST_READ))
    assert len(made) == LINES
    assert sum("log" in one for one in made) == 1  # cut off in its agent
    names = {
        "date",
        "host",
        "user",
        "method",
        "path",
        "code",
        "size",
        "referer",
        "agent",
        "file",
        "offset",
        "source_host",
    }
    assert all(set(one) <= names for one in made if "log" not in one)
    assert all(isinstance(value, str) for one in made for name, value in one.items() if name not in ("date", "offset"))
    assert made[1]["offset"] == len(REAL_LOG.read_bytes().split(b"\n", 1)[0]) + 1
    assert isinstance(made[0]["date"], float)
    assert datetime.fromtimestamp(made[0]["date"], UTC).year == 2015
