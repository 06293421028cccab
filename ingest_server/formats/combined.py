"""Apache's and nginx's "combined" format: common plus referrer and user agent. Pure.

After these may come a response time, nginx's quoted X-Forwarded-For and more: see `clf.add_extras`.
"""

from __future__ import annotations

import re

from ingest_server.formats.clf import add_agent, add_extras, read_head
from ingest_server.formats.record import Record, is_time

# Nearly every line is of this form: no escapes, no blanks in the path.
_USUAL = re.compile(
    r'(\S++) (\S++) (\S++) \[([^\[\]"]++)\] "([A-Z]++) ([^\s"\\]++) (HTTP/[0-9.]++)" (\d{3}) (\d++|-) '
    r'"([^"\\]*+)" "([^"\\]*+)"(?: (.*))?',
    re.ASCII | re.DOTALL,
)


def parse_combined(line: str) -> Record | None:
    """Return the record of a line, or None where it is no combined one."""
    match = _USUAL.fullmatch(line)
    if match is None:
        head = read_head(line)
        if head is None or not head[1].startswith('"'):
            return None
        record, tail = head
        add_agent(record, tail)
        return record
    client, ident, user, time, method, path, protocol, status, size, referer, agent, tail = match.groups()
    if not is_time(time):
        return None
    record = {
        "timestamp": time,
        "client_ip": client,
        "method": method,
        "path": path,
        "status": status,
        "protocol": protocol,
    }
    if size != "-":
        record["bytes"] = size
    if referer != "-":
        record["referer"] = referer
    if agent != "-":
        record["user_agent"] = agent
    if ident != "-":
        record["ident"] = ident
    if user != "-":
        record["user"] = user
    if tail:
        add_extras(record, tail)
    return record
