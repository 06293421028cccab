"""`make bench`: one JSON object a line with name, figure, unit, baseline and ratio.

Runs on a database created for it on the server that DATABASE_URL (or TEST_DATABASE_URL) names, which should be a
native one on this machine; without either on the embedded one, where a floor of COPY cannot be measured. Machines
are noisy: read the ratios. `make bench ARGS=ingest` runs a part: ingest, import or reading.
"""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo

from accessboard.embedded.database import EmbeddedDatabase
from bench import importing, ingest, reading
from sql.connection import connect
from sql.migrate import migrate

PARTS = {"ingest": ingest.measure, "import": importing.measure, "reading": reading.measure}


def main() -> None:
    """Print the figures."""
    for name in sys.argv[1:] or PARTS:
        with _database() as dsn:
            migrate(dsn)
            PARTS[name](dsn)


@contextmanager
def _database() -> Iterator[str]:
    server = os.environ.get("DATABASE_URL") or os.environ.get("TEST_DATABASE_URL")
    if server is None:
        with tempfile.TemporaryDirectory() as folder:
            database = EmbeddedDatabase(Path(folder))
            database.start()
            try:
                yield database.dsn
            finally:
                database.stop()
        return
    name = f"accessboard_bench_{uuid.uuid4().hex[:12]}"
    with connect(server) as connection:
        connection.execute(f'create database "{name}"'.encode())
    try:
        yield make_conninfo(server, dbname=name)
    finally:
        with connect(server) as connection:
            connection.execute(f'drop database "{name}" with (force)'.encode())


if __name__ == "__main__":
    main()
