"""Everything apart, as processes: a web service, Fluent Bit, ingest server, database, dashboard, browser.

Fluent Bit is the real one where FLUENT_BIT names it; else what was recorded of it tails the log and sends.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.shipper import Shipper
from demo.wire import Chunk, compressed
from tests.e2e.conftest import ROOT, Stack, answers, free_port
from tests.e2e.pages import wait_until

FLUENT_BIT = os.environ.get("FLUENT_BIT")
REQUESTS, WAIT_S = 400, 60.0
PATHS = ("/api/product/view?id=7", "/api/product/9", "/healthz", "/api/nothing", "/api/cart")
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def stack(tmp_path: Path, stack_dsn: str | None) -> Iterator[Stack]:
    stack = Stack("accessboard", ["up"], tmp_path, stack_dsn)
    stack.environment |= {"SETTLE_SECONDS": "0", "SCAN": "false"}
    stack.start()
    yield stack
    stack.stop()


@contextmanager
def process(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        started = subprocess.Popen(command, env=os.environ | environment, stdout=output, stderr=output, cwd=log.parent)
        try:
            yield started
        finally:
            started.terminate()
            started.wait(20)


@contextmanager
def target(folder: Path) -> Iterator[str]:
    """The web service that is observed; yields its address."""
    bind = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "gunicorn", f"--bind={bind}", "--workers=1", "--threads=16", "--no-control-socket",
               "demo.target_server:create_app()"]  # fmt: skip
    environment = {"PYTHONPATH": str(ROOT), "ACCESS_LOG_FILE": str(folder / "access.log"), "TRUSTED_PROXIES": "1"}
    with process(command, environment, folder / "target.out"):
        deadline = time.monotonic() + 30
        while not answers(f"http://{bind}/healthz"):
            assert time.monotonic() < deadline, (folder / "target.out").read_text()
            time.sleep(0.1)
        yield bind


@contextmanager
def shipped(folder: Path, stack: Stack) -> Iterator[None]:
    """Send what stands in the log: by a real Fluent Bit with our own configuration, or by its recorded behaviour."""
    host, port = stack.ingest_url.removeprefix("http://").split(":")
    if FLUENT_BIT is not None:
        environment = {
            "ACCESS_LOG_FILES": str(folder / "access.log"), "STATE_DIR": str(folder / "state"), "INGEST_HOST": host,
            "INGEST_PORT": port, "INGEST_TOKEN": "none", "HOSTNAME": "web-1",
        }  # fmt: skip
        with process([FLUENT_BIT, "-c", str(ROOT / "deploy/fluent-bit.conf")], environment, folder / "fluent-bit.out"):
            yield
        return
    stopping = threading.Event()
    thread = threading.Thread(target=_tail, args=(folder / "access.log", stack.ingest_url, stopping), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(20)


def _tail(log: Path, url: str, stopping: threading.Event) -> None:
    shipper = Shipper(url)
    while not log.exists() and not stopping.wait(0.1):
        pass
    with log.open("rb") as lines:
        while not stopping.wait(0.2):
            sent = [_record(line) for line in lines]
            if sent:
                shipper.offer(Chunk("target.access", len(sent), compressed(b"".join(sent))), time.monotonic())
            shipper.flush(time.monotonic())


def _record(line: bytes) -> bytes:
    """A line as the parser and the filter of deploy/ leave it."""
    record = json.loads(line)
    made = {"date": record.pop("time"), **record, "source_host": "web-1", "_id": str(uuid.uuid4())}
    return json.dumps(made).encode() + b"\n"


def visit(bind: str, number: int) -> int:
    connection = http.client.HTTPConnection(bind, timeout=30)
    try:
        headers = {"X-Forwarded-For": f"203.0.113.{number % 200}", "User-Agent": "test/1.0"}
        connection.request("GET", PATHS[number % len(PATHS)], headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def test_the_number_of_requests_made_is_the_number_on_the_page(stack: Stack, dash_br: Any, tmp_path: Path) -> None:
    folder = tmp_path / "target"
    folder.mkdir()
    start = datetime.now(UTC)
    with target(folder) as bind, shipped(folder, stack):
        with ThreadPoolExecutor(8) as pool:
            made = Counter(pool.map(lambda number: visit(bind, number), range(REQUESTS)))
        # The service keeps its own health checks out of its log.
        expected = REQUESTS - len([number for number in range(REQUESTS) if PATHS[number % len(PATHS)] == "/healthz"])
        end = datetime.now(UTC) + timedelta(minutes=1)
        span = f"start={start:%Y-%m-%dT%H:%M:%SZ}&end={end:%Y-%m-%dT%H:%M:%SZ}"
        deadline = time.monotonic() + WAIT_S
        while stack.get(f"/api/stats/summary?{span}")["total"] < expected and time.monotonic() < deadline:
            time.sleep(0.5)
        time.sleep(2)
    found = stack.get(f"/api/stats/errors?{span}")
    assert sum(each["count"] for each in found["statuses"]) == expected
    counted = {each["status"]: each["count"] for each in found["statuses"]}
    made[200] -= REQUESTS - expected
    assert counted == {status: number for status, number in made.items() if number}

    dash_br.driver.get(f"{stack.url}/?{span.replace('Z', '%2B00:00')}")
    dash_br.wait_for_element("#overview-requests")
    wait_until(dash_br, lambda: dash_br.find_element("#overview-requests").text == f"{expected}")
