"""Everything in one go: the database, the ingest server and the dashboard, until the first signal."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from types import FrameType

from accessboard.embedded.database import EmbeddedDatabase
from accessboard.serve import PARENT_VARIABLE, require_free_port
from accessboard.settings import RunSettings
from dashapp.settings import DashboardSettings
from ingest_server.settings import IngestSettings
from sql.migrate import migrate
from sql.scheduler import JobScheduler

log = logging.getLogger(__name__)

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
# More restarts than this within the window mean that restarting does not help.
MOST_RESTARTS, RESTART_WINDOW_S = 5, 60.0
_TICK_S = 0.5


class RunFailed(Exception):
    """The run cannot start or go on; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Running:
    """What is running: addresses for people and programs, and the event that ends it."""

    dsn: str
    ingest_url: str
    dashboard_url: str
    stopping: threading.Event


@dataclass(slots=True)
class _Service:
    command: str
    probe_url: str
    process: subprocess.Popen[bytes] | None = None
    restarts: list[float] = field(default_factory=list)


def run(
    settings: RunSettings,
    ingest: IngestSettings,
    dashboard: DashboardSettings,
    dsn: str | None,
    on_ready: Callable[[Running], None],
) -> None:
    """Start everything, call `on_ready` once in a thread of its own, and wait for SIGINT or SIGTERM.

    Args:
        dsn: the configured database, or None for the embedded one in `settings.data_dir`.

    Raises:
        RunFailed, BusyPort, EmbeddedFailed, NodeMissing, MigrationError, DatabaseUnavailable: nothing is left running.
    """
    require_free_port(ingest.ingest_bind, "INGEST_BIND")
    require_free_port(dashboard.dashboard_bind, "DASHBOARD_BIND")
    stopping = threading.Event()
    _stop_on_signals(stopping)
    embedded = EmbeddedDatabase(settings.data_dir) if dsn is None else None
    scheduler: JobScheduler | None = None
    services = [
        _Service("ingest-server", f"http://{ingest.ingest_bind}/readyz"),
        _Service("dashboard", f"http://{dashboard.dashboard_bind}/healthz"),
    ]
    try:
        if embedded is not None:
            embedded.start()
        address = dsn or (embedded.dsn if embedded else "")
        migrate(address)
        if embedded is not None:
            scheduler = JobScheduler(address)
            scheduler.start()
        for service in services:
            _spawn(service, address)
        _wait_until_ready(services, stopping)
        running = Running(address, f"http://{ingest.ingest_bind}", f"http://{dashboard.dashboard_bind}", stopping)
        threading.Thread(target=on_ready, args=(running,), name="on-ready", daemon=True).start()
        while not stopping.wait(_TICK_S):
            _revive(services, embedded, address)
    finally:
        stopping.set()
        _stop_services(services)
        if scheduler is not None:
            scheduler.stop()
        if embedded is not None:
            embedded.stop()


def _stop_on_signals(stopping: threading.Event) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _spawn(service: _Service, dsn: str) -> None:
    environment = os.environ | {"DATABASE_URL": dsn, PARENT_VARIABLE: str(os.getpid())}
    # A session of its own: Ctrl-C reaches the supervisor only, which then ends the others in order.
    service.process = subprocess.Popen(
        [sys.executable, "-m", "accessboard", service.command], env=environment, start_new_session=True
    )


def _wait_until_ready(services: list[_Service], stopping: threading.Event) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    for service in services:
        while not answers(service.probe_url):
            assert service.process is not None
            if service.process.poll() is not None:
                raise RunFailed(f"accessboard {service.command} ended at once; its reason stands above")
            if time.monotonic() > deadline:
                raise RunFailed(f"accessboard {service.command} was not ready within {READY_TIMEOUT_S:.0f} s")
            if stopping.wait(0.1):
                return


def answers(url: str) -> bool:
    """Whether a server answers 200 at an address."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError, HTTPException):  # URLError is an OSError
        return False


def _revive(services: list[_Service], embedded: EmbeddedDatabase | None, dsn: str) -> None:
    if embedded is not None and embedded.ended():
        log.warning("the embedded database ended; starting it again")
        embedded.restart()
    for service in services:
        if service.process is None or service.process.poll() is None:
            continue
        now = time.monotonic()
        service.restarts = [at for at in service.restarts if at > now - RESTART_WINDOW_S] + [now]
        if len(service.restarts) > MOST_RESTARTS:
            raise RunFailed(f"accessboard {service.command} ended {MOST_RESTARTS} times within a minute")
        log.warning("accessboard %s ended; starting it again", service.command)
        _spawn(service, dsn)


def _stop_services(services: list[_Service]) -> None:
    alive = [service.process for service in services if service.process is not None and service.process.poll() is None]
    for process in alive:
        process.terminate()
    for process in alive:
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
