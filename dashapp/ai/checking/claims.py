"""Check one sentence against the evidence: a sentence is kept whole, or it is taken out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dashapp.ai.checking import vocabulary as words
from dashapp.ai.checking.assertions import (
    Wrong,
    check_classes,
    check_direction,
    check_extreme,
    check_most,
    check_verdict,
)
from dashapp.ai.checking.dates import names_date
from dashapp.ai.checking.numbers import fits, is_time
from dashapp.ai.checking.scanning import Scanner, Token
from dashapp.ai.evidence import ALL, Figure, Pack
from dashapp.ai.result import Fault, Piece, Sentence

_NEVER: Mapping[str, Fault] = {
    "link": "link", "brackets": "link", "address": "address", "path": "endpoint", "pseudonym": "name",
    "version": "name", "number_word": "uncited",
}  # fmt: skip
_STATUSES = range(100, 600)
_SHINGLE = 7


@dataclass(frozen=True, slots=True)
class Context:
    """What a sentence stands in.

    Attributes:
        endpoint: the one that it is about where it names none; None where there is none.
        evidence: ids that stand with the whole text, for what it claims without a number.
        advice: it says what to do: nothing in it says that something rose or fell.
        relative: days such as "어제" that the question speaks of.
    """

    endpoint: str | None = None
    evidence: frozenset[str] = frozenset()
    advice: bool = False
    relative: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence in pieces, or why it is taken out; the endpoint it speaks of last, the ids that it cites."""

    pieces: Sentence
    fault: Fault | None
    detail: str = ""
    endpoint: str | None = None
    cited: tuple[str, ...] = ()
    confirmed: int = 0


class Checker:
    """Checks sentences against one pack; `secrets` are texts that no sentence may hold, `prompt` the instructions."""

    def __init__(
        self, pack: Pack, *, prompt: str = "", secrets: Sequence[str] = (), searched: bool = True
    ) -> None:  # fmt: skip
        """Prepare the names of the pack; `searched` tells whether it holds what was found, so that none is none."""
        self.pack = pack
        self._searched = searched
        self._scanner = Scanner(pack)
        self._zone = ZoneInfo(pack.zone)
        self._shingles = shingles(prompt)
        self._secrets = [each for each in secrets if len(each) > 5]
        self._dates = {_date(each.value, self._zone) for each in pack.figures.values() if each.unit == "time"}

    def check(self, sentence: str, context: Context) -> Checked:
        """Check a sentence."""
        tokens = self._scanner.scan(sentence)
        said = "".join(map(self._said, tokens))
        try:
            cites = self._cites(tokens)
            self._never(sentence, said, tokens, context)
            endpoint = self._figures(sentence, said, tokens, cites, context)
            cited = tuple(key for ids in cites.values() for key in ids)
            stray = tuple(key for token in tokens if token.kind == "cite" for key in token.ids)
            first = check_extreme(said, self._named(tokens), self.pack)
            self._endpoints(tokens, {*stray, *context.evidence}, context, first)
            self._times(tokens, {*stray})
            check_classes([token.text for token in tokens if token.kind == "class"], self._all(stray), self.pack)
            check_verdict(said, self.pack, searched=self._searched)
            if not context.advice:
                check_direction(said, self._all(stray), self._all(context.evidence))
            check_most(said, self._all({*stray, *context.evidence}))
        except Wrong as wrong:
            return Checked(_plain(sentence), wrong.fault, wrong.detail)
        pieces = self._pieces(tokens, cites)
        return Checked(pieces, None, "", endpoint, tuple(dict.fromkeys(stray)), len(cited))

    def endpoint_named(self, text: str) -> str | None:
        """The endpoint of the evidence that a text names; None where it names none, or not just one."""
        return self._scanner.endpoint_of.get(text.strip().strip("`\"'"))

    def is_about(self, endpoint: str, ids: Iterable[str]) -> bool:
        """Whether some of the figures, or the findings that they belong to, are about an endpoint."""
        cited = {*ids}
        return endpoint in self._about(cited).union(
            *(noted.endpoints for noted in self.pack.findings if cited & {*noted.ids})
        )

    def _cites(self, tokens: Sequence[Token]) -> dict[int, tuple[str, ...]]:
        """Ids for each number, by its place: the citation that follows, one id a number, in their order."""
        found: dict[int, tuple[str, ...]] = {}
        waiting: list[int] = []
        for place, token in enumerate(tokens):
            if token.kind in ("number", "time"):
                waiting.append(place)
            elif token.kind == "cite":
                for key in token.ids:
                    if key not in self.pack.figures:
                        raise Wrong("unknown_id", key)
                wanted = [at for at in waiting if not self._is_status(tokens[at], token if at == waiting[-1] else None)]
                if len(wanted) <= len(token.ids):
                    found |= {at: (key,) for at, key in zip(wanted, token.ids, strict=False)}
                elif wanted:
                    found[wanted[-1]] = (token.ids[-1],)
                waiting = []
        return found

    def _said(self, token: Token) -> str:
        """What the words of a claim are looked for in: /products/top is an endpoint and says nothing of the most."""
        is_path = token.kind == "known" and (token.text.startswith("/") or token.text in self._scanner.endpoint_of)
        return "·" if is_path else token.text

    def _never(self, sentence: str, said: str, tokens: Sequence[Token], context: Context) -> None:
        for token in tokens:
            if token.kind in _NEVER:
                raise Wrong(_NEVER[token.kind], token.text.strip())
            if token.kind == "known" and token.text in self._scanner.ambiguous:
                raise Wrong("endpoint", token.text)
        for secret in self._secrets:
            if secret in sentence:
                raise Wrong("address", "")
        if self._shingles & shingles(sentence):
            raise Wrong("prompt", "")
        for day in words.RELATIVE.findall(said):
            if day.lower() not in context.relative:
                raise Wrong("time", day)

    def _figures(
        self,
        sentence: str,
        said: str,
        tokens: Sequence[Token],
        cites: Mapping[int, tuple[str, ...]],
        context: Context,
    ) -> str | None:
        """Check every number; returns the endpoint that the sentence speaks of last."""
        named = context.endpoint
        from_here = False
        overall = False
        segment = ""
        later = [self._endpoint(token) for token in tokens]
        for place, token in enumerate(tokens):
            if (endpoint := later[place]) is not None:
                named, from_here, overall = endpoint, True, False
            elif token.kind in ("text", "class", "percentile"):
                overall = overall or bool(words.OVERALL.search(token.text))
            if token.kind not in ("number", "time"):
                segment += self._said(token) if token.kind != "cite" else ""
                continue
            if place not in cites:
                self._uncited(token, named)
                segment += token.text
                continue
            figure = self.pack.figures[cites[place][0]]
            after = "".join(each.text for each in tokens[place + 1 : place + 3] if each.kind in ("text", "class"))[:14]
            self._one(token, figure, segment + token.text + " " + after)
            following = next((each for each in later[place:] if each is not None), None)
            about = named if from_here or named is not None else following
            self._subject(sentence, figure, about, from_here=from_here, overall=overall, following=following)
            if figure.when == "before" and not words.BEFORE.search(said):
                raise Wrong("period", token.text.strip())
            segment = ""
        return named

    def _one(self, token: Token, figure: Figure, near: str) -> None:
        """Whether a number is the figure, and is called what the figure measures."""
        if token.kind == "time":
            if not is_time(token.text, figure, self._zone):
                raise Wrong("time", token.text.strip())
            return
        fault = fits(token.groups, figure)
        if fault is not None:
            raise Wrong(fault, f"{token.text.strip()} {figure.id}")
        latencies = {measure for pattern, found in words.MEASURES if pattern.search(near) for measure in found}
        if figure.measure in words.LATENCIES and latencies and figure.measure not in latencies:
            raise Wrong("measure", f"{token.text.strip()} {figure.id}")
        client, server = bool(words.CLIENT_ERRORS.search(near)), bool(words.SERVER_ERRORS.search(near))
        if (figure.measure, client, server) in (("server_errors", True, False), ("client_errors", False, True)):
            raise Wrong("measure", f"{token.text.strip()} {figure.id}")
        errors, requests = bool(words.ERRORS.search(near)), bool(words.REQUESTS.search(near))
        if figure.unit == "count" and (figure.measure, errors, requests) in (
            ("requests", True, False), ("errors", False, True),
        ):  # fmt: skip
            raise Wrong("measure", f"{token.text.strip()} {figure.id}")

    def _subject(
        self, sentence: str, figure: Figure, about: str | None, *, from_here: bool, overall: bool, following: str | None
    ) -> None:
        """Whether a figure is told of what it is about."""
        if figure.unit == "time":
            return
        if figure.about != ALL:
            if about != figure.about and not (not from_here and following == figure.about):
                raise Wrong("subject", f"{figure.id} {figure.about}")
        elif from_here and about is not None and not overall and not figure.of:
            raise Wrong("subject", f"{figure.id} {about}")
        if figure.of and not self._names_of(figure, sentence):
            raise Wrong("subject", f"{figure.id} {figure.of}")

    def _names_of(self, figure: Figure, sentence: str) -> bool:
        """Whether a sentence names what restricts a figure: its client, value or service, or its status code."""
        value = next((each for each in self.pack.names if figure.of == each or figure.of.endswith(f" {each}")), None)
        return (value or figure.of.rpartition(" ")[2]) in sentence

    def _uncited(self, token: Token, named: str | None) -> None:
        """A number without a figure: a status that occurs, or the length of the window; nothing else."""
        if token.kind == "time":
            raise Wrong("time", token.text.strip())
        if self._is_status(token, None):
            if int(token.groups["digits"]) in self._statuses_of(named):
                return
            raise Wrong("status", token.text.strip())
        digits, unit = token.groups["digits"], token.groups["unit"].strip()
        minutes = (self.pack.end - self.pack.start).total_seconds() / 60
        if unit in ("분", "min", "minute", "minutes") and float(digits.replace(",", "")) == minutes:
            return
        if unit in ("시간", "hour", "hours") and float(digits.replace(",", "")) * 60 == minutes:
            return
        raise Wrong("uncited", token.text.strip())

    def _statuses_of(self, named: str | None) -> tuple[int, ...]:
        """Codes of an endpoint where they are known, else those of all."""
        known = self.pack.statuses.get(named or ALL)
        return self.pack.statuses.get(ALL, ()) if known is None else known

    def _is_status(self, token: Token, cite: Token | None) -> bool:
        """A bare whole number from 100 to 599, unless the figure that it cites is that number."""
        if token.kind != "number" or token.groups["unit"] or token.groups["sign"] or token.groups["scale"]:
            return False
        digits = token.groups["digits"]
        if not digits.isdigit() or int(digits) not in _STATUSES or len(digits) != 3:
            return False
        return cite is None or not any(fits(token.groups, self.pack.figures[key]) is None for key in cite.ids)

    def _endpoints(self, tokens: Sequence[Token], ids: set[str], context: Context, first: set[str]) -> None:
        """An endpoint that is named must be one that the cited figures are about, or the first of all.

        The second endpoint of a finding may be named where its first is: that calls of B go with it says nothing of B.
        """
        named = self._named(tokens)
        supported = self._about(ids) | first
        beside = {*named, context.endpoint}
        for noted in self.pack.findings:
            if ids & {*noted.ids} and noted.endpoints and noted.endpoints[0] in beside:
                supported |= {*noted.endpoints}
        for token in tokens:
            endpoint = self._endpoint(token)
            if endpoint is not None and endpoint not in supported:
                raise Wrong("evidence", endpoint)

    def _about(self, ids: set[str]) -> set[str]:
        found = {self.pack.figures[key].about for key in ids}
        return found | {each.endpoints[0] for each in self.pack.findings if ids & {*each.ids} and each.endpoints}

    def _times(self, tokens: Sequence[Token], ids: set[str]) -> None:
        """A date or a weekday must be that of a time which the sentence cites, else of any in the evidence."""
        cited = {_date(figure.value, self._zone) for key in ids if (figure := self.pack.figures[key]).unit == "time"}
        for token in tokens:
            if token.kind in ("date", "weekday") and not names_date(token.text, cited or self._dates):
                raise Wrong("time", token.text)

    def _all(self, ids: Iterable[str]) -> list[Figure]:
        return [self.pack.figures[key] for key in ids]

    def _named(self, tokens: Iterable[Token]) -> set[str]:
        return {endpoint for token in tokens if (endpoint := self._endpoint(token)) is not None}

    def _endpoint(self, token: Token) -> str | None:
        return self._scanner.endpoint_of.get(token.text) if token.kind == "known" else None

    def _pieces(self, tokens: Sequence[Token], cites: Mapping[int, tuple[str, ...]]) -> Sentence:
        pieces: Sentence = []
        for place, token in enumerate(tokens):
            if token.kind == "cite":
                continue
            if place in cites:
                pieces.append(Piece(kind="figure", text=token.text.strip(), id=cites[place][0]))
            elif token.kind == "known":
                kind = "endpoint" if token.text in self._scanner.endpoint_of else "name"
                shown = self._scanner.endpoint_of.get(token.text)
                pieces.append(Piece(kind=kind, text=token.text, id=shown))  # type: ignore[arg-type]
            else:
                pieces += _plain(token.text)
        return pieces


def shingles(text: str) -> set[tuple[str, ...]]:
    """Every run of seven words of a text: who repeats one repeats the text."""
    found = [each.strip(".,;:!?()[]\"'`").lower() for each in text.split()]
    return {tuple(found[place : place + _SHINGLE]) for place in range(len(found) - _SHINGLE + 1)}


def _plain(text: str) -> Sentence:
    return [Piece(kind="text", text=text)] if text else []


def _date(seconds: float, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(seconds, tz=zone).date()
