"""Who may send: one of the tokens, or, where none is set, this machine only."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Mapping, Sequence


class Access:
    """Decides by the headers and the address of a request."""

    def __init__(self, tokens: Sequence[str]) -> None:
        """Allow these tokens; only digests of them are kept."""
        self._digests = [_digest(token) for token in tokens]

    def may_send(self, headers: Mapping[bytes, bytes], address: str) -> bool:
        """Whether a request may be served."""
        if not self._digests:
            return _is_loopback(address)
        given = _digest(_given_token(headers))
        # Every token is compared, and by digest: the time taken tells neither which one came close nor its length.
        return max([hmac.compare_digest(given, digest) for digest in self._digests])

    def given(self, headers: Mapping[bytes, bytes]) -> bytes | None:
        """Digest of the token that a request brings; None where it brings none."""
        token = _given_token(headers)
        return _digest(token) if token else None

    def why_not(self) -> str:
        """What a client that was turned away can do, in one sentence."""
        if self._digests:
            return (
                "send one of INGEST_TOKENS, or an ingest token made in the dashboard, as a bearer token, as X-API-Key "
                "or as the password of basic authentication"
            )
        return "without a token only this machine may send: make one in the dashboard, or set INGEST_TOKENS"


def _digest(token: str | bytes) -> bytes:
    return hashlib.sha256(token.encode() if isinstance(token, str) else token).digest()


def _given_token(headers: Mapping[bytes, bytes]) -> bytes:
    if key := headers.get(b"x-api-key"):
        return key.strip()
    scheme, _, value = headers.get(b"authorization", b"").strip().partition(b" ")
    if scheme.lower() == b"bearer":
        return value.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        return (mapped or found).is_loopback  # a dual-stack socket reports ::ffff:127.0.0.1
    except ValueError:
        return False
