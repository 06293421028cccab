"""Apply the numbered migrations: once each, in order, one process at a time."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import errors

from sql.connection import connect, explain

MIGRATIONS = Path(__file__).parent / "migrations"
# Any fixed number: whoever holds this lock migrates, everybody else waits.
LOCK_KEY = 0x61636362
OLDEST_TIMESCALEDB = (2, 20)
# Jobs of a database in use hold locks that a migration needs. What the database ends for that can be done again.
_BUSY = (errors.DeadlockDetected, errors.LockNotAvailable)
ATTEMPTS = 20
ATTEMPT_WAIT_S = 0.5

_LEDGER = """
create table if not exists schema_migration (
    version     integer primary key,
    name        text not null,
    sha256      text not null,
    applied_at  timestamptz not null default now()
)
"""


class MigrationError(Exception):
    """The migrations cannot be applied; the text is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file `NNNN_what_it_does.sql`."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Hash of the text with line ends unified, so that a checkout's settings do not matter."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load(folder: Path = MIGRATIONS) -> list[Migration]:
    """Read the migrations of a folder in order.

    Raises:
        MigrationError: a file name has no number, or two have the same.
    """
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", path.name)
        if match is None:
            raise MigrationError(f"{path.name}: a migration is named NNNN_what_it_does.sql")
        version = int(match[1])
        if version in found:
            raise MigrationError(f"{path.name} and {found[version].name} have the same number")
        found[version] = Migration(version, path.stem, path.read_text(encoding="utf-8"))
    return list(found.values())


def pending(migrations: list[Migration], applied: dict[int, str]) -> list[Migration]:
    """Return what is still to be applied.

    Args:
        migrations: the files, in order.
        applied: version -> hash, as recorded in the database.

    Raises:
        MigrationError: a file changed after it was applied, or the database is newer than the program.
    """
    known = {migration.version: migration for migration in migrations}
    for version, sha256 in applied.items():
        if version not in known:
            raise MigrationError(
                f"the database has migration {version:04d}, which this version does not know: upgrade accessboard"
            )
        if known[version].sha256 != sha256:
            raise MigrationError(
                f"{known[version].name}.sql was changed after it had been applied: restore the file "
                "and put the change into a new migration"
            )
    newest = max(applied, default=0)
    late = [m for m in migrations if m.version not in applied and m.version < newest]
    if late:
        raise MigrationError(
            f"{late[0].name}.sql is numbered below what is applied ({newest:04d}): give it the next number"
        )
    return [migration for migration in migrations if migration.version not in applied]


def migrate(dsn: str, folder: Path = MIGRATIONS) -> list[str]:
    """Bring a database to the newest version and return the names of what was applied.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
        MigrationError: it is no TimescaleDB, a file was changed, or a statement failed.
    """
    migrations = load(folder)
    done: list[str] = []
    with connect(dsn) as connection:
        _require_timescaledb(connection)
        while (name := _next_applied(connection, migrations)) is not None:
            done.append(name)
        return done


def _next_applied(connection: psycopg.Connection[tuple[object, ...]], migrations: list[Migration]) -> str | None:
    """Apply the next migration, in one transaction, and return its name; None when there is none."""
    attempt = 1
    while True:
        try:
            with connection.transaction():
                connection.execute("select pg_advisory_xact_lock(%s)", (LOCK_KEY,))
                connection.execute(_LEDGER)
                waiting = pending(migrations, applied_versions(connection))
                if waiting:
                    _apply(connection, waiting[0])
                return waiting[0].name if waiting else None
        except MigrationError as error:
            if not isinstance(error.__cause__, _BUSY) or attempt == ATTEMPTS:
                raise
            attempt += 1
            time.sleep(ATTEMPT_WAIT_S)


def applied_versions(connection: psycopg.Connection[tuple[object, ...]]) -> dict[int, str]:
    """Version -> hash of what a database has; empty where it has never been migrated."""
    exists = connection.execute("select to_regclass('public.schema_migration') is not null").fetchone()
    if not (exists and exists[0]):
        return {}
    rows = connection.execute("select version, sha256 from schema_migration order by version").fetchall()
    return {int(str(version)): str(sha256) for version, sha256 in rows}


def _apply(connection: psycopg.Connection[tuple[object, ...]], migration: Migration) -> None:
    try:
        connection.execute(migration.sql.encode())
        connection.execute(
            "insert into schema_migration (version, name, sha256) values (%s, %s, %s)",
            (migration.version, migration.name, migration.sha256),
        )
    except psycopg.Error as error:
        raise MigrationError(f"{migration.name}.sql failed and nothing of it was kept: {explain(error)}") from error


def _require_timescaledb(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    row = connection.execute(
        "select default_version from pg_available_extensions where name = 'timescaledb'"
    ).fetchone()
    if row is None:
        raise MigrationError(
            "this PostgreSQL server has no TimescaleDB: install the community edition of TimescaleDB 2.20 or later"
        )
    version = tuple(int(part) for part in re.findall(r"\d+", str(row[0]))[:2])
    if version < OLDEST_TIMESCALEDB:
        raise MigrationError(f"TimescaleDB {row[0]} is too old: accessboard needs 2.20 or later")
