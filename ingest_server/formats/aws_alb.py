"""The access log of an AWS Application Load Balancer: fields with blanks between them, some in quotes. Pure."""

from __future__ import annotations

from ingest_server.addresses import client_address
from ingest_server.fields import milliseconds
from ingest_server.formats.record import FIELD, Record, is_time, present, split_request, unescaped

_TYPES = ("http ", "https ", "h2 ", "grpcs ", "ws ", "wss ")
_REQUEST = 12
_NAMES = (
    "type",
    "time",
    "elb",
    "client",
    "target",
    "request_processing_time",
    "target_processing_time",
    "response_processing_time",
    "elb_status_code",
    "target_status_code",
    "received_bytes",
    "sent_bytes",
    "request",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
    "target_group_arn",
    "trace_id",
    "domain_name",
    "chosen_cert_arn",
    "matched_rule_priority",
    "request_creation_time",
    "actions_executed",
    "redirect_url",
    "error_reason",
    "target_list",
    "target_status_code_list",
    "classification",
    "classification_reason",
    "conn_trace_id",
)
_TIMES = _NAMES[5:8]
_COLUMNS = frozenset({"time", "client", "elb_status_code", "sent_bytes", "request", "user_agent"})


def parse_aws_alb(line: str) -> Record | None:
    """Return the record of a line, or None where it is none.

    The latency is the sum of the three processing times, which are in seconds; it is unknown where one of them is
    -1, as for a request that reached no target. The other fields keep the names of the AWS documentation.
    """
    if not line.startswith(_TYPES):
        return None
    values = [unescaped(quoted or bare) for quoted, bare in FIELD.findall(line)]
    fields = dict(zip(_NAMES, values, strict=False))
    parts = split_request(fields.get("request", ""))
    if parts is None or len(values) <= _REQUEST or not is_time(fields["time"]):
        return None
    times = [milliseconds(fields[name], 1e3) for name in _TIMES]
    record: Record = {
        "timestamp": fields["time"],
        "method": parts[0],
        "path": parts[1],
        "status": fields["elb_status_code"],
    }
    known = [time for time in times if time is not None]
    if len(known) == len(times):
        record["latency_ms"] = sum(known)
    record |= present(
        client_ip=client_address(fields["client"]), bytes=fields["sent_bytes"], user_agent=fields.get("user_agent")
    )
    others = {name: value for name, value in fields.items() if name not in _COLUMNS}
    rest = " ".join(values[len(_NAMES) :])
    return record | present(protocol=parts[2], rest=rest, **others)
