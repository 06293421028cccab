"""Cut a text into sentences, whole or while it arrives. Pure."""

from __future__ import annotations

import re

# A sentence ends with its citations, so only what comes behind tells that it has ended: "15.5%[e3]입니다. [e4] Next".
# Not within 3.5, v1.2 or e.g.
_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)[.!?。](?:\s*\[[^\]\n]{1,80}\])*(?=\s+[^\s\[])|\n+(?=[^\s\[])")
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_BARE_MARK = re.compile(r"\d{1,2}\.")
LONGEST = 1_000


def split_sentences(text: str) -> list[str]:
    """Sentences of a text, without the marks of lists."""
    stream = SentenceStream()
    return [*stream.add(text), *stream.end()]


class SentenceStream:
    """Gives sentences as soon as they are whole."""

    def __init__(self) -> None:
        """Nothing has arrived yet."""
        self._rest = ""

    def add(self, text: str) -> list[str]:
        """Sentences that a further piece of text completes."""
        self._rest += text
        found = []
        start = 0
        for end in _END.finditer(self._rest):
            # The mark of a list item, "1. ", ends no sentence.
            if end.start() >= start and _BARE_MARK.fullmatch(self._rest[start : end.end()].strip()):
                continue
            found.append(self._rest[start : end.end()])
            start = end.end()
        self._rest = self._rest[start:]
        if len(self._rest) > LONGEST:  # nobody writes such a sentence; it is checked as it is
            found.append(self._rest)
            self._rest = ""
        return [clean for each in found if (clean := _clean(each))]

    def end(self) -> list[str]:
        """What is left when no more comes."""
        rest, self._rest = _clean(self._rest), ""
        return [rest] if rest else []


def _clean(sentence: str) -> str:
    return _LIST_MARK.sub("", sentence).strip()
