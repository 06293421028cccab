"""Where a page of the log ended, as a cursor. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sql.plan import EPOCH

_MICROSECOND = timedelta(microseconds=1)
_CURSOR = re.compile(r"(\d{1,18})(?:\.(\d{1,18})\.([0-9a-f]{64})\.(\d{1,9}))?", re.ASCII)
_LAST_US = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: what is older than `ts` comes next.

    Rows have no number of their own, and many may bear the very same time. Those follow each other by batch,
    newest first, and by a digest of their content. A page that ends among them names the last of them, and how
    many like it were shown: what equals it in everything cannot be told from it, so their number is enough. A
    row that arrives between two pages moves nothing: its batch has another number.
    """

    ts: datetime
    batch_id: int | None = None
    digest: str = ""
    shown: int = 0

    def __str__(self) -> str:
        """As a cursor in an address."""
        us = (self.ts - EPOCH) // _MICROSECOND
        return f"{us}" if self.batch_id is None else f"{us}.{self.batch_id}.{self.digest}.{self.shown}"


def position_of(cursor: str) -> Position:
    """Read a cursor.

    Raises:
        ValueError: it is none.
    """
    match = _CURSOR.fullmatch(cursor)
    if match is None or int(match[1]) > _LAST_US:
        raise ValueError("before is no cursor of this list")
    ts = EPOCH + int(match[1]) * _MICROSECOND
    return Position(ts) if match[2] is None else Position(ts, int(match[2]), match[3], int(match[4]))
