"""Embedded databases for tests: made once, empty or migrated, and copied, which is three times as fast as made anew."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from accessboard.embedded.database import EmbeddedDatabase
from sql.migrate import migrate

_DATA = "pgdata"


def prepare(folder: Path, *, migrated: bool) -> Path:
    """Put the data of a database into a folder, as if it had been started there once; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(_template(migrated=migrated) / _DATA, folder / _DATA)
    return folder


@functools.cache
def _template(*, migrated: bool) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="accessboard-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = EmbeddedDatabase(folder)
    database.start()
    if migrated:
        migrate(database.dsn)
    database.stop()
    return folder
