"""Trouble on command: `python -m demo break checkout` writes a file that the running demo reads before each call."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from accessboard.settings import RunSettings, load
from demo.draw import ERROR_BYTES
from demo.endpoints import ENDPOINTS, Endpoint
from demo.incidents import Incident
from demo.model import Request

FILE_VARIABLE = "DEMO_ORDERS"
FILE_NAME = "demo-orders.json"
BROKEN_STATUSES = {503: 0.6, 500: 0.25, 504: 0.15}
BROKEN_MS = 1_200.0

_PLACEHOLDER = re.compile(r"\\\{\w+\\\}")


class Orders:
    """The incidents ordered so far, read again whenever the file has changed."""

    def __init__(self, path: Path) -> None:
        """Read from a file, which need not exist."""
        self.path = path
        self._read_at: tuple[int, int] | None = None
        self._incidents: tuple[Incident, ...] = ()

    def incidents(self) -> tuple[Incident, ...]:
        """Return what is ordered; nothing where there is no file."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._read_at, self._incidents = None, ()
            return ()
        if self._read_at != (stamp := (found.st_mtime_ns, found.st_ino)):
            self._incidents = msgspec.json.decode(self.path.read_bytes(), type=tuple[Incident, ...])
            self._read_at = stamp
        return self._incidents

    def give(self, incident: Incident) -> None:
        """Add an incident; those that are over leave the file."""
        self._write([*(one for one in self.incidents() if one.end > incident.start), incident])

    def repair(self, endpoint: str | None = None) -> int:
        """Take back the orders for one endpoint, or all; return how many there were."""
        kept = [one for one in self.incidents() if endpoint is not None and one.endpoint != endpoint]
        taken = len(self.incidents()) - len(kept)
        if taken:
            self._write(kept)
        return taken

    def _write(self, incidents: list[Incident]) -> None:
        # Renamed into place: whoever reads meanwhile sees the old orders or the new ones.
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".new")
        draft.write_bytes(msgspec.json.encode(incidents))
        draft.replace(self.path)


def orders_file() -> Path:
    """Return where orders stand: DEMO_ORDERS, else in DATA_DIR."""
    return Path(os.environ.get(FILE_VARIABLE) or load(RunSettings).data_dir / FILE_NAME)


def broken(endpoint: str, start: datetime, lasting: timedelta, *, share: float) -> Incident:
    """Return an order by which a share of the calls of an endpoint fails."""
    return Incident(
        f"{endpoint}_broken",
        endpoint,
        start,
        start + lasting,
        failing_share=share,
        failing_statuses=BROKEN_STATUSES,
        timeout_ms=BROKEN_MS,
    )


def slowed(endpoint: str, start: datetime, lasting: timedelta, *, factor: float) -> Incident:
    """Return an order by which every call of an endpoint takes longer."""
    return Incident(f"{endpoint}_slow", endpoint, start, start + lasting, latency_factor=factor)


def endpoint_of(request: Request) -> Endpoint | None:
    """Return the declared endpoint that a drawn request belongs to; None for what only scanners ask for."""
    for pattern, endpoint in _PATTERNS:
        if endpoint.method == request.method and endpoint.service == request.service and pattern(request.path):
            return endpoint
    return None


def as_ordered(requests: Iterable[Request], incidents: tuple[Incident, ...], chance: random.Random) -> list[Request]:
    """Return drawn requests as they go while orders last; without orders as they are. Pure but for `chance`."""
    return [_as_ordered(request, incidents, chance) for request in requests] if incidents else list(requests)


def _as_ordered(request: Request, incidents: tuple[Incident, ...], chance: random.Random) -> Request:
    endpoint, at = endpoint_of(request), datetime.fromisoformat(request.timestamp)
    for incident in incidents:
        if endpoint is None or not incident.touches(endpoint.name, request.app_version, at):
            continue
        status, latency_ms = incident.strike(request.status, request.latency_ms, chance)
        size = request.bytes if status == request.status else ERROR_BYTES
        request = msgspec.structs.replace(request, status=status, latency_ms=round(latency_ms, 1), bytes=size)
    return request


_PATTERNS = [
    (re.compile(_PLACEHOLDER.sub("[^/?&]+", re.escape(endpoint.path))).fullmatch, endpoint) for endpoint in ENDPOINTS
]
