"""`python -m demo`: a day of traffic and new requests coming; `python -m demo break checkout`: trouble on command."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import click

from accessboard.cli import run_everything, sentences
from accessboard.settings import load
from accessboard.supervisor import Running
from demo.backfill import backfill, missing_range
from demo.endpoints import ENDPOINTS
from demo.incidents import Incident
from demo.live import run_live
from demo.orders import Orders, broken, orders_file, slowed
from ingest_server.intake import open_intake
from ingest_server.settings import IngestSettings
from sql.connection import DatabaseUnavailable, reading_engine, snapshot, writing_pool
from sql.span import data_span
from sql.writing import LogWriter

SEED = 20250501
log = logging.getLogger("demo")


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Run the demo until Ctrl-C; or, while it runs, make something go wrong."""
    if context.invoked_subcommand is not None:
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with sentences():
        run_everything(play)


_NAMES = click.Choice([endpoint.name for endpoint in ENDPOINTS])
_endpoint = click.argument("endpoint", type=_NAMES)
_minutes = click.option("--minutes", type=click.FloatRange(0.1, 1440), default=10.0, show_default=True)


@main.command("break")
@_endpoint
@_minutes
@click.option(
    "--share", type=click.FloatRange(0.01, 1), default=0.9, show_default=True, help="Of the calls, that fail."
)
def break_endpoint(endpoint: str, minutes: float, share: float) -> None:
    """Let calls of ENDPOINT fail for a while."""
    _order(broken(endpoint, datetime.now(UTC), timedelta(minutes=minutes), share=share))


@main.command("slow")
@_endpoint
@_minutes
@click.option("--factor", type=click.FloatRange(1.1, 100), default=5.0, show_default=True, help="Of response times.")
def slow_endpoint(endpoint: str, minutes: float, factor: float) -> None:
    """Let calls of ENDPOINT take longer for a while."""
    _order(slowed(endpoint, datetime.now(UTC), timedelta(minutes=minutes), factor=factor))


@main.command("repair")
@click.argument("endpoint", type=_NAMES, required=False)
def repair_endpoint(endpoint: str | None) -> None:
    """End what was ordered for ENDPOINT, or everything that was ordered."""
    click.echo(f"{Orders(orders_file()).repair(endpoint)} orders taken back")


def _order(incident: Incident) -> None:
    Orders(orders_file()).give(incident)
    click.echo(f"{incident.name} until {incident.end:%H:%M:%S} UTC")


def play(running: Running) -> None:
    """Fill the last day, then send live traffic until the run stops."""
    click.echo(f"\n  dashboard  {running.dashboard_url}")
    click.echo(f"  ingest     {running.ingest_url}/log/ingest")
    click.echo("  trouble    .venv/bin/python -m demo break checkout --minutes 10   (--help tells more)")
    click.echo("  Ctrl-C ends all of it\n")
    start = datetime.now(UTC)
    try:
        start = _fill(running.dsn)
    except DatabaseUnavailable as error:
        log.error("the day before could not be filled: %s", error)
    tokens = load(IngestSettings).tokens()
    # From where the stored day ends: filling it took a while, and that while is no gap.
    run_live(
        running.ingest_url,
        running.stopping,
        seed=SEED,
        start=start,
        token=tokens[0] if tokens else None,
        orders=Orders(orders_file()),
    )


def _fill(dsn: str) -> datetime:
    """Fill what the last day lacks; return the moment up to which it is whole."""
    engine = reading_engine(dsn)
    with snapshot(engine) as connection:
        span = data_span(connection)
    engine.dispose()
    now = datetime.now(UTC)
    missing = missing_range(span.end if span else None, now)
    if missing is None:
        return now
    start, end = missing
    with writing_pool(dsn, max_size=1) as pool:
        writer = LogWriter(pool)
        receipt = backfill(
            open_intake(IngestSettings(), writer), writer, start, end, seed=SEED, on_progress=_say_progress
        )
    click.echo(f"  {receipt.stored:,} requests from {start:%Y-%m-%d %H:%M} to {end:%H:%M} UTC stored")
    click.echo("  live traffic runs")
    return end


def _say_progress(stored: int) -> None:
    if stored % 25_000 < 5_000:
        click.echo(f"  {stored:,} requests of demo traffic")


if __name__ == "__main__":
    main()
