"""Users of the database for the two servers, each a member of the role with its rights (migration 0015)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from sql.connection import DatabaseUnavailable, explain, is_embedded

ROLE_OF = {"accessboard_ingest": "accessboard_writer", "accessboard_web": "accessboard_dashboard"}


def make_users(connection: psycopg.Connection[Any], passwords: Mapping[str, str]) -> None:
    """Make the users that are missing; give each its password and its role.

    Raises:
        DatabaseUnavailable: the database has no users of its own, or ours may not make any.
    """
    if passwords and is_embedded(connection):
        raise DatabaseUnavailable(
            "the embedded database has one user: leave INGEST_DB_PASSWORD and DASHBOARD_DB_PASSWORD empty"
        )
    try:
        with connection.transaction():
            for user, password in passwords.items():
                exists = connection.execute("select from pg_roles where rolname = %s", (user,)).fetchone() is not None
                words = "alter role {} login password {}" if exists else "create role {} login password {}"
                connection.execute(sql.SQL(words).format(sql.Identifier(user), sql.Literal(password)))
                connection.execute(
                    sql.SQL("grant {} to {}").format(sql.Identifier(ROLE_OF[user]), sql.Identifier(user))
                )
    except psycopg.Error as error:
        raise DatabaseUnavailable(explain(error)) from error
