"""The format of the Kubernetes ingress controller of nginx: combined, then length, seconds and upstreams. Pure."""

from __future__ import annotations

import re

from ingest_server.formats.clf import HEAD, head_record
from ingest_server.formats.record import QUOTED, Record, present, unescaped

_LINE = re.compile(
    rf"{HEAD} {QUOTED} {QUOTED} (\d++) (\d++\.\d++) \[([^\[\]]*+)\](?: \[([^\[\]]*+)\])?(?: (.*))?", re.DOTALL
)
_NAMES = ("upstream_addr", "upstream_response_length", "upstream_response_time", "upstream_status", "request_id")


def parse_nginx_ingress(line: str) -> Record | None:
    """Return the record of a line, or None where it is none; the times of the upstreams stay in seconds, as text."""
    if line.count("] ") < 2 or (match := _LINE.fullmatch(line)) is None:
        return None
    groups = match.groups()
    record = head_record(groups[:7])
    if record is None:
        return None
    referer, agent, length, seconds, upstream, alternative, rest = groups[7:]
    record["latency_ms"] = float(seconds) * 1000
    record |= present(referer=unescaped(referer), user_agent=unescaped(agent))
    record |= present(request_length=length, upstream=upstream, alternative_upstream=alternative)
    # A request that was tried on several upstreams has lists here, joined by a comma and a blank.
    fields = (rest or "").replace(", ", ",").split()
    if len(fields) != len(_NAMES):
        return record | present(rest=rest)
    return record | present(**{name: value.replace(",", ", ") for name, value in zip(_NAMES, fields, strict=True)})
