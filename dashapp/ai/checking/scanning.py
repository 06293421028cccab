"""Cut a sentence into what must be checked: numbers, citations, names, times, and what may never stand there. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from dashapp.ai.checking.vocabulary import NUMBER_WORD
from dashapp.ai.evidence import Pack

Kind = Literal[
    "text", "known", "cite", "brackets", "link", "address", "path", "class", "percentile", "time", "date", "weekday",
    "pseudonym", "version", "number", "number_word",
]  # fmt: skip

_PATTERNS: tuple[tuple[Kind, str], ...] = (
    ("cite", r"[\[(]\s*e\d+(?:\s*[,;]\s*e\d+)*\s*[\])]"),
    ("link", r"!?\[[^\]]*\]\(|</?[A-Za-z!][^>]*>?|\b[A-Za-z][A-Za-z0-9+.-]*://\S*|\bwww\.\S+|\bjavascript:|\bdata:\w+/"
             r"|(?<![\w./])(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|app|kr|co|cn|ru|info|biz|xyz|me|ai)\b(?:/\S*)?"),
    ("address", r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?:/\d+)?(?![\d.])|[\w.+-]+@[\w-]+\.\w+"
                r"|(?<![\w:])(?:[0-9a-f]{1,4}:){2,}[0-9a-f:]*[0-9a-f](?![\w:])|\bsk-[\w-]{6,}"),
    ("brackets", r"\[[^\]]*\]?"),
    ("path", r"(?:\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\s+)?(?<![\w/.])/[\w{}~%*:@.-][\w{}~%*:@./-]*"
             r"|\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\s+\S*"),
    ("class", r"(?<![A-Za-z\d])[1-5][xX][xX](?![A-Za-z\d])"),
    ("percentile", r"(?<![A-Za-z\d])[pP](?:50|90|95|99)(?![A-Za-z\d])"),
    ("date", r"\d{4}-\d{1,2}-\d{1,2}|(?<![\d-])\d{1,2}-\d{1,2}(?![\d-])|(?:\d{4}년\s*)?\d{1,2}월\s*\d{1,2}일"
             r"|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.? \d{1,2}(?:st|nd|rd|th)?\b(?:,? \d{4})?"
             r"|\b\d{1,2}(?:st|nd|rd|th)? (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b(?: \d{4})?"),
    ("time", r"(?:(?:오전|오후)\s*)?\d{1,2}:\d{2}(?::\d{2})?(?:\s*[ap]\.?m\.?\b)?"
             r"|(?:(?:오전|오후)\s*)?\d{1,2}시(?!간)(?:\s*\d{1,2}분)?"
             r"|\b\d{1,2}\s*[ap]\.?m\b\.?"),
    ("weekday", r"[월화수목금토일]요일|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"),
    ("pseudonym", r"(?<![A-Za-z-])(?:client|network|endpoint|text)-\d+"),
    ("version", r"(?<![\w.])v?\d+(?:\.\d+){2,}"),
    ("number", r"(?P<sign>[+−±-]\s?)?(?P<digits>\d[\d,]*(?:\.\d+)?)(?P<scale>\s?(?:만|천|억|[kKM](?![A-Za-z])))?"
               r"(?P<unit>\s?(?:%p|%|퍼센트|밀리초|초|분|시간|건|회|번|개|명|배|×"
               r"|(?i:percentage points|percent|ms|seconds?|secs?|s"
               r"|minutes?|min|hours?|requests?|calls?|times|x)(?![A-Za-z])))?"),
    ("number_word", rf"(?i:{NUMBER_WORD.pattern})"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a sentence; `groups` are sign, digits, scale and unit of a number, and the ids of a citation."""

    kind: Kind
    text: str
    start: int
    groups: Mapping[str, str]
    ids: tuple[str, ...] = ()


class Scanner:
    """Knows the names of a pack."""

    def __init__(self, pack: Pack) -> None:
        """Names that are part of others give way to them."""
        self.endpoint_of = {shown: shown for shown in pack.endpoints}
        routes: dict[str, list[str]] = {}
        for shown, endpoint in pack.endpoints.items():
            if shown.endswith(endpoint.route):
                routes.setdefault(endpoint.route, []).append(shown)
        # A route without its method is the endpoint where only one has it.
        self.endpoint_of |= {route: found[0] for route, found in routes.items() if len(found) == 1}
        self.ambiguous = {route for route, found in routes.items() if len(found) > 1}
        known = {*self.endpoint_of, *self.ambiguous, *(each for each in pack.names if _is_name(each))}
        self._pattern = _compiled(tuple(sorted(known, key=lambda each: (-len(each), each))))

    def scan(self, sentence: str) -> list[Token]:
        """Tokens that cover the sentence."""
        tokens = []
        end = 0
        for found in self._pattern.finditer(sentence):
            if found.start() > end:
                tokens.append(Token("text", sentence[end : found.start()], end, {}))
            groups = found.groupdict()
            kind = next(kind for kind in _KINDS if groups[kind] is not None)
            named = {name: groups[name] or "" for name in _PARTS}
            ids = tuple(re.findall(r"e\d+", found[0])) if kind == "cite" else ()
            tokens.append(Token(kind, found[0], found.start(), named if kind == "number" else {}, ids))
            end = found.end()
        if end < len(sentence):
            tokens.append(Token("text", sentence[end:], end, {}))
        return tokens


_PARTS = ("sign", "digits", "scale", "unit")
_KINDS: tuple[Kind, ...] = ("known", *(kind for kind, _ in _PATTERNS))


def _is_name(text: str) -> bool:
    """A name that could be taken for a number is none, for it would hide that number from the check."""
    return len(text) > 1 and re.search(r"[^\W\d_]", text) is not None and not re.match(r"[+-]?\d[\d,.]*\s", text)


@lru_cache(maxsize=64)
def _compiled(known: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(re.escape(each) for each in known) or r"(?!)"
    # A name ends where no path goes on; a full stop behind it ends the sentence.
    parts = [rf"(?P<known>(?<![\w/])(?:{names})(?![A-Za-z0-9_/{{-]|\.[A-Za-z0-9]))"]
    parts += [f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS]
    # One by one: case matters for methods and names, not for units and words.
    return re.compile("|".join(parts))
