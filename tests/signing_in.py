"""A dashboard with accounts, and clients that are signed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from dashapp.access import passwords
from dashapp.access.secret import new_secret
from dashapp.app import create_app
from dashapp.settings import DashboardSettings
from sql.accounts import AccountStore
from sql.tokens import make_token

PASSWORD = "correct horse battery"
OWN = {"Sec-Fetch-Site": "same-origin"}
FAR = {"REMOTE_ADDR": "192.0.2.10"}


def dashboard(
    engine: sa.Engine, store: AccountStore | None, now: Callable[[], datetime] | None = None, **more: Any
) -> Flask:
    """The dashboard's server, which must be signed in to unless told otherwise."""
    settings = DashboardSettings(_env_file=None, settle_seconds=0, **({"auth": "accounts"} | more))  # type: ignore[call-arg]
    server: Flask = create_app(settings, engine, now=now or (lambda: datetime.now(UTC)), accounts=store).server
    return server


def add_account(store: AccountStore, name: str, role: str, password: str = PASSWORD) -> int:
    """An account that can sign in."""
    account = store.add(name, role)
    store.set_password(account, passwords.hashed(password))
    return account


def signed_in(server: Flask, name: str, password: str = PASSWORD) -> FlaskClient:
    """A client with the session of an account."""
    client = server.test_client()
    answer = client.post("/signin", data={"name": name, "password": password}, environ_base=FAR)
    assert answer.status_code == 303, answer.text
    return client


def with_token(server: Flask, store: AccountStore, scope: str) -> FlaskClient:
    """A client that sends a token with each request."""
    secret = new_secret("ab_")
    with store.connection() as connection:
        make_token(connection, f"test {scope}", scope, secret.hint, secret.digest, "test", timedelta(days=1))
    client = server.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret.text}"
    return client


def csrf_of(client: FlaskClient, path: str = "/account") -> str:
    """What a form of a page must carry."""
    found = re.search(r'name="csrf" value="([^"]*)"', client.get(path, environ_base=FAR).text)
    assert found is not None
    return found[1]
