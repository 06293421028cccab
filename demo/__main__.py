"""`python -m demo`: everything in one go, a day of traffic behind it and new requests coming."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import click

from accessboard.cli import run_everything, sentences
from accessboard.supervisor import Running
from demo.backfill import backfill, missing_range
from demo.live import run_live
from sql.connection import DatabaseUnavailable, reading_engine, snapshot, writing_pool
from sql.reading import data_span
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
    try:
        _fill(running.dsn)
    except DatabaseUnavailable as error:
        log.error("the day before could not be filled: %s", error)
    run_live(running.ingest_url, running.stopping, seed=SEED)


def _fill(dsn: str) -> None:
    engine = reading_engine(dsn)
    with snapshot(engine) as connection:
        span = data_span(connection)
    engine.dispose()
    missing = missing_range(span.end if span else None, datetime.now(UTC))
    if missing is None:
        return
    start, end = missing
    with writing_pool(dsn, max_size=1) as pool:
        receipt = backfill(LogWriter(pool), start, end, seed=SEED, on_progress=_say_progress)
    click.echo(f"  {receipt.stored:,} requests from {start:%Y-%m-%d %H:%M} to {end:%H:%M} UTC stored; live traffic runs")


def _say_progress(stored: int) -> None:
    if stored % 25_000 < 5_000:
        click.echo(f"  {stored:,} requests of demo traffic")


if __name__ == "__main__":
    main()
