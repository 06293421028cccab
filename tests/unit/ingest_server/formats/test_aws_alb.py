"""The access log of an Application Load Balancer."""

from __future__ import annotations

import pytest

from ingest_server.formats import parse_line


def line_of(times: str = "0.001 0.120 0.002", request: str = "GET https://shop.example:443/cart?id=7 HTTP/1.1") -> str:
    return (
        f"https 2025-05-01T10:15:30.186641Z app/shop/50dc6c495c0c9188 203.0.113.9:2817 10.0.0.1:80 {times} 200 200 34 "
        f'366 "{request}" "curl/8.5.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 '
        "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/shop/73e2d6bc24d8a067 "
        '"Root=1-58337281-1d84f3d73c47ec4e58577259" "shop.example" "arn:aws:acm:x" 1 2025-05-01T10:15:30.060000Z '
        '"forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_1234'
    )


def test_aws_alb_reads_the_columns() -> None:
    record = parse_line(line_of())
    assert record is not None
    assert record["timestamp"] == "2025-05-01T10:15:30.186641Z"
    assert record["client_ip"] == "203.0.113.9"
    assert (record["method"], record["path"]) == ("GET", "https://shop.example:443/cart?id=7")
    assert (record["status"], record["bytes"], record["user_agent"]) == ("200", "366", "curl/8.5.0")
    assert record["latency_ms"] == pytest.approx(123.0)


def test_aws_alb_keeps_the_other_fields() -> None:
    record = parse_line(line_of()) or {}
    assert record["type"] == "https"
    assert record["trace_id"] == "Root=1-58337281-1d84f3d73c47ec4e58577259"
    assert (record["target"], record["target_status_code"]) == ("10.0.0.1:80", "200")
    assert record["target_processing_time"] == "0.120"
    assert record["conn_trace_id"] == "TID_1234"
    assert not {"redirect_url", "error_reason", "rest"} & record.keys()


@pytest.mark.parametrize("times", ["0.001 -1 -1", "-1 -1 -1"])
def test_aws_alb_does_not_know_the_time_of_a_request_without_a_target(times: str) -> None:
    record = parse_line(line_of(times))
    assert record is not None
    assert "latency_ms" not in record


def test_aws_alb_keeps_fields_that_came_after_this_was_written() -> None:
    record = parse_line(line_of() + ' "new one" 5')
    assert record is not None
    assert record["rest"] == "new one 5"


@pytest.mark.parametrize(
    "line", ["http 1 2", "https", line_of(request="-"), line_of().replace("2025-05", "2025-99", 1)]
)
def test_aws_alb_does_not_fit(line: str) -> None:
    assert parse_line(line) is None
