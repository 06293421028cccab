"""Why a regular expression cannot be read, in the viewer's language. Pure."""

from __future__ import annotations

from dashapp.words import Words

# What the database or dashapp.patterns says of it -> key of the catalogue.
_REASONS = (
    ("parentheses ()", "pattern_parens"),
    ("brackets []", "pattern_brackets"),
    ("braces {}", "pattern_braces"),
    ("quantifier operand", "pattern_operand"),
    ("repetition count", "pattern_count"),
    ("character range", "pattern_range"),
    ("escape", "pattern_escape"),
    ("character class", "pattern_class"),
    ("refer back", "pattern_back"),
    ("backreference", "pattern_back"),
    ("look ahead or behind", "pattern_look"),
    ("at most", "pattern_long"),
    ("repeats too much", "pattern_long"),
    ("too complex", "pattern_long"),
)


def say_pattern(reason: str, words: Words) -> str:
    """One sentence about a pattern; a reason that nobody foresaw is quoted."""
    for part, key in _REASONS:
        if part in reason:
            return words("logs_bad_regex", why=words(key))
    why = reason.removeprefix("invalid regular expression: ").rstrip(".")
    return words("logs_bad_regex", why=words("pattern_other", why=why))
