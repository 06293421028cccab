"""Which regular expressions are taken from outside."""

from __future__ import annotations

import pytest

from dashapp.patterns import MOST_PARTS, objection

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@pytest.mark.parametrize(
    "pattern",
    [
        r"^/api/user/\d+$",
        "(?i)LOGIN",
        "(?:a|b)+(c*)*",
        UUID,
        r"(\d{1,3}\.){3}\d{1,3}",
        "[(?=]",
        r"[[:alpha:]{9}(]{2}",
        r"\(?=\)",
        r"[]{999}]x",
        "a{2,}b{0}",
        "((((((((a+)+)+)+)+)+)+)+)",
        "사용자/[가-힣]+",
        ".{255}",
        # What PostgreSQL cannot read is for PostgreSQL to say.
        "(",
        ")",
        "[",
        "a{",
        "{3}",
        "\\",
    ],
)
def test_pattern_of_bounded_work_is_taken(pattern: str) -> None:
    assert objection(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        (r"(a)\1", "group"),
        (r"x\9", "group"),
        ("a(?=b)", "look"),
        ("a(?!b)", "look"),
        ("(?<=a)b", "look"),
        ("(?<!a)b", "look"),
        # In another flavour the same signs would mean something else.
        ("(?b)a", "option"),
        ("(?ix)a", "option"),
        ("(?i)(?x)a", "option"),
        ("***=a", r"\*\*\*"),
        ("(?i)***:a", r"\*\*\*"),
        (f"(a{{100}}){{{MOST_PARTS // 100 + 1}}}", "repeats"),
        ("(((a{1,9}){1,9}){1,9})", "repeats"),
        ("((((((((((a?){2}){2}){2}){2}){2}){2}){2}){2}){2}){2}", "repeats"),
        ("(a{200}|b{200}|c{200})", "repeats"),
        ("a{200}b{200}c{200}", "repeats"),
        (r"(\d{20,}x){30,}", "repeats"),
        (r"[]\]{9}]{255}" * 2, "repeats"),
        ("a" * 201, "200"),
    ],
)
def test_pattern_without_bounds_is_refused(pattern: str, word: str) -> None:
    with pytest.raises(AssertionError, match=word):
        assert objection(pattern) is None, objection(pattern)


def test_a_repetition_counts_what_it_repeats() -> None:
    assert objection("(ab){250}") is None
    assert objection("(ab){251}") is not None
    assert objection("(a[bc]\\d){166}xx") is None
    assert objection("(a[bc]\\d){166}xxx") is not None
