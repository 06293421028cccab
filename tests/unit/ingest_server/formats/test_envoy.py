"""Envoy's default format and Istio's."""

from __future__ import annotations

from ingest_server.formats import parse_line

ENVOY = (
    '[2025-05-01T10:15:30.310Z] "POST /api/v1/orders?x=1 HTTP/2" 204 - 154 37 226 100 "203.0.113.7" "app/2.1" '
    '"cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "orders.example" "tcp://10.0.2.1:80"'
)
ISTIO = (
    '[2025-05-01T10:15:30.409Z] "GET /status/503 HTTP/1.1" 503 UF upstream_reset - "timeout" 0 135 3 - "-" "curl/8" '
    '"84961386" "httpbin:8000" "-" outbound|8000||httpbin 127.0.0.1:41854 10.44.1.27:80 10.44.1.23:37652 - default'
)


def test_envoy_reads_every_field() -> None:
    assert parse_line(ENVOY) == {
        "timestamp": "2025-05-01T10:15:30.310Z",
        "method": "POST",
        "path": "/api/v1/orders?x=1",
        "protocol": "HTTP/2",
        "status": "204",
        "bytes_received": "154",
        "bytes": "37",
        "latency_ms": 226.0,
        "upstream_service_time": "100",
        "client_ip": "203.0.113.7",
        "user_agent": "app/2.1",
        "request_id": "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2",
        "authority": "orders.example",
        "upstream_host": "tcp://10.0.2.1:80",
    }


def test_envoy_reads_istio() -> None:
    record = parse_line(ISTIO)
    assert record is not None
    assert (record["status"], record["response_flags"], record["latency_ms"]) == ("503", "UF", 3.0)
    assert record["response_code_details"] == "upstream_reset"
    assert record["upstream_transport_failure_reason"] == "timeout"
    assert record["client_ip"] == "10.44.1.23"
    assert (record["upstream_cluster"], record["route_name"]) == ("outbound|8000||httpbin", "default")


def test_envoy_keeps_a_list_of_forwarders() -> None:
    record = parse_line(ENVOY.replace("203.0.113.7", "203.0.113.7, 10.0.0.1"))
    assert record is not None
    assert (record["client_ip"], record["x_forwarded_for"]) == ("203.0.113.7", "203.0.113.7, 10.0.0.1")


def test_envoy_reads_a_request_without_a_duration() -> None:
    record = parse_line(ENVOY.replace(" 226 100 ", " - - "))
    assert record is not None
    assert "latency_ms" not in record
