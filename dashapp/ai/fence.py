"""What of a log's own text is shown to a model: short plain names. Everything else is withheld. Pure.

Whoever calls a service writes its paths, user agents and referrers, and may write sentences meant for the model. What
does not look like a name therefore gets a number in its place; the page shows the text itself, as text.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

LONGEST = 90
# Letters of any script, digits, and what paths, versions and addresses of programs are written with. No brackets of
# citations, no angle brackets, no quotes, no white space but single blanks.
_NAME = re.compile(r"[\w./:{}@%+,~=;()$!&?#*-]+(?: [\w./:{}@%+,~=;()-]+){0,2}")
_LINK = re.compile(r"://|^//|www\.", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}(?![\d.])|[\w.+-]+@[\w-]+\.\w+|(?:[0-9a-f]{1,4}:){4,}", re.IGNORECASE)
_SECRET = re.compile(r"[A-Za-z0-9_-]{40,}|\bsk-\w|bearer|token=|key=|password", re.IGNORECASE)
# More words than a name has, once what joins words is a blank: sentences come as paths too.
_WORD_BREAK = re.compile(r"[\s/._+%:=,;?&~!-]+|%20")
_MOST_WORDS = 14


def is_plain(text: str) -> bool:
    """Whether a text may be shown as it is; what is written with percent signs must be plain without them too."""
    return all(map(_is_plain, {text, decoded := unquote(text), unquote(decoded)}))


def _is_plain(text: str) -> bool:
    return (
        0 < len(text) <= LONGEST
        and _NAME.fullmatch(text) is not None
        and not any(unicodedata.category(each).startswith("C") for each in text)
        and unicodedata.normalize("NFKC", text) == text
        and not any(pattern.search(text) for pattern in (_LINK, _ADDRESS, _SECRET))
        and len([word for word in _WORD_BREAK.split(text) if word]) <= _MOST_WORDS
    )
