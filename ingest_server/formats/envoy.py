"""Envoy's default text format, with what Istio adds to it. Pure."""

from __future__ import annotations

import re

from ingest_server.addresses import client_address
from ingest_server.formats.record import QUOTED, Record, is_time, present, split_request, unescaped

# Time, request, status, flags, [Istio: details, details, failure,] bytes in, bytes out, milliseconds, milliseconds
# of the upstream, forwarders, agent, request id, authority, upstream.
_LINE = re.compile(
    rf"\[([^\[\]]++)\] {QUOTED} (\d++|-) (\S++)(?: (\S++) (\S++) {QUOTED})? (\d++|-) (\d++|-) (\d++|-) (\S++) "
    rf"{QUOTED} {QUOTED} {QUOTED} {QUOTED} {QUOTED}(?:\s(.*))?",
    re.DOTALL,
)
_ISTIO = (
    "upstream_cluster",
    "upstream_local_address",
    "downstream_local_address",
    "downstream_remote_address",
    "requested_server_name",
    "route_name",
)


def parse_envoy(line: str) -> Record | None:
    """Return the record of a line, or None where it is none; the client is the first of the forwarders."""
    if not line.startswith("[") or (match := _LINE.fullmatch(line)) is None:
        return None
    time, request, status, flags, details, connection, failure, *numbers = match.groups()[:11]
    forwarders, agent, request_id, authority, upstream, rest = match.groups()[11:]
    parts = split_request(unescaped(request))
    if parts is None or not is_time(time):
        return None
    extra = (rest or "").split()
    istio = dict(zip(_ISTIO, extra, strict=True)) if len(extra) == len(_ISTIO) else {"rest": rest}
    received, sent, duration, upstream_time = numbers
    record: Record = {
        "timestamp": time,
        "method": parts[0],
        "path": parts[1],
        "status": status,
    }
    if duration != "-":
        record["latency_ms"] = float(duration)
    client = client_address(forwarders) or client_address(istio.get("downstream_remote_address") or "")
    return record | present(
        bytes=sent,
        user_agent=unescaped(agent),
        client_ip=client,
        x_forwarded_for=None if forwarders == client else forwarders,
        protocol=parts[2],
        response_flags=flags,
        response_code_details=details,
        connection_termination_details=connection,
        upstream_transport_failure_reason=failure,
        bytes_received=received,
        upstream_service_time=upstream_time,
        request_id=request_id,
        authority=authority,
        upstream_host=upstream,
        **istio,
    )
