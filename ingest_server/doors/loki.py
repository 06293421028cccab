"""Loki's push API, as Promtail, Alloy and others use it: POST /loki/api/v1/push, JSON or protobuf in snappy. Pure.

Each entry is a line of a log with the labels of its stream; one of service_name, service, app, job, container names the
service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.message import DecodeError, Message

from ingest_server.doors.door import Door, Foreign, NotForeign, key_of, lines_of
from sql.batch import Receipt

_PROTOBUF = "application/x-protobuf"
_SERVICE_LABELS = ("service_name", "service", "app", "job", "container")
# {a="b", c="d\"e"}: labels as Prometheus writes them.
_LABEL = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_ESCAPED = re.compile(r"\\(.)")
_BILLION = 1_000_000_000
Entry = tuple[Mapping[str, str], int, str, Mapping[str, Any]]


def read(body: bytes, content_type: str, _path: str) -> Foreign:
    """Entries of a push request."""
    entries = list(_of_protobuf(body) if content_type == _PROTOBUF else _of_json(body))
    records = [_record(*entry) for entry in entries]
    return Foreign(lines_of(records), key_of(body, [time for _, time, _, _ in entries]))


def answer(_foreign: Foreign, _receipt: Receipt, _content_type: str) -> tuple[int, bytes, bytes]:
    """Nothing to say."""
    return 204, b"", b"application/json"


def encoding(content_type: str) -> str:
    """Protobuf comes in snappy, and no header says so."""
    return "snappy" if content_type == _PROTOBUF else ""


DOOR = Door("loki", re.compile(r"/loki/api/v1/push/?"), read, answer, encoding)


def _record(labels: Mapping[str, str], time: int, line: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {**labels, **metadata, "message": line, "@timestamp": time}
    service = next((labels[name] for name in _SERVICE_LABELS if labels.get(name)), None)
    return record if service is None else record | {"service": service}


def _of_json(body: bytes) -> Iterator[Entry]:
    try:
        request = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotForeign(f"the body is no push request in JSON: {error}"[:200]) from None
    streams = request.get("streams") if isinstance(request, dict) else None
    if not isinstance(streams, list):
        raise NotForeign("the body is no push request: it has no streams")
    for stream in streams:
        labels = stream.get("stream") if isinstance(stream, dict) else None
        values = stream.get("values") if isinstance(stream, dict) else None
        if not isinstance(labels, dict) or not isinstance(values, list):
            raise NotForeign("a stream has no labels or no values")
        for value in values:
            if not isinstance(value, list) or len(value) < 2 or not re.fullmatch(r"\d{1,20}", str(value[0])):
                raise NotForeign("a value is not [time in nanoseconds, line]")
            metadata = value[2] if len(value) > 2 and isinstance(value[2], dict) else {}
            yield {str(k): str(v) for k, v in labels.items()}, int(value[0]), str(value[1]), metadata


def _of_protobuf(body: bytes) -> Iterator[Entry]:
    message = cast("Any", _PUSH())
    try:
        message.ParseFromString(body)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise NotForeign(f"the body is no push request in protobuf: {error}"[:200]) from None
    for stream in message.streams:
        labels = labels_of(stream.labels)
        for entry in stream.entries:
            time = entry.timestamp.seconds * _BILLION + entry.timestamp.nanos
            yield labels, time, entry.line, {pair.name: pair.value for pair in entry.metadata}


def labels_of(text: str) -> dict[str, str]:
    """Labels of a stream, written as {name="value", ...}.

    Raises:
        NotForeign: they are not.
    """
    inside = text.strip()
    if not (inside.startswith("{") and inside.endswith("}")):
        raise NotForeign("the labels of a stream stand in no braces")
    inside, at, labels = inside[1:-1], 0, {}
    while inside[at:].strip():
        found = _LABEL.match(inside, at)
        if found is None:
            raise NotForeign("the labels of a stream cannot be read")
        labels[found[1]] = _ESCAPED.sub(lambda each: {"n": "\n", "t": "\t"}.get(each[1], each[1]), found[2])
        at = found.end()
    return labels


def _push_request() -> type[Message]:
    """The message of push.proto, by the numbers of its fields."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="accessboard_push.proto", package="accessboard", syntax="proto3")
    file.dependency.append(timestamp_pb2.DESCRIPTOR.name)
    shapes: Mapping[str, tuple[tuple[str, int, int, str], ...]] = {
        "Push": (("streams", 1, field.LABEL_REPEATED, ".accessboard.Stream"),),
        "Stream": (("labels", 1, field.LABEL_OPTIONAL, ""), ("entries", 2, field.LABEL_REPEATED, ".accessboard.Entry")),
        "Entry": (
            ("timestamp", 1, field.LABEL_OPTIONAL, ".google.protobuf.Timestamp"),
            ("line", 2, field.LABEL_OPTIONAL, ""),
            ("metadata", 3, field.LABEL_REPEATED, ".accessboard.Pair"),
        ),
        "Pair": (("name", 1, field.LABEL_OPTIONAL, ""), ("value", 2, field.LABEL_OPTIONAL, "")),
    }
    for name, fields in shapes.items():
        shape = file.message_type.add(name=name)
        for each, number, label, kind in fields:
            of = {"type": field.TYPE_MESSAGE, "type_name": kind} if kind else {"type": field.TYPE_STRING}
            shape.field.add(name=each, number=number, label=label, **of)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    made: type[Message] = message_factory.GetMessageClass(pool.FindMessageTypeByName("accessboard.Push"))
    return made


_PUSH = _push_request()
