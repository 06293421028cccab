"""A moment of the database, for what is read in several transactions and must agree."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from sql.connection import Reading


@dataclass(frozen=True, slots=True)
class AsOf:
    """A moment of the database: rows whose batch came later are left out, in whatever transaction they are read.

    `known`: up to this batch all were there. It matters after a restore, where transactions bear numbers of
    another server that look as if they were still to come.
    """

    snapshot: str
    known: int


def moment(reading: Reading) -> AsOf:
    """The moment of this reading."""
    row = reading.execute(
        sa.text(
            "select now.snapshot::text, coalesce((select max(id) from ingest_batch"
            " where xact >= pg_snapshot_xmin(now.snapshot) and not pg_visible_in_snapshot(xact, now.snapshot)), 0)"
            " from (select pg_current_snapshot() as snapshot) as now"
        )
    ).one()
    return AsOf(*row)


def not_later(batch_id: sa.ColumnElement[int], as_of: AsOf | None) -> list[sa.ColumnElement[bool]]:
    """Conditions that leave out rows of batches that came after a moment."""
    if as_of is None:
        return []
    batch = sa.table("ingest_batch", sa.column("id", sa.BigInteger), sa.column("xact"))
    then = sa.cast(sa.literal(as_of.snapshot, sa.Text), _Snapshot())
    later = sa.select(batch.c.id).where(
        batch.c.id > as_of.known,
        batch.c.xact >= sa.func.pg_snapshot_xmin(then),
        sa.not_(sa.func.pg_visible_in_snapshot(batch.c.xact, then)),
    )
    return [batch_id.not_in(later)]


class _Snapshot(sa.types.UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "pg_snapshot"
