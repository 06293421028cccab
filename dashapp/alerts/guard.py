"""Keep a process from talking to internal addresses, whatever library it uses and wherever a redirect leads.

The check is made where a connection is opened, on the address itself: what a name stands for is known by then, and
cannot change any more.
"""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_TALKING = ("socket.connect", "socket.sendto", "socket.sendmsg")
# A notification is sent by a socket, and by nothing else.
_STARTING = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "os.startfile")


class InternalAddress(PermissionError):
    """The address is one of this machine or network, and that is not allowed."""


refused: list[str] = []


def is_internal(text: str) -> bool:
    """Whether an address is one that the Internet does not route: loopback, private, link-local and the like."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return True  # a name here is one that nobody has looked up
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return is_internal(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return is_internal(str(inner))
    return not address.is_global or address.is_multicast


def install() -> None:
    """Refuse from now on, in this process and for ever."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _STARTING:
        raise InternalAddress(f"{event} is not allowed here")
    if event in _TALKING:
        # Without an address it is a connection that was checked when it was opened.
        address = arguments[1] if len(arguments) > 1 else None
        if address is None:
            return
        host = str(address[0]) if isinstance(address, tuple) else str(address)
        if is_internal(host):
            refused.append(host)
            raise InternalAddress(f"{host} is an internal address")
