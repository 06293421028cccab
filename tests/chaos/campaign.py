"""One run: traffic, faults one after the other or overlapping, and the verdict."""

from __future__ import annotations

import itertools
import logging
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException

import psycopg

from sql.connection import DatabaseUnavailable
from tests.chaos.faults import Field
from tests.chaos.kinds import Kind, draw
from tests.chaos.oracle import ANSWER_TIMEOUT_S, Oracle
from tests.chaos.proxy import HttpProxy
from tests.chaos.servers import Stack
from tests.chaos.verdict import Verdict, read_ledger, stored_numbers, tally

log = logging.getLogger(__name__)

RECOVERY_LIMIT_S = 60.0
DRAIN_LIMIT_S = 90.0
SLOW_RECOVERY_S = 2.0
ACKS_BETWEEN = 3
MOST_SPARE = 20
_TRIES, _TRY_PAUSE_S = 30, 0.5
_OVERLAP_SHARE = 0.25  # faults that do not wait until the one before is over


@dataclass(slots=True)
class Campaign:
    """What is to be done to a stack that runs."""

    stack: Stack
    kinds: list[Kind]
    faults: int
    seed: int
    scale: float = 1.0
    burst_records: int = 100
    seconds_limit: float = 3600.0
    skipped: dict[str, str] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    def run(self) -> Verdict:
        """Send, break, settle and judge."""
        began = time.monotonic()
        rng = random.Random(self.seed)
        with http_proxy(self.stack, rng) as proxy:
            oracle = Oracle(("127.0.0.1", proxy.port), self.seed, scale=self.scale)
            oracle.start()
            try:
                if self._recovered(oracle, "the start"):
                    self._inject(Field(self.stack, proxy, oracle, rng, self.burst_records), began + self.seconds_limit)
            except KeyboardInterrupt:
                self.complaints.append("the run was interrupted")  # what is known by then is judged all the same
            left = oracle.drain(DRAIN_LIMIT_S)
        return self.judged(oracle, left, began)

    def judged(self, oracle: Oracle, left: int, began: float) -> Verdict:
        """Count what is stored and compare."""
        if left:
            self.complaints.append(f"{left} bodies not acknowledged within {DRAIN_LIMIT_S:.0f} s after the last fault")
        verdict = Verdict(
            seed=self.seed,
            faults=dict(sorted(self.done.items())),
            skipped=self.skipped,
            requests=oracle.requests,
            retries=oracle.retries,
            recut=oracle.recut,
            issued=oracle.issued,
            acknowledged=len(oracle.acknowledged),
            unacknowledged=oracle.issued - len(oracle.acknowledged),
            answers=dict(oracle.answers.most_common()),
            longest_silence_s=oracle.longest_silence_s,
            complaints=self.complaints + oracle.complaints,
        )
        try:
            self.stack.open_books()
            dsn = self.stack.dsn()
            verdict.tally = tally(oracle.acknowledged, oracle.issued, stored_numbers(dsn))
            verdict.ledger = read_ledger(dsn, self.stack.dashboard_url)
        except (OSError, HTTPException, psycopg.Error, DatabaseUnavailable) as error:
            verdict.complaints.append(f"cannot count what is stored: {error}")
        if orphans := self.stack.orphans():
            verdict.complaints.append(f"{len(orphans)} processes outlive the server that started them")
        verdict.seconds = time.monotonic() - began
        return verdict

    def _inject(self, field: Field, deadline: float) -> None:
        plan = draw(self.kinds, self.faults, field.rng)
        spare = iter(draw(self.kinds, MOST_SPARE, field.rng))  # in place of those that could not be done
        for kind in plan:
            if time.monotonic() > deadline:
                log.warning("the time is up after %d faults", self.done.total())
                return
            what = self._one(kind, field)
            if what is None:
                log.warning("%s could not be done", kind.name)
                plan.extend(itertools.islice(spare, 1))
                continue
            self.done[kind.name] += 1
            log.info("fault %d: %s, %s", self.done.total(), kind.name, what)
            if field.rng.random() >= _OVERLAP_SHARE and not self._recovered(field.oracle, kind.name):
                return
            time.sleep(field.rng.uniform(0, 0.1))
        self._recovered(field.oracle, "the last fault")

    def _one(self, kind: Kind, field: Field) -> str | None:
        """Do it; while what it needs is away because of the fault before, try again."""
        for _ in range(_TRIES):
            try:
                if (what := kind.inject(field)) is not None:
                    return what
            except (psycopg.Error, DatabaseUnavailable) as error:
                log.debug("%s has to wait: %s", kind.name, error)
            time.sleep(_TRY_PAUSE_S)
        return None

    def _recovered(self, oracle: Oracle, after: str) -> bool:
        began = time.monotonic()
        if oracle.wait_for_acks(ACKS_BETWEEN, RECOVERY_LIMIT_S):
            if (took := time.monotonic() - began) > SLOW_RECOVERY_S:
                log.info("%.1f s until the next acknowledgements after %s", took, after)
            return True
        self.complaints.append(f"nothing was acknowledged for {RECOVERY_LIMIT_S:.0f} s after {after}")
        return False


@contextmanager
def http_proxy(stack: Stack, rng: random.Random) -> Iterator[HttpProxy]:
    """A proxy in front of the ingest server."""
    proxy = HttpProxy(stack.ingest, rng, patience_s=ANSWER_TIMEOUT_S)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
