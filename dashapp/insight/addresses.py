"""The network that an address belongs to. Pure."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network

from sql.networks import BITS_4, BITS_6

_REMEMBERED = 100_000


@lru_cache(maxsize=_REMEMBERED)
def network_of_address(client: str) -> str:
    """The network of a client as filters name it: 10.24.1.0/24, or the first 48 bits of an IPv6 address."""
    if "." in client and ":" not in client and BITS_4 == 24:
        return f"{client.rpartition('.')[0]}.0/24"
    bits = BITS_6 if ":" in client else BITS_4
    return str(ip_network(f"{client}/{bits}", strict=False))
