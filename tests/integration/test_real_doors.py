"""A real Fluent Bit (FLUENT_BIT names the program) sends through the doors of other systems, and through its own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dashapp.ingest_address import Target
from dashapp.shipping import fluent_bit
from ingest_server.service import open_service
from ingest_server.settings import IngestSettings
from tests.ingest_server import Client, serving

FLUENT_BIT = os.environ.get("FLUENT_BIT")
LINES, WAIT_S = 300, 30.0
pytestmark = pytest.mark.skipif(FLUENT_BIT is None, reason="FLUENT_BIT names no Fluent Bit")

_INPUT = """
[SERVICE]
    Flush 0.3
    Grace 2
[INPUT]
    Name tail
    Path {log}
    Tag web
    Read_from_Head true
[OUTPUT]
    Match *
    Host 127.0.0.1
    Port {port}
    Retry_Limit no_limits
"""
OUTPUTS = {
    "es": "    Name es\n    Index {service}\n    Suppress_Type_Name On\n    Generate_ID Off\n",
    "loki": "    Name loki\n    Labels service_name={service}\n    Line_Format json\n",
    "opentelemetry": "    Name opentelemetry\n    Logs_uri /v1/logs?service={service}\n    Logs_body_key log\n",
}


@pytest.fixture(scope="module")
def server(dsn: str) -> Iterator[Client]:
    settings = IngestSettings()
    with serving(settings, lambda: open_service(settings, dsn)) as client:
        yield client


def write_log(folder: Path) -> Path:
    log = folder / "access.log"
    line = '203.0.113.{} - - [01/Jul/2025:09:{:02d}:{:02d} +0000] "GET /cart/{} HTTP/1.1" {} 120 "-" "curl/8.5" 0.0{}\n'
    log.write_text(
        "".join(line.format(i % 250, i // 60, i % 60, i, (200, 503)[i % 7 == 0], i % 9) for i in range(LINES))
    )
    return log


def counted(connection: psycopg.Connection[Any], service: str) -> tuple[int, int, int]:
    row = connection.execute(
        "select count(*), count(distinct path), count(*) filter (where status = 503) from access_log "
        "where service = %s",
        (service,),
    ).fetchone()
    assert row is not None
    total, paths, failed = row
    return int(total), int(paths), int(failed)


@pytest.mark.parametrize("output", OUTPUTS)
def test_every_line_arrives_once_through_a_door(
    server: Client, connection: psycopg.Connection[Any], service: str, tmp_path: Path, output: str
) -> None:
    text = _INPUT.format(log=write_log(tmp_path), port=server.port) + OUTPUTS[output].format(service=service)
    run_until(connection, service, tmp_path, text, {})


def test_every_line_arrives_once_as_the_collection_page_says(
    server: Client, connection: psycopg.Connection[Any], service: str, tmp_path: Path
) -> None:
    made = fluent_bit("text", Target("127.0.0.1", server.port, tls=False, token=False, local=True), service)
    text = made.replace("/var/log/nginx/access.log", str(write_log(tmp_path))).replace(
        "/var/lib/fluent-bit", str(tmp_path)
    )
    run_until(connection, service, tmp_path, text, {"HOSTNAME": "web-1"})


def run_until(
    connection: psycopg.Connection[Any], service: str, folder: Path, text: str, environment: dict[str, str]
) -> None:
    """Run Fluent Bit until everything has come, and a while longer: nothing may come twice."""
    assert FLUENT_BIT is not None
    (folder / "fluent-bit.conf").write_text(text)
    with (folder / "output").open("wb") as log:
        shipper = subprocess.Popen(
            [FLUENT_BIT, "-c", str(folder / "fluent-bit.conf")], stdout=log, stderr=log, env=os.environ | environment
        )
        try:
            deadline = time.monotonic() + WAIT_S
            while counted(connection, service)[0] < LINES and time.monotonic() < deadline:
                time.sleep(0.2)
            time.sleep(1.5)
        finally:
            shipper.terminate()
            shipper.wait(10)
    expected = (LINES, LINES, len(range(0, LINES, 7)))
    assert counted(connection, service) == expected, (folder / "output").read_text(errors="replace")[-1_500:]
