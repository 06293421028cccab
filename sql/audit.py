"""What people did: taken down, read again, and forgotten after a while."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg.types.json import Jsonb

KEPT_DAYS = 400
Connection = psycopg.Connection[Any]


class Done(NamedTuple):
    """Who did what, from where."""

    id: int
    at: datetime
    who: str
    address: str
    action: str
    target: str | None
    detail: dict[str, Any]


def take_down(
    connection: Connection, who: str, address: str, action: str, target: str | None, detail: Mapping[str, Any]
) -> None:
    """Write a line of the audit trail."""
    connection.execute(
        "insert into audit (who, address, action, target, detail) values (%s, %s, %s, %s, %s)",
        (who[:200], address[:64], action, None if target is None else target[:500], Jsonb(dict(detail))),
    )


def read_audit(
    connection: Connection, *, most: int, before: int | None = None, action: str | None = None
) -> list[Done]:
    """The newest lines first."""
    rows = connection.execute(
        "select id, at, who, address, action, target, detail from audit "
        "where (%(before)s::bigint is null or id < %(before)s) and (%(action)s::text is null or action = %(action)s) "
        "order by id desc limit %(most)s",
        {"most": most, "before": before, "action": action},
    ).fetchall()
    return [Done(*row) for row in rows]


def forget_old(connection: Connection) -> None:
    """Drop lines that are older than KEPT_DAYS."""
    connection.execute("delete from audit where at < clock_timestamp() - make_interval(days => %s)", (KEPT_DAYS,))
