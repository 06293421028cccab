"""`python -m demo`: everything in one go, a day of traffic behind it and new requests coming."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import click

from accessboard.cli import run_everything, sentences
from accessboard.settings import load
from accessboard.supervisor import Running
from demo.backfill import backfill, missing_range
from demo.live import run_live
from ingest_server.intake import open_intake
from ingest_server.settings import IngestSettings
from sql.connection import DatabaseUnavailable, reading_engine, snapshot, writing_pool
from sql.span import data_span
from sql.writing import LogWriter

SEED = 20250501
log = logging.getLogger("demo")


def main() -> None:
    """Run the demo until Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with sentences():
        run_everything(play)


def play(running: Running) -> None:
    """Fill the last day, then send live traffic until the run stops."""
    click.echo(f"\n  dashboard  {running.dashboard_url}")
    click.echo(f"  ingest     {running.ingest_url}/log/ingest")
    click.echo("  Ctrl-C ends all of it\n")
    start = datetime.now(UTC)
    try:
        start = _fill(running.dsn)
    except DatabaseUnavailable as error:
        log.error("the day before could not be filled: %s", error)
    tokens = load(IngestSettings).tokens()
    # From where the stored day ends: filling it took a while, and that while is no gap.
    run_live(running.ingest_url, running.stopping, seed=SEED, start=start, token=tokens[0] if tokens else None)


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
