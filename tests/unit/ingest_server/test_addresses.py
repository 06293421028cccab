"""The client's address in the forms in which servers and proxies write it."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_server.addresses import client_address

# On a busy machine an example may take long; no test is about time.
relaxed = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("10.0.0.1", "10.0.0.1", id="v4"),
        pytest.param(" 10.0.0.1\n", "10.0.0.1", id="white space"),
        pytest.param("10.0.0.1:41342", "10.0.0.1", id="v4 and port"),
        pytest.param("10.0.0.1:", "10.0.0.1", id="v4 and no port"),
        pytest.param("2001:DB8:0::1", "2001:db8::1", id="v6"),
        pytest.param("[2001:db8::1]:443", "2001:db8::1", id="v6 and port"),
        pytest.param("[::1]", "::1", id="v6 in brackets"),
        pytest.param("fe80::1%eth0", "fe80::1", id="scope"),
        pytest.param("::ffff:10.0.0.1", "10.0.0.1", id="mapped"),
        pytest.param("[::ffff:10.0.0.1]:80", "10.0.0.1", id="mapped and port"),
        pytest.param("203.0.113.7, 10.0.0.1", "203.0.113.7", id="list"),
        pytest.param("203.0.113.7:5,10.0.0.1", "203.0.113.7", id="list with ports"),
        pytest.param("unknown, 203.0.113.7", "203.0.113.7", id="list that begins with a word"),
        pytest.param("", None, id="empty"),
        pytest.param("-", None, id="dash"),
        pytest.param("www.example.com", None, id="name"),
        pytest.param("www.example.com:80", None, id="name and port"),
        pytest.param("256.0.0.1", None, id="too large"),
        pytest.param("1.2.3", None, id="three parts"),
        pytest.param("1.2.3.4.", None, id="dot at the end"),
        pytest.param("1.2.3.4\n.", None, id="line end inside"),
        pytest.param("01.2.3.4", None, id="leading zero: octal for some"),
        pytest.param("10.0.0.1:123456", None, id="port too long"),
        pytest.param("1.2.3.4, ", "1.2.3.4", id="empty part"),
        pytest.param("a," * 100 + "1.2.3.4", None, id="far behind in a list"),
        pytest.param("1" * 10_000, None, id="long"),
        pytest.param("١.2.3.4", None, id="other digits"),
    ],
)
def test_client_address(text: str, address: str | None) -> None:
    assert client_address(text) == address


@relaxed
@given(st.ip_addresses(), st.integers(0, 65535))
def test_client_address_reads_every_address_with_and_without_a_port(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    wanted = str(getattr(address, "ipv4_mapped", None) or address)
    with_port = f"{address}:{port}" if address.version == 4 else f"[{address}]:{port}"
    assert client_address(str(address)) == client_address(with_port) == wanted
    assert client_address(f"{with_port}, 10.0.0.1") == wanted


@relaxed
@given(st.text() | st.text(alphabet="0123456789abcdef.:[]%, \n", max_size=150))
def test_client_address_of_anything_is_an_address_or_none(text: str) -> None:
    address = client_address(text)
    assert address is None or str(ipaddress.ip_address(address)) == address
