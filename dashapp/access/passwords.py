"""Passwords: argon2id, and what one must be like."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 12, 200
# RFC 9106, second recommended option: 64 MiB, three passes.
_hasher = PasswordHasher()
# Each check takes 64 MiB and most of a processor: a flood of them must not take the machine.
_slots = threading.BoundedSemaphore(4)
_NOBODYS = _hasher.hash("a password that nobody has")


def fault_of(password: str, name: str) -> str | None:
    """Why a password cannot be taken: short, long, name, or simple; None where it can."""
    if len(password) < LEAST:
        return "short"
    if len(password) > MOST:
        return "long"
    if name and name.lower() in password.lower():
        return "name"
    return "simple" if len(set(password)) < 5 else None


def hashed(password: str) -> str:
    """Hash with a salt of its own."""
    with _slots:
        return _hasher.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether a password is the one of a hash; takes as long where there is no account or no password."""
    with _slots:
        try:
            return _hasher.verify(kept or _NOBODYS, password[: MOST + 1]) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)
