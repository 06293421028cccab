"""`python -m tests.chaos --faults 1000`: break an ingest server on a native database, and count.

The last line is the verdict as JSON; the exit code is 1 where a record was lost or doubled, or anything else
went wrong that the verdict names. Needs TEST_DATABASE_URL, a native TimescaleDB on this machine; makes a database
of its own there and drops it. With CHAOS_KILL_BACKENDS=1 it also kills processes of the database server, which
then restarts every session, also those of others.
"""

from __future__ import annotations

import logging
import os
import random
import secrets
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

import click
from psycopg.conninfo import conninfo_to_dict

from sql.connection import DatabaseUnavailable
from tests.chaos.campaign import Campaign
from tests.chaos.database_proxy import DatabaseProxy
from tests.chaos.kinds import kills_allowed, native_kinds
from tests.chaos.servers import NativeStack
from tests.chaos.verdict import Verdict


@click.command()
@click.option("--faults", default=1000, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--seed", type=int, help="The same faults in the same order; their moments still differ.")
@click.option("--seconds-limit", default=1500.0, show_default=True, help="No more faults after this time.")
def main(faults: int, seed: int | None, seconds_limit: float) -> None:
    """Break an ingest server on a native database many times over, and count what is stored."""
    server_dsn = os.environ.get("TEST_DATABASE_URL")
    if not server_dsn:
        raise click.UsageError("set TEST_DATABASE_URL to a native TimescaleDB server on this machine")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    signal.signal(signal.SIGTERM, _interrupt)
    seed = secrets.randbits(32) if seed is None else seed
    click.echo(f"seed {seed}", err=True)
    verdict = Verdict(seed, {})
    try:
        verdict = run(server_dsn, faults, seed, seconds_limit)
    except (KeyboardInterrupt, Exception) as error:
        verdict.complaints.append(f"the run broke off: {error!r}")
        raise
    finally:
        # Whatever happened, the last line says so.
        click.echo(verdict.as_json())
    sys.exit(1 if verdict.failures() else 0)


def run(server_dsn: str, faults: int, seed: int, seconds_limit: float) -> Verdict:
    """Run a campaign on a database of its own."""
    where = conninfo_to_dict(server_dsn)
    host, port = str(where.get("host") or "127.0.0.1"), int(where.get("port") or 5432)
    proxy = DatabaseProxy((host, port), random.Random(seed))
    proxy.start()
    with tempfile.TemporaryDirectory(prefix="accessboard-chaos-") as folder:
        stack = NativeStack(Path(folder), server_dsn, proxy)
        try:
            stack.start()
            return _campaign(stack, faults, seed, seconds_limit).run()
        finally:
            try:
                stack.stop()
            finally:
                proxy.stop()


def _campaign(stack: NativeStack, faults: int, seed: int, seconds_limit: float) -> Campaign:
    skipped = {}
    backends = stack.backends()
    signals = bool(backends) and all(stack.may_signal(pid) for pid in backends)
    kills = signals and kills_allowed()
    if not signals:
        skipped["freeze_backends"] = "the database's processes are not on this machine, or not ours to signal"
    if not kills:
        skipped["kill_backend"] = "set CHAOS_KILL_BACKENDS=1 to allow it" if signals else skipped["freeze_backends"]
    kinds = native_kinds(may_kill_backends=kills, may_freeze_backends=signals)
    return Campaign(stack, kinds, faults, seed, seconds_limit=seconds_limit, skipped=skipped)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        main()
    except DatabaseUnavailable as error:
        sys.exit(str(error))
