"""OpenTelemetry's logs over HTTP (OTLP/HTTP, JSON or protobuf): POST /v1/logs. Pure.

A log record becomes the fields of its resource, its scope and itself; the names of the semantic conventions, new and
old, are those that the Elastic schema has too. A body that is a text is read as a line of a log.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from ingest_server.doors.door import Door, Foreign, NotForeign, key_of, lines_of
from sql.batch import Receipt

_PROTOBUF = "application/x-protobuf"
_DEEPEST = 32
# Names of the conventions before 1.23, and units in their names.
_RENAMED: Mapping[str, str] = {
    "http.method": "http.request.method",
    "http.target": "url.original",
    "http.url": "url.original",
    "http.status_code": "http.response.status_code",
    "http.user_agent": "user_agent.original",
    "http.client_ip": "client.address",
    "net.peer.ip": "client.address",
    "net.sock.peer.addr": "client.address",
    "network.peer.address": "client.address",
    "http.response_content_length": "http.response.body.bytes",
    "http.response.body.size": "http.response.body.bytes",
    "http.server.request.duration": "duration_s",
    "http.server.duration": "duration_ms",
}


def read(body: bytes, content_type: str, _path: str) -> Foreign:
    """Records of an ExportLogsServiceRequest."""
    is_protobuf = content_type == _PROTOBUF
    request = _of_protobuf(body) if is_protobuf else _of_json(body)
    records: list[dict[str, Any]] = []
    times: list[int] = []
    for resource, log in _logs(request):
        records.append(_record(resource, log, is_protobuf=is_protobuf))
        times += [time for name in ("timeUnixNano", "observedTimeUnixNano") if (time := _nanos(log.get(name)))]
    return Foreign(lines_of(records), key_of(body, times))


def answer(_foreign: Foreign, _receipt: Receipt, content_type: str) -> tuple[int, bytes, bytes]:
    """An empty response: all of it was taken, and what could not be read is kept."""
    return (200, b"", _PROTOBUF.encode()) if content_type == _PROTOBUF else (200, b"{}", b"application/json")


DOOR = Door("otlp", re.compile(r"/v1/logs/?"), read, answer)


def _of_protobuf(body: bytes) -> Any:
    message = ExportLogsServiceRequest()
    try:
        message.ParseFromString(body)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise NotForeign(f"the body is no OTLP in protobuf: {error}"[:200]) from None
    return MessageToDict(message)


def _of_json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotForeign(f"the body is no OTLP in JSON: {error}"[:200]) from None


def _logs(request: Any) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
    if not isinstance(request, dict):
        raise NotForeign("the body is no OTLP request: no object")
    for of_resource in _objects(request, "resourceLogs", "instrumentationLibraryLogs"):
        resource = _attributes(of_resource.get("resource"))
        for of_scope in _objects(of_resource, "scopeLogs", "instrumentationLibraryLogs"):
            for log in _objects(of_scope, "logRecords", "logs"):
                yield resource, log


def _objects(holder: Mapping[str, Any], *names: str) -> Iterator[Mapping[str, Any]]:
    found: Any = next((holder[name] for name in names if name in holder), [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise NotForeign(f"{names[0]} is no list of objects")
    yield from found


def _record(resource: Mapping[str, Any], log: Mapping[str, Any], *, is_protobuf: bool) -> dict[str, Any]:
    record = dict(resource) | _attributes(log)
    record = {_RENAMED.get(name, name): value for name, value in record.items()}
    body = _value(log.get("body"), _DEEPEST)
    if isinstance(body, dict):
        record |= {_RENAMED.get(name, name): value for name, value in body.items()}
    elif isinstance(body, str) and body:
        record["message"] = body
    time = _nanos(log.get("timeUnixNano")) or _nanos(log.get("observedTimeUnixNano"))
    if time and "timestamp" not in record:
        record["@timestamp"] = time
    for name, key in (("traceId", "trace_id"), ("spanId", "span_id")):
        text = log.get(name)
        if isinstance(text, str) and text:
            record[key] = base64.b64decode(text).hex() if is_protobuf else text
    return record


def _attributes(holder: Any) -> dict[str, Any]:
    listed = holder.get("attributes") if isinstance(holder, dict) else None
    return _pairs(listed, _DEEPEST)


def _pairs(listed: Any, levels: int) -> dict[str, Any]:
    if not isinstance(listed, list):
        return {}
    pairs = [each for each in listed if isinstance(each, dict) and "key" in each]
    return {str(each["key"]): _value(each.get("value"), levels) for each in pairs}


def _value(value: Any, levels: int) -> Any:
    """What an AnyValue holds."""
    if not isinstance(value, dict) or levels < 0:
        return None
    for name, held in value.items():
        if name == "intValue":
            return int(held) if isinstance(held, int | str) and re.fullmatch(r"-?\d{1,20}", str(held)) else None
        if name == "arrayValue":
            listed = held.get("values") if isinstance(held, dict) else None
            return [_value(each, levels - 1) for each in listed] if isinstance(listed, list) else []
        if name == "kvlistValue":
            return _pairs(held.get("values") if isinstance(held, dict) else None, levels - 1)
        if name in ("stringValue", "doubleValue", "boolValue", "bytesValue"):
            return held
    return None


def _nanos(value: Any) -> int:
    return int(value) if isinstance(value, int | str) and re.fullmatch(r"\d{1,20}", str(value)) else 0
