"""The `quarantine` commands: show what could not be read, read it again, drop it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
import psycopg

from dashapp.stats.collection import quarantine
from ingest_server.compression import BrokenEncoding, TooLarge, decompress
from ingest_server.framing import decode
from ingest_server.horizon import Horizon
from ingest_server.intake import UNREADABLE, Intake, Origin
from ingest_server.route import RouteRules
from ingest_server.route_book import RouteBook
from ingest_server.settings import IngestSettings
from sql import quarantine as held_records
from sql.batch import Quarantined
from sql.connection import connect, reading_engine, snapshot
from sql.quarantine import Judge, Selection
from sql.release import Held, Replayed, Verdict
from sql.storing import utc_micros

MOST_SHOWN = 200  # characters of a record in a line of the list


def show(dsn: str, selection: Selection, limit: int, *, as_json: bool) -> None:
    """Print the newest records, one a line, or as JSON lines.

    Raises:
        DatabaseUnavailable: they cannot be read.
    """
    engine = reading_engine(dsn)
    try:
        with snapshot(engine) as connection:
            page = quarantine(connection, kind=selection.kind, source=selection.source, most=limit)
    finally:
        engine.dispose()
    for held in page.records:
        if as_json:
            click.echo(json.dumps(held.as_json(), default=datetime.isoformat, ensure_ascii=False))
            continue
        record, cut = held.record, ", cut" if held.truncated else ""
        click.echo(
            f"{record.id}  {held.received_at:%Y-%m-%d %H:%M:%S}Z  {record.source}  {record.service}  "
            f"{record.kind}: {record.reason}  ({record.size} bytes{cut})  "
            f"{json.dumps(held.text[:MOST_SHOWN], ensure_ascii=False)}"
        )
    if not page.records and not as_json:
        click.echo("nothing is in quarantine that fits")


def replay(dsn: str, selection: Selection, settings: IngestSettings, *, dry_run: bool) -> None:
    """Read quarantined records again with the parsers of this version and print what became of them.

    Raises:
        DatabaseUnavailable: the rest could not be done; what was printed before is.
    """
    total = Replayed()
    with _writing(dsn) as connection:
        for page in held_records.replay(connection, selection, judge_of(connection, settings), dry_run=dry_run):
            total.add(page)
            click.echo(f"looked at {total.looked_at:,}", err=True)
    said = "dry run: " if dry_run else ""
    click.echo(
        f"{said}looked at {total.looked_at:,}  taken out {total.released:,}  stored {total.stored:,}  "
        f"duplicate {total.duplicate:,}  still quarantined {total.kept:,}"
    )


def drop(dsn: str, selection: Selection, *, confirmed: bool) -> None:
    """Delete quarantined records after a confirmation.

    Raises:
        DatabaseUnavailable: not all of them were deleted.
    """
    with _writing(dsn) as connection:
        number = held_records.count(connection, selection)
        if number and not confirmed:
            click.confirm(f"Delete {number:,} quarantined records for good?", abort=True, err=True)
        click.echo(f"dropped {held_records.drop(connection, selection):,}")


def judge_of(connection: psycopg.Connection[Any], settings: IngestSettings) -> Judge:
    """Return a function that reads a held record as if it came now; routes are read on `connection`."""
    rules = RouteRules.parse(settings.route_patterns)
    book = RouteBook(rules, settings.route_limit, lambda: held_records.routes_in_use(connection))
    intake = Intake(book, Horizon(lambda: held_records.announced_us(connection)), settings.privacy())

    def judge(held: Held) -> Verdict:
        return read_again(held, intake, settings.ingest_max_bytes)

    return judge


def read_again(held: Held, intake: Intake, most_bytes: int) -> Verdict:
    """What a held record is to the present parsers: rows, and what of it is still refused."""
    try:
        # A body whose encoding was broken is kept as it came.
        body = decompress(held.record, "", most=most_bytes)
    except TooLarge:
        return Verdict((), ())
    except BrokenEncoding as error:
        return Verdict((), [Quarantined(UNREADABLE, str(error), held.record)])
    decoded = decode(body)
    rows, refused = intake.rows(decoded.values, decoded.raw_of, Origin(held.source, held.service), utc_micros())
    if not rows and held.kind == UNREADABLE and not _is_text(held.record):
        return Verdict((), ())  # nothing better can be said of it than what was known when it came
    return Verdict(rows, refused)


def _is_text(record: bytes) -> bool:
    try:
        record.decode()
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def _writing(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(dsn) as connection:
        connection.execute("set synchronous_commit = on")
        yield connection
