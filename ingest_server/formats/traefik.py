"""Traefik's text format: combined, then a request counter, the router, the server's URL and the duration. Pure."""

from __future__ import annotations

import re

from ingest_server.formats.clf import HEAD, head_record
from ingest_server.formats.record import QUOTED, Record, present, unescaped

_LINE = re.compile(rf"{HEAD} {QUOTED} {QUOTED} (\d++|-) {QUOTED} {QUOTED} (\d++)ms", re.DOTALL)


def parse_traefik(line: str) -> Record | None:
    """Return the record of a line, with whole milliseconds as its latency, or None where it is none."""
    if not line.endswith("ms") or (match := _LINE.fullmatch(line)) is None:
        return None
    groups = match.groups()
    record = head_record(groups[:7])
    if record is None:
        return None
    referer, agent, count, router, server, duration = groups[7:]
    record["latency_ms"] = float(duration)
    record |= present(referer=unescaped(referer), user_agent=unescaped(agent))
    return record | present(request_count=count, router=router, server_url=server)
