"""Find the client's address in what servers and proxies write about it. Pure."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

# A list of forwarders is written by the client, so it may be as long as it likes; only its beginning is read.
MOST_FORWARDERS = 16
LONGEST = 100
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}(?<!\n)", re.ASCII)
_PORT = re.compile(r"\[([^\[\]]*)\](?::\d{0,5})?|([0-9.]+):\d{0,5}", re.ASCII)


def client_address(text: str) -> str | None:
    """Return the address in a text, in its shortest form, or None where there is none.

    Takes an address with or without a port (`1.2.3.4:80`, `[::1]:80`), with a scope (`fe80::1%eth0`, dropped), an
    IPv4 address inside an IPv6 one (`::ffff:1.2.3.4`, taken out), and a list of them as `X-Forwarded-For` is one:
    then the leftmost that is an address.
    """
    if "," not in text:
        return _address(text) if len(text) <= LONGEST else None
    for part in text.split(",", MOST_FORWARDERS)[:MOST_FORWARDERS]:
        if len(part) <= LONGEST and (address := _address(part)) is not None:
            return address
    return None


@lru_cache(maxsize=16_384)
def _address(text: str) -> str | None:
    text = text.strip()
    if _IPV4.fullmatch(text):
        return text
    if match := _PORT.fullmatch(text):
        text = match[1] or match[2] or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped  # how a dual-stack server writes an IPv4 client
    return str(address).partition("%")[0]
