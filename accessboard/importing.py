"""The `import` command: progress on standard error, the receipt on standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ingest_server.import_file import ImportFailed, import_file
from ingest_server.intake import open_intake
from ingest_server.settings import IngestSettings
from sql.batch import NOTHING
from sql.connection import writing_pool
from sql.writing import LogWriter


def import_with_progress(
    dsn: str, files: Sequence[str], service: str, format_name: str, settings: IngestSettings
) -> None:
    """Import files one after the other and print the receipt.

    A file that cannot be read does not keep the others from being imported; the exit code is then 1.

    Raises:
        DatabaseUnavailable: the rest could not be stored.
    """
    total, failures = NOTHING, 0
    with writing_pool(dsn, max_size=3) as pool:
        writer = LogWriter(pool)
        intake = open_intake(settings, writer)
        for name in files:
            with click.progressbar(length=_size(name), label=name, file=sys.stderr) as bar:
                try:
                    total += import_file(name, service, intake, writer, format_name=format_name, on_bytes=bar.update)
                except ImportFailed as error:
                    failures += 1
                    click.echo(f"\naccessboard: {error}", err=True)
    click.echo(
        f"received {total.received:,}  stored {total.stored:,}  "
        f"duplicate {total.duplicate:,}  quarantined {total.quarantined:,}"
    )
    if failures:
        raise SystemExit(1)


def _size(name: str) -> int:
    path = Path(name)
    return path.stat().st_size if name != "-" and path.is_file() else 0
