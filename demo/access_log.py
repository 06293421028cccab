"""The access log of the target server: one line a call, a new file each day, old files removed."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

# Long enough for a log shipper to come back and read what it missed.
KEEP_FILES = 4
_DIRECTIVE = re.compile(r"%[a-zA-Z]")


def utc_now() -> datetime:
    """The current moment."""
    return datetime.now(UTC)


class DatedFile(logging.Handler):
    """Append lines to the file that the date names, such as `access-%Y%m%d.log`; dates are in UTC.

    A file is never renamed: Fluent Bit forgets how far it has read a renamed one, so it would lose its
    end or send all of it again. One process writes; a name without a date is one file for ever.
    """

    def __init__(self, pattern: str, *, now: Callable[[], datetime] = utc_now) -> None:
        """Write to files named by `pattern`, with the directives of `strftime`; the folder exists."""
        super().__init__()
        self._pattern = pattern
        self._now = now
        self._path: Path | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Append one line."""
        try:
            path = Path(self._now().strftime(self._pattern))
            # Opened for each line: at this rate it costs nothing, and no open file has to be looked after.
            with path.open("a", encoding="utf-8") as file:
                file.write(self.format(record) + "\n")
            if path != self._path:
                self._path = path
                self._remove_old()
        except OSError:
            self.handleError(record)

    def _remove_old(self) -> None:
        pattern = Path(self._pattern)
        names = re.compile(_DIRECTIVE.sub(r"\\d+", re.escape(pattern.name).replace(r"\%", "%")))
        files = sorted(file for file in pattern.parent.iterdir() if names.fullmatch(file.name))
        for file in files[:-KEEP_FILES]:
            file.unlink(missing_ok=True)


def access_log(pattern: str | None) -> logging.Logger:
    """Return a logger that nothing else writes to: the server's own messages stay out of it.

    Args:
        pattern: Names of the files; None for standard output.
    """
    logger = logging.getLogger(f"{__name__}:{pattern or 'stdout'}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if not logger.handlers:
        handler = DatedFile(pattern) if pattern else logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
    return logger
