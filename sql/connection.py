"""Connections: a psycopg pool for writing, a read-only SQLAlchemy engine for reading."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg_pool import ConnectionPool

from sql.plan import Range

CONNECT_TIMEOUT_S = 10
POOL_TIMEOUT_S = 5  # a sender does better with a 503 it retries than with a long wait


READ_TIMEOUT_S = 20
READER = "accessboard_reader"
Value = TypeVar("Value")


class DatabaseUnavailable(Exception):
    """The database cannot be reached or cannot do the work now; the text is one sentence for people."""


class BadPattern(ValueError):
    """A regular expression that the database cannot read; the text says why."""


class TooSlow(DatabaseUnavailable):
    """A question took longer than READ_TIMEOUT_S."""


# Shared sessions of the embedded server rule out named prepared statements; on a native server unnamed
# ones let TimescaleDB exclude chunks while planning. Short queries gain nothing from JIT.
_CONNECT_ARGS: dict[str, object] = {"prepare_threshold": None, "connect_timeout": CONNECT_TIMEOUT_S}
# For servers that answer somebody: a peer that fell silent is given up, and no statement goes on for ever.
_SERVING_ARGS = _CONNECT_ARGS | {
    "tcp_user_timeout": 15_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
_PREPARE_WHEN_ASKED = 2**31
_STATEMENT_TIMEOUT = "set statement_timeout = '60s'"


def is_embedded(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    """Tell whether the other side is the embedded server: one session, no COPY, no background jobs."""
    return connection.info.parameter_status("accessboard_embedded") == "on"


def connect(dsn: str) -> psycopg.Connection[tuple[object, ...]]:
    """Open one autocommit connection.

    Raises:
        DatabaseUnavailable: nothing answers at that address, or it refuses us.
    """
    try:
        return psycopg.connect(dsn, autocommit=True, **_CONNECT_ARGS)  # type: ignore[arg-type]
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"cannot reach the database: {first_line(error)}") from error


def writing_pool(dsn: str, *, max_size: int) -> ConnectionPool[psycopg.Connection[tuple[object, ...]]]:
    """Return a pool that connects in the background, so that a server starts before its database."""
    return ConnectionPool(
        dsn,
        kwargs={"autocommit": True, **_SERVING_ARGS},
        min_size=1,
        max_size=max_size,
        timeout=POOL_TIMEOUT_S,
        max_lifetime=3600,
        check=ConnectionPool.check_connection,
        configure=_for_writing,
        open=True,
    )


def reading_engine(dsn: str) -> sa.Engine:
    """Return an engine whose transactions read one snapshot and cannot write.

    REPEATABLE READ is what makes a figure exact: the list of touched minutes and the rows read by it
    must be of the same moment.
    """
    engine = sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: _reading_connection(dsn),
        pool_size=4,
        max_overflow=8,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
    )
    return engine.execution_options(postgresql_readonly=True)


def _for_writing(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    _limit_statements(connection)
    # An answer promises that the records survive a crash, whatever the server's default is.
    connection.execute("set synchronous_commit = on")
    if not is_embedded(connection):
        # Only statements that ask for it are prepared, and planned once: the plan would take as long as the work.
        connection.prepare_threshold = _PREPARE_WHEN_ASKED
        connection.execute("set plan_cache_mode = force_generic_plan")


def _limit_statements(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    # By a statement: as a start-up option it would replace those of DATABASE_URL.
    connection.execute(_STATEMENT_TIMEOUT)


def _reading_connection(dsn: str) -> psycopg.Connection[tuple[object, ...]]:
    connection = psycopg.connect(dsn, autocommit=True, **_SERVING_ARGS)  # type: ignore[arg-type]
    connection.autocommit = False
    return connection


class Reading:
    """One read-only transaction: everything read in it is of one moment. Counts what the reading cost."""

    def __init__(self, connection: sa.Connection) -> None:
        """Read through a connection that has its transaction."""
        self._connection = connection
        self._known: dict[Hashable, Any] = {}
        self.statements = 0
        self.rows_read = 0
        self.seconds = 0.0
        self.lost: set[Range] = set()

    def execute(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None
    ) -> sa.CursorResult[*tuple[Any, ...]]:
        """Run a statement; its time counts, its rows only where `count_rows` is told of them."""
        started = time.perf_counter()
        try:
            return self._connection.execute(statement, parameters)
        finally:
            self.statements += 1
            self.seconds += time.perf_counter() - started

    def count_rows(self, rows: int) -> None:
        """Take down that so many rows of the log or of an aggregate were summed for an answer."""
        self.rows_read += rows

    def once(self, name: Hashable, read: Callable[[], Value]) -> Value:
        """What `read` returns, read only once in this snapshot."""
        if name not in self._known:
            self._known[name] = read()
        known: Value = self._known[name]
        return known


_thread = threading.local()
# For this transaction only, since sessions of the embedded server are shared. Whoever only looks may only look.
_AS_READER = sa.text(
    "select set_config('statement_timeout', :timeout, true), "
    "(select set_config('role', rolname, true) from pg_roles where rolname = :role and pg_has_role(oid, 'set'))"
)


@contextmanager
def snapshot(engine: sa.Engine, *, seconds: float = READ_TIMEOUT_S) -> Iterator[Reading]:
    """One reading; no statement of it takes longer than `seconds`.

    Raises:
        RuntimeError: this thread is in one already. Where clients take turns, each would wait for the other for ever.
        TooSlow: one would have.
        BadPattern: a filter is no regular expression.
        DatabaseUnavailable: the database is away, or it is not migrated.
    """
    refuse_within_a_snapshot()
    try:
        with engine.connect() as connection:
            _thread.connection = connection
            connection.execute(_AS_READER, {"timeout": f"{seconds * 1000:.0f}ms", "role": READER})
            yield Reading(connection)
    except sa.exc.TimeoutError as error:
        raise DatabaseUnavailable("the database is busy: no connection came free in time") from error
    except sa.exc.DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.QueryCanceled):
            raise TooSlow(f"reading this takes longer than {seconds:g} s: choose a shorter range") from error
        if isinstance(error.orig, psycopg.errors.InvalidRegularExpression):
            raise BadPattern(first_line(error.orig)) from error
        raise DatabaseUnavailable(explain(error.orig)) from error


def refuse_within_a_snapshot() -> None:
    """Raise RuntimeError where this thread reads a snapshot: what may open one itself calls it, always."""
    connection = getattr(_thread, "connection", None)
    if connection is not None and not connection.closed:
        raise RuntimeError("a snapshot within a snapshot")


def explain(error: BaseException | None) -> str:
    """One sentence about a database error that says what to do, with no query text in it."""
    if isinstance(
        error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedFunction | psycopg.errors.UndefinedColumn
    ):
        return "the database lacks a table of this version: run `accessboard migrate`"
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return f"the database's user may not do this ({first_line(error)}): run `accessboard migrate` as its owner"
    if isinstance(error, psycopg.errors.DiskFull):
        return "the database's disk is full: free space on it"
    if isinstance(error, psycopg.errors.DeadlockDetected | psycopg.errors.LockNotAvailable):
        return f"the database was busy with other work: {first_line(error)}"
    if isinstance(error, psycopg.OperationalError):
        return f"the database cannot be reached: {first_line(error)}"
    return f"the database refused the work: {first_line(error)}"


def first_line(error: BaseException | None) -> str:
    """First line of an error's text: libpq's further lines repeat it or quote a query."""
    return (str(error).strip().splitlines() or ["unknown error"])[0]
