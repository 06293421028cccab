"""What in one segment of a path is an id: the built-in shapes. Pure.

A segment comes here when it is not all digits. Each rule replaces its part of the segment only, so that
`order-123456` becomes `order-{id}`; words that merely hold a digit (`v1`, `mp3`, `top-10`) stay.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

ID, UUID, HASH, TOKEN, DATE, EMAIL, IP = BUILT_IN = ("id", "uuid", "hash", "token", "date", "email", "ip")

_ASCII = re.ASCII
_FILE_NAME = re.compile(r".+\.[A-Za-z][A-Za-z0-9]{0,5}", re.DOTALL)
_YEAR = re.compile(r"(?:19|20)\d\d", _ASCII)
_WHOLE_DATE = re.compile(r"((?:19|20)\d\d)([-_.]?)(\d\d)(?:\2(\d\d))?(T\d\d[0-9:.Z+-]*)?", _ASCII)
_DATE_PART = re.compile(r"(?<![0-9A-Za-z])((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)(?![0-9A-Za-z])", _ASCII)
_EMAIL = re.compile(r"[^@/\s]{1,64}(?:@|%40)[^@/\s]{1,190}\.[A-Za-z]{2,24}", re.IGNORECASE)
_IP = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)", _ASCII)
_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9A-Za-z])", _ASCII | re.I)
_HASH = re.compile(r"(?<![0-9A-Za-z])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{16,}(?![0-9A-Za-z])", _ASCII | re.I)
# What a bundler puts between the name and the ending of a file: `app.3f2a9c1b.js`, `index-3f2a9c1b.css`.
_FILE_HASH = re.compile(r"(?<=[.-])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}(?=\.)", _ASCII)
_TOKEN_RUN = re.compile(r"(?<![0-9A-Za-z%])[0-9A-Za-z]{20,}(?![0-9A-Za-z])")
_TOKEN_WHOLE = re.compile(r"([a-z]{2,12}_)?([A-Za-z0-9_.~=+-]{20,}?)(?:%3[Dd]){0,2}")
# Letters as in a word, with or without a capital; capitals; digits: random text changes between them all the time.
_WORD_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+", _ASCII)
_NUMERIC = re.compile(r"[+-]?\d+(?:[-_:,~]\d+)*|-?\d+\.\d{3,}(?:,-?\d+\.\d{3,})?", _ASCII)
# Four digits after a separator or before one, five after a letter; any number before a custom verb, `17:cancel`.
_NUMBER_PART = re.compile(
    r"(?<=[-_.~:+=,!])\d{4,}(?![0-9A-Za-z%])|^\d{4,}(?=[-_.~:])|(?<=[A-Za-z])\d{5,}(?![0-9A-Za-z%])|^\d+(?=:[A-Za-z])",
    _ASCII,
)
_LEAST_DIGITS = 5
# Pages that a server shows for an error are named by the status, not by an id.
_ERROR_PAGE = re.compile(r"[45]\d\d", _ASCII)


def folded(segment: str, off: Collection[str] = ()) -> str:
    """Return a segment with its ids replaced by placeholders.

    Args:
        segment: one segment of a path, without matrix parameters.
        off: names of BUILT_IN that stay as they are.
    """
    if EMAIL not in off and ("@" in segment or "%40" in segment) and _EMAIL.fullmatch(segment):
        return "{email}"
    if is_date(segment):
        return segment if DATE in off else "{date}"
    if IP not in off and _IP.fullmatch(segment):
        return "{ip}"
    if ID not in off and _NUMERIC.fullmatch(segment):
        return "{id}" if sum(map(str.isdecimal, segment)) >= _LEAST_DIGITS else segment
    stem, dot, ending = segment.rpartition(".") if is_file_name(segment) else (segment, "", "")
    if UUID not in off:
        stem = _UUID.sub("{uuid}", stem)
    if HASH not in off:
        stem = _HASH.sub("{hash}", stem)
        stem = _FILE_HASH.sub("{hash}", stem + dot).removesuffix(".") if dot else stem
    if TOKEN not in off and len(stem) >= 20:
        stem = _without_tokens(stem)
    if DATE not in off:
        stem = _DATE_PART.sub(lambda match: "{date}" if is_date(match[0]) else match[0], stem)
    if ID not in off:
        stem = _without_numbers(stem, is_stem=bool(dot))
    return stem + dot + ending


def is_file_name(segment: str) -> bool:
    """Tell whether a segment ends like a file: a dot and up to six letters or digits."""
    return "." in segment[-7:] and _FILE_NAME.fullmatch(segment) is not None


def is_date(text: str) -> bool:
    """Tell whether a text is a day or a month of 1900 to 2099: `2025-05-01`, `20250501`, `2025-05`."""
    match = _WHOLE_DATE.fullmatch(text)
    if match is None or not (match[2] or match[4]):
        return False
    try:
        date(int(match[1]), int(match[3]), int(match[4] or 1))
    except ValueError:
        return False
    return True


def _without_numbers(stem: str, *, is_stem: bool) -> str:
    if is_stem and stem.isdecimal():
        return stem if _YEAR.fullmatch(stem) or _ERROR_PAGE.fullmatch(stem) else "{id}"
    return _NUMBER_PART.sub(lambda match: match[0] if _YEAR.fullmatch(match[0]) else "{id}", stem)


def _without_tokens(stem: str) -> str:
    whole = _TOKEN_WHOLE.fullmatch(stem)
    if whole is not None and _is_random(whole[2]):
        return f"{whole[1] or ''}{{token}}"
    return _TOKEN_RUN.sub(lambda match: "{token}" if _is_random(match[0]) else match[0], stem)


def _is_random(text: str) -> bool:
    """Tell a random token from words with digits in them, by how often it changes between kinds of characters.

    In words a run of one kind is four characters long on average, in random letters and digits about two. A text
    with separators must besides have few of them and mix capitals, small letters and digits: titles have more, and
    mix less.
    """
    runs = _WORD_RUN.findall(text)
    characters = sum(map(len, runs))
    if not any(run.isdecimal() for run in runs) or all(run.isdecimal() for run in runs):
        return False
    if text.isalnum():
        one_case = text.islower() or text.isupper()
        return len(runs) * 7 > characters * 2 or (one_case and len(runs) >= 5)
    few_separators = (len(text) - characters) * 8 <= len(text)
    return few_separators and not text.islower() and not text.isupper() and len(runs) * 3 > characters
