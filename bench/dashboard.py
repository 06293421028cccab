"""The real dashboard process on a database, asked over HTTP on one kept connection."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode

from bench.processes import free_port, running

TIMEOUT_S = 90


class Answer(NamedTuple):
    """One answer and how long it took from sending to its last byte."""

    status: int
    ms: float
    body: bytes

    def json(self) -> Any:
        """The body as an object."""
        return json.loads(self.body)


class Dashboard:
    """A client of one dashboard."""

    def __init__(self, port: int, pid: int) -> None:
        """Nothing is sent before `get`."""
        self.port = port
        self.pid = pid
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)

    def get(self, path: str, parameters: Mapping[str, str]) -> Answer:
        """Ask and read the whole answer."""
        started = time.perf_counter()
        self._connection.request("GET", f"{path}?{urlencode(parameters)}")
        response = self._connection.getresponse()
        body = response.read()
        return Answer(response.status, 1000 * (time.perf_counter() - started), body)


@contextmanager
def dashboard(dsn: str) -> Iterator[Dashboard]:
    """Run `accessboard dashboard` until the block ends."""
    port = free_port()
    environment = {"DATABASE_URL": dsn, "DASHBOARD_BIND": f"127.0.0.1:{port}"}
    with running(["accessboard", "dashboard"], environment, f"http://127.0.0.1:{port}/healthz") as pid:
        yield Dashboard(port, pid)
