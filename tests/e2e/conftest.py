"""The whole product as processes, and a browser in front of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.support.wait import WebDriverWait

from bench import chromium
from tests.conftest import NATIVE_DSN, native_database
from tests.embedded import prepare

ROOT = Path(__file__).parents[2]
REAL_LOG = Path(os.environ.get("REAL_LOG", ROOT.parent / "shared" / "data" / "apache_access.log"))
START_TIMEOUT_S = 90.0
PATIENCE_S = 45


def pytest_setup_options() -> Options:
    """How Chromium starts for `dash_br`."""
    return chromium.options()


@pytest.fixture
def dash_br(dash_br: Any) -> Any:
    """The browser, with more patience: a machine that runs several of them is slow now and then."""
    dash_br._wait_timeout = PATIENCE_S
    dash_br._wd_wait = WebDriverWait(dash_br.driver, PATIENCE_S)
    return dash_br


class Stack:
    """`accessboard up` or the demo, on free ports and a data directory of its own."""

    def __init__(self, module: str, arguments: list[str], data_dir: Path, dsn: str | None) -> None:
        self.ingest_url = f"http://127.0.0.1:{free_port()}"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.data_dir = data_dir
        self._command = [sys.executable, "-m", module, *arguments]
        self.environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "DATA_DIR": str(data_dir),
            "DATABASE_URL": dsn or "",
            "INGEST_BIND": self.ingest_url.removeprefix("http://"),
            "DASHBOARD_BIND": self.url.removeprefix("http://"),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.log = (self.data_dir / "up.log").open("ab")
        self.process = subprocess.Popen(
            self._command, env=self.environment, cwd=self.data_dir, stdout=self.log, stderr=subprocess.STDOUT
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (answers(f"{self.ingest_url}/readyz") and answers(f"{self.url}/healthz")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self.data_dir / "up.log").read_text())
            time.sleep(0.1)

    def kill(self) -> None:
        """End the supervisor without a word; its children have to notice by themselves."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another accessboard command on the same data directory."""
        return subprocess.run(
            [sys.executable, "-m", "accessboard", *arguments],
            env=self.environment,
            cwd=self.data_dir,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def post(self, body: bytes, **headers: str) -> tuple[int, Any]:
        request = urllib.request.Request(f"{self.ingest_url}/log/ingest", data=body, headers=headers, method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def stack_dsn() -> Iterator[str | None]:
    """A native database of its own for the stack, or None for the embedded one."""
    if NATIVE_DSN is None:
        yield None
        return
    yield from native_database(NATIVE_DSN)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, stack_dsn: str | None) -> Iterator[Stack]:
    """`accessboard up` for the whole run, with the real log of May 2015 imported through the command line."""
    folder = tmp_path_factory.mktemp("stack")
    if stack_dsn is None:
        prepare(folder, migrated=True)
    stack = Stack("accessboard", ["up"], folder, stack_dsn)
    stack.start()
    yield stack
    stack.stop()


@pytest.fixture(scope="session")
def real_log(stack: Stack) -> Path:
    if not REAL_LOG.exists():
        pytest.skip("the real log is not beside this checkout, and REAL_LOG names none")
    done = stack.run("import", str(REAL_LOG), "--service", "web")
    assert done.returncode == 0, done.stderr
    assert "stored 10,000" in done.stdout
    return REAL_LOG
