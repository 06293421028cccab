"""Who may upload a log file through the dashboard, and from which page. Pure.

The dashboard sends what it is given to the ingest server, with a token of its own. So it asks of a request what
the ingest server would: that it comes from this machine, unless a setting opens it. And since a browser sends a
request for any page that asks it to, it must come from one of our own pages.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Literal

from werkzeug.datastructures import Headers

Allowed = Literal["local", "all", "off"]
Why = Literal["off", "elsewhere", "proxy", "name", "role"]
MARK = "X-Accessboard-Upload"  # no form can send it, and a script of another site must ask first, in vain
_HOST = re.compile(r"(?:\[(?P<bracketed>[0-9A-Fa-f:.]+)\]|(?P<name>[0-9A-Za-z.-]+))(?::\d*)?")
_FORWARDED = ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP")


def why_not(allowed: Allowed, address: str | None, headers: Headers) -> Why | None:
    """Why a client may not upload, None if it may.

    Args:
        allowed: the setting ALLOW_UPLOAD.
        address: of the other end of the connection.
        headers: of the request.
    """
    if allowed != "local":
        return "off" if allowed == "off" else None
    if not _is_loopback(address or ""):
        return "elsewhere"
    # Behind a proxy on this machine everybody seems to be here.
    if any(name in headers for name in _FORWARDED):
        return "proxy"
    # A name of somebody else's that leads to this machine is not this machine's name.
    return None if is_local_name(headers.get("Host", "")) else "name"


def from_our_page(headers: Headers) -> bool:
    """Whether a browser sent a request for a page of this dashboard."""
    if headers.get(MARK) != "1":
        return False
    site = headers.get("Sec-Fetch-Site")
    origin = headers.get("Origin")
    if site is not None and site != "same-origin":
        return False
    if origin is not None:
        return origin.partition("://")[2].lower() == headers.get("Host", "").lower() != ""
    return site is not None


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def is_local_name(host: str) -> bool:
    """Whether a name or address, with or without a port, is this machine's own."""
    named = _HOST.fullmatch(host)
    name = (named["bracketed"] or named["name"]).lower() if named else ""
    return name == "localhost" or _is_loopback(name)
