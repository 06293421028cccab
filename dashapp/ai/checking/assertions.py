"""What a sentence claims by its words: the most, a rise, a majority, a class of errors, that all is well. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dashapp.ai.checking import vocabulary as words
from dashapp.ai.evidence import ALL, Figure, Pack
from dashapp.ai.result import Fault

_ERRORS = frozenset({"errors", "server_errors", "error_rate", "client_errors"})
_FIRST_IN = ((words.ERRORS, _ERRORS), (words.SLOW, words.LATENCIES), (words.REQUESTS, frozenset({"requests"})))


class Wrong(Exception):
    """A claim that the evidence does not bear out; `detail` is the part of the sentence that makes it."""

    def __init__(self, fault: Fault, detail: str) -> None:
        """Say why a sentence is taken out."""
        super().__init__(detail)
        self.fault: Fault = fault
        self.detail = detail


def check_extreme(said: str, named: set[str], pack: Pack) -> set[str]:
    """The endpoints that a sentence calls the first of all, and that are: by what it says they are first in.

    Args:
        said: the sentence without paths.
        named: the endpoints in it.
        pack: the evidence.

    Raises:
        Wrong: one of them is not the first.
    """
    smallest = words.SMALLEST.search(said) is not None
    if not named or not (smallest or words.LARGEST.search(said)):
        return set()
    measures = next((found for pattern, found in _FIRST_IN if pattern.search(said)), frozenset())
    for endpoint in named:
        if not any(_is_extreme(endpoint, measure, pack, smallest=smallest) for measure in measures):
            raise Wrong("subject", endpoint)
    return named


def _is_extreme(endpoint: str, measure: str, pack: Pack, *, smallest: bool) -> bool:
    values: dict[str, float] = {}
    for each in pack.figures.values():
        if each.measure == measure and each.when == "now" and each.about != ALL and not each.of:
            values.setdefault(each.about, each.value)
    if endpoint not in values:
        return False
    return values[endpoint] == (min if smallest else max)(values.values())


def check_classes(classes: Iterable[str], cited: Iterable[Figure], pack: Pack) -> None:
    """A class such as 5xx must occur, unless its number is told."""
    codes = pack.statuses.get(ALL)
    if codes is None or {each.measure for each in cited} & {"client_errors", "server_errors"}:
        return
    for each in classes:
        if not any(str(code)[0] == each[0] for code in codes):
            raise Wrong("status", each)


def check_direction(said: str, cited: Sequence[Figure], beside: Sequence[Figure]) -> None:
    """That something rose or fell is shown by the figures in the sentence, else by those that stand beside the text."""
    ups = _signs(cited) or _signs(beside)
    for pattern, sign in ((words.RISE, 1), (words.FALL, -1)):
        found = pattern.search(said)
        if found is not None and sign not in ups:
            raise Wrong("direction", found[0])


def _signs(figures: Sequence[Figure]) -> set[int]:
    """In which directions the figures show something to have changed."""
    signs = {1 if each.value > 0 else -1 for each in figures if each.unit in ("change", "points") and each.value}
    signs |= {1 if each.value > 1 else -1 for each in figures if each.unit == "times"}
    before = {(each.measure, each.about, each.of): each.value for each in figures if each.when == "before"}
    for each in figures:
        former = before.get((each.measure, each.about, each.of))
        if each.when == "now" and former is not None and former != each.value:
            signs.add(1 if each.value > former else -1)
    return signs


def check_verdict(said: str, pack: Pack, *, searched: bool) -> None:
    """All is well only where a search for what is wrong has found nothing."""
    found = words.WELL.search(said)
    if found is not None and (not searched or pack.verdict in ("high", "medium")):
        raise Wrong("verdict", found[0])


def check_most(said: str, figures: Iterable[Figure]) -> None:
    """Most of something is a share above a half."""
    found = words.MOST.search(said)
    if found is not None and not any(each.unit == "share" and each.value > 0.5 for each in figures):
        raise Wrong("evidence", found[0])
