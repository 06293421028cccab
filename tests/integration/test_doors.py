"""Clients of other systems: the same events come out as of /log/ingest, once, and each client hears what it expects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import cramjam
import psycopg
import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from ingest_server.doors.door import NotForeign
from ingest_server.doors.loki import _PUSH, labels_of
from ingest_server.service import open_service
from ingest_server.settings import IngestSettings
from tests.ingest_server import Answer, Client, serving

AT_NS = 1_751_360_400_123_456_789  # 2025-07-01 09:00:00.123456789 UTC
TRACE = "5b8efff798038103d269b633813fc60c"
LINE = '203.0.113.9 - - [01/Jul/2025:09:00:00 +0000] "GET /cart?x=1 HTTP/1.1" 503 120 "-" "curl/8.5"'
Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def server(dsn: str) -> Iterator[Client]:
    settings = IngestSettings()
    with serving(settings, lambda: open_service(settings, dsn)) as client:
        yield client


def post(server: Client, path: str, body: bytes, kind: str = "application/json", **headers: str) -> Answer:
    return server.post(
        path, body, headers={"Content-Type": kind} | {k.replace("_", "-"): v for k, v in headers.items()}
    )


def stored(connection: Connection, service: str) -> list[Any]:
    return connection.execute(
        "select method, path, status, latency_ms, host(client_ip), user_agent, extract(epoch from ts)::float8 "
        "from access_log where service = %s order by ts, path",
        (service,),
    ).fetchall()


def kept(connection: Connection, service: str) -> list[str]:
    rows = connection.execute(
        "select kind from quarantine where batch_id in (select id from ingest_batch where service = %s)", (service,)
    ).fetchall()
    return [row[0] for row in rows]


def attribute(key: str, value: Any) -> dict[str, Any]:
    kind = {str: "stringValue", int: "intValue", float: "doubleValue"}[type(value)]
    return {"key": key, "value": {kind: str(value) if isinstance(value, int) else value}}


def otlp(service: str, *logs: dict[str, Any]) -> dict[str, Any]:
    resource = {"attributes": [attribute("service.name", service), attribute("k8s.pod.name", "pod-1")]}
    return {
        "resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": {"name": "web"}, "logRecords": list(logs)}]}]
    }


NEW = {
    "timeUnixNano": str(AT_NS), "traceId": TRACE, "body": {"stringValue": "request done"},
    "attributes": [
        attribute("http.request.method", "GET"), attribute("url.path", "/cart"), attribute("url.query", "x=1"),
        attribute("http.response.status_code", 503), attribute("client.address", "203.0.113.9"),
        attribute("user_agent.original", "curl/8.5"), attribute("http.server.request.duration", 0.0125),
    ],
}  # fmt: skip
OLD = {
    "timeUnixNano": str(AT_NS),
    "attributes": [
        attribute("http.method", "GET"), attribute("http.target", "/cart?x=1"), attribute("http.status_code", 503),
        attribute("http.client_ip", "203.0.113.9"), attribute("http.user_agent", "curl/8.5"),
        attribute("http.server.duration", 12.5),
    ],
}  # fmt: skip
TEXT = {"timeUnixNano": "0", "observedTimeUnixNano": str(AT_NS), "body": {"stringValue": LINE}}
EXPECTED = ("GET", "/cart", 503, 12.5, "203.0.113.9", "curl/8.5")


@pytest.mark.parametrize("log", [NEW, OLD], ids=["semantic conventions", "old conventions"])
@pytest.mark.parametrize("as_protobuf", [False, True], ids=["json", "protobuf"])
def test_otlp(server: Client, connection: Connection, service: str, log: dict[str, Any], as_protobuf: bool) -> None:
    request = otlp(service, log, {"timeUnixNano": str(AT_NS), "body": {"stringValue": "started"}})
    body, kind, said = json.dumps(request).encode(), "application/json", b"{}"
    if as_protobuf:
        given = json.loads(body)
        given["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0].pop("traceId", None)
        message = ParseDict(given, ExportLogsServiceRequest())
        message.resource_logs[0].scope_logs[0].log_records[0].trace_id = bytes.fromhex(
            "5b8efff798038103d269b633813fc60c"
        )
        body, kind, said = message.SerializeToString(), "application/x-protobuf", b""
    for _ in range(2):  # the exporter did not hear our answer
        answer = post(server, "/v1/logs", body, kind)
        assert (answer.status, answer.body) == (200, said)
    (row,) = stored(connection, service)
    assert row[:6] == EXPECTED
    assert row[6] == pytest.approx(AT_NS / 1e9, abs=1e-6)
    found = connection.execute("select attributes from access_log where service = %s", (service,)).fetchone()
    assert found is not None
    assert found[0]["k8s.pod.name"] == "pod-1"
    if log is NEW:
        assert found[0]["trace_id"] == TRACE
    assert len(kept(connection, "default")) >= 1  # "started" is no request, and it is kept


def test_a_text_in_otlp_is_a_line_of_a_log(server: Client, connection: Connection, service: str) -> None:
    assert post(server, "/v1/logs", json.dumps(otlp(service, TEXT)).encode()).status == 200
    ((*row, at),) = stored(connection, service)
    assert row == ["GET", "/cart", 503, None, "203.0.113.9", "curl/8.5"]
    assert at == 1_751_360_400.0  # its own time, not when somebody read it


def test_bulk(server: Client, connection: Connection, service: str) -> None:
    document = {
        "@timestamp": "2025-07-01T09:00:00.123Z",
        "http": {"request": {"method": "GET"}, "response": {"status_code": 503}},
        "url": {"path": "/cart"}, "source": {"ip": "203.0.113.9"}, "user_agent": {"original": "curl/8.5"},
        "event": {"duration": 12_500_000},
    }  # fmt: skip
    lines = [
        {"create": {"_index": service, "_id": "one"}}, document, {"index": {"_id": "two"}}, document,
        {"delete": {"_index": service, "_id": "one"}}, {"create": {}}, {"message": "no request"},
    ]  # fmt: skip
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    for _ in range(2):
        answer = post(server, f"/{service}/_bulk", body, "application/x-ndjson")
        said = json.loads(answer.body)
        assert (answer.status, said["errors"]) == (200, True)
        assert [next(iter(each.items()))[1]["status"] for each in said["items"]] == [201, 201, 400, 201]
    assert [row[:6] for row in stored(connection, service)] == [EXPECTED, EXPECTED]


def push(service: str, line: str = LINE) -> dict[str, Any]:
    return {"streams": [{"stream": {"app": service, "pod": "a"}, "values": [[str(AT_NS), line, {"trace": "x"}]]}]}


def test_loki_in_json(server: Client, connection: Connection, service: str) -> None:
    for _ in range(2):
        answer = post(server, "/loki/api/v1/push", json.dumps(push(service)).encode())
        assert (answer.status, answer.body) == (204, b"")
    assert [row[:6] for row in stored(connection, service)] == [("GET", "/cart", 503, None, "203.0.113.9", "curl/8.5")]


def test_a_line_that_a_client_of_loki_wrapped_is_read(server: Client, connection: Connection, service: str) -> None:
    wrapped = json.dumps({"log": LINE, "stream": "stdout"})
    assert post(server, "/loki/api/v1/push", json.dumps(push(service, wrapped)).encode()).status == 204
    assert [row[:3] for row in stored(connection, service)] == [("GET", "/cart", 503)]


def test_loki_in_protobuf_and_snappy(server: Client, connection: Connection, service: str) -> None:
    message: Any = _PUSH()
    stream = message.streams.add(labels=f'{{service_name="{service}", level="in\\"fo"}}')
    entry = stream.entries.add(line=LINE)
    entry.timestamp.seconds, entry.timestamp.nanos = divmod(AT_NS, 1_000_000_000)
    entry.metadata.add(name="trace", value="x")
    body = bytes(cramjam.snappy.compress_raw(message.SerializeToString()))
    assert post(server, "/loki/api/v1/push", body, "application/x-protobuf").status == 204
    assert [row[:3] for row in stored(connection, service)] == [("GET", "/cart", 503)]
    found = connection.execute("select attributes from access_log where service = %s", (service,)).fetchone()
    assert found is not None
    assert (found[0]["level"], found[0]["trace"]) == ('in"fo', "x")


def test_two_equal_bodies_of_whole_seconds_are_two_requests(
    server: Client, connection: Connection, service: str
) -> None:
    request = push(service)
    request["streams"][0]["values"][0][0] = "1751360400000000000"
    for _ in range(2):
        assert post(server, "/loki/api/v1/push", json.dumps(request).encode()).status == 204
    assert len(stored(connection, service)) == 2


@pytest.mark.parametrize("path", ["/v1/logs", "/_bulk", "/loki/api/v1/push"])
@pytest.mark.parametrize("body", [b"\x00\xff garbage", b"[1, 2]", b'{"streams": 5, "resourceLogs": "x"}', b"{" * 5000])
def test_what_is_none_is_kept_and_answered(
    server: Client, connection: Connection, service: str, path: str, body: bytes
) -> None:
    kinds = ["application/json", "application/x-protobuf"] if path != "/loki/api/v1/push" else ["application/json"]
    for kind in kinds:
        answer = post(server, f"{path}?service={service}", body, kind)
        assert answer.status in (200, 204)
    assert set(kept(connection, service)) == {"unreadable"}


def test_a_door_needs_a_token_too(dsn: str, service: str) -> None:
    from pydantic import SecretStr

    settings = IngestSettings(ingest_tokens=SecretStr("one"))
    with serving(settings, lambda: open_service(settings, dsn)) as client:
        body = json.dumps(push(service)).encode()
        assert post(client, "/loki/api/v1/push", body).status == 401
        assert post(client, "/loki/api/v1/push", body, Authorization="Bearer one").status == 204
        assert client.get("/loki/api/v1/push").status == 405


@pytest.mark.parametrize("text", ["", "a=1", '{a="b" c="d"}', "{a=b}", '{="b"}'])
def test_labels_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(NotForeign):
        labels_of(text)
