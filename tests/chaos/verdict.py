"""Decides whether nothing was lost, doubled or invented."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

from sql.connection import connect
from tests.chaos.records import PATH_PREFIX

MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of records that are not stored exactly once."""

    lost: tuple[int, ...] = ()
    doubled: tuple[int, ...] = ()
    invented: tuple[int | None, ...] = ()


def tally(acknowledged: Set[int], issued: int, stored: Iterable[int | None]) -> Tally:
    """Compare what was acknowledged with what is stored.

    Args:
        acknowledged: numbers that the server said it has.
        issued: numbers below this were sent at all.
        stored: the number of each stored row; None where it has none.
    """
    found = Counter(stored)
    return Tally(
        lost=tuple(sorted(acknowledged - found.keys())),
        doubled=tuple(sorted(number for number, times in found.items() if number is not None and times > 1)),
        invented=tuple(number for number in found if number is None or not 0 <= number < issued),
    )


@dataclass(frozen=True, slots=True)
class Ledger:
    """Sums over ingest_batch beside the rows there are, and the total of the API (None: it does not run)."""

    received: int
    stored: int
    duplicate: int
    quarantined: int
    rows: int
    api_total: int | None

    def disagreements(self) -> list[str]:
        """Say what does not add up."""
        found = []
        if self.received != self.stored + self.duplicate + self.quarantined:
            found.append(f"received {self.received} is not stored + duplicate + quarantined")
        if self.stored != self.rows:
            found.append(f"the ledger says {self.stored} rows, the log has {self.rows}")
        if self.quarantined:
            found.append(f"{self.quarantined} good records are in the quarantine")
        if self.api_total is not None and self.api_total != self.rows:
            found.append(f"the summary says {self.api_total} requests, the log has {self.rows}")
        return found


@dataclass(slots=True)
class Verdict:
    """The outcome of a run; `as_json` is its last line."""

    seed: int
    faults: dict[str, int]
    skipped: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    retries: int = 0
    recut: int = 0
    issued: int = 0
    acknowledged: int = 0
    unacknowledged: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    ledger: Ledger | None = None
    complaints: list[str] = field(default_factory=list)
    longest_silence_s: float = 0.0
    seconds: float = 0.0

    def failures(self) -> list[str]:
        """One sentence for each thing that is wrong."""
        found = [
            f"{len(numbers)} records {what}: {list(numbers[:MOST_EXAMPLES])}"
            for what, numbers in asdict(self.tally).items()
            if numbers
        ]
        if self.unacknowledged:
            found.append(f"{self.unacknowledged} records never acknowledged")
        if self.ledger is not None:
            found += self.ledger.disagreements()
        return found + self.complaints

    def as_json(self) -> str:
        """Return the run as one line."""
        counts = {what: len(numbers) for what, numbers in asdict(self.tally).items()}
        failures = self.failures()
        line = (
            asdict(self)
            | counts
            | {
                "verdict": "failed" if failures else "conserved",
                "faults_total": sum(self.faults.values()),
                "failures": failures[: 4 * MOST_EXAMPLES],
                "longest_silence_s": round(self.longest_silence_s, 2),
                "seconds": round(self.seconds, 1),
            }
        )
        return json.dumps({name: value for name, value in line.items() if name not in ("tally", "complaints")})


def stored_numbers(dsn: str) -> list[int | None]:
    """Return the number of each stored row."""
    query = f"select substring(path from '^{PATH_PREFIX}([0-9]+)$')::bigint from access_log"
    with connect(dsn) as connection:
        return [row[0] for row in connection.execute(query.encode(), binary=True).fetchall()]  # type: ignore[misc]


def read_ledger(dsn: str, dashboard_url: str | None) -> Ledger:
    """Read what the server wrote about itself, and the rows there are."""
    sums = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in ("received", "stored", "duplicate", "quarantined"))
    query = f"select {sums}, (select count(*) from access_log) from ingest_batch"
    with connect(dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    received, stored, duplicate, quarantined, rows = (int(str(value)) for value in row)
    total = None if dashboard_url is None else api_total(dashboard_url)
    return Ledger(received, stored, duplicate, quarantined, rows, total)


def api_total(dashboard_url: str) -> int:
    """Return the requests that the API counts over all time."""
    end = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    url = f"{dashboard_url}/api/stats/summary?start=2020-01-01T00:00:00Z&end={end}T00:00:00Z"
    with urllib.request.urlopen(url, timeout=60) as answer:
        return int(json.load(answer)["total"])
