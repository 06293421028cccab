"""The "common log format" of the first web servers; what follows it: see `clf.add_extras`. Pure."""

from __future__ import annotations

from ingest_server.formats.clf import add_extras, read_head
from ingest_server.formats.record import Record


def parse_common(line: str) -> Record | None:
    """Return the record of a line, or None where it does not begin with the common format."""
    head = read_head(line)
    if head is None:
        return None
    record, tail = head
    if tail:
        add_extras(record, tail)
    return record
