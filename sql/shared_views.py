"""Links that show a view to whoever has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg.types.json import Jsonb

_LIVE = "revoked_at is null and expires_at > clock_timestamp()"
_COLUMNS = "id, name, address, pinned, created_by, created_at, expires_at, revoked_at, last_used_at"
_USED = """
update shared_view set last_used_at = clock_timestamp()
where digest = %s and (last_used_at is null or last_used_at < clock_timestamp() - interval '1 minute')
"""
Connection = psycopg.Connection[Any]


class SharedView(NamedTuple):
    """A link without its secret; `pinned` are filters that stay."""

    id: int
    name: str
    address: str
    pinned: dict[str, str]
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


def list_views(connection: Connection) -> list[SharedView]:
    """All links, those that serve first, the newest first."""
    rows = connection.execute(f"select {_COLUMNS} from shared_view order by {_LIVE} desc, id desc".encode()).fetchall()
    return [SharedView(*row) for row in rows]


def share_view(
    connection: Connection, digest: bytes, name: str, address: str, pinned: Mapping[str, str], who: str,
    lasts: timedelta,
) -> int:  # fmt: skip
    """Keep a link."""
    row = connection.execute(
        "insert into shared_view (digest, name, address, pinned, created_by, expires_at) "
        "values (%s, %s, %s, %s, %s, clock_timestamp() + %s) returning id",
        (digest, name, address, Jsonb(dict(pinned)), who, lasts),
    ).fetchone()
    assert row is not None
    return int(row[0])


def revoke_view(connection: Connection, view: int) -> bool:
    """End a link at once."""
    return (
        connection.execute(
            "update shared_view set revoked_at = clock_timestamp() where id = %s and revoked_at is null returning id",
            (view,),
        ).fetchone()
        is not None
    )


def find_view(connection: Connection, digest: bytes) -> SharedView | None:
    """The link of a secret, which counts as its use; None where it is over."""
    statement = f"select {_COLUMNS} from shared_view where digest = %s and {_LIVE}".encode()
    row = connection.execute(statement, (digest,)).fetchone()
    if row is None:
        return None
    connection.execute(_USED, (digest,))
    return SharedView(*row)
