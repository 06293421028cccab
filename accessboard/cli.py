"""The `accessboard` command line."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from accessboard import __version__
from accessboard.settings import BadSettings, BusyPort, RunSettings, load

if TYPE_CHECKING:
    from flask import Flask

    from accessboard.supervisor import Running
    from ingest_server.app import IngestApp


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Collect HTTP access logs, keep them in TimescaleDB and see what is slow, what fails and who calls.

    Settings come from the environment or a file .env; .env.example explains each.
    """
    from accessboard.logs import LogSettings, configure

    configure(load(LogSettings))
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # it repeats what /readyz says


@cli.command()
def up() -> None:
    """Run everything: database (embedded unless one is configured), ingest server and dashboard."""
    run_everything(_say_where)


@cli.command("ingest-server")
def ingest_server() -> None:
    """Receive logs over HTTP (POST /log/ingest) and store them."""
    from accessboard.serve import require_free_port, serve_asgi
    from ingest_server.settings import IngestSettings
    from sql.settings import LifeSettings

    settings, life = load(IngestSettings), load(LifeSettings)
    require_free_port(settings.ingest_bind, "INGEST_BIND")
    with _database() as dsn:

        def make_app() -> IngestApp:
            from ingest_server.app import IngestApp
            from ingest_server.service import open_service

            return IngestApp(settings, lambda: open_service(settings, dsn, life))

        serve_asgi(make_app, settings.ingest_bind, settings.workers())


@cli.command()
def dashboard() -> None:
    """Serve the pages and the read API."""
    from accessboard.serve import require_free_port, serve
    from dashapp.settings import DashboardSettings

    settings = load(DashboardSettings)
    require_free_port(settings.dashboard_bind, "DASHBOARD_BIND")
    with _database() as dsn:

        def make_app() -> Flask:
            from accessboard.accounts import invite_first
            from dashapp.app import create_app, utc_now
            from dashapp.scan.start import start
            from sql.accounts import AccountStore
            from sql.ai_history import AiStore
            from sql.connection import reading_engine

            engine = reading_engine(dsn)
            scan = start(settings, dsn, engine, utc_now) if settings.scan else None
            if scan is not None:
                atexit.register(scan.stop)
            ai, accounts = AiStore.open(dsn), AccountStore.open(dsn)
            for store in (ai, accounts):
                atexit.register(store.close)
            invite_first(settings, accounts)
            server: Flask = create_app(
                settings, engine, alerts=scan.alerts if scan else None, ai=ai, accounts=accounts
            ).server
            return server

        serve(make_app, settings.dashboard_bind)


@cli.command()
def migrate() -> None:
    """Bring the database to this version's tables, hand it the settings of how long data stays, and make its users."""
    from sql.connection import connect
    from sql.life_jobs import hand_over
    from sql.migrate import migrate as apply
    from sql.settings import LifeSettings, UserSettings
    from sql.users import make_users

    life, users = load(LifeSettings), load(UserSettings)
    with _database(migrated=False) as dsn:
        done = apply(dsn)
        with connect(dsn) as connection:
            hand_over(connection, life)
            make_users(connection, users.passwords())
    click.echo("\n".join(f"applied {name}" for name in done) or "nothing to do: the database is up to date")


@cli.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.pdf")
@click.option("--last", help="A quick range: 5m to 30d. Default: 24h.")
@click.option("--start", help="Begin of the range, with --end: 2026-05-01T09:30.")
@click.option("--end", help="End of the range.")
@click.option("--vs", type=click.Choice(["prev", "day", "week"]), help="Compare with an earlier period.")
@click.option("--service", help="Only this service.")
@click.option("--lang", type=click.Choice(["ko", "en"]), help="Language; default: UI_LANGUAGE.")
def report(path: Path, **parameters: str | None) -> None:
    """Print the report of the running dashboard into a PDF file, where a browser is installed."""
    from accessboard.accounts import address_for_browser
    from accessboard.report import NoReport, print_report, report_address
    from dashapp.settings import DashboardSettings
    from dashapp.time_range import BadRange, range_of

    if not any(parameters[name] for name in ("last", "start", "end")):
        parameters["last"] = "24h"
    settings = load(DashboardSettings)
    given = {name: value for name, value in parameters.items() if value}
    try:
        # The page would say so in its bars, which are not on paper, and show its default range.
        range_of(given, datetime.now(UTC), settings.zone)
        with _database() as dsn:
            address = address_for_browser(dsn, settings, report_address(settings.dashboard_bind, given))
        size = print_report(address, path)
    except (BadRange, NoReport) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{path}: {size:,} bytes")


@cli.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--service", default="default", show_default=True, help="Service of lines that name none.")
@click.option(
    "--format",
    "format_name",
    default="auto",
    show_default=True,
    help="auto, json, or one of docs/formats.md (combined, common, plain, ...).",
)
@click.option("--yes", is_flag=True, help="Do not ask, even if rows so old are not kept.")
def import_files(files: tuple[str, ...], service: str, format_name: str, yes: bool) -> None:
    """Import log files: plain or .gz, - for standard input. Ends with a receipt."""
    from accessboard.import_age import ask_about_age
    from accessboard.importing import import_with_progress
    from ingest_server.event import MOST_NAME, clean
    from ingest_server.import_file import IMPORT_FORMATS
    from ingest_server.intake import DEFAULT_SERVICE
    from ingest_server.settings import IngestSettings
    from sql.connection import connect

    if format_name not in IMPORT_FORMATS:
        raise click.BadParameter(f"{format_name!r} is none of {', '.join(IMPORT_FORMATS)}", param_hint="--format")
    settings = load(IngestSettings)
    with _database() as dsn:
        service = clean(service).strip()[:MOST_NAME] or DEFAULT_SERVICE
        connect(dsn).close()  # says at once, and why, if it cannot be reached
        if not yes:
            ask_about_age(dsn, files, format_name)
        import_with_progress(dsn, files, service, format_name, settings)


@cli.group()
def accounts() -> None:
    """Show who may sign in to the dashboard, and make one-time links to choose a password."""


@accounts.command("list")
def accounts_list() -> None:
    """Show the accounts."""
    from accessboard.accounts import show

    with _database() as dsn:
        show(dsn)


@accounts.command("link")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["viewer", "analyst", "administrator"]),
    help="Role of a new account (default: viewer), or another role for this one.",
)
def accounts_link(name: str, role: str | None) -> None:
    """Print a one-time link with which NAME chooses a password; makes the account where there is none."""
    from accessboard.accounts import make_link
    from dashapp.settings import DashboardSettings

    settings = load(DashboardSettings)
    with _database() as dsn:
        click.echo(make_link(dsn, settings, name, role))


@cli.group()
def quarantine() -> None:
    """Show records that could not be read, read them again, or drop them."""


_kind = click.option("--kind", help="Only records refused for this reason, such as no_path or unreadable.")
_source = click.option("--source", help="Only records that this source sent, as the list shows it.")


@quarantine.command("list")
@_kind
@_source
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="Records at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def quarantine_list(kind: str | None, source: str | None, limit: int, as_json: bool) -> None:
    """Show the newest records in quarantine and why they are there."""
    from accessboard.quarantine import show
    from sql.quarantine import Selection

    with _database() as dsn:
        show(dsn, Selection(kind, source), limit, as_json=as_json)


@quarantine.command("replay")
@_kind
@_source
@click.option("--dry-run", is_flag=True, help="Say what would become of them, change nothing.")
def quarantine_replay(kind: str | None, source: str | None, dry_run: bool) -> None:
    """Read records again with the parsers of this version: what can be read is stored and leaves the quarantine."""
    from accessboard.quarantine import replay
    from ingest_server.settings import IngestSettings
    from sql.quarantine import Selection

    settings = load(IngestSettings)
    with _database() as dsn:
        replay(dsn, Selection(kind, source), settings, dry_run=dry_run)


@quarantine.command("drop")
@click.option("--kind", required=True, help="Records refused for this reason.")
@_source
@click.option("--yes", is_flag=True, help="Do not ask.")
def quarantine_drop(kind: str, source: str | None, yes: bool) -> None:
    """Delete records from the quarantine for good; the ledger still counts them."""
    from accessboard.quarantine import drop
    from sql.quarantine import Selection

    with _database() as dsn:
        drop(dsn, Selection(kind, source), confirmed=yes)


@cli.command("forget")
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget_address(address: str, yes: bool) -> None:
    """Take a client out of the log: his requests still count, and nothing says whose they were."""
    from accessboard.forget import forget, stored_address
    from ingest_server.settings import IngestSettings

    stored = stored_address(address, load(IngestSettings))
    with _database() as dsn:
        forget(dsn, stored, confirmed=yes)


@cli.command()
def settings() -> None:
    """Print every setting, its default and what it does."""
    from accessboard.reference import reference

    click.echo(reference(), nl=False)


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
    from sql.settings import LifeSettings

    load(LifeSettings)  # the ingest server hands them over; what is wrong with them is said before it starts
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
