"""Before an import: are its records older than what is kept?"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import click

from ingest_server.import_file import ImportFailed
from ingest_server.import_span import import_span
from sql.connection import reading_engine, snapshot
from sql.life import Horizon, Keeping, horizon, keeping
from sql.storing import utc_micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ask_about_age(dsn: str, files: Sequence[str], format_name: str) -> None:
    """Say which files hold records that are not kept, and go on only if the person at the terminal wants it.

    Raises:
        DatabaseUnavailable: what is kept cannot be read.
        SystemExit: nobody is there to ask.
    """
    kept, refused = _limits(dsn)
    if not kept.keep_log_days and refused.announced_from is None:
        return
    found = list(_warnings(files, format_name, kept, refused))
    for warning in found:
        click.echo(f"accessboard: {warning}", err=True)
    if not found:
        return
    if "-" in files or not sys.stdin.isatty():
        raise SystemExit("accessboard: nothing was imported; --yes imports it all the same")
    click.confirm("Import it all the same?", abort=True, err=True)


def warning_of(
    name: str, first: datetime, last: datetime, kept: Keeping, refused: Horizon, now: datetime
) -> str | None:
    """What will become of the records of a file that are older than what is kept; None if all are kept. Pure."""
    oldest = min(first, last)
    days = timedelta(days=kept.keep_log_days)
    settings = f"KEEP_LOG_DAYS={kept.keep_log_days:g}, KEEP_LOG_GB={kept.keep_log_gb:g}"
    words = f"{name} holds records of {oldest:%Y-%m-%d} to {max(first, last):%Y-%m-%d}"
    if refused.announced_from is not None and oldest < refused.announced_from:
        border = refused.announced_from.astimezone(UTC)
        return f"{words}; those before {border:%Y-%m-%d %H:%M} UTC go into quarantine ({settings})"
    if days and oldest < now - days:
        return f"{words}; those before {now - days:%Y-%m-%d} are counted and then dropped soon ({settings})"
    return None


def _warnings(files: Sequence[str], format_name: str, kept: Keeping, refused: Horizon) -> Iterator[str]:
    now_us = utc_micros()
    for name in files:
        try:
            span = import_span(name, format_name, now_us)
        except ImportFailed:
            continue  # the import itself says so, and goes on with the others
        if span is not None:
            warning = warning_of(name, _moment(span[0]), _moment(span[1]), kept, refused, _moment(now_us))
            if warning is not None:
                yield warning


def _limits(dsn: str) -> tuple[Keeping, Horizon]:
    engine = reading_engine(dsn)
    try:
        with snapshot(engine) as reading:
            return keeping(reading), horizon(reading)
    finally:
        engine.dispose()


def _moment(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
