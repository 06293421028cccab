"""Accounts, their sessions and their one-time links."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg

from sql.store import Store

# An ascending wait after that many wrong passwords in a row, doubled with each further one.
_FREE_FAILURES, _FIRST_WAIT, _LONGEST_WAIT = 5, timedelta(seconds=30), timedelta(hours=1)
_COLUMNS = "id, name, role, password_hash, created_at, disabled_at, last_sign_in_at, failures, locked_until"
_SESSION = """
select account.id, account.name, account.role, session.csrf, session.expires_at
from session join account on account.id = session.account_id
where session.digest = %s and session.expires_at > clock_timestamp() and account.disabled_at is null
"""
# Written at most once a minute: a page asks many times a second.
_SEEN = """
update session set seen_at = clock_timestamp(), expires_at = least(clock_timestamp() + %(idle)s, created_at + %(most)s)
where digest = %(digest)s and seen_at < clock_timestamp() - interval '1 minute'
"""
_FAILED = """
update account set failures = failures + 1, locked_until = case when failures + 1 >= %(free)s
    then clock_timestamp() + least(%(first)s * power(2, least(failures + 1 - %(free)s, 20)), %(longest)s) end
where id = %(id)s returning failures
"""
_USE = """
delete from invitation where digest = %s and expires_at > clock_timestamp() returning account_id
"""


class Account(NamedTuple):
    """Somebody who signs in."""

    id: int
    name: str
    role: str
    password_hash: str | None
    created_at: datetime
    disabled_at: datetime | None
    last_sign_in_at: datetime | None
    failures: int
    locked_until: datetime | None


class Session(NamedTuple):
    """Who is signed in, and what his forms must carry."""

    account_id: int
    name: str
    role: str
    csrf: str
    expires_at: datetime


class LastAdministrator(Exception):
    """Nobody would be left who may administer."""


class NameTaken(Exception):
    """Another account has the name."""


class AccountStore(Store):
    """Raises DatabaseUnavailable where the database is away."""

    connections = 2

    def accounts(self) -> list[Account]:
        """All of them by name."""
        with self.connection() as connection:
            rows = connection.execute(f"select {_COLUMNS} from account order by lower(name)".encode()).fetchall()
        return [Account(*row) for row in rows]

    def any(self) -> bool:
        """Whether somebody can sign in."""
        with self.connection() as connection:
            row = connection.execute(
                "select exists (select from account where disabled_at is null and password_hash is not null)"
            ).fetchone()
        return bool(row and row[0])

    def named(self, name: str) -> Account | None:
        """The account of a name, in whatever case."""
        with self.connection() as connection:
            statement = f"select {_COLUMNS} from account where lower(name) = lower(%s)".encode()
            row = connection.execute(statement, (name,)).fetchone()
        return Account(*row) if row else None

    def add(self, name: str, role: str) -> int:
        """Make an account that cannot sign in yet.

        Raises:
            NameTaken: there is one of that name.
        """
        with self.connection() as connection:
            try:
                row = connection.execute(
                    "insert into account (name, role) values (%s, %s) returning id", (name, role)
                ).fetchone()
            except psycopg.errors.UniqueViolation as error:
                raise NameTaken(name) from error
        assert row is not None
        return int(row[0])

    def set_password(self, account: int, password_hash: str) -> None:
        """Set a password; everybody who is signed in with the old one is signed out."""
        with self.connection() as connection, connection.transaction():
            connection.execute(
                "update account set password_hash = %s, failures = 0, locked_until = null where id = %s",
                (password_hash, account),
            )
            connection.execute("delete from session where account_id = %s", (account,))

    def rehash(self, account: int, password_hash: str) -> None:
        """Keep the same password in a stronger form."""
        with self.connection() as connection:
            connection.execute("update account set password_hash = %s where id = %s", (password_hash, account))

    def change(self, account: int, *, role: str | None = None, disabled: bool | None = None) -> None:
        """Give another role, or close or open an account; sessions of a closed one end.

        Raises:
            LastAdministrator: nobody else could administer.
        """
        with self.connection() as connection, connection.transaction():
            connection.execute("lock table account in share row exclusive mode")
            administered = _is_administered(connection)
            if role is not None:
                connection.execute("update account set role = %s where id = %s", (role, account))
            if disabled is not None:
                at = "coalesce(disabled_at, clock_timestamp())" if disabled else "null"
                connection.execute(f"update account set disabled_at = {at} where id = %s".encode(), (account,))
            if disabled:
                connection.execute("delete from session where account_id = %s", (account,))
            if administered and not _is_administered(connection):
                raise LastAdministrator

    def failed(self, account: int) -> int:
        """Take down a wrong password; returns how many there were in a row."""
        values = {"id": account, "free": _FREE_FAILURES, "first": _FIRST_WAIT, "longest": _LONGEST_WAIT}
        with self.connection() as connection:
            row = connection.execute(_FAILED, values).fetchone()
        return int(row[0]) if row else 0

    def sign_in(self, account: int, digest: bytes, csrf: str, address: str, idle: timedelta) -> None:
        """Open a session and forget wrong passwords."""
        with self.connection() as connection, connection.transaction():
            connection.execute(
                "update account set failures = 0, locked_until = null, last_sign_in_at = clock_timestamp() "
                "where id = %s",
                (account,),
            )
            connection.execute("delete from session where expires_at <= clock_timestamp()")
            connection.execute(
                "insert into session (digest, account_id, csrf, address, expires_at) "
                "values (%s, %s, %s, %s, clock_timestamp() + %s)",
                (digest, account, csrf, address, idle),
            )

    def session(self, digest: bytes, idle: timedelta, most: timedelta) -> Session | None:
        """The session of a cookie, which lasts on; None where there is none."""
        with self.connection() as connection:
            row = connection.execute(_SESSION, (digest,)).fetchone()
            if row is not None:
                connection.execute(_SEEN, {"digest": digest, "idle": idle, "most": most})
        return Session(*row) if row else None

    def sign_out(self, digest: bytes) -> None:
        """End a session."""
        with self.connection() as connection:
            connection.execute("delete from session where digest = %s", (digest,))

    def invite(self, digest: bytes, account: int | None, lasts: timedelta) -> None:
        """Keep a one-time link; earlier ones of the account, or for the first administrator, end."""
        with self.connection() as connection, connection.transaction():
            connection.execute(
                "delete from invitation where account_id is not distinct from %s or expires_at <= clock_timestamp()",
                (account,),
            )
            connection.execute(
                "insert into invitation (digest, account_id, expires_at) values (%s, %s, clock_timestamp() + %s)",
                (digest, account, lasts),
            )

    def invited(self, digest: bytes) -> tuple[bool, str | None]:
        """Whether a link can be used, and the name of its account; None is the first administrator's."""
        with self.connection() as connection:
            row = connection.execute(
                "select account.name from invitation left join account on account.id = account_id "
                "where digest = %s and expires_at > clock_timestamp()",
                (digest,),
            ).fetchone()
        return (row is not None, row[0] if row else None)

    def accept(self, digest: bytes, password_hash: str, first_name: str | None) -> Account | None:
        """Use a one-time link up and set the password; `first_name` names the first administrator.

        Returns the account; None where the link is used or over, or where a first administrator exists already.
        """
        with self.connection() as connection, connection.transaction():
            connection.execute("lock table account in share row exclusive mode")
            used = connection.execute(_USE, (digest,)).fetchone()
            if used is None:
                return None
            account = used[0]
            if account is None:
                taken = connection.execute("select exists (select from account)").fetchone()
                if first_name is None or (taken and taken[0]):
                    return None
                row = connection.execute(
                    "insert into account (name, role) values (%s, 'administrator') returning id", (first_name,)
                ).fetchone()
                assert row is not None
                account = row[0]
            connection.execute(
                "update account set password_hash = %s, failures = 0, locked_until = null where id = %s",
                (password_hash, account),
            )
            connection.execute("delete from session where account_id = %s", (account,))
            found = connection.execute(f"select {_COLUMNS} from account where id = %s".encode(), (account,)).fetchone()
        return Account(*found) if found else None


def _is_administered(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute(
        "select exists (select from account where role = 'administrator' and disabled_at is null "
        "and password_hash is not null)"
    ).fetchone()
    return bool(row and row[0])
