"""Ingest tokens of the dashboard: they serve at once, end soon, and nobody loses data while the book cannot be read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool
from pydantic import SecretStr

from dashapp.access.secret import Secret, new_secret
from ingest_server.intake import open_intake
from ingest_server.service import IngestService, open_service
from ingest_server.settings import IngestSettings
from ingest_server.token_book import FRESH_S, OLD_S, TokenBook
from sql.connection import DatabaseUnavailable, writing_pool
from sql.ledger import Ledger
from sql.store import Store
from sql.tokens import make_token, revoke_token, rotate_token
from sql.writing import LogWriter
from tests.ingest_server import Client, Sender, serving

Connection = psycopg.Connection[Any]
RECORD = b'{"timestamp":"2025-07-01T09:00:00Z","method":"GET","path":"/a","status":200}'
FAR = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(autouse=True)
def _nothing_left(connection: Connection) -> Iterator[None]:
    connection.execute("truncate access_token")
    yield
    connection.execute("truncate access_token")


@pytest.fixture(scope="module")
def server(dsn: str) -> Iterator[Client]:
    settings = IngestSettings(ingest_tokens=SecretStr("of-the-settings"))
    with serving(settings, lambda: open_service(settings, dsn)) as client:
        yield client


def made(connection: Connection, scope: str = "ingest") -> tuple[int, Secret]:
    secret = new_secret("ab_")
    return make_token(connection, "fluent-bit", scope, secret.hint, secret.digest, "test", None), secret


def status(server: Client, service: str, token: str) -> int:
    return Sender(server, service).send(RECORD, headers={"Authorization": f"Bearer {token}"} | FAR).status


def test_a_token_serves_as_soon_as_it_is_made(server: Client, service: str, connection: Connection) -> None:
    assert status(server, service, "ab_unknown") == 401
    _, secret = made(connection)
    _, reading = made(connection, "read")
    time.sleep(FRESH_S)  # the book was read for the unknown one
    assert status(server, service, secret.text) == 200
    assert status(server, service, reading.text) == 401  # not for sending
    assert status(server, service, "of-the-settings") == 200


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(dsn: str, clock: Clock) -> Iterator[TokenBook]:
    with writing_pool(dsn, max_size=1) as pool:
        yield TokenBook(Store(pool), clock)


def test_both_tokens_serve_while_one_replaces_the_other(book: TokenBook, connection: Connection, clock: Clock) -> None:
    token, old = made(connection)
    new = new_secret("ab_")
    assert rotate_token(connection, token, new.hint, new.digest, "test", timedelta(hours=24))
    assert (book.knows(old.digest), book.knows(new.digest)) == (True, True)
    connection.execute("update access_token set expires_at = clock_timestamp() where id = %s", (token,))
    clock.now += OLD_S + 1
    assert not book.remembers(old.digest)
    assert (book.knows(old.digest), book.knows(new.digest)) == (False, True)


def test_a_revoked_token_ends_and_its_last_use_is_known(book: TokenBook, connection: Connection, clock: Clock) -> None:
    token, secret = made(connection)
    assert book.knows(secret.digest)
    assert book.remembers(secret.digest)
    clock.now += OLD_S + 1
    assert book.knows(secret.digest)
    used = connection.execute("select last_used_at is not null from access_token where id = %s", (token,)).fetchone()
    assert used == (True,)
    assert revoke_token(connection, token)
    clock.now += OLD_S + 1
    assert not book.knows(secret.digest)


def test_while_the_book_cannot_be_read_a_known_token_serves_and_others_come_again(
    dsn: str, connection: Connection, clock: Clock
) -> None:
    _, secret = made(connection)
    pool = writing_pool(dsn, max_size=1)
    book = TokenBook(Store(pool), clock)
    assert book.knows(secret.digest)
    pool.close()
    clock.now += OLD_S + 1
    assert book.knows(secret.digest)
    with pytest.raises(DatabaseUnavailable):
        book.knows(new_secret().digest)


def test_a_server_that_never_read_the_book_asks_to_come_again(closed_port_dsn: str, service: str) -> None:
    settings = IngestSettings(ingest_tokens=SecretStr("of-the-settings"))

    def make_service() -> IngestService:
        away: Any = ConnectionPool(closed_port_dsn, min_size=0, max_size=1, timeout=0.3, open=True)
        writer = LogWriter(away)
        return IngestService(
            open_intake(settings, writer), writer, Ledger(away), most_bytes=2**20, on_close=lambda: away.close(0),
            tokens=TokenBook(Store(away)),
        )  # fmt: skip

    with serving(settings, make_service) as client:
        assert status(client, service, "ab_perhaps") == 503
