"""A search that is simple enough to know what it must find, and what a test needs to let it run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import sqlalchemy as sa

from dashapp.insight.finding import Evidence, Finding, Severity, Subject
from dashapp.insight.lifecycle import Change
from dashapp.insight.minute import ClientMinute, Minute, Requests
from dashapp.scan.course import Answer, Make
from dashapp.scan.reading import read_requests
from dashapp.scan.run import Scanner
from dashapp.scan.search import answer, make_watch
from sql.batch import Batch, LogRow
from sql.connection import Reading
from sql.plan import MINUTE, Range
from sql.watching import WatchStore
from sql.writing import LogWriter
from tests.rows import log_row

CLEAN_MINUTES = 3


@dataclass
class StandIn:
    """An endpoint of which half of at least four requests fail bursts, until three minutes are clean."""

    severity: Severity = "high"
    asks: bool = False
    breaks_at: datetime | None = None
    seen: list[Minute] = field(default_factory=list)
    clients: list[ClientMinute] = field(default_factory=list)
    answers: list[Requests] = field(default_factory=list)
    _open: dict[str, Finding] = field(default_factory=dict)
    _clean: dict[str, int] = field(default_factory=dict)
    _asked: list[Range] = field(default_factory=list)

    @property
    def open(self) -> list[Finding]:
        return list(self._open.values())

    def step(self, minute: Minute, clients: ClientMinute | None = None) -> list[Change]:
        if minute.start == self.breaks_at:
            raise ZeroDivisionError("a fault of the search")
        self.seen.append(minute)
        self.clients += [clients] if clients is not None else []
        changes: list[Change] = []
        failed = {}
        for row, endpoint in enumerate(minute.endpoints):
            n = int(minute.counts[row].sum())
            errors = int(minute.counts[row][np.asarray(minute.statuses) >= 500].sum())
            if n >= 4 and errors * 2 >= n:
                failed["|".join(endpoint)] = (endpoint, n, errors)
        for name, (endpoint, n, errors) in failed.items():
            self._clean[name] = 0
            if name in self._open:
                finding = replace(self._open[name], n=self._open[name].n + n)
                changes.append(Change("updated", name, finding))
            else:
                evidence = (Evidence("errors", errors, "requests", "/api/stats/summary"),)
                finding = Finding(
                    "error_burst", self.severity, Subject(*endpoint), minute.start, None, "share", errors / n, 0.0,
                    None, 9.0, 1e-9, n, "fault", evidence,
                )  # fmt: skip
                changes.append(Change("opened", name, finding))
                self._asked.append(Range(minute.start, minute.start + MINUTE))
            self._open[name] = finding
        for name in [name for name in self._open if name not in failed]:
            self._clean[name] += 1
            if self._clean[name] == CLEAN_MINUTES:
                end = minute.start - (CLEAN_MINUTES - 1) * MINUTE
                changes.append(Change("closed", name, replace(self._open.pop(name), end=end)))
        return changes

    def ask(self) -> list[Range]:
        asked, self._asked = self._asked, []
        return asked if self.asks else []

    def answer(self, question: Any, requests: Requests) -> list[Change]:
        self.answers.append(requests)
        name = next(iter(self._open))
        self._open[name] = replace(self._open[name], cause="deploy")
        return [Change("updated", name, self._open[name])]


def read_answer(reading: Reading, question: Range) -> Requests:
    return read_requests(reading, question)


@dataclass
class Watched:
    """A scanner with its watches, at a moment that the test moves."""

    scanner: Scanner
    store: WatchStore
    watches: list[StandIn]
    at: datetime
    seconds: float = 0.0

    def run(self, at: datetime | None = None) -> None:
        """Let rounds pass until there is nothing more to do."""
        if at is not None:
            self.at = at
        self.seconds += 60  # the lease is renewed, and what came late is looked for
        while self.scanner.round():
            self.seconds += 0.01


def watched(
    engine: sa.Engine, dsn: str, at: datetime, *, holder: str = "one", least: Severity | None = None, **stand_in: Any
) -> Watched:
    watches: list[StandIn] = []

    def make(_engine: sa.Engine, _moment: datetime, _service: str | None) -> StandIn:
        watches.append(StandIn(**stand_in))
        return watches[-1]

    return scanned(engine, dsn, at, holder, least, make, read_answer, watches)


def scanned(
    engine: sa.Engine,
    dsn: str,
    at: datetime,
    holder: str,
    least: Severity | None,
    make: Make = make_watch,
    answer: Answer = answer,
    watches: list[StandIn] | None = None,
) -> Watched:
    """With the search itself, unless another one is given."""
    store = WatchStore.open(dsn, holder)
    found = Watched(None, store, [] if watches is None else watches, at)  # type: ignore[arg-type]
    found.scanner = Scanner(engine, store, lambda: found.at, make, answer, least=least, clock=lambda: found.seconds)
    return found


def requests_of(
    start: datetime,
    minutes: int,
    *,
    service: str = "shop",
    failing: Sequence[int] = (),
    a_minute: int = 5,
    route: str = "/pay",
    **columns: Any,
) -> list[LogRow]:
    """Requests of an endpoint, so many a minute; in some minutes all fail."""
    return [
        log_row(
            ts=start + minute * MINUTE + timedelta(seconds=10 * i),
            service=service,
            method="POST",
            route=route,
            path=route,
            status=503 if minute in failing else 200,
            client_ip=f"10.0.0.{i + 1}",
            **columns,
        )
        for minute in range(minutes)
        for i in range(a_minute)
    ]


def store(writer: LogWriter, rows: Sequence[LogRow], source: str = "agent") -> None:
    """As the ingest server does, or an import of a file."""
    writer.store(Batch(source, rows[0].service, list(rows), []))


def forget_all(connection: psycopg.Connection[Any]) -> None:
    """Empty a database of a test's own, whose jobs never run, but for its tables."""
    connection.execute("truncate access_log, touched_minute, stale_bucket, service, route, ingest_ledger")
    connection.execute("truncate finding, watched, watch_queue, alert, alert_delivery")
    connection.execute("truncate ingest_batch cascade")
    connection.execute("delete from watch_state")
    connection.execute("insert into watch_state default values")
