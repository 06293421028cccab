r"""Read the route patterns of a setting, and refuse those that could hang the server. Pure.

Python's regular expressions have no time limit, and a path is written by whoever calls the server: a pattern such as
`(\d+)+x` would take years for a segment of 60 digits. So a pattern is read before it is used, and the ways in which
it can fit a segment are counted; the product of that count and of the segment's length bounds the work.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

# Longer segments are never handed to a pattern: an id is not that long, and the work grows with the length.
LONGEST_SEGMENT = 128
# Two unbounded repeats in a row, or three of up to 25 characters; some milliseconds at most.
MOST_WAYS = (LONGEST_SEGMENT + 1) ** 2
_PLACEHOLDER = re.compile(r"\{[a-z][a-z_]{0,30}\}")
# The module that reads regular expressions is undocumented but has been there since Python 2; nothing else can
# say what a pattern consists of.
_parser: Any = importlib.import_module("re._parser")
_ONE_WAY = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN", "AT", "CATEGORY", "RANGE"})
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})


@dataclass(frozen=True, slots=True)
class CustomPattern:
    """A pattern for a whole segment and the placeholder, with its braces, that stands for it."""

    placeholder: str
    pattern: re.Pattern[str]

    def matches(self, segment: str) -> bool:
        """Tell whether the whole segment fits; the caller has bounded its length."""
        return self.pattern.fullmatch(segment) is not None


def parse_patterns(text: str, built_in: Collection[str]) -> tuple[tuple[CustomPattern, ...], frozenset[str]]:
    r"""Return the patterns of a setting and the built-in placeholders that it switches off.

    Args:
        text: parts separated by white space: `{name}=PATTERN` or `-name`; a blank in a pattern is written `\s`.
        built_in: the names that may be switched off.

    Raises:
        ValueError: one sentence that says which part is wrong and why.
    """
    patterns, off = [], set()
    for part in text.split():
        placeholder, equals, expression = part.partition("=")
        if part.startswith("-") and not equals:
            if part[1:] not in built_in:
                raise ValueError(f"{part!r} switches off none of the placeholders {', '.join(built_in)}")
            off.add(part[1:])
        elif not (equals and expression and _PLACEHOLDER.fullmatch(placeholder)):
            raise ValueError(f"{part[:60]!r} is neither {{name}}=PATTERN, with a name of small letters, nor -name")
        else:
            patterns.append(CustomPattern(placeholder, _compiled(expression)))
    return tuple(patterns), frozenset(off)


def _compiled(expression: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(expression)
        ways = _ways(_parser.parse(expression))
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{expression[:60]!r} is no regular expression: {error}") from None
    if ways > MOST_WAYS:
        raise ValueError(
            f"{expression[:60]!r} can fit in too many ways and could hang the server: "
            "repeat single characters only, and bound the repeats, as in [a-z]{1,20}"
        )
    return pattern


def _ways(parsed: Any) -> int:
    """How many ways a pattern has to go through a segment, at most; never below one."""
    total = 1
    for operation, argument in parsed:
        total = min(total * _ways_of(str(operation), argument), MOST_WAYS + 1)
    return total


def _ways_of(operation: str, argument: Any) -> int:
    if operation in _ONE_WAY:
        return 1
    if operation in _REPEATS:
        least, most, inner = int(argument[0]), min(int(argument[1]), LONGEST_SEGMENT), argument[2]
        if least > LONGEST_SEGMENT:
            return MOST_WAYS + 1  # it fits no segment, and a group that may be empty would be tried as often
        is_group = len(inner) != 1 or str(inner[0][0]) not in _ONE_WAY
        each: int = _ways(inner) ** most
        return (most - least + 1) * each * (max(most, 1) if is_group else 1)
    if operation == "SUBPATTERN":
        return _ways(argument[-1])
    if operation == "BRANCH":
        return sum(_ways(branch) for branch in argument[1])
    if operation in ("ASSERT", "ASSERT_NOT"):
        return _ways(argument[1])
    if operation == "ATOMIC_GROUP":
        return _ways(argument)
    return MOST_WAYS + 1  # a reference to a group or a condition on one: the count says nothing about these
