"""About how many tokens a text has, never fewer than the tokenizers of current models count. Pure."""

from __future__ import annotations

import re

_PARTS = re.compile(r"[A-Za-z]+|\d+|[^\sA-Za-z\d]")
_LETTERS_A_TOKEN, _DIGITS_A_TOKEN = 6, 3


def rough_tokens(text: str) -> int:
    """Tokens of a text: of words by their length, of numbers three digits each, of all else one a character."""
    total = 0
    for part in _PARTS.findall(text):
        if part.isdigit():
            total += -(-len(part) // _DIGITS_A_TOKEN)
        elif part.isascii() and part.isalpha():
            total += -(-len(part) // _LETTERS_A_TOKEN)
        else:
            total += 1
    return total
