"""Known names in another spelling: `StatusCode`, `requestMethod`, `User-Agent`. Pure.

The renaming is worked out once per set of names; a record then costs one pass over its fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from ingest_server.fields import ALIASES
from ingest_server.formats.dialect import Dialect
from ingest_server.formats.record import Record

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[^a-z0-9@]+")
# A virtual host and the shipper's own time have these names in other spellings; they stay what they are.
_EXACT_ONLY = frozenset({"host", "date"})
_LONGEST = 40


def spelling_of(keys: frozenset[str]) -> Dialect | None:
    """Return a dialect that renames the fields of the columns which a set of names lacks; None where none does."""
    snake = {_snake(name): name for name in sorted(keys) if len(name) <= _LONGEST}
    renamed: dict[str, str] = {}
    for names in ALIASES.values():
        if keys & (names.keys() - _EXACT_ONLY):
            continue
        for name in names:
            if name in snake and name not in _EXACT_ONLY:
                renamed[snake[name]] = name
                break
    return Dialect("spelling", frozenset(renamed), partial(_rename, renamed)) if renamed else None


def _snake(name: str) -> str:
    return _SEPARATORS.sub("_", _HUMP.sub("_", name).lower()).strip("_")


def _rename(names: Mapping[str, str], record: Mapping[str, Any]) -> Record:
    return {names.get(name, name): value for name, value in record.items()}
