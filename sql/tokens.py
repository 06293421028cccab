"""Tokens of programs: kept as digests, told apart by a hint."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg

_LIVE = "revoked_at is null and (expires_at is null or expires_at > clock_timestamp())"
_COLUMNS = "id, name, scope, hint, created_by, created_at, expires_at, revoked_at, last_used_at"
# Written at most once a minute.
_USED = """
update access_token set last_used_at = clock_timestamp()
where digest = any(%s) and (last_used_at is null or last_used_at < clock_timestamp() - interval '1 minute')
"""
_ROTATE = """
with old as (select id, name, scope from access_token where id = %(id)s and {live}),
ending as (
    update access_token set expires_at = least(expires_at, clock_timestamp() + %(grace)s)
    where (name, scope) in (select name, scope from old) and {live} and digest <> %(digest)s
)
insert into access_token (name, scope, hint, digest, created_by)
select name, scope, %(hint)s, %(digest)s, %(who)s from old returning id
"""
Connection = psycopg.Connection[Any]


class Token(NamedTuple):
    """A token without itself."""

    id: int
    name: str
    scope: str
    hint: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


def list_tokens(connection: Connection) -> list[Token]:
    """All tokens, those that serve first, the newest first."""
    rows = connection.execute(f"select {_COLUMNS} from access_token order by {_LIVE} desc, id desc".encode()).fetchall()
    return [Token(*row) for row in rows]


def make_token(
    connection: Connection, name: str, scope: str, hint: str, digest: bytes, who: str, lasts: timedelta | None
) -> int:  # fmt: skip
    """Keep a new token."""
    row = connection.execute(
        "insert into access_token (name, scope, hint, digest, created_by, expires_at) "
        "values (%s, %s, %s, %s, %s, clock_timestamp() + %s) returning id",
        (name, scope, hint, digest, who, lasts),
    ).fetchone()
    assert row is not None
    return int(row[0])


def rotate_token(connection: Connection, token: int, hint: str, digest: bytes, who: str, grace: timedelta) -> bool:
    """Make a second token of the same name; those of before end after `grace`. Returns whether there was one."""
    statement = _ROTATE.format(live=_LIVE).encode()
    values = {"id": token, "hint": hint, "digest": digest, "who": who, "grace": grace}
    return connection.execute(statement, values).fetchone() is not None


def revoke_token(connection: Connection, token: int) -> bool:
    """End a token at once."""
    return (
        connection.execute(
            "update access_token set revoked_at = clock_timestamp() where id = %s and revoked_at is null returning id",
            (token,),
        ).fetchone()
        is not None
    )


def token_scope(connection: Connection, digest: bytes) -> tuple[str, str] | None:
    """Name and scope of a token that serves, which counts as its use."""
    row = connection.execute(f"select name, scope from access_token where digest = %s and {_LIVE}".encode(), (digest,))
    found = row.fetchone()
    if found is None:
        return None
    connection.execute(_USED, ([digest],))
    return str(found[0]), str(found[1])


def ingest_digests(connection: Connection) -> frozenset[bytes]:
    """Digests of the tokens that may send logs now."""
    rows = connection.execute(f"select digest from access_token where scope = 'ingest' and {_LIVE}".encode()).fetchall()
    return frozenset(bytes(row[0]) for row in rows)


def tokens_used(connection: Connection, digests: list[bytes]) -> None:
    """Take down that tokens were used."""
    connection.execute(_USED, (digests,))
