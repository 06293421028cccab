"""Fold the ids in a path into placeholders, so that `/users/17` and `/users/18` are one endpoint. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

_NUMBER = re.compile(r"\d+")
_YEAR = re.compile(r"(19|20)\d\d")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_HASH = re.compile(r"(?=.*\d)[0-9a-fA-F]{16,}")
MOST_CHARACTERS = 300


@lru_cache(maxsize=65_536)
def route_of(path: str) -> str:
    """Return the route of a path without a query string.

    A lone year (`/images/2009/a.png`) stays: there are at most 200, and they say something. A year
    before another number is part of a date and is folded like every number.
    """
    segments = path.split("/")
    folded = [_folded(segment, segments[i + 1] if i + 1 < len(segments) else "") for i, segment in enumerate(segments)]
    return "/".join(folded)[:MOST_CHARACTERS]


def _folded(segment: str, following: str) -> str:
    if _NUMBER.fullmatch(segment):
        lone_year = _YEAR.fullmatch(segment) and not _NUMBER.fullmatch(following)
        return segment if lone_year else "{id}"
    if _UUID.fullmatch(segment):
        return "{uuid}"
    return "{hash}" if _HASH.fullmatch(segment) else segment
