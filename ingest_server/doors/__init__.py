"""Further doors beside /log/ingest: what clients of other systems send, turned into the same records.

A door turns a body into JSON lines and the receipt into the answer that its clients expect. Everything between is the
way of /log/ingest: tokens, limits, quarantine, ledger.
"""

from __future__ import annotations

from ingest_server.doors import elasticsearch, loki, otlp
from ingest_server.doors.door import Door, Foreign, NotForeign

__all__ = ["Door", "Foreign", "NotForeign", "door_of"]

_DOORS = (otlp.DOOR, elasticsearch.DOOR, loki.DOOR)


def door_of(path: str) -> Door | None:
    """The door at a path; None where there is none."""
    return next((door for door in _DOORS if door.at.fullmatch(path)), None)
