"""Traefik's text format."""

from __future__ import annotations

from ingest_server.formats import parse_line

LINE = (
    '172.18.0.1 - - [01/May/2025:10:15:30 +0000] "POST /api/cart HTTP/2.0" 201 88 "https://shop.example/" '
    '"Mozilla/5.0" 17 "shop@docker" "http://172.18.0.5:8080" 34ms'
)


def test_traefik_reads_every_field() -> None:
    assert parse_line(LINE) == {
        "timestamp": "01/May/2025:10:15:30 +0000",
        "client_ip": "172.18.0.1",
        "method": "POST",
        "path": "/api/cart",
        "protocol": "HTTP/2.0",
        "status": "201",
        "bytes": "88",
        "referer": "https://shop.example/",
        "user_agent": "Mozilla/5.0",
        "request_count": "17",
        "router": "shop@docker",
        "server_url": "http://172.18.0.5:8080",
        "latency_ms": 34.0,
    }


def test_traefik_reads_a_request_without_a_router() -> None:
    record = parse_line(LINE.replace('"shop@docker" "http://172.18.0.5:8080"', '"-" "-"'))
    assert record is not None
    assert record["latency_ms"] == 34.0
    assert not {"router", "server_url", "rest"} & record.keys()


def test_traefik_does_not_fit_a_line_without_its_fields() -> None:
    assert parse_line('1.2.3.4 - - [01/May/2025:10:15:30 +0000] "GET / HTTP/1.1" 200 1 5ms', "traefik") is None
