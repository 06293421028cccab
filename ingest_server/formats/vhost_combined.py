"""Apache's "vhost_combined": the virtual host, with or without a port, before a combined or common line. Pure."""

from __future__ import annotations

from ingest_server.formats.clf import add_agent, add_extras, has_virtual_host, read_head
from ingest_server.formats.record import Record


def parse_vhost_combined(line: str) -> Record | None:
    """Return the record of a line with the host as `vhost`, or None where no host is in front."""
    host, _, rest = line.partition(" ")
    client, _, after = rest.partition(" ")
    if not has_virtual_host(host, client, after.partition(" [")[0]):
        return None
    head = read_head(rest)
    if head is None:
        return None
    record, tail = head
    record["vhost"] = host
    if tail.startswith('"'):
        add_agent(record, tail)
    elif tail:
        add_extras(record, tail)
    return record
