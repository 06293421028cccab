"""Fold the ids in a path into placeholders, so that `/users/17` and `/users/18` are one endpoint. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest

_NUMBER = re.compile(r"\d+")
_YEAR = re.compile(r"(19|20)\d\d")
_FILE = re.compile(r".+\.[A-Za-z][A-Za-z0-9]{0,5}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_HASH = re.compile(r"(?=.*\d)[0-9a-fA-F]{16,}")
MOST_CHARACTERS = 300


@lru_cache(maxsize=65_536)
def route_of(path: str) -> str:
    """Return the route of a path without a query string.

    A lone year in the path of a file (`/images/2009/a.png`) stays: it is a folder, not an id.
    """
    segments = path.split("/")
    is_file = _FILE.fullmatch(segments[-1]) is not None
    folded = (_folded(segment, following, is_file) for segment, following in zip_longest(segments, segments[1:]))
    return "/".join(folded)[:MOST_CHARACTERS]


def _folded(segment: str, following: str | None, is_file: bool) -> str:
    if _NUMBER.fullmatch(segment):
        lone_year = is_file and _YEAR.fullmatch(segment) and not _NUMBER.fullmatch(following or "")
        return segment if lone_year else "{id}"
    if _UUID.fullmatch(segment):
        return "{uuid}"
    return "{hash}" if _HASH.fullmatch(segment) else segment
