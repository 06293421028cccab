"""Read all matching rows as of one moment, without holding a transaction for the time that takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sql.as_of import AsOf, moment
from sql.connection import snapshot
from sql.filters import Filters
from sql.plan import Range
from sql.search import kept_from, search

ROWS_A_PAGE = 5_000


class RowsDropped(Exception):
    """Rows of the range left the database, by their age, while they were being read."""


@dataclass(frozen=True, slots=True)
class Export:
    """The rows of a range as of one moment. `kept_from`: rows before it may be gone and are left out."""

    engine: sa.Engine
    whole: Range
    filters: Filters
    as_of: AsOf
    kept_from: datetime | None

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        """Rows newest first, a page at a time, each read in a transaction of its own.

        Whoever downloads slowly keeps nothing open in the database: no chunk is kept from being dropped, and the
        embedded engine's only session is free between two pages.

        Raises:
            RowsDropped: the rest cannot be read any more.
            DatabaseUnavailable: the database is away, or too slow.
        """
        before = step = None
        while True:
            found = search(
                self.engine,
                self.whole,
                self.filters,
                limit=ROWS_A_PAGE,
                before=before,
                as_of=self.as_of,
                step=step,
            )
            if found.kept_from != self.kept_from and found.kept_from is not None and found.kept_from > self.whole.start:
                raise RowsDropped(f"rows before {found.kept_from.isoformat()} were dropped during the export")
            yield found.rows
            before, step = found.next, found.step
            if before is None:
                return


def export(engine: sa.Engine, whole: Range, filters: Filters) -> Export:
    """Fix the moment of an export; its pages are read later."""
    with snapshot(engine) as reading:
        return Export(engine, whole, filters, moment(reading), kept_from(reading))
