"""Forget a client: what a person may ask for."""

from __future__ import annotations

import ipaddress

import click

from ingest_server.settings import IngestSettings
from sql.audit import take_down
from sql.connection import connect
from sql.forgetting import Forgotten, count_client, forget_client


def stored_address(given: str, settings: IngestSettings) -> str:
    """The address as the log has it.

    Raises:
        click.ClickException: it is none, or the log tells no single clients apart.
    """
    try:
        address = str(ipaddress.ip_address(given.strip()))
    except ValueError:
        raise click.ClickException(f"{given!r} is no IP address") from None
    if settings.client_addresses == "truncated":
        raise click.ClickException("CLIENT_ADDRESSES=truncated: the log holds networks, and no single client")
    return settings.privacy().address(address) if settings.client_addresses == "hashed" else address


def forget(dsn: str, address: str, *, confirmed: bool) -> None:
    """Say what there is, ask, and take it away.

    Raises:
        DatabaseUnavailable: nothing was taken away.
    """
    with connect(dsn) as connection:
        found = count_client(connection, address)
        if not any(found):
            click.echo("there is nothing of this client")
            return
        if not confirmed:
            click.confirm(f"Take {_said(found)} of this client away for good?", abort=True, err=True)
        done = forget_client(connection, address)
        take_down(connection, "command line", "", "client_forgotten", None, done._asdict())
    click.echo(f"forgotten: {_said(done)}")


def _said(found: Forgotten) -> str:
    return (
        f"the names of {found.requests:,} requests, {found.findings:,} findings, {found.analyses:,} AI analyses "
        f"and {found.quarantined:,} refused records"
    )
