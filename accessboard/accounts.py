"""Accounts from the command line: who there is, one-time links, and the first administrator's."""

from __future__ import annotations

import logging
import re
import threading
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import click

from dashapp.access.administration import INVITED
from dashapp.access.door import FIRST_LINK, NAME
from dashapp.access.rights import SHARED, WELCOME
from dashapp.access.secret import new_secret
from dashapp.settings import DashboardSettings
from dashapp.upload_access import is_local_name
from sql.accounts import AccountStore, LastAdministrator
from sql.connection import DatabaseUnavailable
from sql.shared_views import share_view

log = logging.getLogger(__name__)

_RETRY_S = 5.0
_PRINTING = timedelta(minutes=10)


def invite_first(settings: DashboardSettings, store: AccountStore) -> None:
    """Where people must sign in and nobody can, log a one-time link; waits in the background for the database."""
    if settings.auth not in ("auto", "accounts") or _is_open_here(settings):
        return
    threading.Thread(target=_invite_first, args=(settings, store), name="first-account", daemon=True).start()


def _invite_first(settings: DashboardSettings, store: AccountStore) -> None:
    waiting = threading.Event()
    while True:
        try:
            if not store.any():
                secret = new_secret()
                store.invite(secret.digest, None, FIRST_LINK)
                log.warning("no account yet: make the first administrator at %s", _url(settings, secret.text))
            return
        except DatabaseUnavailable:
            waiting.wait(_RETRY_S)


def _is_open_here(settings: DashboardSettings) -> bool:
    return settings.auth == "auto" and is_local_name(settings.dashboard_bind)


def address_for_browser(dsn: str, settings: DashboardSettings, address: str) -> str:
    """The address, or where signing in is needed a link to it that lasts some minutes."""
    store = AccountStore.open(dsn)
    try:
        if settings.auth == "open" or (_is_open_here(settings) and not store.any()):
            return address
        secret, parts = new_secret(), urlsplit(address)
        with store.connection() as connection:
            shown = f"{parts.path}?{parts.query}"
            share_view(connection, secret.digest, "accessboard report", shown, {}, "accessboard report", _PRINTING)
        return urlunsplit(parts._replace(path=f"{SHARED}/{secret.text}", query=""))
    except DatabaseUnavailable:
        return address  # whoever asks for the page hears why there is none
    finally:
        store.close()


def show(dsn: str) -> None:
    """Print the accounts."""
    store = AccountStore.open(dsn)
    try:
        for each in store.accounts():
            state = "closed" if each.disabled_at else "open" if each.password_hash else "no password yet"
            last = f"{each.last_sign_in_at:%Y-%m-%d %H:%M}" if each.last_sign_in_at else "never"
            click.echo(f"{each.name}  {each.role}  {state}  last sign-in {last}")
    finally:
        store.close()


def make_link(dsn: str, settings: DashboardSettings, name: str, role: str | None) -> str:
    """Return a one-time link for an account, which is made or opened.

    Raises:
        click.ClickException: the name is none, or no administrator would be left.
    """
    if not re.fullmatch(NAME, name):
        raise click.ClickException(f"{name!r} is no name: use up to 64 letters, digits and . _ @ + -")
    store = AccountStore.open(dsn)
    try:
        found = store.named(name)
        account = found.id if found else store.add(name, role or "viewer")
        if found and (role or found.disabled_at):
            store.change(account, role=role, disabled=False)
        secret = new_secret()
        store.invite(secret.digest, account, INVITED)
    except LastAdministrator:
        raise click.ClickException("one administrator must be left") from None
    finally:
        store.close()
    return _url(settings, secret.text)


def _url(settings: DashboardSettings, secret: str) -> str:
    return f"{settings.dashboard_url or f'http://{settings.dashboard_bind}'}{WELCOME}/{secret}"
