"""The `accessboard` command line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from accessboard import __version__
from accessboard.settings import BadSettings, BusyPort, RunSettings, load

if TYPE_CHECKING:
    from flask import Flask

    from accessboard.supervisor import Running


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Collect HTTP access logs, keep them in TimescaleDB and see what is slow, what fails and who calls.

    Settings come from the environment or a file .env; .env.example explains each.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # it repeats what /readyz says


@cli.command()
def up() -> None:
    """Run everything: database (embedded unless one is configured), ingest server and dashboard."""
    run_everything(_say_where)


@cli.command("ingest-server")
def ingest_server() -> None:
    """Receive logs over HTTP (POST /log/ingest) and store them."""
    from accessboard.serve import require_free_port, serve
    from ingest_server.settings import IngestSettings

    settings = load(IngestSettings)
    require_free_port(settings.ingest_bind, "INGEST_BIND")
    with _database() as dsn:

        def make_app() -> Flask:
            from ingest_server.app import create_app
            from sql.connection import writing_pool
            from sql.writing import LogWriter

            return create_app(settings, LogWriter(writing_pool(dsn, max_size=8)))

        serve(make_app, settings.ingest_bind)


@cli.command()
def dashboard() -> None:
    """Serve the pages and the read API."""
    from accessboard.serve import require_free_port, serve
    from dashapp.settings import DashboardSettings

    settings = load(DashboardSettings)
    require_free_port(settings.dashboard_bind, "DASHBOARD_BIND")
    with _database() as dsn:

        def make_app() -> Flask:
            from dashapp.app import create_app
            from sql.connection import reading_engine

            server: Flask = create_app(settings, reading_engine(dsn)).server
            return server

        serve(make_app, settings.dashboard_bind)


@cli.command()
def migrate() -> None:
    """Bring the database to this version's tables."""
    from sql.migrate import migrate as apply

    with _database(migrated=False) as dsn:
        done = apply(dsn)
    click.echo("\n".join(f"applied {name}" for name in done) or "nothing to do: the database is up to date")


@cli.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--service", default="default", show_default=True, help="Service of lines that name none.")
@click.option(
    "--format", "format_name", default="auto", show_default=True, help="auto, json, combined, common or plain."
)
def import_files(files: tuple[str, ...], service: str, format_name: str) -> None:
    """Import log files: plain or .gz, - for standard input. Ends with a receipt."""
    from accessboard.importing import import_with_progress
    from ingest_server.event import clean
    from ingest_server.import_file import IMPORT_FORMATS
    from ingest_server.intake import DEFAULT_SERVICE, MOST_NAME
    from sql.connection import connect

    if format_name not in IMPORT_FORMATS:
        raise click.BadParameter(f"{format_name!r} is none of {', '.join(IMPORT_FORMATS)}", param_hint="--format")
    with _database() as dsn:
        service = clean(service).strip()[:MOST_NAME] or DEFAULT_SERVICE
        connect(dsn).close()  # says at once, and why, if it cannot be reached
        import_with_progress(dsn, files, service, format_name)


@cli.command()
def doctor() -> None:
    """Check this machine, the settings and the database, and say what to do about each fault."""
    from accessboard.doctor import examine

    faults = 0
    for finding in examine():
        click.echo(f"{'ok   ' if finding.fine else 'FAULT'}  {finding.subject}: {finding.words}")
        faults += not finding.fine
    if faults:
        raise SystemExit(1)


def run_everything(on_ready: Callable[[Running], None]) -> None:
    """Run database, ingest server and dashboard until a signal; `on_ready` is told where they are."""
    from accessboard.supervisor import run
    from dashapp.settings import DashboardSettings
    from ingest_server.settings import IngestSettings

    run(load(RunSettings), load(IngestSettings), load(DashboardSettings), _configured_dsn(), on_ready)


def _say_where(running: Running) -> None:
    click.echo(f"dashboard  {running.dashboard_url}")
    click.echo(f"ingest     {running.ingest_url}/log/ingest")
    click.echo("Ctrl-C ends all of it")


def _configured_dsn() -> str | None:
    from sql.settings import DatabaseSettings

    try:
        return load(DatabaseSettings).dsn()
    except ValueError as error:
        raise BadSettings(str(error)) from None


@contextmanager
def _database(*, migrated: bool = True) -> Iterator[str]:
    """Yield the address of the database of this command.

    A configured database is taken as it is: its schema is changed by `accessboard migrate` and `up` only.
    """
    dsn = _configured_dsn()
    if dsn is not None:
        yield dsn
        return
    from accessboard.embedded.database import opened
    from sql.migrate import migrate as apply

    with opened(load(RunSettings).data_dir) as dsn:
        if migrated:
            apply(dsn)
        yield dsn


def main() -> None:
    """Run a command; what can go wrong ends in one sentence and exit code 1."""
    with sentences():
        cli(prog_name="accessboard")


@contextmanager
def sentences() -> Iterator[None]:
    """Turn the failures that a person can do something about into one sentence and exit code 1."""
    from accessboard.embedded.database import EmbeddedFailed
    from accessboard.embedded.node import NodeMissing
    from accessboard.supervisor import RunFailed
    from sql.connection import DatabaseUnavailable
    from sql.migrate import MigrationError

    known = (BadSettings, BusyPort, EmbeddedFailed, NodeMissing, RunFailed, DatabaseUnavailable, MigrationError)
    try:
        yield
    except known as error:
        raise SystemExit(f"accessboard: {error}") from None
