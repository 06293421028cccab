"""What of a request is not to be stored: whole addresses, fields, and texts that look like a secret. Pure.

It is applied when a record has become a row and what identifies it is known: a record that is sent again is the same
record, whatever is kept of it.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import msgspec

from sql.batch import LogRow

Addresses = Literal["whole", "truncated", "hashed"]
MASKED = "***"
_IPV4_BITS, _IPV6_BITS = 24, 48
_COLUMNS = ("user_agent", "referer")
_decode, _encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Privacy:
    """What is kept.

    Attributes:
        addresses: whole; truncated to their network (/24, /48); or hashed into an address of fd00::/8 with `key`, so
            that clients can still be counted and told apart, and nobody without the key knows who they are.
        key: of the hash.
        dropped: user_agent, referer, query (the query string), or names of attributes.
        masks: patterns; what matches one in a path, a program or an attribute becomes ***.
    """

    addresses: Addresses = "whole"
    key: bytes = b""
    dropped: Collection[str] = ()
    masks: Sequence[re.Pattern[str]] = ()
    address: Callable[[str], str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Remember the addresses of busy clients."""
        object.__setattr__(self, "address", lru_cache(maxsize=65_536)(self._address))

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is taken away."""
        return self.addresses == "whole" and not self.dropped and not self.masks

    def protect(self, row: LogRow) -> LogRow:
        """The row as it may be stored."""
        kept: dict[str, Any] = {}
        if row.client_ip is not None and self.addresses != "whole":
            kept["client_ip"] = self.address(row.client_ip)
        for name in _COLUMNS:
            text = getattr(row, name)
            if text is not None:
                kept[name] = None if name in self.dropped else self._masked(text)
        if self.masks:
            kept |= {"path": self._masked(row.path), "route": self._masked(row.route)}
        if row.attributes is not None:
            left = {name: self._value(each) for name, each in _decode(row.attributes).items() if not self._drops(name)}
            kept["attributes"] = _encode(left).decode() if left else None
        return row._replace(**kept)

    def _drops(self, name: str) -> bool:
        return name in self.dropped or ("query" in self.dropped and name == "path_query")

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._masked(self._hidden(value))
        if isinstance(value, dict):
            return {name: self._value(each) for name, each in value.items() if not self._drops(name)}
        return [self._value(each) for each in value] if isinstance(value, list) else value

    def _hidden(self, text: str) -> str:
        """A text that is nothing but addresses, as proxies pass them on."""
        if self.addresses == "whole" or not ("." in text or ":" in text) or len(text) > 1_000:
            return text
        parts = [part.strip() for part in text.split(",")]
        return ", ".join(map(self.address, parts)) if all(map(_is_address, parts)) else text

    def _masked(self, text: str) -> str:
        for pattern in self.masks:
            text = pattern.sub(MASKED, text)
        return text

    def _address(self, text: str) -> str:
        address = ipaddress.ip_address(text)
        if self.addresses == "truncated":
            bits = _IPV4_BITS if address.version == 4 else _IPV6_BITS
            return str(ipaddress.ip_network((address, bits), strict=False).network_address)
        digest = hmac.new(self.key, address.packed, hashlib.sha256).digest()
        return str(ipaddress.IPv6Address(b"\xfd" + digest[:15]))


KEEP_ALL = Privacy()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
