"""A piece of a log file: its lines are known again by their bytes and their place in the file.

The command line and the HTTP side share it, so a file that came by one of them is known to the other.
"""

from __future__ import annotations

import codecs
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest_server.framing import line_value
from ingest_server.intake import Intake, Origin
from sql.batch import NOTHING, Batch, Receipt
from sql.storing import utc_micros
from sql.writing import LogWriter

LINES_A_PIECE = 5_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a piece stands: the name of its file, and the offset of its first byte in it, decompressed."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class PieceReceipt:
    """What became of a piece, why parts of it went into quarantine, and which time its rows are of."""

    receipt: Receipt
    kinds: dict[str, int]
    first: datetime | None
    last: datetime | None


def source_of(name: str) -> str:
    """What the ledger calls a file."""
    return f"import:{name}"


def tidy(line: bytes) -> bytes:
    """A line without its ends; files from Windows begin with a byte order mark."""
    return line.removeprefix(codecs.BOM_UTF8).strip()


def pieces_of(body: bytes) -> Iterator[list[bytes]]:
    """Cut a body into pieces of LINES_A_PIECE lines, each with its end."""
    lines = [line + b"\n" for line in body.split(b"\n")]
    last = lines.pop()[:-1]
    lines += [last] if last else []
    for start in range(0, len(lines), LINES_A_PIECE):
        yield lines[start : start + LINES_A_PIECE]


def batches_of(
    lines: Sequence[bytes],
    offset: int,
    origin: Origin,
    intake: Intake,
    writer: LogWriter,
    *,
    format_name: str = "auto",
    may_be_known: bool = True,
) -> tuple[list[Batch], bool]:
    """Make the batches of a piece: the lines that an earlier one had, if any, and those that are new.

    Returns them, and whether any line was known.

    Raises:
        DatabaseUnavailable: the database cannot be asked.
    """
    marks = _identities(origin.service, offset, lines)
    known = _known_lines(writer, marks) if may_be_known else 0
    parts = ((lines[:known], marks[known - 1]), (lines[known:], marks[-1]))
    batches = [_batch(part, mark, origin, format_name, intake) for part, mark in parts]
    return [batch for batch in batches if batch.received], known > 0


def batches_of_body(body: bytes, offset: int, origin: Origin, intake: Intake, writer: LogWriter) -> list[Batch]:
    """Make the batches of a body that is whole lines of a file from an offset on.

    Raises:
        DatabaseUnavailable: the database cannot be asked.
    """
    batches: list[Batch] = []
    for lines in pieces_of(body):
        batches += batches_of(lines, offset, origin, intake, writer)[0]
        offset += sum(map(len, lines))
    return batches


def piece_receipt(batches: Sequence[Batch], receipts: Sequence[Receipt]) -> PieceReceipt:
    """Sum up what became of batches."""
    kinds: Counter[str] = Counter()
    for batch, receipt in zip(batches, receipts, strict=True):
        if receipt.quarantined:
            kinds.update(one.kind for one in batch.quarantined)
    times = [row.ts for batch in batches for row in batch.rows]
    moments = [datetime.fromtimestamp(us / 1e6, UTC) for us in (min(times), max(times))] if times else [None, None]
    return PieceReceipt(sum(receipts, NOTHING), dict(kinds), *moments)


def _batch(lines: Sequence[bytes], mark: bytes, origin: Origin, format_name: str, intake: Intake) -> Batch:
    full = [line for line in map(tidy, lines) if line]
    values = (line_value(line, format_name) for line in full)
    rows, refused = intake.rows(values, full.__getitem__, origin, utc_micros())
    # Lines of which nothing could be read may be tried again in another format.
    identity = mark if rows else hashlib.sha256(mark + format_name.encode()).digest()
    return Batch(origin.source, origin.service, rows, refused, identity, sum(map(len, lines)))


def _known_lines(writer: LogWriter, marks: list[bytes]) -> int:
    """How many lines at the beginning of a piece an earlier import has stored."""
    if writer.known(marks[-1:]):
        return len(marks)
    known = writer.known(marks)
    return max((i + 1 for i, mark in enumerate(marks) if mark in known), default=0)


def _identities(service: str, offset: int, piece: Sequence[bytes]) -> list[bytes]:
    """What makes each beginning of a piece unique: its bytes and their place in a file of a service."""
    digest = hashlib.sha256(f"file:{len(service)}:{service}:{offset}:".encode())
    identities = []
    for line in piece:
        digest.update(line)
        identities.append(digest.digest())
    return identities
