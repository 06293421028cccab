"""The ready-made configurations: as the files say, losing nothing, and each source's lines can be read."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashapp.ingest_address import Target
from dashapp.shipping import SOURCES, fluent_bit
from ingest_server.horizon import everything
from ingest_server.intake import Intake, Origin
from ingest_server.route import RouteRules
from ingest_server.route_book import RouteBook

FOLDER = Path(__file__).parents[3] / "deploy/collect"
FLUENT_BIT = os.environ.get("FLUENT_BIT")
NOW_US = 1_764_000_000_000_000
# A line as each source writes it, and what must become of it: method, path, status, ms.
LINES: dict[str, tuple[str, tuple[str, str, int, float | None]]] = {
    "text": (
        '203.0.113.7 - - [01/May/2025:10:15:30 +0000] "GET /cart?id=7 HTTP/1.1" 200 7697 "-" "curl/8.5" 0.123',
        ("GET", "/cart", 200, 123.0),
    ),
    "apache": (
        '203.0.113.7 - - [01/May/2025:10:15:30 +0000] "POST /cart HTTP/1.1" 503 321 "-" "curl/8.5" 4523',
        ("POST", "/cart", 503, 4.523),
    ),
    "caddy": (
        '{"level":"info","ts":1746094530.12,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":'
        '"203.0.113.7","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/cart?id=7","headers":{}},'
        '"bytes_read":0,"duration":0.0125,"size":120,"status":404}',
        ("GET", "/cart", 404, 12.5),
    ),
    "traefik": (
        '{"ClientHost":"203.0.113.7","DownstreamStatus":200,"DownstreamContentSize":88,"Duration":12500000,'
        '"RequestMethod":"GET","RequestPath":"/cart?id=7","time":"2025-05-01T10:15:30Z","StartUTC":"2025-05-01T10:15:30Z"}',
        ("GET", "/cart", 200, 12.5),
    ),
    "envoy": (
        '[2025-05-01T10:15:30.310Z] "POST /api/orders HTTP/2" 204 - 154 0 226 100 "203.0.113.7" "app/2.1" "cc21d9b0" '
        '"orders.example" "tcp://10.0.2.1:80"',
        ("POST", "/api/orders", 204, 226.0),
    ),
    "alb": (
        "https 2025-05-01T10:15:30.186641Z app/shop/50dc6c49 203.0.113.9:2817 10.0.0.1:80 0.001 0.120 0.002 200 200 "
        '34 366 "GET https://shop.example:443/cart?id=7 HTTP/1.1" "curl/8.5.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2',
        ("GET", "/cart", 200, 123.0),
    ),
    "json": (
        '{"timestamp":"2025-05-01T10:15:30+00:00","method":"GET","path":"/cart?id=7","status":200,"request_time":0.123,'
        '"bytes":88,"client_ip":"203.0.113.7","user_agent":"curl/8.5"}',
        ("GET", "/cart", 200, 123.0),
    ),
    "docker": (
        '203.0.113.7 - - [01/May/2025:10:15:30 +0000] "GET /cart HTTP/1.1" 200 7697 "-" "curl/8.5"',
        ("GET", "/cart", 200, None),
    ),
    "kubernetes": (
        '10.42.0.1 - - [01/May/2025:10:15:30 +0000] "GET /cart HTTP/1.1" 200 612 "-" "curl/8.5.0" 498 0.005 '
        "[shop-web-80] [] 10.42.0.7:8080 612 0.004 200 8d5a1c0f",
        ("GET", "/cart", 200, 5.0),
    ),
}  # fmt: skip


def file_of(source: str) -> str:
    """The configuration with variables in the places of the server's address."""
    made = fluent_bit(source, Target("INGEST_HOST", 1, tls=False, token=True, local=False), "web")
    return re.sub(r"(Port +)1\n", r"\g<1>${INGEST_PORT}\n", made.replace("INGEST_HOST", "${INGEST_HOST}"))


def test_every_source_has_lines() -> None:
    assert LINES.keys() == SOURCES.keys()
    assert {path.stem for path in FOLDER.glob("*.conf")} == SOURCES.keys()


@pytest.mark.parametrize("source", SOURCES)
def test_the_file_is_what_the_collection_page_says(source: str) -> None:
    assert (FOLDER / f"{source}.conf").read_text("utf-8") == file_of(source)


@pytest.mark.parametrize("source", SOURCES)
def test_a_line_of_the_source_becomes_a_request(source: str) -> None:
    line, expected = LINES[source]
    record: dict[str, Any] = {"date": "2025-05-01T10:15:31Z", "log": line, "file": "/x", "offset": 0, "_id": "1"}
    intake = Intake(RouteBook(RouteRules.default(), 100, list), everything())
    batch = intake.batch(json.dumps(record).encode(), Origin("test", "web"), NOW_US)
    assert not batch.quarantined
    row = batch.rows[0]
    assert (row.method, row.path, row.status) == expected[:3]
    assert row.latency_ms == pytest.approx(expected[3]) if expected[3] else row.latency_ms is None
    assert row.record_key is not None


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.skipif(FLUENT_BIT is None, reason="FLUENT_BIT names no Fluent Bit")
def test_fluent_bit_takes_the_file(source: str) -> None:
    assert FLUENT_BIT is not None
    environment = os.environ | {"INGEST_HOST": "127.0.0.1", "INGEST_PORT": "8000", "INGEST_TOKEN": "x", "HOSTNAME": "h"}
    command = [FLUENT_BIT, "--dry-run", "-c", str(FOLDER / f"{source}.conf")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]


def test_other_shippers_lose_nothing_either() -> None:
    vector = yaml.safe_load((FOLDER / "vector.yaml").read_text("utf-8"))
    sink = vector["sinks"]["accessboard"]
    assert (sink["buffer"]["type"], sink["buffer"]["when_full"], sink["acknowledgements"]["enabled"]) == (
        "disk",
        "block",
        True,
    )
    collector = yaml.safe_load((FOLDER / "otel-collector.yaml").read_text("utf-8"))
    exporter = collector["exporters"]["otlphttp"]
    assert (exporter["sending_queue"]["storage"], exporter["retry_on_failure"]["max_elapsed_time"]) == (
        "file_storage",
        0,
    )
    assert exporter["logs_endpoint"].endswith("/v1/logs")
    assert {*collector["service"]["extensions"]} <= collector["extensions"].keys()
