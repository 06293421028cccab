"""Two ingest servers on one database: what a balancer sends to both is stored once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from ingest_server.service import open_service
from ingest_server.settings import IngestSettings
from tests.ingest_server import Sender, serving

BODIES, RECORDS = 30, 40
START = datetime(2025, 7, 2, tzinfo=UTC)


def body(number: int) -> bytes:
    records = [
        {"timestamp": (START + timedelta(seconds=60 * number + i)).isoformat(), "method": "GET", "path": f"/r/{i}",
         "status": 200, "_id": f"{number}-{i}"}
        for i in range(RECORDS)
    ]  # fmt: skip
    return json.dumps(records).encode()


def test_what_both_get_is_stored_once(dsn: str, service: str, connection: psycopg.Connection[Any]) -> None:
    settings = IngestSettings()
    with (
        serving(settings, lambda: open_service(settings, dsn)) as one,
        serving(settings, lambda: open_service(settings, dsn)) as other,
        ThreadPoolExecutor(8) as pool,
    ):
        senders = [Sender(one, service), Sender(other, service)]
        sent = [(senders[(number + turn) % 2], body(number)) for turn in range(3) for number in range(BODIES)]
        receipts = list(pool.map(lambda each: each[0].receipt(each[1]), sent))
    received, stored, duplicate, quarantined = (sum(column) for column in zip(*receipts, strict=True))
    assert (received, stored, quarantined) == (3 * BODIES * RECORDS, BODIES * RECORDS, 0)
    assert received == stored + duplicate
    row = connection.execute(
        "select count(*), count(distinct record_key) from access_log where service = %s", (service,)
    ).fetchone()
    assert row == (BODIES * RECORDS, BODIES * RECORDS)
