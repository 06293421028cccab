"""What writes beside the log: a small pool of its own, and one kind of error where the database is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from sql.connection import DatabaseUnavailable, explain, writing_pool


class Store:
    """A pool for rows that people make: messages, analyses, accounts."""

    connections = 1

    def __init__(self, pool: ConnectionPool[psycopg.Connection[Any]]) -> None:
        """Write through a pool."""
        self._pool = pool

    @classmethod
    def open(cls, dsn: str) -> Self:
        """A store with a pool of its own; connects in the background."""
        return cls(writing_pool(dsn, max_size=cls.connections))

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of the pool, in autocommit.

        Raises:
            DatabaseUnavailable: none can be had, or the database refuses a statement.
        """
        try:
            with self._pool.connection() as connection:
                yield connection
        except PoolTimeout as error:
            raise DatabaseUnavailable("the database cannot be reached") from error
        except psycopg.Error as error:
            raise DatabaseUnavailable(explain(error)) from error
