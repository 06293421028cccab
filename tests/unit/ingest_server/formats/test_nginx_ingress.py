"""The format of the ingress controller of nginx."""

from __future__ import annotations

from ingest_server.formats import parse_line

HEAD = (
    '10.42.0.1 - - [01/May/2025:10:15:30 +0000] "GET /cart/7 HTTP/1.1" 200 612 "-" "curl/8.5.0" 498 0.005 [shop-web-80]'
)


def test_nginx_ingress_reads_every_field() -> None:
    assert parse_line(f"{HEAD} [] 10.42.0.7:8080 612 0.004 200 8d5a1c0f") == {
        "timestamp": "01/May/2025:10:15:30 +0000",
        "client_ip": "10.42.0.1",
        "method": "GET",
        "path": "/cart/7",
        "protocol": "HTTP/1.1",
        "status": "200",
        "bytes": "612",
        "user_agent": "curl/8.5.0",
        "request_length": "498",
        "latency_ms": 5.0,
        "upstream": "shop-web-80",
        "upstream_addr": "10.42.0.7:8080",
        "upstream_response_length": "612",
        "upstream_response_time": "0.004",
        "upstream_status": "200",
        "request_id": "8d5a1c0f",
    }


def test_nginx_ingress_keeps_the_upstreams_of_a_repeated_request() -> None:
    record = parse_line(f"{HEAD} 10.42.0.7:80, 10.42.0.8:80 0, 612 0.001, 0.004 502, 200 8d5a1c0f")
    assert record is not None
    assert record["upstream_addr"] == "10.42.0.7:80, 10.42.0.8:80"
    assert record["upstream_status"] == "502, 200"


def test_nginx_ingress_keeps_what_it_cannot_name() -> None:
    record = parse_line(f"{HEAD} [] a b c")
    assert record is not None
    assert (record["latency_ms"], record["rest"]) == (5.0, "a b c")
