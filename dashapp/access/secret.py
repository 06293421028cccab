"""Secrets that are shown once: made by chance, kept as digests."""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

_BYTES, _HINT = 32, 9


class Secret(NamedTuple):
    """The text for its owner, what is kept of it, and how it is told from others."""

    text: str
    digest: bytes
    hint: str


def new_secret(prefix: str = "") -> Secret:
    """Make one of 256 bits of chance."""
    text = prefix + secrets.token_urlsafe(_BYTES)
    return Secret(text, digest_of(text), text[:_HINT])


def digest_of(text: str) -> bytes:
    """SHA-256: enough for what is 256 bits of chance, and quick enough for each request."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
