"""Export of the log: all of it, as of one moment, and never cut off in silence."""

from __future__ import annotations

import csv
import gzip
import http.client
import io
import json
import random
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from dashapp.api import api_blueprint
from dashapp.api_logs import MOST_EXPORTS
from dashapp.settings import DashboardSettings
from sql.batch import Batch, LogRow
from sql.connection import reading_engine
from sql.export import ROWS_A_PAGE, RowsDropped, export
from sql.filters import Filters
from sql.plan import Range
from sql.search import COLUMNS
from sql.writing import LogWriter
from tests.conftest import NATIVE_DSN
from tests.rows import log_row, moment

Connection = psycopg.Connection[tuple[object, ...]]

# A year in which no other test has rows.
START = datetime(2004, 3, 1, tzinfo=UTC)
END = START + timedelta(days=10)
WHOLE = Range(START, END)
ODD = ["/한글 😀", "/a,b;\"c\"'d'", "/line\r\nbreak\n", "=cmd()", "/100%_\\", "/\u2028"]


def app_of(engine: sa.Engine) -> Flask:
    app = Flask(__name__)
    app.register_blueprint(api_blueprint(DashboardSettings(), engine, now=lambda: END + timedelta(hours=1)))
    return app


@pytest.fixture(scope="module")
def client(engine: sa.Engine) -> FlaskClient:
    return app_of(engine).test_client()


@pytest.fixture(scope="module")
def shop(writer: LogWriter) -> tuple[str, list[LogRow]]:
    """More rows than two pages hold, thousands of them of one time."""
    name = f"export-{uuid.uuid4().hex[:12]}"
    draw = random.Random(11)
    times = [START + timedelta(seconds=draw.uniform(0, 9 * 86_400)) for _ in range(2_000)]
    rows = [
        log_row(
            ts=times[0] if draw.random() < 0.6 else draw.choice(times),
            service=name,
            path=draw.choice(ODD),
            user_agent=draw.choice([None, "+curl"]),
            status=draw.choice([200, 404, 503]),
            latency_ms=draw.choice([None, 0.1, 250.0]),
            bytes=draw.choice([None, 2**40]),
            client_ip=draw.choice([None, "10.0.0.1", "2001:db8::1"]),
            attributes=draw.choice([None, '{"이름": "=1\\n\\"x\\"", "n": [1.5, null]}']),
        )
        for _ in range(2 * ROWS_A_PAGE + 500)
    ]
    for start in range(0, len(rows), 3_000):
        writer.store(Batch("test", name, rows[start : start + 3_000], []))
    return name, rows


def download(client: FlaskClient, **parameters: Any) -> Any:
    answer = client.get(
        "/api/logs/export", query_string={"start": START.isoformat(), "end": END.isoformat(), **parameters}
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.data is not None  # read before it is closed, which a server does at the end
    answer.close()
    return answer


def plain(row: LogRow) -> dict[str, Any]:
    ts = moment(row.ts).isoformat(timespec="microseconds").replace("+00:00", "Z")
    attributes = None if row.attributes is None else json.loads(row.attributes)
    return {name: getattr(row, name) for name in COLUMNS} | {"ts": ts, "attributes": attributes}


def counted(rows: Any) -> Counter[str]:
    return Counter(json.dumps(row, sort_keys=True) for row in rows)


def from_csv(text: str) -> list[dict[str, Any]]:
    """What a reader of the documentation makes of a file."""
    rows: list[dict[str, Any]] = []
    for cells in csv.DictReader(io.StringIO(text, newline="")):
        row: dict[str, Any] = {name: None if cell == "" else cell.removeprefix("'") for name, cell in cells.items()}
        for name, read in (("status", int), ("bytes", int), ("latency_ms", float), ("attributes", json.loads)):
            row[name] = None if row[name] is None else read(row[name])
        rows.append(row)
    return rows


# ---- whole files ----


def test_ndjson_holds_every_row_once_newest_first(client: FlaskClient, shop: tuple[str, list[LogRow]]) -> None:
    service, rows = shop
    answer = download(client, service=service, format="ndjson")
    found = [json.loads(line) for line in answer.get_data(as_text=True).split("\n")[:-1]]
    assert counted(found) == counted(plain(row) for row in rows)
    assert [row["ts"] for row in found] == sorted((row["ts"] for row in found), reverse=True)
    assert answer.mimetype == "application/x-ndjson"


def test_csv_holds_every_row_once_and_no_formula(client: FlaskClient, shop: tuple[str, list[LogRow]]) -> None:
    service, rows = shop
    answer = download(client, service=service)
    text = answer.get_data(as_text=True)
    assert counted(from_csv(text)) == counted(plain(row) for row in rows)
    cells = [cell for line in csv.reader(io.StringIO(text, newline="")) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert answer.content_type == "text/csv; charset=utf-8"


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_gzip_is_the_same_file(client: FlaskClient, shop: tuple[str, list[LogRow]], kind: str) -> None:
    packed = download(client, service=shop[0], format=kind, gzip="1")
    assert packed.content_type == "application/gzip"
    assert "Content-Encoding" not in packed.headers
    assert gzip.decompress(packed.data) == download(client, service=shop[0], format=kind).data


def test_file_name_names_range_and_format(client: FlaskClient) -> None:
    for more, ending in (({}, "csv"), ({"format": "ndjson"}, "ndjson"), ({"gzip": "1"}, "csv.gz")):
        answer = download(client, service="nobody", **more)
        name = f"accessboard_20040301T000000Z_20040311T000000Z.{ending}"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'


def test_file_of_nothing_has_its_head(client: FlaskClient) -> None:
    assert download(client, service="nobody").get_data(as_text=True) == ",".join(COLUMNS) + "\r\n"
    assert download(client, service="nobody", format="ndjson").data == b""
    assert download(client, service="nobody", bom="1").data.startswith(b"\xef\xbb\xbfts,")


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"status": "5xx"},
        {"text": "한글"},
        {"regex": "^/line"},
        {"latency_min": "100"},
        {"client_ip": "10.0.0.1", "status": "404"},
    ],
    ids=str,
)
def test_file_has_as_many_rows_as_the_summary_counts(
    client: FlaskClient, shop: tuple[str, list[LogRow]], more: dict[str, str]
) -> None:
    given = {"start": START.isoformat(), "end": END.isoformat(), "service": shop[0], **more}
    total = client.get("/api/stats/summary", query_string=given).get_json()["total"]
    lines = download(client, service=shop[0], format="ndjson", **more).data.count(b"\n")
    assert lines == total > 0


@pytest.mark.parametrize("parameters", [{"format": "xml"}, {"gzip": "yes"}, {"bom": "2"}, {"regex": "("}], ids=str)
def test_bad_parameter_is_refused(client: FlaskClient, parameters: dict[str, str]) -> None:
    answer = client.get("/api/logs/export", query_string=parameters)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["code"] == "bad_parameter"


# ---- one moment ----


@pytest.mark.parametrize("same_time", [True, False])
def test_rows_that_come_during_an_export_are_not_in_it(
    engine: sa.Engine, writer: LogWriter, service: str, same_time: bool
) -> None:
    times = [START + timedelta(hours=0 if same_time else i) for i in range(60)]
    before = [log_row(ts=times[i % 60], service=service, path="/before") for i in range(ROWS_A_PAGE + 60)]
    writer.store(Batch("test", service, before, []))
    pages = export(engine, WHOLE, Filters(service=service)).pages()
    rows = next(pages)
    late = [log_row(ts=at, service=service, path="/late") for at in times]
    writer.store(Batch("test", service, late, []))
    for page in pages:
        rows += page
    assert Counter(row["path"] for row in rows) == {"/before": len(before)}
    later = [row for page in export(engine, WHOLE, Filters(service=service)).pages() for row in page]
    assert Counter(row["path"] for row in later) == {"/before": len(before), "/late": len(late)}


def test_batch_that_began_earlier_and_commits_during_an_export_is_not_in_it(
    engine: sa.Engine, writer: LogWriter, dsn: str, service: str
) -> None:
    if not NATIVE_DSN:
        pytest.skip("the embedded engine has one session: no transaction runs beside another")
    writer.store(Batch("test", service, [log_row(ts=START, service=service, path="/before")], []))
    with psycopg.connect(dsn) as slow:
        columns = "source, service, received, stored, duplicate, quarantined, first_ts, last_ts"
        (batch,) = slow.execute(
            f"insert into ingest_batch ({columns}) values ('slow', %s, 1, 1, 0, 0, %s, %s) returning id".encode(),
            (service, START, START),
        ).fetchone() or (None,)
        slow.execute(
            "insert into access_log (ts, service, method, path, route, status, batch_id)"
            " values (%s, %s, 'GET', '/slow', '/slow', 200, %s)",
            (START, service, batch),
        )
        # A batch with a higher number that is there already.
        writer.store(Batch("test", service, [log_row(ts=START, service=service, path="/before")], []))
        exported = export(engine, WHOLE, Filters(service=service))
        slow.commit()
    assert [row["path"] for page in exported.pages() for row in page] == ["/before"] * 2


def test_export_after_a_restore_holds_rows_whose_transactions_seem_to_come(
    engine: sa.Engine, writer: LogWriter, connection: Connection, service: str
) -> None:
    writer.store(Batch("test", service, [log_row(ts=START, service=service)] * 3, []))
    # As in a dump that is restored into a younger server: its transactions bear lower numbers.
    connection.execute(
        "update ingest_batch set xact = (pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1000000)::text::xid8"
        " where service = %s",
        (service,),
    )
    try:
        assert sum(map(len, export(engine, WHOLE, Filters(service=service)).pages())) == 3
    finally:
        connection.execute("update ingest_batch set xact = pg_current_xact_id() where service = %s", (service,))


def test_export_holds_no_transaction_between_its_pages(
    engine: sa.Engine, shop: tuple[str, list[LogRow]], connection: Connection
) -> None:
    pages = export(engine, WHOLE, Filters(service=shop[0])).pages()
    next(pages)
    # On the embedded engine this would wait for ever behind an open transaction.
    connection.execute("set statement_timeout = '20s'")
    open_ones = connection.execute(
        "select count(*) from pg_stat_activity where state like 'idle in transaction%' and datname = current_database()"
    ).fetchone()
    assert open_ones == (0,)
    assert next(pages)


# ---- what goes wrong on the way ----


def test_export_breaks_where_rows_were_dropped_meanwhile(
    engine: sa.Engine, shop: tuple[str, list[LogRow]], connection: Connection
) -> None:
    pages = export(engine, WHOLE, Filters(service=shop[0])).pages()
    next(pages)
    connection.execute("update log_horizon set raw_from = %s", (START + timedelta(hours=1),))
    try:
        with pytest.raises(RowsDropped):
            list(pages)
    finally:
        connection.execute("update log_horizon set raw_from = '-infinity'")


def test_only_so_many_exports_run_at_once(engine: sa.Engine, shop: tuple[str, list[LogRow]]) -> None:
    client = app_of(engine).test_client()
    address = f"/api/logs/export?{urlencode({'start': START.isoformat(), 'end': END.isoformat(), 'service': shop[0]})}"
    running = [client.get(address, buffered=False) for _ in range(MOST_EXPORTS)]
    refused = client.get(address)
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    # One that is given up and one that fails both make room.
    running[0].close()
    assert client.get(address + "&regex=(").status_code == 400
    for method in ("HEAD", "GET", "GET"):
        with client.open(address, method=method) as answer:
            assert answer.status_code == 200
    for each in running[1:]:
        each.close()


_SERVE = """
import sys
from datetime import UTC, datetime
from flask import Flask
from accessboard.serve import serve
from dashapp.api import api_blueprint
from dashapp.settings import DashboardSettings
from sql.connection import reading_engine

def make_app():
    app = Flask("export")
    app.register_blueprint(api_blueprint(DashboardSettings(), reading_engine(sys.argv[1])))
    return app

serve(make_app, sys.argv[2])
"""


@pytest.fixture
def real_server(dsn: str, unused_port: int) -> Iterator[http.client.HTTPConnection]:
    """The server that the dashboard runs in."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, dsn, f"127.0.0.1:{unused_port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    threading.Thread(target=process.stdout.read, daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", unused_port, timeout=60)
    for _ in range(300):
        try:
            connection.connect()
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    yield connection
    connection.close()
    process.send_signal(signal.SIGTERM)
    process.wait(30)


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
@pytest.mark.parametrize("packed", ["0", "1"])
def test_client_can_tell_a_broken_download_from_a_whole_one(
    real_server: http.client.HTTPConnection,
    writer: LogWriter,
    connection: Connection,
    service: str,
    kind: str,
    packed: str,
) -> None:
    # Far more than the buffers between server and client hold, and nothing that gzip makes small.
    draw = random.Random(5)
    rows = [
        log_row(ts=START + timedelta(seconds=i), service=service, user_agent=draw.randbytes(600).hex())
        for i in range(5 * ROWS_A_PAGE)
    ]
    for start in range(0, len(rows), ROWS_A_PAGE):
        writer.store(Batch("test", service, rows[start : start + ROWS_A_PAGE], []))
    given = {"start": START.isoformat(), "end": END.isoformat(), "service": service, "format": kind, "gzip": packed}
    address = f"/api/logs/export?{urlencode(given)}"
    real_server.request("GET", address)
    whole = real_server.getresponse().read()
    if packed == "1":
        whole = gzip.decompress(whole)
    assert whole.count(b"\n") == len(rows) + (kind == "csv")

    real_server.request("GET", address)
    answer = real_server.getresponse()
    assert answer.status == 200
    answer.read(1_000)
    connection.execute("update log_horizon set raw_from = %s", (START + timedelta(minutes=1),))
    try:
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()
    finally:
        connection.execute("update log_horizon set raw_from = '-infinity'")


def test_database_that_is_away_is_told_with_a_status(closed_port_dsn: str) -> None:
    engine = reading_engine(closed_port_dsn)
    client = app_of(engine).test_client()
    for path in ("/api/logs", "/api/logs/export"):
        for _ in range(MOST_EXPORTS + 1):
            answer = client.get(path)
            assert answer.status_code == 503
            assert re.search("reached", answer.get_json()["error"]["message"])
    engine.dispose()
