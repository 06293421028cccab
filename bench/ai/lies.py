"""Faithful replies made false: numbers times seven, endpoints swapped or invented, times of another day. Pure."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

from dashapp.ai.checking.sentences import split_sentences
from dashapp.ai.evidence import Pack
from dashapp.ai.result import Result, Sentence

Reply = dict[str, Any]
Change = Callable[[str], str]
_NUMBER = re.compile(r"(?<![\w.\-/{:])(\d[\d,]*(?:\.\d+)?)(?=[^\[\d:]{0,8}\[e\d+\])(?!:)")
_TIME = re.compile(r"\b(\d{2}):(\d{2})(?=\[e)")
_TEXTS = ("title", "key_figures", "cause", "improvement")


def seven_times(text: str) -> str:
    """Every number that cites a figure, times seven."""

    def seven(found: re.Match[str]) -> str:
        digits = found[1].replace(",", "")
        decimals = len(digits.partition(".")[2])
        return f"{float(digits) * 7:.{decimals}f}"

    return _NUMBER.sub(seven, text)


def stale(text: str) -> str:
    """Every time an hour and seven minutes earlier."""

    def earlier(found: re.Match[str]) -> str:
        minutes = (int(found[1]) * 60 + int(found[2]) - 67) % 1440
        return f"{minutes // 60:02d}:{minutes % 60:02d}"

    return _TIME.sub(earlier, text)


def swapping(pack: Pack) -> Change:
    """Puts each endpoint of the evidence in the place of the next one."""
    names = sorted(pack.endpoints, key=len, reverse=True)
    other = dict(zip(names, [*names[1:], *names[:1]], strict=True))
    pattern = re.compile("|".join(map(re.escape, names)) or "(?!)")
    return lambda text: pattern.sub(lambda found: other[found[0]], text) if len(names) > 1 else text


def inventing(pack: Pack) -> Change:
    """Puts an endpoint that does not exist in the place of each."""
    names = sorted(pack.endpoints, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, names)) or "(?!)")
    return lambda text: pattern.sub("POST /api/internal/reconcile", text)


def changed(reply: Reply, change: Change) -> Reply:
    """A reply with a change in each of its texts."""
    made = copy.deepcopy(reply)
    made["summary"] = change(made["summary"])
    if made["root_cause"]:
        made["root_cause"]["text"] = change(made["root_cause"]["text"])
        made["root_cause"]["reasons"] = [change(each) for each in made["root_cause"]["reasons"]]
    for insight in made["insights"]:
        insight |= {name: change(insight[name]) for name in _TEXTS}
        if insight["endpoint"]:
            insight["endpoint"] = change(insight["endpoint"])
    return made


def false_sentences(reply: Reply, lying: Reply) -> list[str]:
    """Sentences of a changed reply that are not those of the true one, without ids."""
    return [
        without_ids(lie)
        for true, false in zip(_texts(reply), _texts(lying), strict=True)
        for told, lie in zip(split_sentences(true), split_sentences(false), strict=True)
        if told != lie
    ]


def kept_of(result: Result) -> set[str]:
    """Sentences that a check has left, without ids."""
    kept: list[Sentence] = list(result.summary)
    if result.root_cause:
        kept += [*result.root_cause.text, *result.root_cause.reasons]
    for each in result.insights:
        if each.source == "model":
            kept += [*each.title, *each.key_figures, *each.cause, *each.improvement]
    return {without_ids("".join(piece.text for piece in sentence)) for sentence in kept}


def without_ids(text: str) -> str:
    """A sentence as it is read."""
    return re.sub(r"\s+", " ", re.sub(r"\s*\[e\d+\]", "", text)).strip()


def _texts(reply: Reply) -> Iterator[str]:
    yield reply["summary"]
    if reply["root_cause"]:
        yield reply["root_cause"]["text"]
        yield from reply["root_cause"]["reasons"]
    for insight in reply["insights"]:
        yield from (insight[name] for name in _TEXTS)
