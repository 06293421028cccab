"""Where a request comes from: which machine, and whether from a page of our own. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from werkzeug.datastructures import Headers

from dashapp.access.settings import Network


def is_within(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address belongs to one of some networks."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return any((mapped or found) in network for network in networks)


def caller_address(address: str, headers: Headers, proxies: Sequence[Network]) -> str:
    """Address of the client: the last one in X-Forwarded-For that is no trusted proxy's, where one sent it."""
    chain = [each.strip() for each in headers.get("X-Forwarded-For", "").split(",") if each.strip()]
    while is_within(address, proxies) and chain:
        address = chain.pop()
    return address


def is_foreign(headers: Headers, *, strict: bool) -> bool:
    """Whether a request that changes something may come from a page of another site.

    Browsers say it in Sec-Fetch-Site on HTTPS and on this machine, and in Origin elsewhere. `strict` takes neither
    for foreign: where a cookie speaks for somebody, a browser must have sent it.
    """
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None:
        return site not in ("same-origin", "none")
    if origin is not None:
        return origin.partition("://")[2].lower() != headers.get("Host", "").lower()
    return strict
