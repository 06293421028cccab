"""SIGKILL in the middle of ingesting: what was acknowledged is there, once."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import uuid
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.e2e.conftest import Stack

BATCH_RECORDS = 200
SENDERS = 3


def body(service: str) -> bytes:
    moment = datetime.now(UTC).isoformat()
    records = (
        {
            "timestamp": moment,
            "service": service,
            "method": "GET",
            "path": "/k",
            "status": 200,
            "_id": str(uuid.uuid4()),
        }
        for _ in range(BATCH_RECORDS)
    )
    return b"\n".join(json.dumps(record).encode() for record in records)


@pytest.mark.timeout(300)
def test_sigkill_while_ingesting_loses_and_doubles_nothing(tmp_path: Path, stack_dsn: str | None, service: str) -> None:
    stack = Stack("accessboard", ["up"], tmp_path, stack_dsn)
    stack.start()
    acknowledged: list[bytes] = []
    unanswered: list[bytes] = []

    def send() -> None:
        while True:
            batch = body(service)
            try:
                status, receipt = stack.post(batch)
            except (urllib.error.URLError, OSError, HTTPException):
                unanswered.append(batch)
                return
            assert (status, receipt["stored"]) == (200, BATCH_RECORDS)
            acknowledged.append(batch)

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    try:
        for sender in senders:
            sender.start()
        while len(acknowledged) < 20:
            time.sleep(0.02)
        stack.kill()
        for sender in senders:
            sender.join(60)
        assert len(unanswered) == SENDERS
        stack.start()
        # Fluent Bit sends what got no answer again; it may have been stored just before the end.
        for batch in unanswered:
            assert stack.post(batch)[0] == 200
        day = datetime.now(UTC).date().isoformat()
        total = stack.get(
            f"/api/stats/summary?start=2020-01-01T00:00:00Z&end={day}T23:59:59.999999Z&service={service}"
        )["total"]
        assert total == (len(acknowledged) + len(unanswered)) * BATCH_RECORDS
        # Told again what it has, the server says so and stores nothing.
        status, receipt = stack.post(acknowledged[0])
        assert (status, receipt["stored"], receipt["duplicate"]) == (200, 0, BATCH_RECORDS)
    finally:
        stack.stop()


def test_second_start_on_the_same_data_says_so(stack: Stack, stack_dsn: str | None) -> None:
    if stack_dsn is not None:
        pytest.skip("a native database serves any number of processes")
    second = Stack("accessboard", ["up"], stack.data_dir, None)
    done = second.run("up")
    assert done.returncode == 1
    assert "already runs" in done.stderr
    assert "Traceback" not in done.stderr
