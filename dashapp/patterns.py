"""Regular expressions from outside: which of them the database matches in bounded time. Pure."""

from __future__ import annotations

import re

MOST_CHARACTERS = 200
MOST_PARTS = 500
_TOKEN = re.compile(
    r"""
    (?P<back> \\[1-9] )
    | (?P<special> \(\?[^:] )
    | (?P<open> \(\?: | \( )
    | (?P<close> \) )
    | (?P<star> [*+?] )
    | \{ (?P<least>\d+) (?P<range> , (?P<most>\d*) )? \}
    | (?P<atom> \\. | \[ \^? \]? (?: \[[:.=] .*? [:.=]\] | [^]\\] | \\. )* \] | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_CASELESS = "(?i)"


def objection(pattern: str) -> str | None:
    """Say in a sentence why a pattern is not taken; None if it is.

    PostgreSQL matches in a time that grows with the length of the text, but for look-around, where it grows with the
    square, and for back-references, where nothing bounds it. It copies what is repeated, so repetitions multiply.
    """
    if len(pattern) > MOST_CHARACTERS:
        return f"regex must have at most {MOST_CHARACTERS} characters"
    rest = pattern.removeprefix(_CASELESS)
    if rest.startswith("***"):
        return "regex must not begin with ***"
    sums, last = [0], 0  # parts of every group that is open, and of what a repetition would repeat
    for token in _TOKEN.finditer(rest):
        if token["back"]:
            return "regex must not refer back to a group, as \\1 does"
        if token["special"]:
            return "regex must not look ahead or behind, and knows no option but (?i) at its beginning"
        if token["star"]:
            continue
        if token["open"]:
            sums.append(0)
            continue
        if token["close"] and len(sums) > 1:
            last = sums.pop()
        elif token["least"]:
            last *= max(1, int((token["most"] if token["range"] else "") or token["least"])) - 1
        else:
            last = 1
        sums[-1] += last
        if sums[-1] > MOST_PARTS:
            return f"regex repeats too much: written out it has more than {MOST_PARTS} parts"
    return None
