"""The canary: a test record each minute through the ingest server, and a finding while none comes back."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import sqlalchemy as sa

from dashapp.ingest_client import IngestAddress
from dashapp.insight.finding import Evidence, Finding, Severity, Subject
from dashapp.scan.kept import columns_of, finding_of, key_of
from sql.canary import CANARY_SERVICE, CanaryStore, Flight, counts, has_come
from sql.connection import DatabaseUnavailable, snapshot
from sql.findings import open_findings
from sql.plan import MINUTE, Range, floor
from sql.watching import LeaseLost, Step, Telling, WatchStore

EVERY = timedelta(minutes=1)
# So many in a row make a finding: a restart of the ingest server costs one.
LOST = 3
VERSION = 1
TIMEOUT_S = 20.0
_MOST_ANSWER = 4_096
_NEVER = datetime.min.replace(tzinfo=UTC)
# A database that is away for long must not fill the memory.
_MOST_UNWRITTEN = 1_440


class Canary:
    """What one round does; a thread calls it again and again (dashapp.scan.thread)."""

    def __init__(
        self,
        engine: sa.Engine,
        canaries: CanaryStore,
        findings: WatchStore,
        address: IngestAddress,
        now: Callable[[], datetime],
        *,
        may: Callable[[], bool],
        least: Severity | None = None,
        send: Callable[[IngestAddress, uuid.UUID, datetime], str | None] | None = None,
    ) -> None:
        """Send nothing yet.

        Args:
            engine: to see with whether a record came.
            canaries: to announce records and note what became of them.
            findings: to write findings.
            address: the ingest server's.
            now: the time.
            may: whether this process watches; only one is to send.
            least: the least severity that is told; None tells nothing.
            send: sends a record and returns why it was not taken; by default `post`.
        """
        self._engine, self._canaries, self._findings = engine, canaries, findings
        self._address, self._now, self._may, self._least = address, now, may, least
        self._send = send or post
        self._next_at = _NEVER
        self._forget()

    def round(self) -> bool:
        """Send the next record if it is time, and write what is to be written; returns that there is no more to do.

        Raises:
            DatabaseUnavailable: what was to be written is written in a later round.
        """
        if not self._may():
            self._forget()
        elif (now := self._now()) >= self._next_at:
            self._next_at = now + EVERY
            flight = self._fly(now)
            self._remember(flight)
            self._write(flight)
        return False

    def _forget(self) -> None:
        self._next_at = _NEVER
        self._unwritten: list[Flight] = []
        # Lost in a row up to now; and those before, while no finding about them could be written.
        self._lost: list[Flight] = []
        self._lost_before: list[Flight] = []
        self._open: tuple[str, Finding] | None = None
        self._took_over = False

    def _fly(self, now: datetime) -> Flight:
        """Send a record and look whether it comes."""
        canary = uuid.uuid4()
        try:
            self._canaries.announce(canary, now)
            problem = self._send(self._address, canary, now)
            if problem is None:
                with snapshot(self._engine) as reading:
                    come = has_come(reading, canary)
                problem = None if come else "the ingest server took it, and it is not in the database"
        except DatabaseUnavailable as error:
            problem = str(error)
        return Flight(canary, now, None if problem else self._now(), problem)

    def _remember(self, flight: Flight) -> None:
        self._unwritten = [*self._unwritten, flight][-_MOST_UNWRITTEN:]
        if flight.problem:
            self._lost = [*self._lost, flight][-_MOST_UNWRITTEN:]
            return
        if len(self._lost) >= LOST:
            self._lost_before = self._lost
        self._lost = []

    def _write(self, flight: Flight) -> None:
        self._take_over()
        self._canaries.note(self._unwritten)
        self._unwritten = []
        lost = [*self._lost_before, *self._lost]
        if self._open is None and len(lost) < LOST:
            return
        found = self._found(lost)
        if not self._lost:
            found = replace(found, end=max(floor(flight.sent_at, MINUTE), found.start + MINUTE))
        key = self._open[0] if self._open else key_of(found)
        rows = [columns_of(key, found, incident=key, late=False, watch=VERSION)]
        tellings = [] if found.end or self._least is None else [Telling(key, "opened", found.severity)]
        try:
            self._findings.keep(Step(VERSION, rows=rows, tellings=tellings, ended=[key] if found.end else []))
        except LeaseLost:
            self._forget()
            return
        self._open, self._lost_before = None if found.end else (key, found), []

    def _found(self, lost: list[Flight]) -> Finding:
        """The finding about what is open or was lost now; what it counts is what the table counts."""
        if not lost:
            assert self._open is not None, "else there is nothing to write"
            return self._open[1]
        start = self._open[1].start if self._open else floor(lost[0].sent_at, MINUTE)
        end = floor(lost[-1].sent_at, MINUTE) + MINUTE
        with snapshot(self._engine) as reading:
            _, number = counts(reading, Range(start, end))
        return finding(start, end, number, str(lost[-1].problem))

    def _take_over(self) -> None:
        """Go on with the finding that another process left open."""
        if self._took_over:
            return
        with snapshot(self._engine) as reading:
            left = next((each for each in open_findings(reading) if each.payload["kind"] == "canary_lost"), None)
        self._open = None if left is None else (left.key, finding_of(left.payload))
        self._took_over = True


def finding(start: datetime, end: datetime, lost: int, reason: str) -> Finding:
    """The finding while records are lost. Pure.

    Args:
        start: minute of the first that was lost.
        end: end of the minute of the last.
        lost: how many.
        reason: why the last did not come back.
    """
    span = f"start={_stamp(start)}&end={_stamp(end)}"
    return Finding(
        kind="canary_lost",
        severity="high",
        subject=Subject(),
        start=start,
        end=None,
        unit="minutes",
        observed=(end - start) / MINUTE,
        expected=0.0,
        effect=None,
        score=float(lost),
        p=None,
        n=lost,
        cause="collection",
        evidence=(Evidence("lost", float(lost), "records", f"/api/collection/canary?{span}"),),
        facts={"reason": reason[:300]},
    )


def post(address: IngestAddress, canary: uuid.UUID, now: datetime) -> str | None:
    """Send a test record as anybody sends a record; return why it was not stored, None where it was."""
    parts = urlsplit(address.url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    headers = {"Content-Type": "application/json"}
    if address.token:
        headers["Authorization"] = f"Bearer {address.token}"
    record = {"timestamp": now.isoformat(), "service": CANARY_SERVICE, "method": "GET", "path": "/canary"}
    body = json.dumps(record | {"status": 200, "canary": str(canary)})
    try:
        connection.request("POST", f"{parts.path.rstrip('/')}/log/ingest", body, headers)
        response = connection.getresponse()
        status, answer = response.status, response.read(_MOST_ANSWER).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return f"{parts.netloc} does not answer: {error or type(error).__name__}"
    finally:
        connection.close()
    return None if status == 200 else f"{parts.netloc} answered {status}: {answer.strip()}"


def _stamp(moment: datetime) -> str:
    return quote(moment.astimezone(UTC).isoformat())
