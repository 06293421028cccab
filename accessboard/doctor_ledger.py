"""What `doctor` says about the records that arrive: how many, what was refused, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from accessboard.finding import Finding
from sql.collection import last_arrival, ledger, quarantined_kinds, refusals
from sql.connection import reading_engine, snapshot
from sql.plan import MINUTE, Range, ceil, floor

HOUR = timedelta(hours=1)
MOST_REASONS = 1_000
# What a sender drops when it is refused; it comes again after the other answers.
LOSING = frozenset({"bad_token", "too_large", "unknown_encoding"})
# What any server that the internet can reach logs every day.
NOISE = frozenset({"bad_method", "bad_path"})
REFUSALS = {
    "bad_token": "the sender drops these: give it one of INGEST_TOKENS",
    "too_large": "the sender drops these: raise INGEST_MAX_BYTES, or let it send smaller bodies",
    "unknown_encoding": "the sender drops these: let it compress with gzip, deflate, snappy, zstd or not at all",
    "overload": "they come again: raise INGEST_WORKERS, or give the database more room",
    "cannot_store": "they come again: the database was away or refused to write, see its log",
}
_REPLAY = "then `accessboard quarantine replay`"
_NAMES = "let the log name this field as docs/formats.md says"
QUARANTINE = {
    "unreadable": f"no known format: see `accessboard quarantine list --kind unreadable`; after an update {_REPLAY}",
    "no_time": _NAMES,
    "no_method": _NAMES,
    "no_path": _NAMES,
    "no_status": _NAMES,
    "bad_time": "log the time as ISO 8601, or as one of docs/formats.md",
    "bad_method": "the request line is no HTTP: mostly scanners, `accessboard quarantine drop --kind bad_method`",
    "bad_path": "the path is no text or too long: mostly scanners, `accessboard quarantine drop --kind bad_path`",
    "bad_status": "log the status as a number from 100 to 999",
    "too_old": "set the clock of the machine that logs: the time is before 1990",
    "older_than_kept": "raise KEEP_LOG_DAYS or KEEP_LOG_GB if such old rows are wanted: they are not kept now",
    "in_the_future": f"set the clock or the zone of the machine that logs; once the time has come, {_REPLAY}",
    "no_json": "a field holds what JSON has no way to say: log it as a text",
    "too_deep": "log less deeply nested fields",
    "too_many_fields": "log fewer fields a record",
    "refused_by_database": "the reason is the database's: see `accessboard quarantine list --kind refused_by_database`",
}
OTHER = "see `accessboard quarantine list`"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Counts of the last hour, what is in quarantine now, and when records came last."""

    received: int
    quarantined: Mapping[str, int]
    refused: Mapping[str, int]
    held: Mapping[str, int]
    last: datetime | None


def ledger_findings(dsn: str) -> Iterator[Finding]:
    """Yield the findings about what arrives.

    Raises:
        DatabaseUnavailable: the ledger cannot be read.
    """
    now = datetime.now(UTC)
    yield from findings_of(_read(dsn, now), now)


def findings_of(arrivals: Arrivals, now: datetime) -> Iterator[Finding]:
    """Yield what the counts mean. Pure."""
    yield Finding("arrivals", True, f"{arrivals.received:,} records in the last hour; {_last(arrivals.last, now)}")
    for reason, n in arrivals.refused.items():
        words = f"{n:,} requests refused in the last hour; {REFUSALS.get(reason, 'see the log of the ingest server')}"
        yield Finding(f"refused, {reason}", reason not in LOSING, words)
    if not arrivals.refused:
        yield Finding("refused", True, "no request in the last hour")
    kinds = {**arrivals.quarantined, **arrivals.held}
    for kind in kinds:
        new, held = arrivals.quarantined.get(kind, 0), arrivals.held.get(kind, 0)
        words = f"{held:,} kept, {new:,} came in the last hour; {QUARANTINE.get(kind, OTHER)}"
        yield Finding(f"quarantine, {kind}", kind in NOISE or not (new and held), words)
    if not kinds:
        yield Finding("quarantine", True, "empty")


def _last(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "none has ever arrived: see README.md, Your own logs"
    seconds = max(0, round((now - moment).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"the last arrived {seconds // length} {unit} ago"
    return f"the last arrived {seconds} s ago"


def _read(dsn: str, now: datetime) -> Arrivals:
    hour = Range(floor(now - HOUR, MINUTE), ceil(now, MINUTE) + MINUTE)  # clocks differ by some seconds
    engine = reading_engine(dsn)
    try:
        with snapshot(engine) as connection:
            sums = ledger(connection, hour)
            refused, _ = refusals(connection, hour, most=MOST_REASONS)
            held, last = quarantined_kinds(connection), last_arrival(connection)
    finally:
        engine.dispose()
    quarantined: dict[str, int] = {}
    for each in sums:
        if each.kind:
            quarantined[each.kind] = quarantined.get(each.kind, 0) + each.quarantined
    by_reason: dict[str, int] = {}
    for refusal in refused:
        by_reason[refusal.reason] = by_reason.get(refusal.reason, 0) + refusal.requests
    received = sum(each.received for each in sums)
    return Arrivals(received, {kind: n for kind, n in quarantined.items() if n}, by_reason, held, last)
