"""Lines with the virtual host in front."""

from __future__ import annotations

import pytest

from ingest_server.formats import parse_line

REST = '[17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl/8"'


@pytest.mark.parametrize("vhost", ["www.example.com:443", "www.example.com", "10.0.0.9:80", "[::1]:8080"])
@pytest.mark.parametrize("client", ["83.149.9.216", "2001:db8::7"])
def test_vhost_combined_takes_the_second_field_for_the_client(vhost: str, client: str) -> None:
    record = parse_line(f"{vhost} {client} - frank {REST}")
    assert record is not None
    assert (record["vhost"], record["client_ip"], record["user"]) == (vhost, client, "frank")
    assert (record["path"], record["user_agent"]) == ("/a", "curl/8")


def test_vhost_combined_reads_a_client_by_name_and_a_time() -> None:
    record = parse_line(f"www.example.com:80 pc7.example.net - - {REST} 4500")
    assert record is not None
    assert (record["client_ip"], record["latency_ms"]) == ("pc7.example.net", 4.5)


def test_vhost_combined_reads_a_common_line() -> None:
    record = parse_line('w.example:80 1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 12')
    assert record is not None
    assert (record["vhost"], record["client_ip"], record["bytes"]) == ("w.example:80", "1.2.3.4", "12")


def test_vhost_combined_leaves_a_combined_line_alone() -> None:
    line = f"1.2.3.4 - - {REST}"
    assert parse_line(line, "vhost_combined") is None
    assert "vhost" not in (parse_line(line) or {})
